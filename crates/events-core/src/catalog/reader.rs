//! One catalog file → its event types, each with its location.
//!
//! Invariant: the result was checked as far as one file allows: every key is known, every name safe, and no
//! two fields of a type share a column. Errors have the line of the mistake.

mod envelope;
mod inline;

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    CatalogError, DIRECTORY, Entry, EventType, OTHERS, Place, TypePlaces, VERSION,
    fields::{FieldReader, Fields, Spans},
    names::{self, EXPECTED_DIRECTORY},
};
use crate::{
    directory_name::{self, NAME_BYTES_MAX},
    envelope::Envelope,
};

pub(super) type Key<'a> = Spanned<DeString<'a>>;
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// Reads a file; `file` names it in messages.
pub(super) fn read(file: &str, text: &str) -> Result<Contents, CatalogError> {
    let line_ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(end, _)| end).collect();
    Source { file, text, line_ends }.read()
}

/// What a file says.
pub(super) struct Contents {
    pub(super) event_types: Vec<Entry>,
    /// With the place of its name.
    pub(super) envelope: Option<(Envelope, Place)>,
}

/// The file that is read.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    line_ends: Vec<usize>,
}

/// What the event types of a domain have in common.
#[derive(Default)]
struct Shared {
    fields: Option<Fields>,
    version: Option<Names>,
}

/// Names, each with its location.
type Names = Vec<(String, Range<usize>)>;

impl Source<'_> {
    fn place(&self, span: &Range<usize>) -> Place {
        Place { file: self.file.to_owned(), line: self.line(span) }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        1 + self.line_ends.partition_point(|&end| end < span.start)
    }

    pub(super) fn error(&self, span: &Range<usize>, message: String) -> CatalogError {
        self.place(span).error(message)
    }

    fn read(&self) -> Result<Contents, CatalogError> {
        let document = DeTable::parse(self.text)
            .map_err(|error| self.error(&error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let mut fields = FieldReader::new(self);
        for (key, value) in document.get_ref() {
            if self.expect_key(key, &["domain", "envelope", "types"])? == "types" {
                fields.add_types(value)?;
            }
        }
        let (mut event_types, mut envelope, mut toml) = (Vec::new(), None, String::new());
        for (key, value) in document.get_ref() {
            if matches!(key.get_ref().as_ref(), "envelope" | "types") {
                inline::push_entry(&mut toml, key.get_ref(), value.get_ref());
            }
        }
        for (key, value) in document.get_ref() {
            match key.get_ref().as_ref() {
                "envelope" => {
                    let read = self.envelope(&key.span(), value, &mut fields)?;
                    let toml = toml.clone();
                    envelope = Some((Envelope { toml, ..read }, self.place(&key.span())));
                    continue;
                }
                "types" => continue,
                _ => {}
            }
            for (domain, value) in self.table(value)? {
                self.read_domain(domain, value, &mut fields, &mut event_types)?;
            }
        }
        if event_types.is_empty() && envelope.is_none() {
            let message = "the file has no event types: add [domain.NAME.events.TYPE]".to_owned();
            return Err(self.error(&(0..0), message));
        }
        Ok(Contents { event_types, envelope })
    }

    fn read_domain<'d>(
        &self,
        domain: &Key<'_>,
        value: &'d Value<'d>,
        fields: &mut FieldReader<'d>,
        event_types: &mut Vec<Entry>,
    ) -> Result<(), CatalogError> {
        let of_others = domain.get_ref() == OTHERS;
        let (mut shared, mut description, mut events) = (Shared::default(), None, None);
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", VERSION, "fields", "events"])? {
                "fields" => shared.fields = Some(fields.payload(value)?),
                VERSION => shared.version = Some(self.version(value)?),
                "events" => events = Some(self.table(value)?),
                _ => description = Some(self.string(value)?),
            }
        }
        let mut events = events.into_iter().flatten().peekable();
        if events.peek().is_none() {
            if of_others {
                event_types.push(self.open_type(domain.get_ref(), domain, description, shared)?);
                return Ok(());
            }
            let name = domain.get_ref();
            return Err(self.error(
                &domain.span(),
                format!("domain {name:?} has no event types: add [domain.{name}.events.NAME]"),
            ));
        }
        for (name, value) in events {
            if of_others {
                self.expect_key(name, &[OTHERS])?;
            }
            let shared = (&shared, &mut *fields);
            event_types.push(if name.get_ref() == OTHERS {
                self.read_open_type(domain.get_ref(), name, shared, value)?
            } else {
                self.read_event_type(domain.get_ref(), name, shared, value)?
            });
        }
        Ok(())
    }

    /// Reads the types that a catalog does not name. What their domain has in common is theirs only if they
    /// name fields of their own, or if no other types share it.
    fn read_open_type<'d>(
        &self,
        domain: &str,
        name: &Key<'_>,
        (shared, reader): (&Shared, &mut FieldReader<'d>),
        value: &'d Value<'d>,
    ) -> Result<Entry, CatalogError> {
        let (mut own, mut description) = (Shared::default(), None);
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", VERSION, "fields"])? {
                "description" => description = Some(self.string(value)?),
                VERSION => own.version = Some(self.version(value)?),
                _ => own.fields = Some(reader.payload(value)?),
            }
        }
        if own.fields.is_some() || domain == OTHERS {
            own.version = own.version.or_else(|| shared.version.clone());
            if let Some(mut fields) = shared.fields.clone() {
                fields.override_with(own.fields.unwrap_or_default());
                own.fields = Some(fields);
            }
        }
        self.open_type(domain, name, description, own)
    }

    /// Types that a catalog does not name; without fields, their data is one column.
    fn open_type(
        &self,
        domain: &str,
        key: &Key<'_>,
        description: Option<String>,
        Shared { fields, version }: Shared,
    ) -> Result<Entry, CatalogError> {
        let is_json = fields.is_none();
        let Fields { fields, spans } = fields.unwrap_or_default();
        let event_type = EventType {
            domain: domain.to_owned(),
            name: OTHERS.to_owned(),
            description,
            directory: String::new(),
            fields: fields.into(),
            envelope_fields: Vec::new(),
            version: Vec::new(),
            is_json,
            is_open: true,
        };
        self.entry(event_type, key, spans, version)
    }

    fn read_event_type<'d>(
        &self,
        domain: &str,
        name: &Key<'_>,
        (shared, reader): (&Shared, &mut FieldReader<'d>),
        value: &'d Value<'d>,
    ) -> Result<Entry, CatalogError> {
        let (mut description, mut directory, mut version) = (None, None, None);
        let mut fields = shared.fields.clone().unwrap_or_default();
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", DIRECTORY, VERSION, "fields"])? {
                VERSION => version = Some(self.version(value)?),
                "description" => description = Some(self.string(value)?),
                DIRECTORY => {
                    directory = Some(self.directory(value)?);
                    fields.spans.insert(DIRECTORY.to_owned(), value.span());
                }
                _ => fields.override_with(reader.payload(value)?),
            }
        }
        let directory = directory.map_or_else(|| self.directory_of_name(name), Ok)?;
        let Fields { fields, spans } = fields;
        let event_type = EventType {
            domain: domain.to_owned(),
            name: name.get_ref().to_string(),
            description,
            directory,
            fields: fields.into(),
            envelope_fields: Vec::new(),
            version: Vec::new(),
            is_json: false,
            is_open: false,
        };
        self.entry(event_type, name, spans, version.or_else(|| shared.version.clone()))
    }

    /// An event type with the locations of its parts; its name is at `key`.
    fn entry(
        &self,
        event_type: EventType,
        key: &Key<'_>,
        spans: Spans,
        version: Option<Names>,
    ) -> Result<Entry, CatalogError> {
        let name_span = key.span();
        names::check_columns(&event_type)
            .map_err(|clash| self.error(spans.get(&clash.path).unwrap_or(&name_span), clash.message))?;
        let spans = spans.into_iter().chain([(String::new(), name_span.clone())]);
        let lines = spans.map(|(path, span)| (path, self.line(&span))).collect();
        let version = version.map(|names| {
            let lines = names.into_iter().map(|(name, span)| (name, self.line(&span)));
            lines.collect()
        });
        let places = TypePlaces { file: self.file.to_owned(), lines, version, is_built_in: false };
        Ok(Entry { event_type, places, place: Some(self.place(&name_span)) })
    }

    fn directory(&self, value: &Value<'_>) -> Result<String, CatalogError> {
        let name = self.string(value)?;
        if names::is_safe_directory(&name) {
            return Ok(name);
        }
        let message = format!("{name:?} is not a safe directory name: use {EXPECTED_DIRECTORY}");
        Err(self.error(&value.span(), message))
    }

    /// The names of the fields of a version.
    fn version(&self, value: &Value<'_>) -> Result<Names, CatalogError> {
        let name = |value: &Value<'_>| Ok((self.string(value)?, value.span()));
        match value.get_ref() {
            DeValue::String(_) => Ok(vec![name(value)?]),
            DeValue::Array(names) => names.iter().map(name).collect(),
            _ => Err(self.unexpected("a field's name or a list of them", value)),
        }
    }

    /// The directory of an event type for which the catalog gives none.
    fn directory_of_name(&self, name: &Key<'_>) -> Result<String, CatalogError> {
        let directory = directory_name::as_plain(name.get_ref());
        if (1..=NAME_BYTES_MAX).contains(&directory.len()) {
            return Ok(directory.into_owned());
        }
        let bytes = directory.len();
        let message = format!(
            "the event type's name would be the name of a directory of {bytes} bytes, and a directory's has 1 \
             to {NAME_BYTES_MAX}: set `directory = \"…\"`"
        );
        Err(self.error(&name.span(), message))
    }

    pub(super) fn expect_key<'k>(&self, key: &'k Key<'_>, allowed: &[&str]) -> Result<&'k str, CatalogError> {
        let name: &str = key.get_ref();
        if allowed.contains(&name) {
            return Ok(name);
        }
        Err(self.error(&key.span(), format!("expected {}, found {name:?}", allowed.join(", "))))
    }

    pub(super) fn table<'v>(
        &self,
        value: &'v Value<'v>,
    ) -> Result<impl Iterator<Item = (&'v Key<'v>, &'v Value<'v>)> + use<'v>, CatalogError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table.iter()),
            _ => Err(self.unexpected("a table", value)),
        }
    }

    pub(super) fn string(&self, value: &Value<'_>) -> Result<String, CatalogError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.unexpected("a string", value)),
        }
    }

    pub(super) fn boolean(&self, value: &Value<'_>) -> Result<bool, CatalogError> {
        value.get_ref().as_bool().ok_or_else(|| self.unexpected("true or false", value))
    }

    fn unexpected(&self, expected: &str, value: &Value<'_>) -> CatalogError {
        let found = value.get_ref().type_str();
        self.error(&value.span(), format!("expected {expected}, found {found}"))
    }
}
