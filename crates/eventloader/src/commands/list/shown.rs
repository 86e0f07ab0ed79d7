//! Names, paths and lines from anywhere → text that a page can show.
//!
//! Invariant: whoever reads the page sees each character as what it is: those that no font draws, or that
//! change how others are drawn, are written as `\uXXXX`. The template escapes what means something in HTML.

use std::fmt::{self, Write as _};

use crate::runtime::escape_for_terminal;

/// The longest name in the head of a column, in characters.
const COLUMN_CHARS: usize = 40;
/// The longest path, in characters.
const PATH_CHARS: usize = 160;
/// The longest of any other text, in characters.
const TEXT_CHARS: usize = 240;

/// Text that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    /// What is said about something, cut at its end.
    pub(super) fn text(text: &str) -> Self {
        let mut cut: String = text.chars().take(TEXT_CHARS).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        Self(visible(&cut))
    }

    /// A path: two that are too long often differ in their ends.
    pub(super) fn path(path: &str) -> Self {
        Self::cut_inside(path, PATH_CHARS)
    }

    /// The head of a column.
    pub(super) fn column(name: &str) -> Self {
        Self::cut_inside(name, COLUMN_CHARS)
    }

    /// A name as it is, however long.
    pub(super) fn whole(name: &str) -> Self {
        Self(visible(name))
    }

    fn cut_inside(text: &str, chars_max: usize) -> Self {
        let chars = text.chars().count();
        if chars <= chars_max {
            return Self(visible(text));
        }
        let end = chars_max / 3;
        let begin: String = text.chars().take(chars_max - end - 1).collect();
        let end: String = text.chars().skip(chars - end).collect();
        Self(visible(&format!("{begin}…{end}")))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Besides what a terminal acts upon: characters without a shape of their own, by Unicode's property
/// `Default_Ignorable_Code_Point`, and marks of the writing direction.
fn visible(text: &str) -> String {
    let is_unseen = |c: char| {
        matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
    };
    let mut shown = String::with_capacity(text.len());
    for part in escape_for_terminal(text).split_inclusive(is_unseen) {
        match part.chars().next_back() {
            Some(last) if is_unseen(last) => {
                shown.push_str(&part[..part.len() - last.len_utf8()]);
                let _ = write!(shown, "\\u{:04X}", u32::from(last));
            }
            _ => shown.push_str(part),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_written_as_its_number() {
        let shown = |text| Shown::text(text).to_string();
        assert_eq!(shown("a\u{202E}b\u{200B}\u{200F}c\u{7}\n"), "a\\u202Eb\\u200B\\u200Fc\\u0007\\u000A");
        assert_eq!(shown("\u{E0041}"), "\\uE0041");
        assert_eq!(shown("<b> Zoë 東京 🎉"), "<b> Zoë 東京 🎉");
    }

    #[test]
    fn long_texts_are_cut_where_they_say_least() {
        let text = Shown::text(&"ä".repeat(TEXT_CHARS + 1)).to_string();
        assert_eq!(text.chars().count(), TEXT_CHARS + 1);
        assert!(text.ends_with("ä…"), "{text}");
        let name = Shown::column(&format!("begin-{}-end", "x".repeat(300))).to_string();
        assert_eq!(name.chars().count(), COLUMN_CHARS);
        assert!(name.starts_with("begin-x") && name.contains('…') && name.ends_with("x-end"), "{name}");
        assert_eq!(Shown::column("short").to_string(), "short");
    }
}
