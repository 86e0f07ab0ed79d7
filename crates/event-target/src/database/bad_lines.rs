//! The files of the quarantine as rows: `_quarantine`.
//!
//! A file is the records of one source, in order: lines of JSON. A row has the record as it is, and as
//! columns what people ask for.
//!
//! Invariant: the records of a file, each with a line feed, are the bytes of the file that was staged.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use events_core::sql_text::double_quoted;
use serde::Deserialize;
use storage::File;

use super::{
    Schema, Session,
    schema::{Reading, locked},
};
use crate::{Change, QUARANTINE, TargetError};

/// The columns of `_quarantine`, with what they are for.
const COLUMNS: [(&str, &str, &str); 10] = [
    ("file", "text COLLATE \"C\" NOT NULL", "The name of the bad lines of one source"),
    ("number", "bigint NOT NULL", "The place of the line among them, from 1"),
    ("source", "text NOT NULL", "The source of the line"),
    ("line", "bigint NOT NULL", "Its number in the source, from 1"),
    ("reason", "text NOT NULL", "Why it is bad"),
    ("field", "text", "The field that is bad, if one is"),
    ("expected", "text", "What was expected"),
    ("found", "text", "What was found instead"),
    ("raw", "text", "The line, if it is text without U+0000"),
    ("record", "text NOT NULL", "The whole record, a line of JSON"),
];
/// A page of records has as many bytes, and one record more.
const PAGE_BYTES: u64 = 1 << 20;
/// The most records of a page.
const PAGE_RECORDS: u64 = 1_000;
/// So many bytes are sent at once.
const SENT_BYTES: usize = 256 << 10;

/// The parts of a record that are columns, too.
#[derive(Deserialize)]
struct Record {
    source: String,
    line: u64,
    reason: String,
    #[serde(default)]
    detail: Detail,
    #[serde(default)]
    raw: Option<String>,
}

#[derive(Default, Deserialize)]
struct Detail {
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    expected: String,
    #[serde(default)]
    found: String,
}

impl Schema {
    fn bad_lines(&self) -> String {
        self.table(QUARANTINE)
    }

    /// Whether the table is there.
    fn has_quarantine(&self, session: &mut dyn Session) -> Result<bool, TargetError> {
        self.has_own(session, QUARANTINE, &COLUMNS)
    }

    /// Creates the table, unless it is there.
    pub(super) fn create_quarantine(&self, session: &mut dyn Session) -> Result<(), TargetError> {
        if self.has_quarantine(session)? {
            return Ok(());
        }
        let is_for = ("file, number", "The bad lines that eventloader was given");
        self.create_own(session, QUARANTINE, &COLUMNS, is_for)
    }

    /// The files that there are, with their lengths, by their paths in the target.
    pub(super) fn bad_line_bytes(
        &self,
        session: &mut dyn Session,
    ) -> Result<BTreeMap<String, u64>, TargetError> {
        if !self.has_quarantine(session)? {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT file, pg_catalog.sum(pg_catalog.octet_length(record) + 1)::bigint FROM {} GROUP BY file",
            self.bad_lines()
        );
        let files = session.query(&sql, &[])?.into_iter().filter_map(|row| match row.as_slice() {
            [Some(file), Some(bytes)] => Some((format!("{QUARANTINE}/{file}"), bytes.parse().ok()?)),
            _ => None,
        });
        Ok(files.collect())
    }

    /// The names of the files that there are, sorted.
    pub(crate) fn quarantine_files(&self) -> Result<Vec<String>, TargetError> {
        let files = self.read(|session| self.bad_line_bytes(session))?;
        let name = |path: String| path.rsplit_once('/').map(|(_, name)| name.to_owned());
        Ok(files.into_keys().filter_map(name).collect())
    }

    /// Whether there is a file of the quarantine.
    pub(crate) fn is_there(&self, path: &str) -> Result<bool, TargetError> {
        let Some(name) = name_of(path) else { return Ok(false) };
        let sql = format!("SELECT file FROM {} WHERE file = $1 LIMIT 1", self.bad_lines());
        self.read(|session| Ok(self.has_quarantine(session)? && !session.query(&sql, &[name])?.is_empty()))
    }

    /// Does what a commit does to files of the quarantine. The new ones are in a directory.
    pub(super) fn change_quarantine(
        &self,
        session: &mut dyn Session,
        changes: &[Change],
        staged_in: &Path,
    ) -> Result<(), TargetError> {
        let delete = format!("DELETE FROM {} WHERE file = $1", self.bad_lines());
        for change in changes.iter().filter(|change| change.directory == QUARANTINE) {
            for name in change.names().iter().chain(&change.removes) {
                session.execute(&delete, &[name])?;
            }
            for (staged, name) in change.staged() {
                let file = File::open(&staged_in.join(staged)).map_err(STAGING)?;
                self.copy_file(session, name, BufReader::new(file))?;
            }
        }
        Ok(())
    }

    /// Copies the records of a file into the table.
    fn copy_file(
        &self,
        session: &mut dyn Session,
        name: &str,
        mut file: impl BufRead,
    ) -> Result<(), TargetError> {
        let mut records = Records { file: name, number: 0, is_done: false };
        let columns: Vec<_> = COLUMNS.iter().map(|(column, ..)| double_quoted(column)).collect();
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.bad_lines(), columns.join(", "));
        let counted = session.copy_in(&sql, &mut || records.next(&mut file).map_err(STAGING))?;
        if counted == records.number {
            return Ok(());
        }
        let counts = format!("of {} bad lines the server counted {counted}", records.number);
        Err(STAGING(io::Error::other(counts)))
    }

    /// Opens a file of the quarantine to read it from its beginning to its end.
    pub(crate) fn read_file(&self, path: &str) -> Result<impl Read + Send + use<>, TargetError> {
        let Some(name) = name_of(path) else { return Err(self.unusable(format!("has no file {path:?}"))) };
        let reading = self.reading()?;
        if !self.has_quarantine(&mut **locked(&reading))? {
            return Err(self.unusable("has no table \"_quarantine\""));
        }
        let sql = format!(
            "SELECT number, record FROM (SELECT number, record, pg_catalog.sum(pg_catalog.octet_length(record)) \
             OVER (ORDER BY number) - pg_catalog.octet_length(record) AS before FROM (SELECT number, record \
             FROM {} WHERE file = $1 AND number > $2::bigint ORDER BY number LIMIT {PAGE_RECORDS}) page) page \
             WHERE before <= {PAGE_BYTES} ORDER BY number",
            self.bad_lines()
        );
        Ok(FileReader { reading, sql, name: name.to_owned(), last: 0, page: io::Cursor::default() })
    }
}

/// The name of a file of the quarantine, given by its path in the target.
fn name_of(path: &str) -> Option<&str> {
    path.strip_prefix(QUARANTINE)?.strip_prefix('/')
}

const STAGING: fn(io::Error) -> TargetError = |source| TargetError::Io { doing: "writing bad lines", source };

/// The records of a file on their way into the table.
struct Records<'f> {
    file: &'f str,
    number: u64,
    is_done: bool,
}

impl Records<'_> {
    /// The next piece of the binary form; `None` behind the last one.
    fn next(&mut self, lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
        if self.is_done {
            return Ok(None);
        }
        let mut piece = Vec::new();
        if self.number == 0 {
            piece.extend_from_slice(b"PGCOPY\n\xFF\r\n\0");
            piece.extend_from_slice(&[0; 8]);
        }
        let mut line = String::new();
        while piece.len() < SENT_BYTES {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                self.is_done = true;
                piece.extend_from_slice(&(-1_i16).to_be_bytes());
                break;
            }
            self.number += 1;
            self.add(line.strip_suffix('\n').unwrap_or(&line), &mut piece)?;
        }
        Ok(Some(piece))
    }

    fn add(&self, text: &str, piece: &mut Vec<u8>) -> io::Result<()> {
        let Record { source, line, reason, detail, raw } = serde_json::from_str(text)?;
        let number = |number: u64| Some(number.to_be_bytes().to_vec());
        // The server's text has no U+0000.
        let shown = |text: &str| Some(text.replace('\0', "\\u0000").into_bytes());
        let has_detail = !detail.expected.is_empty();
        let fields: [Option<Vec<u8>>; COLUMNS.len()] = [
            shown(self.file),
            number(self.number),
            shown(&source),
            number(line),
            shown(&reason),
            detail.field.as_deref().and_then(shown),
            shown(&detail.expected).filter(|_| has_detail),
            shown(&detail.found).filter(|_| has_detail),
            raw.filter(|raw| !raw.contains('\0')).map(String::into_bytes),
            Some(text.as_bytes().to_vec()),
        ];
        let too_long = |_| io::Error::other(format!("bad line {} is too long", self.number));
        piece.extend_from_slice(&i16::try_from(fields.len()).map_err(too_long)?.to_be_bytes());
        for field in fields {
            match field {
                None => piece.extend_from_slice(&(-1_i32).to_be_bytes()),
                Some(bytes) => {
                    piece.extend_from_slice(&i32::try_from(bytes.len()).map_err(too_long)?.to_be_bytes());
                    piece.extend_from_slice(&bytes);
                }
            }
        }
        Ok(())
    }
}

/// Reads the records of a file, page by page, in one transaction.
struct FileReader {
    reading: Reading,
    sql: String,
    name: String,
    /// The number of the last record that was read.
    last: u64,
    page: io::Cursor<Vec<u8>>,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.page.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let rows = locked(&self.reading)
            .query(&self.sql, &[&self.name, &self.last.to_string()])
            .map_err(io::Error::other)?;
        let mut page = Vec::new();
        for row in rows {
            if let [Some(number), Some(record)] = row.as_slice() {
                self.last = number.parse().map_err(io::Error::other)?;
                page.extend_from_slice(record.as_bytes());
                page.push(b'\n');
            }
        }
        self.page = io::Cursor::new(page);
        self.page.read(buffer)
    }
}
