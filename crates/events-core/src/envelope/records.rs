//! `Records[]`, `resourceLogs[].scopeLogs[].logRecords[]`, `.`: where the records are in a document.
//!
//! A path is keys with dots between them; the value of a key with `[]` is a list, and the path goes on in
//! each of its elements. A key that has a dot or a bracket itself stands in quotes, as in JSON. `.` is the
//! document.
//!
//! Invariant: a path's text is read back as the same path.

use std::{fmt, str::FromStr};

/// The place of the records in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RecordsPath {
    steps: Vec<RecordsStep>,
}

/// A key on the way to the records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordsStep {
    /// The key.
    pub key: String,
    /// Whether its value is a list, and the path goes on in each element.
    pub is_list: bool,
}

/// A text that is no such path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no path to records: expected keys with dots between them and [] behind each list, such as \
     \"Records[]\" or \"resourceLogs[].scopeLogs[].logRecords[]\" (a key with a dot or a bracket in quotes), \
     or \".\" for the document itself"
)]
pub struct RecordsPathError {
    found: String,
}

impl RecordsPath {
    /// The document itself.
    pub const DOCUMENT: Self = Self { steps: Vec::new() };

    /// The keys, from the outermost; none if the document is the record.
    #[must_use]
    pub fn steps(&self) -> &[RecordsStep] {
        &self.steps
    }

    /// Whether the document itself is the record.
    #[must_use]
    pub fn is_document(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether a document may have any number of records.
    #[must_use]
    pub fn has_lists(&self) -> bool {
        self.steps.iter().any(|step| step.is_list)
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "." {
            return Some(Self::DOCUMENT);
        }
        let (mut steps, mut rest) = (Vec::new(), text);
        loop {
            let (key, behind) = take_key(rest)?;
            let (is_list, behind) =
                behind.strip_prefix("[]").map_or((false, behind), |behind| (true, behind));
            steps.push(RecordsStep { key, is_list });
            match behind.strip_prefix('.') {
                Some(next) => rest = next,
                None => return behind.is_empty().then_some(Self { steps }),
            }
        }
    }
}

const SPECIAL: [char; 6] = ['.', '[', ']', '"', '{', '}'];

/// The key at the start of a text, and the text behind it.
fn take_key(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let key = values.next()?.ok()?;
        return Some((key, &text[values.byte_offset()..]));
    }
    let length = text.find(SPECIAL).unwrap_or(text.len());
    let (key, behind) = text.split_at(length);
    (!key.is_empty() && key.trim() == key).then(|| (key.to_owned(), behind))
}

impl FromStr for RecordsPath {
    type Err = RecordsPathError;

    fn from_str(text: &str) -> Result<Self, RecordsPathError> {
        Self::parse(text).ok_or_else(|| RecordsPathError { found: text.to_owned() })
    }
}

impl fmt::Display for RecordsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_document() {
            return f.write_str(".");
        }
        for (index, RecordsStep { key, is_list }) in self.steps.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if key.is_empty() || key.trim() != key || key.contains(SPECIAL) {
                write!(f, "{}", serde_json::Value::from(key.as_str()))?;
            } else {
                f.write_str(key)?;
            }
            if *is_list {
                f.write_str("[]")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_keys_with_lists_at_some_levels() {
        for (text, expected) in [
            (".", ""),
            ("Records[]", "Records*"),
            ("payload", "payload"),
            ("resourceLogs[].scopeLogs[].logRecords[]", "resourceLogs*|scopeLogs*|logRecords*"),
            ("notificationItems[].NotificationRequestItem", "notificationItems*|NotificationRequestItem"),
            ("detail.\"a.b\"[]", "detail|a.b*"),
            ("two words.$x", "two words|$x"),
        ] {
            let path: RecordsPath = text.parse().unwrap();
            let steps: Vec<_> = path
                .steps()
                .iter()
                .map(|step| format!("{}{}", step.key, if step.is_list { "*" } else { "" }))
                .collect();
            assert_eq!((steps.join("|"), path.to_string()), (expected.to_owned(), text.to_owned()));
            assert_eq!(path.has_lists(), text.contains("[]"));
        }
    }

    #[test]
    fn an_error_says_what_is_allowed() {
        for text in [
            "", "..", "a..b", "[]", "a[", "a[]b", "a[0]", "a[][]", ".a", "a.", " a", "{a}", "\"a", "\"a\"b",
            "a\"b\"",
        ] {
            let error = text.parse::<RecordsPath>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is no path to records: expected keys")), "{error}");
            assert!(error.contains("\"Records[]\"") && error.ends_with("or \".\" for the document itself"));
        }
    }

    proptest! {
        #[test]
        fn a_path_s_text_is_read_back_as_the_same_path(
            steps in proptest::collection::vec(("[a.\"\\[ \\\\é{]{0,3}", any::<bool>()), 0..4)
        ) {
            let steps = steps.into_iter().map(|(key, is_list)| RecordsStep { key, is_list }).collect();
            let path = RecordsPath { steps };
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}
