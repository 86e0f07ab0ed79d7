//! A load and its report → the facts that its commit records.
//!
//! Invariant: two loads with the same name of what they load take the same lines of a source, and make the
//! same of them.

use std::collections::BTreeMap;

use event_parser::Framing;
use event_target::{FileForm, History, LoadFacts, LoadedSource};
use events_core::envelope::Envelope;
use xxhash_rust::xxh3::xxh3_128;

use crate::{ingest::InputCounts, quarantine, report::Report, settings::Settings};

/// What the commit records about the load.
pub(super) fn of(settings: &Settings, report: &Report, input: &InputCounts) -> LoadFacts {
    let sources = input.sources.iter();
    LoadFacts {
        mode: settings.mode,
        dedupe_scope: settings.dedupe_scope,
        form: Some(FileForm {
            flatten: settings.flatten,
            compression: settings.format.codec.name().to_owned(),
            encodings: settings.format.encodings.name().to_owned(),
        }),
        counts: report.counts(),
        superseded: Some(report.superseded_kinds()),
        existing_kept: report.existing_kept,
        sources: sources
            .map(|source| LoadedSource {
                path: source.name.clone(),
                content: source.fingerprint,
                etag: source.fingerprint.and(source.etag.clone()),
            })
            .collect(),
        ..LoadFacts::default()
    }
}

/// The envelope of a catalog, by its name, unless the target has recorded it.
pub(super) fn new_envelopes(envelope: &Envelope, history: &History) -> BTreeMap<String, String> {
    let name = quarantine::envelope_name(envelope).filter(|name| quarantine::is_of_catalog(name));
    let new = name.filter(|name| !history.envelopes.contains_key(name));
    new.into_iter().map(|name| (name, envelope.toml.clone())).collect()
}

/// Identifies what is loaded of a source: the meaning of the catalog, and the selected events.
pub(super) fn what_is_loaded(settings: &Settings) -> String {
    let Settings { catalog, selection, framing, .. } = settings;
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        names
    };
    let (domains, event_types) = (sorted(&selection.domains), sorted(&selection.event_types));
    let text = format!("{} {domains:?} {event_types:?} {:?}", catalog.meaning(), selection.days);
    // What the text tells was loaded by versions that knew no other framing.
    let text = if *framing == Framing::Auto { text } else { format!("{text} {framing:?}") };
    format!("{:032x}", xxh3_128(text.as_bytes()))
}
