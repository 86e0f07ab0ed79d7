//! Strings → TOML keys, values and comments that mean them, whatever is in them.

use std::fmt::Write;

/// A key: bare where TOML allows it.
pub(crate) fn quoted_key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A basic string. JSON's escapes are TOML's.
pub(crate) fn quoted(text: &str) -> String {
    visible(&serde_json::to_string(text).unwrap_or_default())
}

/// Escapes what JSON leaves as it is and TOML refuses, or a terminal would act upon: further control characters, and those
/// that change the direction of writing.
fn visible(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        let steers = matches!(character, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        if character.is_control() || steers {
            let _ = write!(text, "\\u{:04X}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_a_key_toml_reads_it_back() {
        for name in ["id", "a-b_C9", "", "a.b", "東京", "a\"b\\c", "tab\t\u{7f}\u{85}\u{202e}", "é'", "\n"]
        {
            let text = format!("{} = {} # {}", quoted_key(name), quoted(name), quoted(name));
            let table = toml::de::DeTable::parse(&text).unwrap();
            let (key, value) = table.get_ref().iter().next().unwrap();
            assert_eq!((key.get_ref().as_ref(), value.get_ref().as_str()), (name, Some(name)), "{text}");
        }
        assert_eq!(quoted_key("settled_at"), "settled_at");
    }
}
