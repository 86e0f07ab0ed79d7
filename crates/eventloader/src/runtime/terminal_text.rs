//! Text from anywhere (names in the data, paths) → text that a terminal shows and does not act upon.
//!
//! Invariant: what comes out is one line, without control characters and those that change the direction of writing.

use std::fmt::Write;

/// Writes what a terminal would act upon, and what would end the line, as `\uXXXX`.
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
