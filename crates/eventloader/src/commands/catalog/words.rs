//! A key → the words that it consists of.
//!
//! Invariant: the words are in lower case and have letters only.

/// The words of a name: between characters that are no letters, and before a capital letter.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for character in name.chars() {
        let begins = !before.is_alphabetic() || (character.is_uppercase() && !before.is_uppercase());
        if character.is_alphabetic() {
            if begins {
                words.push(String::new());
            }
            words.last_mut().into_iter().for_each(|word| word.extend(character.to_lowercase()));
        }
        before = character;
    }
    words
}
