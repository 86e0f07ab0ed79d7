//! A [`Config`] → the catalog that a loader needs for its events, as TOML.
//!
//! Invariant: its tables are those of the run's manifest.

use events_core::catalog::LEDGER;

use crate::{
    changes::{Changes, tables},
    config::{Config, WorldName},
    dress::Dress,
    error::Error,
};

/// The catalog of a run's events; with changes, the one that they have at its end. It has no types if all of
/// them are built in.
///
/// # Errors
///
/// Those of a run with these changes.
pub fn catalog(config: &Config) -> Result<String, Error> {
    let changes = Changes::of(config)?;
    if let Some(envelope) = config.envelope {
        let tables = tables(config.world, changes.as_ref());
        return Ok(Dress::new(envelope, config.world, &tables).toml().to_owned());
    }
    Ok(match (changes, config.world) {
        (Some(changes), world) => changes.toml(world),
        (None, WorldName::Ledger) => LEDGER.to_owned(),
        (None, WorldName::Simple) => String::new(),
    })
}
