//! Differences → lines for people, and one JSON document for machines.
//!
//! Invariant: both have the same differences, in the same order.

use std::fmt::{self, Write};

use serde::Serialize;

use super::{Change, Diff};
use crate::runtime::{escape_for_terminal, plural};

/// The document that `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    before: &'a str,
    after: &'a str,
    refused: usize,
    reads_otherwise: bool,
    changes: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<&'a str>,
    change: &'static str,
    of: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    files: usize,
    refused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(files: &usize) -> bool {
    *files == 0
}

impl Diff {
    /// The differences as JSON.
    ///
    /// # Errors
    /// None in practice: all keys are strings.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let Self { before, after, changes, reads_otherwise, .. } = self;
        let changes = changes.iter().map(line).collect();
        let refused = self.refused();
        let document = Document { before, after, refused, reads_otherwise: *reads_otherwise, changes };
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }
}

fn line(Change { event_type, difference }: &Change) -> Line<'_> {
    let (from, to) = difference.values();
    Line {
        domain: event_type.as_ref().map(|(domain, _)| domain.as_str()),
        event_type: event_type.as_ref().map(|(_, name)| name.as_str()),
        change: difference.word(),
        of: difference.subject(),
        from,
        to,
        files: difference.files(),
        refused: difference.is_refused(),
        why: difference.why(),
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.changes.iter().map(line).collect();
        let width = lines.iter().map(|line| line.of.chars().count()).max().unwrap_or_default();
        let mut last = None;
        for line in &lines {
            let name = line.domain.zip(line.event_type);
            if name != last || last.is_none() {
                let title =
                    name.map_or_else(|| "the target".to_owned(), |(domain, name)| format!("{domain}/{name}"));
                writeln!(f, "{}", escape_for_terminal(&title))?;
                last = name;
            }
            let Line { change, of, files, .. } = line;
            let mut text = format!("  {change:<8} {of:<width$}  {}", from_to(line));
            if *files > 0 {
                let _ = write!(text, ", in {}", plural(*files as u64, "file"));
            }
            if let Some(why) = &line.why {
                let _ = write!(text, "{}{why}", if text.ends_with(' ') { "" } else { ": " });
            }
            writeln!(f, "{}", escape_for_terminal(text.trim_end()))?;
        }
        let (all, refused) = (self.changes.len(), self.refused());
        match (all, refused) {
            (0, _) if self.reads_otherwise => writeln!(
                f,
                "no change of columns, but lines are read otherwise: what is required, keys, units of epochs, the \
                 envelope or the selection of types by \"*\" differ"
            ),
            (0, _) => writeln!(f, "no change"),
            (_, 0) => writeln!(f, "{}: a merge is accepted", plural(all as u64, "change")),
            _ => writeln!(f, "{}: a merge refuses {refused} of them", plural(all as u64, "change")),
        }
    }
}

fn from_to(line: &Line<'_>) -> String {
    match (line.from.as_deref().unwrap_or_default(), line.to.as_deref().unwrap_or_default()) {
        ("", "") => String::new(),
        ("", one) | (one, "") => one.to_owned(),
        (from, to) => format!("{from} → {to}"),
    }
}
