//! The envelopes that the programs know by name.
//!
//! Invariant: each is a catalog file with nothing but an `[envelope]`, which `catalog show` prints as it is.

use super::Envelope;
use crate::catalog::{Catalog, CatalogError};

/// The presets: their names and their files.
pub const PRESETS: [(&str, &str); 12] = [
    ("cloudevents", include_str!("presets/cloudevents.toml")),
    ("segment", include_str!("presets/segment.toml")),
    ("stripe", include_str!("presets/stripe.toml")),
    ("github-archive", include_str!("presets/github-archive.toml")),
    ("cloudtrail", include_str!("presets/cloudtrail.toml")),
    ("eventbridge", include_str!("presets/eventbridge.toml")),
    ("debezium", include_str!("presets/debezium.toml")),
    ("otlp-logs", include_str!("presets/otlp-logs.toml")),
    ("kubernetes-audit", include_str!("presets/kubernetes-audit.toml")),
    ("kafka", include_str!("presets/kafka.toml")),
    ("docker", include_str!("presets/docker.toml")),
    ("journald", include_str!("presets/journald.toml")),
];

/// The TOML of a preset.
#[must_use]
pub fn preset_text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The envelope of a preset; `None` if there is none of this name.
///
/// # Errors
/// Never: a test reads them all.
pub fn preset(name: &str) -> Result<Option<Envelope>, CatalogError> {
    let Some(text) = preset_text(name) else { return Ok(None) };
    let catalog = Catalog::from_toml(&[(name, text)])?;
    Ok(Some(catalog.envelope().clone()))
}
