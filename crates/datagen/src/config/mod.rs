//! What to generate: a world, an envelope, a seed, a range of the stream's events, how many of them have
//! faults, and how often something changes.
//!
//! Invariant: a [`Config`] determines every byte of the output. The number of threads never does.

pub(crate) mod change_list;
pub(crate) mod fault_list;

use std::{num::NonZero, ops::Range, sync::LazyLock};

use chrono::NaiveDate;
use events_core::catalog::{BUILT_IN, Catalog, LEDGER};

use self::{change_list::ChangeCounts, fault_list::FaultCounts};

/// The day of the first event, by default.
pub const DEFAULT_START_DATE: NaiveDate =
    NaiveDate::from_ymd_opt(2024, 10, 10).expect("2024-10-10 is a valid date");

/// Events on an average day of the ledger, by default: about as many as the simple world has.
pub const DEFAULT_EVENTS_PER_DAY: u64 = 1_440;

/// The kinds of events, and how they relate to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorldName {
    /// Independent events, 1 to 120 seconds apart.
    #[default]
    Simple,
    /// Accounts that open, live and close, and payments between them.
    Ledger,
}

/// Whose records carry the events, instead of the events' own envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeName {
    /// `CloudEvents` 1.0, in the JSON format.
    CloudEvents,
    /// Track calls of Segment.
    Segment,
    /// Stripe's events.
    Stripe,
    /// GH Archive.
    GithubArchive,
    /// The log files of AWS `CloudTrail`.
    CloudTrail,
    /// Amazon `EventBridge`.
    EventBridge,
    /// Debezium's change events.
    Debezium,
    /// OpenTelemetry's logs in JSON.
    OtlpLogs,
    /// Kubernetes' audit log.
    KubernetesAudit,
    /// Kafka's records.
    Kafka,
    /// Docker's json-file log.
    Docker,
    /// The systemd journal.
    Journald,
}

impl EnvelopeName {
    /// All envelopes.
    pub const ALL: [Self; 12] = [
        Self::CloudEvents,
        Self::Segment,
        Self::Stripe,
        Self::GithubArchive,
        Self::CloudTrail,
        Self::EventBridge,
        Self::Debezium,
        Self::OtlpLogs,
        Self::KubernetesAudit,
        Self::Kafka,
        Self::Docker,
        Self::Journald,
    ];

    /// The name, that of the loader's preset.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CloudEvents => "cloudevents",
            Self::Segment => "segment",
            Self::Stripe => "stripe",
            Self::GithubArchive => "github-archive",
            Self::CloudTrail => "cloudtrail",
            Self::EventBridge => "eventbridge",
            Self::Debezium => "debezium",
            Self::OtlpLogs => "otlp-logs",
            Self::KubernetesAudit => "kubernetes-audit",
            Self::Kafka => "kafka",
            Self::Docker => "docker",
            Self::Journald => "journald",
        }
    }
}

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// The world.
    pub world: WorldName,
    /// The envelope of the events, if not their own.
    pub envelope: Option<EnvelopeName>,
    /// Selects one of the world's possible streams.
    pub seed: u64,
    /// The position in the stream of the first event to write; earlier events are skipped.
    pub first_event: u64,
    /// The number of events to write; with `until_micros`, at most this many.
    pub num_events: u64,
    /// If given, the run ends before the first event that is not before this time, in microseconds since
    /// 1970, which is at most the end of the year 9999. Not with faults: who gets them depends on the exact
    /// number of events.
    pub until_micros: Option<i64>,
    /// The stream begins at midnight of this day.
    pub start_date: NaiveDate,
    /// Events on an average day of the ledger; at least 1.
    pub events_per_day: u64,
    /// How many events have each fault.
    pub faults: FaultCounts,
    /// How many changes of each kind there are. Not with `until_micros`: where they are depends on the number
    /// of events.
    pub changes: ChangeCounts,
    /// The number of threads that render; the output is the same for any number.
    pub threads: NonZero<usize>,
}

impl WorldName {
    /// The name as users write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Ledger => "ledger",
        }
    }

    /// The catalog that describes the world's events to a loader.
    pub(crate) fn catalog(self) -> &'static Catalog {
        static WITH_LEDGER: LazyLock<Catalog> = LazyLock::new(|| {
            BUILT_IN.extended(&[("ledger.toml", LEDGER)]).expect("a test reads the ledger's catalog")
        });
        match self {
            Self::Simple => &BUILT_IN,
            Self::Ledger => &WITH_LEDGER,
        }
    }
}

impl Default for Config {
    /// Ten events of the simple world, rendered by one thread.
    fn default() -> Self {
        Self {
            world: WorldName::Simple,
            envelope: None,
            seed: 0,
            first_event: 0,
            num_events: 10,
            until_micros: None,
            start_date: DEFAULT_START_DATE,
            events_per_day: DEFAULT_EVENTS_PER_DAY,
            faults: FaultCounts::default(),
            changes: ChangeCounts::default(),
            threads: NonZero::<usize>::MIN,
        }
    }
}

impl Config {
    /// The positions in the stream of the events to write.
    pub(crate) fn events(&self) -> Range<u64> {
        self.first_event..self.first_event.saturating_add(self.num_events)
    }
}
