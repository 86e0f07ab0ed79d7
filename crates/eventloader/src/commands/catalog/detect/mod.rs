//! The beginning of the sources → the envelope that their records are in.
//!
//! An envelope is recognised by a [signature](signatures): keys that at least 95 in 100 of the records have
//! together. The records are the documents, or the elements of the list that holds most of the text. Names
//! and values alone are no reason to choose one: what they suggest is only said ([`guess`]).
//!
//! Invariant: the base contract wins where records have its fields. The result depends on the sources alone.

mod guess;
mod places;
mod sample;
mod signatures;

use std::fmt::Write as _;

use events_core::envelope;

pub(super) use self::sample::Sample;
use self::{
    guess::Guess,
    places::{DOCUMENT, Place, Places},
    signatures::{BASE, SIGNATURES, Signature},
};
use crate::runtime::{grouped, plural};

/// Of so many records in a hundred, all must have the keys.
const PERCENT_MIN: u64 = 95;

/// What the records are.
#[derive(Debug)]
pub(super) enum Detected {
    /// Events of the base contract, documents by themselves.
    Base,
    /// In an envelope.
    Known(Recognised),
    /// Objects without a known envelope.
    Unknown(Unknown),
}

/// An envelope that was recognised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recognised {
    /// The base contract's, if `None`.
    pub(super) preset: Option<&'static str>,
    /// Where the records are, if the preset does not say so.
    pub(super) records: Option<String>,
    /// By what.
    pub(super) evidence: String,
}

/// Records in no known envelope.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// The keys of the most frequent records, for a message; empty if there is no object.
    pub(super) keys: String,
    /// An `[envelope]` to fill in.
    pub(super) skeleton: String,
}

/// What the records of a sample are.
pub(super) fn detect(sample: &Sample) -> Detected {
    let mut places = Places::default();
    sample.texts().for_each(|text| places.read(text));
    if let Some(detected) = recognise(&places) {
        return detected;
    }
    let is_base = places.by_path.get(DOCUMENT).is_some_and(|documents| documents.base > 0);
    if is_base { Detected::Base } else { Detected::Unknown(unknown(&places, sample)) }
}

/// The first place whose records have one envelope.
fn recognise(places: &Places) -> Option<Detected> {
    places.in_order().find_map(|(path, place)| {
        let is_document = path == DOCUMENT;
        let is_dominant = is_document || places.is_dominant(place);
        if is_dominant && is_most(place.base, place.records) {
            if is_document {
                return Some(Detected::Base);
            }
            let evidence = evidence(place.base, place, path, &BASE.join(", "));
            let records = Some(path.to_owned());
            return Some(Detected::Known(Recognised { preset: None, records, evidence }));
        }
        let fitting = SIGNATURES.iter().zip(place.having).filter(|(signature, having)| {
            is_most(*having, place.records) && (is_dominant || says(signature, path))
        });
        let (signature, having) = fitting.max_by_key(|(signature, _)| signature.keys.len())?;
        Some(Detected::Known(Recognised {
            preset: Some(signature.preset),
            records: (!says(signature, path)).then(|| path.to_owned()),
            evidence: evidence(having, place, path, &signature.described()),
        }))
    })
}

/// Whether a preset looks for records at this place.
fn says(signature: &Signature, path: &str) -> bool {
    let Ok(Some(preset)) = envelope::preset(signature.preset) else { return false };
    if preset.records.is_empty() {
        path == DOCUMENT
    } else {
        preset.records.iter().any(|at| at.to_string() == path)
    }
}

fn is_most(having: u64, records: u64) -> bool {
    records > 0 && having * 100 >= records * PERCENT_MIN
}

/// By what records were recognised: `60 of 60 records at Records[] have eventID, …`.
fn evidence(having: u64, place: &Place, path: &str, keys: &str) -> String {
    let at = if path == DOCUMENT { String::new() } else { format!(" at {path}") };
    let verb = if having == 1 { "has" } else { "have" };
    format!("{} of {}{at} {verb} {keys}", grouped(having), plural(place.records, "record"))
}

fn unknown(places: &Places, sample: &Sample) -> Unknown {
    let Some((path, place)) = places.of_records() else { return Unknown::default() };
    Unknown { keys: place.key_names(), skeleton: Guess::of(sample, path).skeleton() }
}

impl Recognised {
    /// The `[envelope]` that says so.
    pub(super) fn toml(&self) -> String {
        let mut text = String::from("[envelope]\n");
        if let Some(preset) = self.preset {
            let _ = writeln!(text, "preset     = {preset:?}");
        }
        if let Some(records) = &self.records {
            let _ = writeln!(text, "records    = {records:?}");
        }
        if self.preset.is_none() {
            for name in BASE {
                let _ = writeln!(text, "{name:10} = \"{{{name}}}\"");
            }
            text.push_str("data       = \"{data}\"\n");
        }
        text
    }

    /// What was recognised, and by what.
    pub(super) fn note(&self) -> String {
        let what =
            self.preset.map_or("the base contract".to_owned(), |preset| format!("the preset {preset}"));
        format!("Recognised the envelope as that of {what}: {}", self.evidence)
    }
}

#[cfg(test)]
mod tests;
