//! An event of a world → its record in the envelope of another producer (`--envelope`), and what a loader
//! makes of that.
//!
//! - `presets` are the records of each envelope, as templates, and where the event's parts are in them;
//! - `template` compiles a text with placeholders;
//! - `table` reads a record's template as JSON: the catalog of the dressed types, and their rows;
//! - `writer` writes the lines of a world, dressed or not.
//!
//! ```text
//! an event → its line in its own envelope → the parts of that → the record, with what stands around it
//! ```
//!
//! Invariant: a record is a function of the event alone. The row is made from the template's values, not from
//! the record's text, so a mistake in one can't hide in the other.

mod presets;
mod table;
mod template;
mod writer;

use events_core::{
    catalog::Catalog,
    truth::{Report, RowDigest},
};
use uuid::{Builder, Uuid};
use xxhash_rust::xxh3::xxh3_128;

pub(crate) use self::writer::{Clean, LineWriter};
use self::{
    presets::{Around, Domain, PRESETS, Preset},
    table::Cell,
    template::{Parts, Template},
};
use crate::{
    config::{EnvelopeName, WorldName, fault_list::Fault},
    worlds::table::Table,
};

/// An envelope, compiled for a world.
#[derive(Debug)]
pub(crate) struct Dress {
    preset: &'static Preset,
    record: Template,
    /// The texts of the id's parts; of none, the id is a hash of the record.
    id: Option<Template>,
    /// The domains and types of the records, by table of the world.
    names: Vec<(String, String)>,
    /// The columns between those that every table has and those of the payload.
    fields: Vec<Cell>,
    data: Vec<Cell>,
    /// Where the world's own payload is in the record's: empty, or `payload.` for instance.
    payload: String,
    /// The catalog.
    toml: String,
}

impl Dress {
    /// Compiles an envelope for the tables of a world.
    pub(crate) fn new(name: EnvelopeName, world: WorldName, tables: &[Table]) -> Self {
        let preset = PRESETS.iter().find(|preset| preset.name == name);
        let preset = preset.expect("each envelope has a record");
        let record = table::record(preset.record);
        let names = tables.iter().map(|table| table::names(preset, &record, table)).collect();
        let data = table::data(preset, &record);
        let mut dress = Self {
            preset,
            record: Template::new(preset.record),
            id: table::id(preset, &record).map(|text| Template::new(&text)),
            names,
            fields: preset.fields.iter().map(|place| Cell::of_field(record.pointer(place))).collect(),
            data: table::cells(&data),
            payload: table::payload_path(&data).unwrap_or_default(),
            toml: String::new(),
        };
        dress.toml = table::catalog(&dress, world, &data, tables);
        dress
    }

    pub(crate) fn name(&self) -> EnvelopeName {
        self.preset.name
    }

    /// The domain and the type that the records of a table have.
    pub(crate) fn names(&self, table: usize) -> (&str, &str) {
        let (domain, name) = &self.names[table];
        (domain, name)
    }

    /// The catalog for a loader, as TOML.
    pub(crate) fn toml(&self) -> &str {
        &self.toml
    }

    /// The envelope and the types of the records.
    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::from_toml(&[("types.toml", &self.toml)]).expect("a test reads the catalog of each envelope")
    }

    /// What opens and what closes a file of records, if they are not lines.
    pub(crate) fn document(&self) -> Option<[&'static str; 2]> {
        match self.preset.around {
            Around::File(open, close) => Some([open, close]),
            Around::Nothing | Around::Line(..) => None,
        }
    }

    /// Whether a record is all of its line.
    fn is_whole_line(&self) -> bool {
        matches!(self.preset.around, Around::Nothing)
    }

    /// What stands before and behind a record in its line.
    fn around(&self) -> (&'static str, &'static str) {
        match self.preset.around {
            Around::Line(before, behind) => (before, behind),
            Around::Nothing | Around::File(..) => ("", ""),
        }
    }

    /// The text before an event's own id in its line.
    pub(crate) fn before_id(&self) -> Option<String> {
        self.record.before_id()
    }

    /// Why there can't be such a fault.
    pub(crate) fn refuses(&self, fault: Fault) -> Option<&'static str> {
        let has_id = self.id.is_some();
        match fault {
            Fault::Corrections | Fault::Stale | Fault::Ties if !has_id => {
                Some("an id is a hash of its record, so no two versions have one id")
            }
            Fault::Offsets | Fault::UnknownFields if !has_id => {
                Some("an id is a hash of its record, so a record that is written otherwise is another event")
            }
            Fault::Offsets if self.has_epochs() => Some("a timestamp is a number, which has no offset"),
            Fault::UnknownFields if !self.data.contains(&Cell::Payload) => {
                Some("the payload is within a text")
            }
            Fault::Blank if self.document().is_some() => Some("a file has one line"),
            _ => None,
        }
    }

    fn has_epochs(&self) -> bool {
        table::record(self.preset.record)
            .pointer(self.preset.time)
            .and_then(serde_json::Value::as_str)
            .is_some_and(|time| time.starts_with("$epoch"))
    }

    /// The places of the event's parts in a record.
    pub(crate) fn places(&self) -> Places {
        let Preset { id, time, domain, event_type, data, .. } = self.preset;
        let (constant_domain, domain) = match domain {
            Domain::Constant(name) => (Some(*name), None),
            Domain::At(place) => (None, Some(*place)),
        };
        let payload = self.payload.replace('.', "/");
        Places {
            id: id.last().copied(),
            time,
            constant_domain,
            domain,
            event_type,
            data: format!("{data}/{}", payload.trim_end_matches('/')).trim_end_matches('/').to_owned(),
            payload: format!("{}{}", self.preset.data_path, self.payload),
            has_epochs: self.has_epochs(),
            is_whole_line: self.is_whole_line(),
        }
    }

    /// Counts what a loader finds in the records and has no column for.
    pub(crate) fn count_ignored(&self, report: &mut Report) {
        let good = report.lines - report.blank - report.quarantined.total;
        for path in self.preset.ignored.iter().filter(|_| good > 0) {
            *report.unknown_fields.entry((*path).to_owned()).or_default() += good;
        }
    }

    /// Appends the record of an event.
    fn write_record(&self, parts: &Parts<'_>, out: &mut Vec<u8>) {
        self.record.render(parts, out);
    }

    /// Adds the values of the event's row; `payload` adds those of its own payload.
    fn write_row(&self, parts: &Parts<'_>, row: &mut RowDigest, payload: impl Fn(&mut RowDigest)) {
        match &self.id {
            Some(id) => row.text_of(|out| id.render(parts, out)),
            None => row.text(self.hashed(parts).to_string().as_bytes()),
        }
        row.timestamp(self.preset.unit.floor(parts.micros));
        let (domain, name) = self.names(parts.table);
        row.text(domain.as_bytes());
        row.text(name.as_bytes());
        for cell in self.fields.iter().chain(&self.data) {
            match cell {
                Cell::Null => row.null(),
                Cell::Text(text) => row.text_of(|out| text.render(parts, out)),
                Cell::Payload => payload(row),
            }
        }
    }

    /// The id of a record that has none.
    fn hashed(&self, parts: &Parts<'_>) -> Uuid {
        let mut record = Vec::new();
        self.write_record(parts, &mut record);
        let (mut is_text, mut is_escaped) = (false, false);
        record.retain(|byte| {
            let is_blank = !is_text && matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = is_text,
                b'"' => is_text = !is_text,
                _ => {}
            }
            !is_blank
        });
        Builder::from_custom_bytes(xxh3_128(&record).to_be_bytes()).into_uuid()
    }
}

/// The places of an event's parts in a record, as JSON pointers.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The part of the id that is the event's own.
    pub(crate) id: Option<&'static str>,
    pub(crate) time: &'static str,
    pub(crate) domain: Option<&'static str>,
    /// The domain, if all records have the same.
    pub(crate) constant_domain: Option<&'static str>,
    pub(crate) event_type: &'static str,
    /// The world's own payload, or the text that has it.
    pub(crate) data: String,
    /// The path of the world's own payload, as a loader reports it, with a dot behind.
    pub(crate) payload: String,
    pub(crate) has_epochs: bool,
    pub(crate) is_whole_line: bool,
}
