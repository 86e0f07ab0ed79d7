//! An address and the environment → a database that answers.
//!
//! Invariant: what is returned has answered once, so that a wrong name, password or certificate is told
//! before any work begins.

use std::{env, sync::Arc};

use event_target::Database;
use storage::{OpenError, Unusable};
use tokio_postgres::error::SqlState;

use crate::{
    address::Address,
    connection::{Connector, Unconnected},
    failure,
    password::{self, Found},
    server::Server,
    tls::Encryption,
};

/// Opens the schema of an address, with the password that it has or that the environment names.
///
/// # Errors
/// The address is none, or the server can't be reached or does not take its user.
pub fn open(text: &str) -> Result<Arc<dyn Database>, OpenError> {
    open_with(text, &|name| env::var(name).ok())
}

/// The same; `variable` stands for the environment.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Database>, OpenError> {
    let address = Address::parse(text, variable)?;
    let shown = address.to_string();
    let refused = |kind, problem| OpenError { address: shown.clone(), kind, problem };
    let (password, remark) = match &address.password {
        Some(password) => (Some(password.clone()), None),
        None => match password::find(&address, variable) {
            Found::Password(password) => (Some(password), None),
            Found::None(remark) => (None, remark),
        },
    };
    let encryption = Encryption::new(address.ssl_mode, address.root_certificates.as_deref(), variable);
    let encryption = encryption.map_err(|problem| refused(Unusable::Setting, problem))?;
    let connector = Connector::new(address, password, encryption);
    let connector = connector.map_err(|error| refused(Unusable::Setting, error.to_string()))?;
    let connection = connector.connect().map_err(|error| {
        let (kind, problem) = cause_of(&error, &connector);
        let remark = remark.filter(|_| matches!(kind, Unusable::NoCredentials | Unusable::Refused));
        refused(kind, remark.map_or_else(|| problem.clone(), |remark| format!("{problem} ({remark})")))
    })?;
    Ok(Arc::new(Server::new(connector, connection)))
}

/// What kind of problem it is that there is no connection, and what to look at.
fn cause_of(error: &Unconnected, connector: &Connector) -> (Unusable, String) {
    let text = error.to_string();
    let Unconnected::Refused(refused) = error else {
        return (Unusable::Unreachable, format!("the server can't be reached: {text}"));
    };
    match refused.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD && connector.password.is_none() => {
            (Unusable::NoCredentials, format!("{NO_PASSWORD}: {text}"))
        }
        Some(code)
            if *code == SqlState::INVALID_PASSWORD
                || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            (Unusable::Refused, text)
        }
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => (Unusable::Bucket, text),
        Some(_) => (Unusable::Failing, text),
        None if connector.password.is_none() && text.contains("password missing") => {
            (Unusable::NoCredentials, NO_PASSWORD.to_owned())
        }
        None if failure::is_of_encryption(refused) => {
            (Unusable::Setting, format!("the connection can't be encrypted: {text}"))
        }
        None => (Unusable::Unreachable, format!("the server can't be reached: {text}")),
    }
}

const NO_PASSWORD: &str = "the server asks for a password: set PGPASSWORD, or have it in ~/.pgpass";
