//! Text from anywhere (names in the data, paths) → text that is safe to print on a terminal.
//!
//! Invariant: the result is one line, without control characters and characters that change the writing
//! direction.

use std::fmt::Write;

/// Writes characters that a terminal would act upon, and line breaks, as `\uXXXX`.
#[must_use]
pub fn escape_for_terminal(text: &str) -> String {
    let mut escape_for_terminal = String::with_capacity(text.len());
    for character in text.chars() {
        let steers = matches!(character, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        if character.is_control() || steers {
            let _ = write!(escape_for_terminal, "\\u{:04X}", u32::from(character));
        } else {
            escape_for_terminal.push(character);
        }
    }
    escape_for_terminal
}
