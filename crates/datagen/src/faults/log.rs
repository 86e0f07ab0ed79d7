//! Faulty lines as they were written → the lines of the faults log, by which each can be found again and undone.
//!
//! One JSON object for each, in the order of the lines:
//!
//! ```json
//! {"file": "events-00002.json", "line": 17, "fault": "late", "action": "moved", "event": 5}
//! {"line": 21, "fault": "offsets", "action": "altered", "event": 20, "clean": "{\"event_id\": …}"}
//! {"line": 30, "fault": "malformed", "action": "inserted", "event": 22, "reason": "bad_timestamp"}
//! ```
//!
//! `line` counts from 1, in the file that is named, if there are several. `event` is the place of the host in the stream, from 0.
//! To undo a fault, take an inserted line away, put `clean` in the place of an altered one, and a moved one where its
//! event belongs.

use std::io::{self, Write};

use serde::Serialize;

use super::list::Fault;

/// A faulty line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    /// Its number in its chunk, from 1.
    pub(crate) line: u64,
    pub(crate) fault: Fault,
    /// Its host.
    pub(crate) event: u64,
    pub(crate) action: Action,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// There was no such line.
    Inserted {
        /// Of what a loader must say that it is wrong with it.
        reason: Option<&'static str>,
    },
    /// The line stood further in front.
    Moved,
    /// There was another in its place.
    Altered {
        /// The other one.
        clean: Vec<u8>,
    },
}

/// As it stands in the log.
#[derive(Serialize)]
struct Entry<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'l str>,
    line: u64,
    fault: &'static str,
    action: &'static str,
    event: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clean: Option<&'l str>,
}

impl Logged {
    /// Writes it, as the line at `line` of a file.
    pub(crate) fn write(&self, file: Option<&str>, line: u64, out: &mut impl Write) -> io::Result<()> {
        let (action, reason, clean) = match &self.action {
            Action::Inserted { reason } => ("inserted", *reason, None),
            Action::Moved => ("moved", None, None),
            Action::Altered { clean } => ("altered", None, std::str::from_utf8(clean).ok()),
        };
        let entry = Entry { file, line, fault: self.fault.name(), action, event: self.event, reason, clean };
        serde_json::to_writer(&mut *out, &entry)?;
        out.write_all(b"\n")
    }
}
