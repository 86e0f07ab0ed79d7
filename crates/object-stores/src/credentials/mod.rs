//! The environment → how requests are signed, as the tools of each cloud find it.
//!
//! Invariant: no request is made to an instance's metadata service unless a variable asks for it. Without
//! credentials, opening fails at once and says what to set.

mod azure;
mod google;
mod profile;
mod s3;

use std::{fmt, path::PathBuf};

use storage::{OpenError, Unusable};

pub(crate) use self::{azure::azure, google::google, s3::s3};
use crate::{address::Address, open::Options, secrets::Secrets};

/// The variables of the environment. A variable that is empty counts as missing.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'e>(pub(crate) &'e dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    /// The first of these variables that is set.
    pub(crate) fn get(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| (self.0)(name).filter(|value| !value.is_empty()))
    }

    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.get(&[name]).is_some_and(|there| there.eq_ignore_ascii_case(value))
    }

    pub(crate) fn has_all<const N: usize>(&self, names: [&str; N]) -> Option<[String; N]> {
        let values: Vec<_> = names.iter().filter_map(|name| self.get(&[name])).collect();
        values.try_into().ok()
    }

    /// A path below the user's home directory.
    pub(crate) fn at_home(&self, path: &str) -> Option<PathBuf> {
        Some(PathBuf::from(self.get(&["HOME"])?).join(path))
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// How to reach a bucket: what builds its client, and what to say of it.
#[derive(Debug)]
pub(crate) struct Access<B> {
    pub(crate) builder: B,
    pub(crate) secrets: Secrets,
    /// The URL that requests go to, if it is not the cloud's own.
    pub(crate) endpoint: Option<String>,
    /// Where the credentials come from, for messages; `None` for none.
    pub(crate) signed_by: Option<&'static str>,
}

/// The endpoint that was given, if it is one.
fn endpoint_of(
    address: &Address,
    options: &Options,
    environment: impl FnOnce() -> Option<String>,
) -> Result<Option<String>, OpenError> {
    let Some(endpoint) = options.endpoint.clone().or_else(environment) else { return Ok(None) };
    let fits = |url: &url::Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
    };
    if url::Url::parse(&endpoint).is_ok_and(|url| fits(&url)) {
        return Ok(Some(endpoint.trim_end_matches('/').to_owned()));
    }
    let problem = "the endpoint is not of the form https://HOST[:PORT][/PATH]".to_owned();
    Err(OpenError { address: address.to_string(), kind: Unusable::Setting, problem })
}

fn no_credentials(address: &Address, problem: impl Into<String>) -> OpenError {
    OpenError { address: address.to_string(), kind: Unusable::NoCredentials, problem: problem.into() }
}
