//! One catalog file → its event types, each with its location.
//!
//! Invariant: the result was checked as far as one file allows: every key is known, every name safe, and no
//! two fields of a type share a column. Errors have the line of the mistake.

mod envelope;

use std::{collections::HashMap, ops::Range};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    CatalogError, DIRECTORY, Entry, EventType, Field, FieldKind, Place, TypePlaces,
    names::{self, EXPECTED_COLUMN, EXPECTED_DIRECTORY},
    value_type::EXPECTED_TYPE,
};
use crate::{
    directory_name::{self, NAME_BYTES_MAX},
    envelope::Envelope,
    event,
};

type Key<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

/// By path in the event: the location of a field.
type Spans = HashMap<String, Range<usize>>;

/// The longest excerpt of an invalid type name in a message.
const FOUND_CHARS_MAX: usize = 100;

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
struct Source<'a> {
    file: &'a str,
    text: &'a str,
    line_ends: Vec<usize>,
}

/// Fields, with their locations.
#[derive(Default, Clone)]
struct Fields {
    fields: Vec<Field>,
    spans: Spans,
}

impl Source<'_> {
    fn place(&self, span: &Range<usize>) -> Place {
        Place { file: self.file.to_owned(), line: self.line(span) }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        1 + self.line_ends.partition_point(|&end| end < span.start)
    }

    fn error(&self, span: &Range<usize>, message: String) -> CatalogError {
        self.place(span).error(message)
    }

    fn read(&self) -> Result<Contents, CatalogError> {
        let document = DeTable::parse(self.text)
            .map_err(|error| self.error(&error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let (mut event_types, mut envelope) = (Vec::new(), None);
        for (key, value) in document.get_ref() {
            if self.expect_key(key, &["domain", "envelope"])? == "envelope" {
                envelope = Some((self.envelope(&key.span(), value)?, self.place(&key.span())));
                continue;
            }
            for (domain, value) in self.table(value)? {
                self.read_domain(domain, value, &mut event_types)?;
            }
        }
        if event_types.is_empty() && envelope.is_none() {
            let message = "the file has no event types: add [domain.NAME.events.TYPE]".to_owned();
            return Err(self.error(&(0..0), message));
        }
        Ok(Contents { event_types, envelope })
    }

    fn read_domain(
        &self,
        domain: &Key<'_>,
        value: &Value<'_>,
        event_types: &mut Vec<Entry>,
    ) -> Result<(), CatalogError> {
        let (mut shared, mut events) = (Fields::default(), None);
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", "fields", "events"])? {
                "fields" => shared = self.payload(value)?,
                "events" => events = Some(self.table(value)?),
                _ => drop(self.string(value)?),
            }
        }
        let mut events = events.into_iter().flatten().peekable();
        if events.peek().is_none() {
            let name = domain.get_ref();
            return Err(self.error(
                &domain.span(),
                format!("domain {name:?} has no event types: add [domain.{name}.events.NAME]"),
            ));
        }
        for (name, value) in events {
            event_types.push(self.read_event_type(domain.get_ref(), name, shared.clone(), value)?);
        }
        Ok(())
    }

    fn read_event_type(
        &self,
        domain: &str,
        name: &Key<'_>,
        mut fields: Fields,
        value: &Value<'_>,
    ) -> Result<Entry, CatalogError> {
        let (mut description, mut directory) = (None, None);
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", DIRECTORY, "fields"])? {
                "description" => description = Some(self.string(value)?),
                DIRECTORY => {
                    directory = Some(self.directory(value)?);
                    fields.spans.insert(DIRECTORY.to_owned(), value.span());
                }
                _ => fields.override_with(self.payload(value)?),
            }
        }
        let directory = directory.map_or_else(|| self.directory_of_name(name), Ok)?;
        let Fields { fields, spans } = fields;
        let name_span = name.span();
        let name = name.get_ref().to_string();
        let event_type = EventType {
            domain: domain.to_owned(),
            name,
            description,
            directory,
            fields,
            envelope_fields: Vec::new(),
        };
        names::check_columns(&event_type)
            .map_err(|clash| self.error(spans.get(&clash.path).unwrap_or(&name_span), clash.message))?;
        let spans = spans.into_iter().chain([(String::new(), name_span.clone())]);
        let lines = spans.map(|(path, span)| (path, self.line(&span))).collect();
        let places = TypePlaces { file: self.file.to_owned(), lines };
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

    /// The fields of `data`.
    fn payload(&self, value: &Value<'_>) -> Result<Fields, CatalogError> {
        let mut spans = Spans::new();
        let fields = self.fields(value, event::DATA, &mut spans)?;
        Ok(Fields { fields, spans })
    }

    fn fields(&self, value: &Value<'_>, path: &str, spans: &mut Spans) -> Result<Vec<Field>, CatalogError> {
        let fields = self.table(value)?.map(|(name, value)| {
            let path = format!("{path}.{}", name.get_ref());
            let field = self.field(name, value, &path, spans)?;
            spans.insert(path, name.span());
            Ok(field)
        });
        fields.collect()
    }

    fn field(
        &self,
        name: &Key<'_>,
        value: &Value<'_>,
        path: &str,
        spans: &mut Spans,
    ) -> Result<Field, CatalogError> {
        let mut field = Field {
            name: name.get_ref().to_string(),
            column: None,
            description: None,
            required: false,
            kind: FieldKind::Object(Vec::new()),
        };
        if value.get_ref().is_table() {
            for (key, value) in self.table(value)? {
                let allowed = ["type", "fields", "list", "column", "required", "description"];
                match self.expect_key(key, &allowed)? {
                    "column" => field.column = Some(self.column(value)?),
                    "description" => field.description = Some(self.string(value)?),
                    "required" => field.required = self.boolean(value)?,
                    _ => {}
                }
            }
        }
        field.kind = self.kind(value, path, &name.span(), spans)?;
        Ok(field)
    }

    /// The type of a field or an element: a type's name, or that of a table. Other keys of the table are
    /// ignored here.
    fn kind(
        &self,
        value: &Value<'_>,
        path: &str,
        owner: &Range<usize>,
        spans: &mut Spans,
    ) -> Result<FieldKind, CatalogError> {
        if value.get_ref().is_str() {
            return self.type_of_name(value);
        }
        let mut kinds = Vec::new();
        for (key, value) in self.table(value)? {
            kinds.push(match key.get_ref().as_ref() {
                "type" => self.type_of_name(value)?,
                "fields" => FieldKind::Object(self.members(value, path, spans)?),
                "list" => FieldKind::List(Box::new(self.element(value, path, spans)?)),
                _ => continue,
            });
        }
        let found = if kinds.is_empty() { "none" } else { "more than one" };
        match (kinds.pop(), kinds.is_empty()) {
            (Some(kind), true) => Ok(kind),
            _ => Err(self.error(
                owner,
                format!(
                    "{path}: expected one of `type = \"…\"`, `fields = {{ … }}` and `list = …`, found {found}"
                ),
            )),
        }
    }

    /// The type of the elements of a list.
    fn element(&self, value: &Value<'_>, path: &str, spans: &mut Spans) -> Result<FieldKind, CatalogError> {
        if value.get_ref().is_table() {
            for (key, _) in self.table(value)? {
                self.expect_key(key, &["type", "fields", "list"])?;
            }
        }
        self.kind(value, path, &value.span(), spans)
    }

    /// The fields of an object in the payload.
    fn members(&self, value: &Value<'_>, path: &str, spans: &mut Spans) -> Result<Vec<Field>, CatalogError> {
        let fields = self.fields(value, path, spans)?;
        if fields.is_empty() {
            let message =
                format!("{path}: expected at least one field; an object of any shape is a \"json\"");
            return Err(self.error(&value.span(), message));
        }
        Ok(fields)
    }

    fn type_of_name(&self, value: &Value<'_>) -> Result<FieldKind, CatalogError> {
        let text = self.string(value)?;
        FieldKind::parse(&text).ok_or_else(|| {
            let found: String = text.chars().take(FOUND_CHARS_MAX).collect();
            self.error(&value.span(), format!("expected {EXPECTED_TYPE}, found {found:?}"))
        })
    }

    fn column(&self, value: &Value<'_>) -> Result<String, CatalogError> {
        let name = self.string(value)?;
        if names::is_safe_column(&name) {
            return Ok(name);
        }
        let message = format!("{name:?} is not a safe column name: use {EXPECTED_COLUMN}");
        Err(self.error(&value.span(), message))
    }

    fn expect_key<'k>(&self, key: &'k Key<'_>, allowed: &[&str]) -> Result<&'k str, CatalogError> {
        let name: &str = key.get_ref();
        if allowed.contains(&name) {
            return Ok(name);
        }
        Err(self.error(&key.span(), format!("expected {}, found {name:?}", allowed.join(", "))))
    }

    fn table<'v>(
        &self,
        value: &'v Value<'v>,
    ) -> Result<impl Iterator<Item = (&'v Key<'v>, &'v Value<'v>)> + use<'v>, CatalogError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table.iter()),
            _ => Err(self.unexpected("a table", value)),
        }
    }

    fn string(&self, value: &Value<'_>) -> Result<String, CatalogError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.unexpected("a string", value)),
        }
    }

    fn boolean(&self, value: &Value<'_>) -> Result<bool, CatalogError> {
        value.get_ref().as_bool().ok_or_else(|| self.unexpected("true or false", value))
    }

    fn unexpected(&self, expected: &str, value: &Value<'_>) -> CatalogError {
        let found = value.get_ref().type_str();
        self.error(&value.span(), format!("expected {expected}, found {found}"))
    }
}

impl Fields {
    /// Adds a type's own fields; one with the name of a shared field replaces it.
    fn override_with(&mut self, own: Self) {
        for field in own.fields {
            match self.fields.iter_mut().find(|shared| shared.name == field.name) {
                Some(shared) => *shared = field,
                None => self.fields.push(field),
            }
        }
        self.spans.extend(own.spans);
    }
}
