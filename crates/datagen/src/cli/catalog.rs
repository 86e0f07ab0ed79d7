//! `datagen catalog` → which catalog.
//!
//! Invariant: without flags it is that of the ledger, the only world whose types the loader does not know.
//! With changes, the flags are those of the run.

use clap::Args;
use events_core::catalog::LEDGER;

use super::{
    amount::AmountArgs,
    changes::ChangeArgs,
    stream::StreamArgs,
    values::{ENVELOPES, one_of},
};
use crate::{
    config::{Config, EnvelopeName},
    error::Error,
    render::catalog,
};

/// `catalog`
#[derive(Debug, Clone, Args)]
pub struct CatalogArgs {
    /// The envelope of the events
    #[arg(long, value_name = "NAME", value_parser = one_of(ENVELOPES))]
    envelope: Option<EnvelopeName>,

    #[command(flatten)]
    changes: ChangeArgs,

    #[command(flatten)]
    stream: StreamArgs,

    #[command(flatten)]
    amount: AmountArgs,
}

impl CatalogArgs {
    /// The catalog, as TOML.
    ///
    /// # Errors
    ///
    /// Those of the run with these changes.
    pub fn text(&self) -> Result<String, Error> {
        let changes = self.changes.counts();
        if self.envelope.is_none() && changes.total() == 0 {
            return Ok(LEDGER.to_owned());
        }
        let first_event = self.amount.first_event.unwrap_or_default();
        let config = Config { envelope: self.envelope, changes, first_event, ..self.stream.config() };
        catalog(&self.amount.amount().counted(config)?)
    }
}
