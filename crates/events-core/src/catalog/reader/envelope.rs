//! The table `[envelope]` of a catalog file → an envelope.
//!
//! Invariant: what a key of the table does not say is the preset's; without a preset the table says it all.

use std::ops::Range;

use toml::de::DeValue;

use super::{FieldReader, Source, Value};
use crate::{
    catalog::{CatalogError, Field},
    envelope::{self, Data, Envelope, EventId, HASH, PRESETS, RecordsPath, Template, Time},
    event,
    schema::BASE_COLUMNS,
    timestamp::{EXPECTED_UNIT, EpochUnit},
};

/// The keys of the table.
const KEYS: [&str; 9] =
    ["preset", "records", "event_id", "timestamp", "domain", "event_type", "data", "fields", "version"];

/// The keys so far.
#[derive(Default)]
struct Draft {
    records: Vec<RecordsPath>,
    event_id: Option<EventId>,
    timestamp: Option<Time>,
    domain: Option<Template>,
    event_type: Option<Template>,
    data: Option<Data>,
    fields: Vec<Field>,
    version: Vec<String>,
}

impl Source<'_> {
    /// Reads the table; `owner` is where its name stands.
    pub(super) fn envelope<'d>(
        &self,
        owner: &Range<usize>,
        value: &'d Value<'d>,
        fields: &mut FieldReader<'d>,
    ) -> Result<Envelope, CatalogError> {
        let mut draft = Draft::default();
        for (key, value) in self.table(value)? {
            if self.expect_key(key, &KEYS)? == "preset" {
                draft = self.preset(value)?;
            }
        }
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "records" => draft.records = self.records(value)?,
                "event_id" => draft.event_id = Some(self.event_id(value)?),
                "timestamp" => draft.timestamp = Some(self.time(value)?),
                "domain" => draft.domain = Some(self.template(value)?),
                "event_type" => draft.event_type = Some(self.template(value)?),
                "data" => draft.data = Some(self.data(value)?),
                "fields" => draft.fields = self.envelope_fields(value, fields)?,
                "version" => draft.version = self.texts(value)?,
                _ => {}
            }
        }
        let missing = |key: &str| {
            self.error(owner, format!("the envelope has no {key}: add `{key} = \"…\"`, or a `preset`"))
        };
        Ok(Envelope {
            records: draft.records,
            event_id: draft.event_id.ok_or_else(|| missing(event::EVENT_ID))?,
            timestamp: draft.timestamp.ok_or_else(|| missing(event::TIMESTAMP))?,
            domain: draft.domain.ok_or_else(|| missing(event::DOMAIN))?,
            event_type: draft.event_type.ok_or_else(|| missing(event::EVENT_TYPE))?,
            data: draft.data.ok_or_else(|| missing(event::DATA))?,
            fields: draft.fields,
            version: draft.version,
            is_strict: false,
            toml: String::new(),
        })
    }

    fn preset(&self, value: &Value<'_>) -> Result<Draft, CatalogError> {
        let name = self.string(value)?;
        let Some(preset) = envelope::preset(&name)? else {
            let known: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
            let message = format!("expected one of {}, found {name:?}", known.join(", "));
            return Err(self.error(&value.span(), message));
        };
        let Envelope { records, event_id, timestamp, domain, event_type, data, fields, version, .. } = preset;
        Ok(Draft {
            records,
            event_id: Some(event_id),
            timestamp: Some(timestamp),
            domain: Some(domain),
            event_type: Some(event_type),
            data: Some(data),
            fields,
            version,
        })
    }

    /// A text, or a list of at least one.
    fn texts(&self, value: &Value<'_>) -> Result<Vec<String>, CatalogError> {
        self.each_text(value)?.into_iter().map(|text| self.string(text)).collect()
    }

    fn each_text<'v>(&self, value: &'v Value<'v>) -> Result<Vec<&'v Value<'v>>, CatalogError> {
        match value.get_ref() {
            DeValue::Array(values) if !values.is_empty() => Ok(values.iter().collect()),
            DeValue::String(_) => Ok(vec![value]),
            _ => Err(self.unexpected("a string or a list of strings", value)),
        }
    }

    fn records(&self, value: &Value<'_>) -> Result<Vec<RecordsPath>, CatalogError> {
        let read = |value: &Value<'_>| {
            let path = self.string(value)?.parse::<RecordsPath>();
            path.map_err(|error| self.error(&value.span(), error.to_string()))
        };
        let paths: Vec<_> = self.each_text(value)?.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(if paths == [RecordsPath::DOCUMENT] { Vec::new() } else { paths })
    }

    fn template(&self, value: &Value<'_>) -> Result<Template, CatalogError> {
        let text = self.string(value)?;
        if text.contains(HASH) {
            let message = format!("`{HASH}` is an event_id by itself, and nothing else");
            return Err(self.error(&value.span(), message));
        }
        Template::parse(&text).map_err(|problem| self.error(&value.span(), format!("{text:?}: {problem}")))
    }

    fn event_id(&self, value: &Value<'_>) -> Result<EventId, CatalogError> {
        match value.get_ref() {
            DeValue::String(text) if text.as_ref() == HASH => Ok(EventId::Hash),
            DeValue::String(_) => Ok(EventId::Text(self.varying(value)?)),
            DeValue::Array(parts) if !parts.is_empty() => {
                let parts = parts.iter().map(|part| self.template(part)).collect::<Result<Vec<_>, _>>()?;
                if parts.iter().all(|part| part.paths().next().is_none()) {
                    return Err(self.error(&value.span(), "the same id for every event".to_owned()));
                }
                Ok(EventId::Key(parts))
            }
            _ => Err(self.unexpected("a string or a list of strings", value)),
        }
    }

    /// A template that is not the same for every record.
    fn varying(&self, value: &Value<'_>) -> Result<Template, CatalogError> {
        let template = self.template(value)?;
        if template.paths().next().is_some() {
            return Ok(template);
        }
        let message = format!("expected a path like \"{{id}}\", found {:?}", template.to_string());
        Err(self.error(&value.span(), message))
    }

    fn time(&self, value: &Value<'_>) -> Result<Time, CatalogError> {
        if value.get_ref().is_str() {
            return Ok(Time { from: self.varying(value)?, unit: None });
        }
        if !value.get_ref().is_table() {
            return Err(self.unexpected("a string or a table of `from` and `unit`", value));
        }
        let (mut from, mut unit) = (None, None);
        for (key, value) in self.table(value)? {
            if self.expect_key(key, &["from", "unit"])? == "from" {
                from = Some(self.varying(value)?);
                continue;
            }
            let name = self.string(value)?;
            let known = EpochUnit::parse(&name);
            let unknown = || self.error(&value.span(), format!("expected {EXPECTED_UNIT}, found {name:?}"));
            unit = Some(known.ok_or_else(unknown)?);
        }
        let from = from.ok_or_else(|| self.error(&value.span(), "expected `from = \"…\"`".to_owned()))?;
        Ok(Time { from, unit })
    }

    fn data(&self, value: &Value<'_>) -> Result<Data, CatalogError> {
        let text = self.string(value)?;
        if text == "." {
            return Ok(Data::Rest);
        }
        let template = self.template(value)?;
        match template.as_paths() {
            Some(paths) if paths.iter().all(|path| !path.is_enclosing) => Ok(Data::At(paths.to_vec())),
            _ => {
                let message = format!("expected one path like \"{{data}}\", or \".\", found {text:?}");
                Err(self.error(&value.span(), message))
            }
        }
    }

    /// The fields that become columns, as the fields of a payload do.
    fn envelope_fields<'d>(
        &self,
        value: &'d Value<'d>,
        reader: &mut FieldReader<'d>,
    ) -> Result<Vec<Field>, CatalogError> {
        let mut fields = Vec::new();
        let taken: [&str; BASE_COLUMNS + 1] = event::FIELDS;
        for (name, value) in self.table(value)? {
            let path = name.get_ref().to_string();
            let field = reader.envelope_field(name, value, &path)?;
            if taken.iter().any(|taken| taken.eq_ignore_ascii_case(field.member_name())) {
                let message = format!(
                    "{path}: an event has a {:?} of its own: give the field another name with `column = \"…\"`",
                    field.member_name()
                );
                return Err(self.error(&name.span(), message));
            }
            fields.push(field);
        }
        Ok(fields)
    }
}
