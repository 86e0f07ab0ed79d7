//! An address such as `postgresql://user@host/database?schema=lake` → the schema of a database.
//!
//! Invariant: without the feature `postgres` nothing here reaches a network, and an address is refused. What
//! is shown of an address has no password.

use std::{path::Path, sync::Arc};

use event_target::Database;
use storage::scheme_of;

use crate::error::Error;

/// The schemes of a database's address.
const SCHEMES: [&str; 2] = ["postgresql", "postgres"];

/// The address of a database that a path is, if it is one.
#[must_use]
pub fn database_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| scheme_of(text).is_some_and(|scheme| SCHEMES.contains(&scheme)))
}

/// Opens the schema of an address. Its server has answered then.
///
/// # Errors
/// If it can't be used.
#[cfg(feature = "postgres")]
pub fn open_database(address: &str) -> Result<Arc<dyn Database>, Error> {
    Ok(postgres_session::open(address)?)
}

/// Refuses an address.
///
/// # Errors
/// Always.
#[cfg(not(feature = "postgres"))]
pub fn open_database(address: &str) -> Result<Arc<dyn Database>, Error> {
    let refusal = storage::OpenError {
        address: shown(Path::new(address)),
        kind: storage::Unusable::Feature,
        problem: "this program was built without databases".to_owned(),
    };
    Err(refusal.into())
}

/// How messages name a path or an address: of a database's, without the password.
#[must_use]
pub fn shown(path: &Path) -> String {
    let Some((scheme, rest)) = database_of(path).and_then(|address| address.split_once("://")) else {
        return path.display().to_string();
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A password that is not encoded may have any of `/`, `?` and `@` in it.
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, behind)) if !place.contains('@') => (user, behind),
        _ => place.rsplit_once('@').unwrap_or(("", place)),
    };
    let user = user.split(':').next().unwrap_or_default();
    let at = if user.is_empty() { "" } else { "@" };
    let is_shown = |pair: &&str| ["schema=", "host=", "port="].iter().any(|name| pair.starts_with(name));
    let query: Vec<_> = query.split('&').filter(is_shown).collect();
    let question = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{user}{at}{place}{question}{}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (address, text) in [
            ("lake", "lake"),
            ("s3://bucket/key", "s3://bucket/key"),
            ("postgresql://u@h/d?schema=s", "postgresql://u@h/d?schema=s"),
            ("postgres://u:hush@h:1/d?schema=s&password=hush", "postgres://u@h:1/d?schema=s"),
            ("postgresql://u:hu/sh@h/d", "postgresql://u@h/d"),
            ("postgresql://u:hu?sh@h/d", "postgresql://u@h/d"),
            ("postgresql://u:hu@sh@h/d", "postgresql://u@h/d"),
            ("postgresql:///d?host=/run&user=u&password=hush", "postgresql:///d?host=/run"),
        ] {
            assert_eq!(shown(Path::new(address)), text, "{address}");
        }
    }
}
