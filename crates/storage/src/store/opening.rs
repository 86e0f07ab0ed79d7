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
    /// The store does not hold conditions: two writers could both create one object.
    NoConditions,
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
    use super::scheme_of;

    #[test]
    fn an_address_is_told_from_a_path() {
        assert_eq!(scheme_of("s3://bucket/key"), Some("s3"));
        assert_eq!(scheme_of("abfss://container@account.dfs.core.windows.net/key"), Some("abfss"));
        for path in ["data/target", "/s3:/x", "./s3://x", "://x", "a b://c", "c:\\x", "-"] {
            assert_eq!(scheme_of(path), None, "{path}");
        }
    }
}
