//! Faulty lines → the lines of the faults log, which make it possible to find and undo each fault.
//!
//! The log has one JSON object for each faulty line, in the order of the lines:
//!
//! ```json
//! {"file": "events-00002.json", "line": 17, "fault": "late", "action": "moved", "event": 5}
//! {"line": 21, "fault": "offsets", "action": "altered", "event": 20, "clean": "{\"event_id\": …}"}
//! {"line": 30, "fault": "malformed", "action": "inserted", "event": 22, "reason": "bad_timestamp"}
//! ```
//!
//! `line` counts from 1, in the named file if there are several. `event` is the position of the host in the
//! stream, from 0. To undo a fault, remove an inserted line, replace an altered line by `clean`, and move a
//! moved line to the position of its event.
//!
//! Invariant: the log has all that is needed to restore the clean stream byte for byte.

use std::io::{self, Write};

use serde::Serialize;

use crate::config::fault_list::Fault;

/// A faulty line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedFault {
    /// Its number in its chunk, from 1.
    pub(crate) line: u64,
    pub(crate) fault: Fault,
    /// The position of its host.
    pub(crate) event: u64,
    pub(crate) action: Action,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// The line was added.
    Inserted {
        /// The reason that a loader must give, if the line is bad.
        reason: Option<&'static str>,
    },
    /// The line was moved towards the end.
    Moved,
    /// The line replaces another one.
    Altered {
        /// The line that it replaces.
        clean: Vec<u8>,
    },
}

/// A line of the log.
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

impl LoggedFault {
    /// Writes the entry of line `line` of `file`.
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
