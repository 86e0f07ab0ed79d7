//! The exchange of a job → one line of text, by which a task in another process finds it.
//!
//! Invariant: the line names the exchange as every process can: by an absolute path, or by its address and
//! how that is reached. What is secret is not in it.

use std::{io::ErrorKind, path::Path};

use event_target::Exchange;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{split::absolute, wire::broken};
use crate::{
    error::Error,
    runtime::{address_of, open_store},
    settings::StoreOptions,
};

/// Where a task finds what it needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct JobPlace {
    /// The address of the exchange.
    address: String,
    /// How the store of that address is reached.
    stores: StoreOptions,
    /// How the target names the exchange: see [`event_target::Location::exchange`].
    pub(super) at: String,
    /// The name of the file there.
    pub(super) name: String,
}

impl JobPlace {
    /// A place in this exchange.
    pub(super) fn of(exchange: &Exchange, stores: &StoreOptions) -> Result<Self, Error> {
        let address = match exchange.directory() {
            Some(directory) => absolute(&directory)?.to_string_lossy().into_owned(),
            None => exchange.address(""),
        };
        let at = if exchange.prefix().is_empty() { address.clone() } else { exchange.prefix().to_owned() };
        // A process may do tasks of several jobs, one after another, and knows each by its handle.
        let name = format!("job-{}.json", Uuid::new_v4().simple());
        Ok(Self { address, stores: stores.clone(), at, name })
    }

    pub(super) fn handle(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn of_handle(handle: &str) -> Result<Self, Error> {
        serde_json::from_str(handle).map_err(|error| broken(&error.to_string()))
    }

    /// What the driver has left there.
    pub(super) fn read(&self) -> Result<Vec<u8>, Error> {
        let Self { address, stores, name, .. } = self;
        let path = Path::new(address);
        let read = match address_of(path) {
            None => storage::read(&path.join(name)),
            Some(address) => {
                let read = open_store(address, stores)?.read(name);
                read.and_then(|found| found.ok_or_else(|| ErrorKind::NotFound.into()))
            }
        };
        read.map_err(Error::io("beginning a task; the job may be over"))
    }
}
