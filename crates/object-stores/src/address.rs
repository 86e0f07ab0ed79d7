//! The text of an address → its scheme, bucket, account and key.
//!
//! `s3://bucket/key`, `s3a://bucket/key`, `gs://bucket/key`, `az://container/key`,
//! `abfss://container@account.dfs.core.windows.net/key`. A key is taken as it stands: nothing in it is
//! decoded.
//!
//! Invariant: what is shown of an address has no secret in it.

use std::fmt;

use storage::{OpenError, Unusable, refuse_secrets};

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    S3,
    Azure,
    Google,
}

/// A place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) cloud: Cloud,
    /// What stands before the key, without a `/` at the end.
    root: String,
    pub(crate) bucket: String,
    /// The account that the address itself names (Azure).
    pub(crate) account: Option<String>,
    key: String,
}

impl Address {
    /// The parts of an address.
    ///
    /// # Errors
    /// If it is none, or of a service that is not known.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        refuse_secrets(text)?;
        let problem =
            |problem: String| OpenError { address: text.to_owned(), kind: Unusable::Address, problem };
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let cloud = match scheme {
            "s3" | "s3a" => Cloud::S3,
            "gs" => Cloud::Google,
            "az" | "abfs" | "abfss" => Cloud::Azure,
            _ => return Err(problem(UNKNOWN.to_owned())),
        };
        let (place, key) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, account) = match place.split_once('@') {
            None => (place, None),
            Some((container, host)) => {
                (container, Some(account_of(host).ok_or_else(|| problem(NO_ACCOUNT.into()))?))
            }
        };
        if bucket.is_empty() {
            return Err(problem(format!("expected {scheme}://NAME/KEY")));
        }
        let key = key.strip_suffix('/').unwrap_or(key);
        if !key.is_empty() && key.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(problem("a key can't have parts that are empty, `.` or `..`".to_owned()));
        }
        if key.chars().any(|letter| letter.is_ascii_control()) {
            return Err(problem("a key can't have control characters".to_owned()));
        }
        let (root, bucket, key) = (format!("{scheme}://{place}"), bucket.to_owned(), key.to_owned());
        Ok(Self { cloud, root, bucket, account, key })
    }

    /// The key below the bucket, without a `/` at its end; empty for the whole bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The bucket as a whole.
    #[must_use]
    pub fn bucket(&self) -> Self {
        Self { key: String::new(), ..self.clone() }
    }

    /// The address of another key in the bucket.
    pub(crate) fn of(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of(&self.key))
    }
}

const UNKNOWN: &str = "expected a path, or s3://, gs://, az:// or abfss:// and a bucket";
const NO_ACCOUNT: &str = "expected abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY";

/// The account of a host such as `account.dfs.core.windows.net`.
fn account_of(host: &str) -> Option<String> {
    let (account, domain) = host.split_once('.')?;
    let is_known = ["dfs.core.windows.net", "blob.core.windows.net"].contains(&domain);
    (is_known && !account.is_empty()).then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_stands() {
        let address = Address::parse("s3://bucket/a b/day=1/%7E+ü.json/").unwrap();
        assert_eq!((address.bucket.as_str(), address.key()), ("bucket", "a b/day=1/%7E+ü.json"));
        assert_eq!(address.to_string(), "s3://bucket/a b/day=1/%7E+ü.json");
        assert_eq!(address.bucket().to_string(), "s3://bucket/");
        let address = Address::parse("abfss://data@lake.dfs.core.windows.net/events").unwrap();
        let account = address.account.as_deref();
        assert_eq!((address.cloud, address.bucket.as_str(), account), (Cloud::Azure, "data", Some("lake")));
        assert_eq!(address.of("x/y"), "abfss://data@lake.dfs.core.windows.net/x/y");
        assert_eq!(Address::parse("gs://bucket").unwrap().key(), "");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        for (text, part) in [
            ("data/target", "expected a path"),
            ("file:///tmp/x", "expected a path"),
            ("s3://", "expected s3://NAME/KEY"),
            ("s3://bucket/a//b", "empty"),
            ("s3://bucket/../b", "empty"),
            ("s3://AKIASECRET:topsecret@bucket/x", "credentials do not belong"),
            ("abfss://c@example.com/x", "expected abfss://CONTAINER@ACCOUNT"),
        ] {
            let message = Address::parse(text).unwrap_err().to_string();
            assert!(message.contains(part) && !message.contains("topsecret"), "{text}: {message}");
        }
    }
}
