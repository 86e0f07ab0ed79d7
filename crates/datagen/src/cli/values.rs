//! Words on the command line → settings: the names and descriptions of all values that are words.
//!
//! Invariant: this is the only place that maps names to the library's types.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::{
    config::{EnvelopeName, WorldName},
    deliver::{IfExists, Rotation},
    render::compression::Compression,
};

/// A value, with its name and its description.
pub(super) type Named<T> = (&'static str, &'static str, T);

pub(super) const WORLDS: &[Named<WorldName>] = &[
    (
        WorldName::Simple.name(),
        "Independent events, each 1 to 120 seconds after the one before",
        WorldName::Simple,
    ),
    (
        WorldName::Ledger.name(),
        "Accounts that open, live and close, and payments between them: status changes are consistent, each \
         payment has two sides, balances add up. A few accounts are much more active than the others, and \
         activity varies by day and hour",
        WorldName::Ledger,
    ),
];

pub(super) const ENVELOPES: &[Named<EnvelopeName>] = &[
    ("cloudevents", "CloudEvents 1.0 in JSON, a line each", EnvelopeName::CloudEvents),
    ("segment", "Segment's track calls", EnvelopeName::Segment),
    ("stripe", "Stripe's events", EnvelopeName::Stripe),
    ("github-archive", "GH Archive", EnvelopeName::GithubArchive),
    ("cloudtrail", "AWS CloudTrail: a file is one line, {\"Records\":[…]}", EnvelopeName::CloudTrail),
    ("eventbridge", "Amazon EventBridge", EnvelopeName::EventBridge),
    ("debezium", "Debezium's change events, with their schema", EnvelopeName::Debezium),
    ("otlp-logs", "OpenTelemetry's logs in JSON, a line each", EnvelopeName::OtlpLogs),
    ("kubernetes-audit", "Kubernetes' audit log", EnvelopeName::KubernetesAudit),
    ("kafka", "Kafka's records", EnvelopeName::Kafka),
    ("docker", "Docker's json-file log", EnvelopeName::Docker),
    ("journald", "The systemd journal, as journalctl -o json prints it", EnvelopeName::Journald),
];

pub(super) const IF_EXISTS: &[Named<IfExists>] = &[
    (
        "overwrite",
        "Replace them. Files of --files and --rotate are one set: those that this run does not write are \
         removed at its end, so the directory has the events of this run and no others; files made with \
         new-file stay",
        IfExists::Overwrite,
    ),
    (
        "append",
        "Continue the stream after the last existing event, so two runs of 500 events equal one of 1000. The \
         events go to the end of the existing file (with --rotate, of the file of their day or hour; with \
         --files, into additional files). A last line that was cut off is written again",
        IfExists::Append,
    ),
    (
        "new-file",
        "Continue the stream like append, but leave existing files alone (except for a last line that was \
         cut off: it is removed) and write the first free of events-1.json, events-2.json, …",
        IfExists::NewFile,
    ),
];

pub(super) const ROTATIONS: &[Named<Rotation>] = &[
    ("day", "A file for each day, such as events-2024-10-10.json", Rotation::Day),
    ("hour", "A file for each hour, such as events-2024-10-10T13.json", Rotation::Hour),
];

pub(super) const COMPRESSIONS: &[Named<Compression>] = &[
    ("none", "No compression", Compression::None),
    ("gzip", "gzip; file names end in .json.gz", Compression::Gzip),
    ("zstd", "zstd, faster and smaller than gzip; file names end in .json.zst", Compression::Zstd),
];

/// Parses one of these names.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    values: &'static [Named<T>],
) -> impl TypedValueParser<Value = T> {
    let possible = values.iter().map(|(name, description, _)| PossibleValue::new(*name).help(*description));
    PossibleValuesParser::new(possible).map(|given| {
        let named = values.iter().find(|(name, ..)| *name == given);
        named.expect("the parser only accepts names of the table").2
    })
}
