//! Names and texts → how standard SQL writes them.
//!
//! Invariant: whatever the name or the text is, the quotes end where it ends.

/// A name in double quotes, which is taken as it is, whatever its case, also if it is a keyword:
/// `"a ""name"""`.
#[must_use]
pub fn double_quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text: `'it''s'`.
#[must_use]
pub fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
