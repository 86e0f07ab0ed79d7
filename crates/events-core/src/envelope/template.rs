//! The text of a template ↔ its pieces: literal text, and paths in a record.
//!
//! `{path}` stands for the value at a path, `{a|b}` for the first of several that is there and not null; all
//! else is literal. A path is keys with dots between them; a key with a dot, a bar, a brace, a quote or a `^`
//! in front is written in double quotes (`{"a.b"}`), with `\"` and `\\` in them. `{^key}` begins at the
//! objects around the records instead of at the record.
//!
//! Invariant: a template's text is read back as the same template.

use std::fmt;

/// The most keys of a path: code recurses over them.
pub const KEYS_MAX: usize = 32;

/// A text that is made of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template {
    /// No two literal ones are neighbours, and none is empty.
    pub pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// This text.
    Literal(String),
    /// The text or integer at the first of these paths that is there and not null; there is one at least.
    Paths(Vec<Path>),
}

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// Whether it begins at the objects around the records, not at the record.
    pub is_enclosing: bool,
    /// The keys of the objects on the way; there is one at least.
    pub keys: Vec<String>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            if at > 0 {
                pieces.push(Piece::Literal(rest[..at].to_owned()));
            }
            let (paths, behind) = parse_paths(&rest[at + 1..])?;
            pieces.push(Piece::Paths(paths));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        if pieces.is_empty() {
            return Err("the template is empty".to_owned());
        }
        Ok(Self { pieces })
    }

    /// All paths in it.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.pieces.iter().flat_map(Piece::paths)
    }

    /// The paths of a template that is nothing but `{path}` or `{a|b}`.
    #[must_use]
    pub fn as_paths(&self) -> Option<&[Path]> {
        match self.pieces.as_slice() {
            [Piece::Paths(paths)] => Some(paths),
            _ => None,
        }
    }
}

impl Piece {
    fn paths(&self) -> &[Path] {
        match self {
            Self::Literal(_) => &[],
            Self::Paths(paths) => paths,
        }
    }
}

/// The paths behind an opening brace, and the text behind the closing one.
fn parse_paths(text: &str) -> Result<(Vec<Path>, &str), String> {
    let mut paths = Vec::new();
    let mut rest = text;
    loop {
        let (path, behind) = parse_path(rest)?;
        paths.push(path);
        rest = match behind.chars().next() {
            Some('|') => &behind[1..],
            Some('}') => return Ok((paths, &behind[1..])),
            _ => return Err("a `{` has no `}`".to_owned()),
        };
    }
}

/// A path up to the bar or brace behind it.
fn parse_path(text: &str) -> Result<(Path, &str), String> {
    let (is_enclosing, mut rest) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
    let mut keys = Vec::new();
    loop {
        let (key, behind) = if rest.starts_with('"') { quoted_key(rest)? } else { bare_key(rest)? };
        keys.push(key);
        if keys.len() > KEYS_MAX {
            return Err(format!("a path has at most {KEYS_MAX} keys"));
        }
        match behind.strip_prefix('.') {
            Some(behind) => rest = behind,
            None => return Ok((Path { is_enclosing, keys }, behind)),
        }
    }
}

fn bare_key(text: &str) -> Result<(String, &str), String> {
    let end = text.find(['.', '|', '}', '{', '"']).unwrap_or(text.len());
    if end == 0 {
        return Err("a path has an empty key".to_owned());
    }
    Ok((text[..end].to_owned(), &text[end..]))
}

fn quoted_key(text: &str) -> Result<(String, &str), String> {
    let mut key = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((key, &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => key.push(escaped),
                _ => return Err("a backslash in a key is written `\\\\`, a quote `\\\"`".to_owned()),
            },
            other => key.push(other),
        }
    }
    Err("a key in quotes has no end".to_owned())
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => f.write_str(text)?,
                Piece::Paths(paths) => write!(f, "{{{}}}", paths_text(paths))?,
            }
        }
        Ok(())
    }
}

/// Alternative paths, as between the braces of a template.
#[must_use]
pub fn paths_text(paths: &[Path]) -> String {
    paths.iter().map(Path::to_string).collect::<Vec<_>>().join("|")
}

/// As between the braces of a template.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_enclosing {
            f.write_str("^")?;
        }
        for (index, key) in self.keys.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if key.is_empty() || key.starts_with('^') || key.contains(['.', '|', '}', '{', '"']) {
                write!(f, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))?;
            } else {
                f.write_str(key)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(keys: &[&str]) -> Path {
        Path { is_enclosing: false, keys: keys.iter().map(|&key| key.to_owned()).collect() }
    }

    #[test]
    fn a_template_is_literal_text_and_paths() {
        let literal = |text: &str| Piece::Literal(text.to_owned());
        for (text, expected) in [
            ("stripe", vec![literal("stripe")]),
            ("{id}", vec![Piece::Paths(vec![path(&["id"])])]),
            ("{event|type}", vec![Piece::Paths(vec![path(&["event"]), path(&["type"])])]),
            (
                "a {b.c}}-{\"d.e\".f} ",
                vec![
                    literal("a "),
                    Piece::Paths(vec![path(&["b", "c"])]),
                    literal("}-"),
                    Piece::Paths(vec![path(&["d.e", "f"])]),
                    literal(" "),
                ],
            ),
            (r#"{"\"\\^"}"#, vec![Piece::Paths(vec![path(&["\"\\^"])])]),
            ("{^k}", vec![Piece::Paths(vec![Path { is_enclosing: true, ..path(&["k"]) }])]),
            (
                "{detail-type}{@t s}",
                vec![Piece::Paths(vec![path(&["detail-type"])]), Piece::Paths(vec![path(&["@t s"])])],
            ),
        ] {
            assert_eq!(Template::parse(text), Ok(Template { pieces: expected }), "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_reason() {
        for (text, expected) in [
            ("", "the template is empty"),
            ("{}", "a path has an empty key"),
            ("{a.}", "a path has an empty key"),
            ("{a||b}", "a path has an empty key"),
            ("{a", "a `{` has no `}`"),
            ("x{", "a path has an empty key"),
            ("{a{b}", "a `{` has no `}`"),
            ("{\"a}", "a key in quotes has no end"),
            (r#"{"\n"}"#, "a backslash in a key is written `\\\\`, a quote `\\\"`"),
        ] {
            assert_eq!(Template::parse(text).unwrap_err(), expected, "{text}");
        }
        let deep = format!("{{{}}}", vec!["a"; KEYS_MAX + 1].join("."));
        assert_eq!(Template::parse(&deep).unwrap_err(), "a path has at most 32 keys");
    }

    proptest! {
        #[test]
        fn a_template_s_text_is_read_back(text in "[a{}\"|.^\\\\ ]{0,12}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
            }
        }

        #[test]
        fn any_keys_have_a_path(keys in proptest::collection::vec("[a{}\"|.^\\\\ ]{0,4}", 1..4), is_enclosing: bool) {
            let template = Template { pieces: vec![Piece::Paths(vec![Path { is_enclosing, keys }])] };
            prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
        }
    }
}
