//! Names and texts → how SQL writes them where it is not as [`events_core::sql_text`] has it.
//!
//! Invariant: whatever the name or the text is, the quotes end where it ends.

/// A name between backticks.
pub(super) fn backticked(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// As it is if it is plain and can't be an SQL keyword, otherwise quoted: all names from a catalog or an
/// event type are quoted.
pub(super) fn plain_or(quoted: fn(&str) -> String, name: &str) -> String {
    let is_plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    let is_no_word = name.starts_with("data_") || matches!(name, "event_id" | "event_type");
    if is_plain && is_no_word { name.to_owned() } else { quoted(name) }
}

/// A text where a backslash begins an escape: `'it\'s'`.
pub(super) fn escaped_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r"))
}
