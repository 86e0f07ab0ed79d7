//! The flags for object stores, shared by all commands that take the address of one.
//!
//! Invariant: what is secret is no flag; it comes from the environment.

use std::path::Path;

use clap::Args;
use event_target::Location;
use events_core::partition::Layout;

use super::STORES;
use crate::{
    error::Error,
    runtime::{address_of, database_of, memory, open_database, open_store},
    settings::StoreOptions,
};

/// How object stores are reached.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The URL of the object store, if it is not the cloud's own
    ///
    /// For example http://127.0.0.1:9000 for a server that speaks the protocol of S3, or, for Azure, the
    /// account's endpoint. Without this flag it is the one that the environment names, as for the cloud's
    /// own tools. Only a URL that is given may begin with http://.
    #[arg(long, value_name = "URL", help_heading = STORES)]
    endpoint: Option<String>,

    /// The region of the bucket (S3) [default: AWS_REGION, the profile's, or else that of the bucket]
    #[arg(long, value_name = "REGION", help_heading = STORES)]
    region: Option<String>,

    /// Do not sign requests: for public buckets
    #[arg(long, help_heading = STORES)]
    anonymous: bool,
}

impl StoreArgs {
    /// What the flags say.
    pub(super) fn options(&self) -> StoreOptions {
        let Self { endpoint, region, anonymous } = self;
        StoreOptions {
            endpoint: endpoint.clone(),
            region: region.clone(),
            anonymous: *anonymous,
            buffer_bytes_max: None,
        }
    }

    /// Where the target is that an argument names, and of which kind. A target stays what it is. A new one is
    /// of tables if that is `asked` for, or if it is the address of a store.
    ///
    /// # Errors
    /// It can't be read, or the store of an address can't be used.
    pub(super) fn location(&self, target: &Path, asked: Option<Layout>) -> Result<Location, Error> {
        self.location_within(target, asked, None)
    }

    /// The same for a run that may take so much memory.
    pub(super) fn location_within(
        &self,
        target: &Path,
        asked: Option<Layout>,
        memory_bytes: Option<usize>,
    ) -> Result<Location, Error> {
        if let Some(address) = database_of(target) {
            return match asked {
                None => Ok(Location::database(open_database(address)?)),
                Some(layout) => {
                    let flag = if layout == Layout::Delta { "--table" } else { "--layout" };
                    Err(Error::Usage(format!("{flag}: a database has tables of its own; leave it out")))
                }
            };
        }
        match address_of(target) {
            None => Ok(Location::in_directory(target.to_owned(), asked == Some(Layout::Delta))?),
            Some(_) if asked.is_some_and(|layout| layout != Layout::Delta) => Err(Error::Usage(
                "--layout: a target on an object store is of Delta tables, because a commit of plain files \
                 can't be one moment there; leave it out"
                    .to_owned(),
            )),
            Some(address) => {
                let buffer_bytes_max = memory_bytes.map(memory::buffer_bytes);
                let options = StoreOptions { buffer_bytes_max, ..self.options() };
                Ok(Location::tables(open_store(address, &options)?))
            }
        }
    }
}
