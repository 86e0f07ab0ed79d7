//! An event type's name → the name of a directory, and back.
//!
//! Letters, digits, `-`, `_` and `.` stay. Every other byte is written in hexadecimal: as `~XX` in a plain
//! directory, because readers of tables decode `%XX` in paths, and as `%XX` in the value of a hive directory
//! (`event_type=…`), because that is what readers decode there.
//!
//! A type that no catalog names has its domain in front: `domain.type` is written in this way.
//!
//! Invariant: two names never become one, and none is a path, or hidden from readers.

use std::{borrow::Cow, fmt::Write};

/// The most bytes that a directory's name can have.
pub const NAME_BYTES_MAX: usize = 255;

/// The text that the directories of a type are named after if no catalog names the type.
#[must_use]
pub fn directory_text(domain: &str, event_type: &str) -> String {
    format!("{domain}.{event_type}")
}

/// The name of a plain directory. In front, also `.`, `_` and `-` are written in hexadecimal: readers leave
/// out what begins with `.` or `_`.
#[must_use]
pub fn as_plain(name: &str) -> Cow<'_, str> {
    match name.strip_prefix(['.', '_', '-']) {
        Some(rest) => Cow::Owned(format!("~{:02X}{}", name.as_bytes()[0], escaped(rest, '~'))),
        None => escaped(name, '~'),
    }
}

/// The value of a hive directory.
#[must_use]
pub fn as_hive_value(name: &str) -> Cow<'_, str> {
    escaped(name, '%')
}

/// The name that a hive directory's value stands for; `None` if it stands for none.
#[must_use]
pub fn of_hive_value(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let (digits, behind) = behind.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether a character can be in the name of any directory.
pub(crate) fn is_safe(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn escaped(name: &str, mark: char) -> Cow<'_, str> {
    if name.chars().all(is_safe) {
        return Cow::Borrowed(name);
    }
    let mut escaped = String::with_capacity(name.len() + 16);
    let mut utf8 = [0; 4];
    for character in name.chars() {
        if is_safe(character) {
            escaped.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut utf8).bytes() {
            let _ = write!(escaped, "{mark}{byte:02X}");
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_of_a_directory_is_written_in_hexadecimal() {
        for (name, plain, hive) in [
            ("account-open", "account-open", "account-open"),
            ("Grüße.東京_1", "Grüße.東京_1", "Grüße.東京_1"),
            ("order placed/EU", "order~20placed~2FEU", "order%20placed%2FEU"),
            ("100%~", "100~25~7E", "100%25%7E"),
            ("..", "~2E.", ".."),
            ("_hidden", "~5Fhidden", "_hidden"),
            ("-rf", "~2Drf", "-rf"),
            ("a=b\n🦀", "a~3Db~0A~F0~9F~A6~80", "a%3Db%0A%F0%9F%A6%80"),
        ] {
            assert_eq!((&*as_plain(name), &*as_hive_value(name)), (plain, hive));
            assert_eq!(of_hive_value(hive).as_deref(), Some(name));
        }
        for broken in ["a%", "a%2", "a%zz", "%+1", "%FF", "%é1"] {
            assert_eq!(of_hive_value(broken), None, "{broken}");
        }
    }
}
