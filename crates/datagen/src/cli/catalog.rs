//! `datagen catalog` → which catalog.
//!
//! Invariant: without flags it is that of the ledger, the only world whose types the loader does not know.

use clap::Args;
use events_core::catalog::LEDGER;

use super::values::{ENVELOPES, WORLDS, one_of};
use crate::{
    config::{EnvelopeName, WorldName},
    dress,
};

/// `catalog`
#[derive(Debug, Clone, Args)]
pub struct CatalogArgs {
    /// The envelope of the events
    #[arg(long, value_name = "NAME", value_parser = one_of(ENVELOPES))]
    envelope: Option<EnvelopeName>,

    /// The world of the events in this envelope
    #[arg(
        long, value_name = "WORLD", value_parser = one_of(WORLDS), default_value = WorldName::Simple.name(),
        requires = "envelope"
    )]
    world: WorldName,
}

impl CatalogArgs {
    /// The catalog, as TOML.
    #[must_use]
    pub fn text(&self) -> String {
        self.envelope.map_or_else(|| LEDGER.to_owned(), |envelope| dress::catalog(envelope, self.world))
    }
}
