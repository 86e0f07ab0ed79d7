//! A value of a catalog file → TOML that says the same in one line, whatever tables and comments the file
//! has.
//!
//! Invariant: what is written is read as what was read.

use std::fmt::Write;

use toml::de::DeValue;

/// Appends `"key" = value` and a newline.
pub(super) fn push_entry(text: &mut String, key: &str, value: &DeValue<'_>) {
    push_text(text, key);
    text.push_str(" = ");
    push(text, value);
    text.push('\n');
}

fn push(text: &mut String, value: &DeValue<'_>) {
    match value {
        DeValue::String(value) => push_text(text, value),
        DeValue::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        DeValue::Array(values) => {
            text.push('[');
            for value in values {
                push(text, value.get_ref());
                text.push(',');
            }
            text.push(']');
        }
        DeValue::Table(table) => {
            text.push('{');
            for (number, (key, value)) in table.iter().enumerate() {
                text.push_str(if number > 0 { ", " } else { " " });
                push_text(text, key.get_ref());
                text.push_str(" = ");
                push(text, value.get_ref());
            }
            text.push_str(" }");
        }
        // No key of an envelope or a type takes numbers or times.
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => text.push_str("\"\""),
    }
}

fn push_text(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            _ if character.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}
