//! Lines → their true manifest by docs/manifest.md, computed from JSON values and texts alone.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json, value::RawValue};
use xxhash_rust::xxh3::xxh3_128;

use super::worlds::{
    Table,
    Text::{self, AsIs, Decimal, Instant, Summed},
    World,
};

/// What a load must come to.
pub(super) struct Truth {
    pub(super) world: &'static World,
    /// The lines that are kept.
    pub(super) rows: Vec<String>,
    pub(super) redelivered: usize,
    pub(super) corrected: usize,
    pub(super) blank: usize,
    pub(super) bad: BTreeMap<&'static str, usize>,
}

/// The digests of a partition's rows, and their sums.
#[derive(Default)]
struct Partition {
    digests: Vec<u128>,
    sums: Vec<(usize, i128)>,
}

type Object<'a> = HashMap<&'a str, &'a RawValue>;

impl Truth {
    /// A world's own lines, each of which is a row.
    pub(super) fn of(world: &'static World) -> Self {
        let (redelivered, corrected, blank, bad) = Default::default();
        Self { world, rows: world.lines(), redelivered, corrected, blank, bad }
    }

    pub(super) fn bad_lines(&self) -> usize {
        self.bad.values().sum()
    }

    pub(super) fn manifest(&self) -> Value {
        let mut partitions = BTreeMap::<[String; 3], Partition>::new();
        for line in &self.rows {
            self.add_row(line, &mut partitions);
        }
        let partitions: Vec<_> = partitions
            .iter()
            .map(|([day, domain, event_type], Partition { digests, sums })| {
                let checksum = digests.iter().fold(0, |sum: u128, digest| sum.wrapping_add(*digest));
                let sums: Vec<_> = sums.iter().map(|(scale, sum)| scaled(*sum, *scale)).collect();
                json!({
                    "day": day, "domain": domain, "event_type": event_type, "rows": digests.len(),
                    "checksum": format!("{checksum:032x}"), "sums": sums
                })
            })
            .collect();
        let superseded = self.redelivered + self.corrected;
        json!({
            "format": 1,
            "generator": {
                "version": "0.0.0", "stream_version": 1, "world": "of this test", "seed": 1, "start_date": "2024-10-10",
                "first_event": 0, "num_events": self.rows.len(), "faults": "",
            },
            "faults": {},
            "report": {
                "lines": self.rows.len() + superseded + self.blank + self.bad_lines(),
                "blank": self.blank,
                "quarantined": {"total": self.bad_lines(), "by_reason": self.bad},
                "filtered": 0, "superseded": superseded, "redelivered": self.redelivered, "corrected": self.corrected,
                "written": self.rows.len(), "unknown_fields": {}, "unknown_events": {},
            },
            "event_types": self.tables(),
            "partitions": partitions,
        })
    }

    fn tables(&self) -> Vec<Value> {
        let mut tables = Vec::new();
        for Table { domain, event_types, fields } in self.world.tables {
            let column = |path: &str| format!("data_{}", path.replace('.', "_"));
            let base = ["event_id", "timestamp", "domain", "event_type"].map(str::to_owned);
            let columns: Vec<_> =
                base.into_iter().chain(fields.iter().map(|(path, _)| column(path))).collect();
            let is_summed = |text: Text| matches!(text, Summed | Decimal(_));
            let sums: Vec<_> =
                fields.iter().filter(|(_, text)| is_summed(*text)).map(|(path, _)| column(path)).collect();
            tables.extend(event_types.iter().map(|event_type| {
                json!({"domain": domain, "event_type": event_type, "columns": columns, "sums": sums})
            }));
        }
        tables
    }

    fn add_row(&self, line: &str, partitions: &mut BTreeMap<[String; 3], Partition>) {
        let event: Object<'_> = serde_json::from_str(line).unwrap();
        let text = |key: &str| serde_json::from_str::<String>(event[key].get()).unwrap();
        let (timestamp, domain, event_type) = (text("timestamp"), text("domain"), text("event_type"));
        let is_of =
            |table: &&Table| table.domain == domain && table.event_types.contains(&event_type.as_str());
        let fields = self.world.tables.iter().find(is_of).unwrap().fields;
        let mut bytes = Vec::new();
        for base in [text("event_id"), micros(&timestamp), domain.clone(), event_type.clone()] {
            put(&mut bytes, Some(&base));
        }
        let day = timestamp[..10].to_owned();
        let partition = partitions.entry([day, domain, event_type]).or_default();
        let mut sums = Vec::new();
        for (path, kind) in fields {
            let value = value_at(event["data"], path).map(|raw| canonical(&raw, *kind));
            put(&mut bytes, value.as_deref());
            let scale = match kind {
                Summed => 0,
                Decimal(scale) => *scale,
                AsIs | Instant => continue,
            };
            let value = value.map_or(0, |text| text.replace('.', "").parse::<i128>().unwrap());
            sums.push((scale, value));
        }
        partition.digests.push(xxh3_128(&bytes));
        if partition.sums.is_empty() {
            partition.sums = sums;
        } else {
            partition.sums.iter_mut().zip(sums).for_each(|(sum, (_, value))| sum.1 += value);
        }
    }
}

/// The JSON text at a path, unless that is null or missing.
fn value_at(data: &RawValue, path: &str) -> Option<String> {
    let at_key = |raw: String, key| {
        let object: Option<Object<'_>> = serde_json::from_str(&raw).unwrap();
        Some(object?.get(key)?.get().to_owned())
    };
    path.split('.').try_fold(data.get().to_owned(), at_key).filter(|raw| raw != "null")
}

fn canonical(raw: &str, kind: Text) -> String {
    let text = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
    match kind {
        AsIs | Summed => text,
        Instant => micros(&text),
        Decimal(scale) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            format!("{whole}.{fraction:0<scale$}")
        }
    }
}

fn micros(timestamp: &str) -> String {
    let time = chrono::NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%dT%H:%M:%S%.f").unwrap();
    time.and_utc().timestamp_micros().to_string()
}

fn put(bytes: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => bytes.push(0),
        Some(text) => {
            bytes.push(1);
            bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            bytes.extend(text.bytes());
        }
    }
}

fn scaled(sum: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", sum.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if sum < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
