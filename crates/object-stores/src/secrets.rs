//! What must not be shown.
//!
//! Invariant: a text that was cleaned has none of the secrets in it, as they are or percent-encoded.

use std::fmt;

/// The secrets of a store.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: &str) {
        /// A shorter text would be found in others, and is no secret.
        const LETTERS_MIN: usize = 4;
        if secret.len() >= LETTERS_MIN {
            self.0.push(secret.to_owned());
            self.0.push(encoded(secret));
        }
    }

    pub(crate) fn clean(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_as_they_are_and_encoded() {
        let mut secrets = Secrets::default();
        secrets.add("top/secret=");
        secrets.add("");
        let text = "GET http://x?sig=top%2Fsecret%3D failed: top/secret= is wrong";
        assert_eq!(secrets.clean(text), "GET http://x?sig=*** failed: *** is wrong");
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }
}
