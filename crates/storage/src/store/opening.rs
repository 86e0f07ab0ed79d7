//! A text that names a place of a store, and why a store can't be used.
//!
//! Invariant: an error says what happened and what to look at. It has no secret in it, and no flag.

use std::fmt;

/// The scheme of an address such as `s3://bucket/key`; `None` for a path.
#[must_use]
pub fn scheme_of(place: &str) -> Option<&str> {
    let (scheme, _) = place.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_scheme.then_some(scheme)
}

/// Refuses an address with a secret in it: it would be printed, reported and recorded.
///
/// # Errors
/// [`Unusable::Address`]; what is shown of the address is what stands before the secret.
pub fn refuse_secrets(address: &str) -> Result<(), OpenError> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let place = rest.split('/').next().unwrap_or_default();
    let is_azure = matches!(scheme, "az" | "abfs" | "abfss");
    let refusal = |address: String, problem: &str| OpenError {
        address,
        kind: Unusable::Address,
        problem: problem.to_owned(),
    };
    if place.contains(':') || (place.contains('@') && !is_azure) {
        return Err(refusal(format!("{scheme}://…"), IN_ADDRESS));
    }
    let signature =
        ["sig=", "X-Amz-Signature=", "X-Goog-Signature="].iter().find_map(|name| address.find(name));
    if let Some(at) = signature {
        let shown = address.find('?').map_or(at, |question| question.min(at));
        return Err(refusal(address[..shown].to_owned(), SIGNATURE));
    }
    Ok(())
}

const IN_ADDRESS: &str = "credentials do not belong into an address: set the variables of the environment";
const SIGNATURE: &str = "a signature does not belong into an address: set AZURE_STORAGE_SAS_TOKEN, or the \
                         credentials of the bucket";

/// Why a store can't be used.
#[derive(Debug)]
pub struct OpenError {
    /// Where it is, without secrets.
    pub address: String,
    /// Of which kind the problem is.
    pub kind: Unusable,
    /// What happened, and what to set or to look at.
    pub problem: String,
}

/// Kinds of problems with a store, by what a user can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// The address is none, or of a kind that this program does not know.
    Address,
    /// This program was built without object stores.
    Feature,
    /// The endpoint is no URL, or another setting is not usable.
    Setting,
    /// There are no credentials.
    NoCredentials,
    /// There are credentials, and the store does not take them.
    Refused,
    /// The bucket is in another region.
    Region,
    /// There is no such bucket.
    Bucket,
    /// No connection to the store.
    Unreachable,
    /// The store answers with another error.
    Failing,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.problem)
    }
}

impl std::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_path() {
        assert_eq!(scheme_of("s3://bucket/key"), Some("s3"));
        assert_eq!(scheme_of("abfss://container@account.dfs.core.windows.net/key"), Some("abfss"));
        for path in ["data/target", "/s3:/x", "./s3://x", "://x", "a b://c", "c:\\x", "-"] {
            assert_eq!(scheme_of(path), None, "{path}");
        }
    }

    #[test]
    fn an_address_with_a_secret_is_refused_without_it() {
        for (address, shown) in [
            ("s3://key:topsecret@bucket/x", "s3://…: credentials"),
            ("s3://topsecret@bucket", "s3://…: credentials"),
            ("az://c/key?sv=2024&sig=topsecret", "az://c/key: a signature"),
            ("s3://b/k?X-Amz-Signature=topsecret", "s3://b/k: a signature"),
        ] {
            let message = refuse_secrets(address).unwrap_err().to_string();
            assert!(message.starts_with(shown) && !message.contains("topsecret"), "{message}");
        }
        for address in ["abfss://c@account.dfs.core.windows.net/x", "s3://b/day=1/a?b@c:d", "gs://b"] {
            refuse_secrets(address).unwrap();
        }
    }
}
