//! An error of a request → what the store said, in a few words.
//!
//! A store answers with a document: its code and message are taken, and nothing else of it, because some
//! answers repeat what was signed.

use std::{error::Error, io::ErrorKind};

/// The whole chain of an error, for a look at what is in it. Not to be shown.
pub(crate) fn text_of(error: &object_store::Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The cause of an error, to be shown. It may have secrets in it, where a store repeats them.
pub(crate) fn cause_of(error: &object_store::Error) -> String {
    if let object_store::Error::InvalidPath { source } = error {
        // It names the key, which its own cause does not.
        return source.to_string();
    }
    let text = text_of(error);
    if let Some(code) = element(&text, "Code") {
        let message = element(&text, "Message").and_then(|message| message.lines().next());
        return match message.map(|message| message.trim_end_matches('.')) {
            Some(message) if !message.is_empty() => format!("{message} ({code})"),
            _ => code.to_owned(),
        };
    }
    if let Some(status) = status_of(&text) {
        return format!("the answer is {status}");
    }
    let last = chain(error).last().map(ToString::to_string).unwrap_or_default();
    last.lines().next().unwrap_or_default().to_owned()
}

/// The code that a store gives its error, for example `NoSuchBucket`.
pub(crate) fn code_of(text: &str) -> Option<&str> {
    element(text, "Code")
}

/// Whether a code says that the credentials are good, and not for this.
pub(crate) fn is_denial(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AuthorizationPermissionMismatch" | "AuthorizationFailure")
}

/// The status of an answer without a document, for example `403 Forbidden`.
fn status_of(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("non-2xx status code: ")?;
    rest.split([':', '\n']).next()
}

pub(crate) fn kind_of(error: &object_store::Error) -> ErrorKind {
    use object_store::Error as Store;
    match error {
        Store::NotFound { .. } => ErrorKind::NotFound,
        Store::AlreadyExists { .. } => ErrorKind::AlreadyExists,
        Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => ErrorKind::PermissionDenied,
        Store::NotSupported { .. } | Store::NotImplemented { .. } => ErrorKind::Unsupported,
        Store::InvalidPath { .. } => ErrorKind::InvalidInput,
        // Some answers stand within others, as those to a batch.
        _ => match code_of(&text_of(error)) {
            Some(code) if is_denial(code) => ErrorKind::PermissionDenied,
            _ => ErrorKind::Other,
        },
    }
}

fn chain<'e>(error: &'e object_store::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let first: &'e (dyn Error + 'static) = error;
    std::iter::successors(Some(first), |error: &&'e (dyn Error + 'static)| (*error).source())
}

/// The text of an element of a document.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn of_an_answer_its_code_and_message_are_shown() {
        let body = "Server returned non-2xx status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>\
                    <Message>The signature does not match.</Message><CanonicalRequest>x-amz-security-token:hidden\
                    </CanonicalRequest></Error>";
        assert_eq!(cause_of(&error(body)), "The signature does not match (SignatureDoesNotMatch)");
        let empty = "Error performing HEAD http://x/y in 1ms - Server returned non-2xx status code: 400 Bad Request: ";
        assert_eq!(cause_of(&error(empty)), "the answer is 400 Bad Request");
        assert_eq!(
            cause_of(&error("Connection refused (os error 111)\nmore")),
            "Connection refused (os error 111)"
        );
    }
}
