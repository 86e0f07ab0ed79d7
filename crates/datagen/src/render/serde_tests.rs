//! Compares each rendered line with what `serde_json` writes for the same event, through the structs of
//! `payload.rs`.

use std::{io, sync::Arc};

use chrono::DateTime;
use serde::Serialize;
use serde_json::ser::Formatter;

use super::{Rendered, Rendering, compression::Compression};
use crate::{
    config::DEFAULT_START_DATE,
    lines::pieces::Split,
    stream::CHUNK_EVENTS,
    worlds::{
        Job, World,
        payload::{self, AccountPayload, Payload, PaymentPayload},
        simple::{AccountChange, Details, Direction, SimpleChunk, SimpleEvent, SimpleWorld, Status},
    },
};

/// The form of Python's `json.dumps`: a space after `:` and `,`, none elsewhere.
struct Spaced;

impl Formatter for Spaced {
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn by_serde(event: &payload::SimpleEvent) -> String {
    let mut bytes = Vec::new();
    event.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Spaced)).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn as_struct(event: &SimpleEvent) -> payload::SimpleEvent {
    let (domain, event_type, data) = match event.details {
        Details::Account { change, reason } => {
            let (event_type, old_status, new_status) = match change {
                AccountChange::Open => ("account-open", None, "PENDING"),
                AccountChange::Close => ("account-close", None, "CLOSED"),
                AccountChange::Status { old, new } => ("status-change", Some(name(old)), name(new)),
            };
            let payload = AccountPayload {
                id: event.entity,
                old_status: old_status.map(str::to_owned),
                new_status: new_status.to_owned(),
                reason: reason.to_string(),
            };
            ("account", event_type, Payload::Account(payload))
        }
        Details::Payment { direction, to, from, cents } => {
            let event_type = match direction {
                Direction::To => "payment-to",
                Direction::From => "payment-from",
            };
            let payload = PaymentPayload { id: event.entity, to, from, amount: f64::from(cents) / 100.0 };
            ("transaction", event_type, Payload::Payment(payload))
        }
    };
    payload::SimpleEvent {
        event_id: event.id.to_string(),
        timestamp: DateTime::from_timestamp(event.time, 0).unwrap().format("%Y-%m-%dT%H:%M:%S").to_string(),
        domain: domain.to_owned(),
        event_type: event_type.to_owned(),
        data,
    }
}

fn name(status: Status) -> &'static str {
    match status {
        Status::Open => "OPEN",
        Status::Closed => "CLOSED",
        Status::Pending => "PENDING",
        Status::Suspended => "SUSPENDED",
    }
}

#[test]
fn each_line_equals_what_serde_json_writes_and_reads_back() {
    let mut lines = Rendered::new();
    for seed in [0, 1, 42] {
        let world = SimpleWorld::new(seed, DEFAULT_START_DATE);
        let rendering = Rendering {
            world: &world,
            split: Split::single(0..u64::MAX),
            compression: Compression::None,
            faults: None,
            changes: None,
            dress: None,
            wants_truth: false,
        };
        for index in [0, 1, 977] {
            let chunk = SimpleChunk { index, events: CHUNK_EVENTS, start: 1_728_518_400 };
            let job = Job { before: None, chunk: Arc::new(chunk) };
            rendering.render(&job, &mut rendering.compression.compressor(), &mut lines);
            let text = std::str::from_utf8(lines.as_bytes()).unwrap();
            assert_eq!(text.lines().count(), chunk.events as usize);
            assert!(text.ends_with('\n'));
            for (line, event) in text.lines().zip(world.events(&chunk)) {
                let event = as_struct(&event);
                assert_eq!(line, by_serde(&event));
                assert_eq!(serde_json::from_str::<payload::SimpleEvent>(line).unwrap(), event);
            }
        }
    }
}
