//! Strings → TOML keys, values and comments, whatever is in them.
//!
//! Invariant: TOML reads the text back as the same string.

use crate::runtime::escape_for_terminal;

/// A key: bare where TOML allows it.
pub(crate) fn quoted_key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A basic string. JSON's escapes are valid in TOML. Characters that TOML forbids and JSON does not escape
/// are escaped the same way.
pub(crate) fn quoted(text: &str) -> String {
    escape_for_terminal(&serde_json::to_string(text).unwrap_or_default())
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
