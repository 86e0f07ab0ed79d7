//! A table → its columns as text, for people, and as Arrow's schema.
//!
//! Invariant: a type is written as in a catalog, or as Arrow writes it.

use std::fmt::Write;

use arrow::datatypes::DataType;
use events_core::{event, partition::Layout};

use super::table::ShownTable;
use crate::runtime::escape_for_terminal;

impl ShownTable<'_> {
    pub(super) fn text(&self) -> String {
        let directory = match self.layout {
            Layout::Plain => format!("…/{}", self.directory),
            Layout::Hive | Layout::HiveWithEventType => format!("…/{}={}", event::EVENT_TYPE, self.directory),
            Layout::Delta | Layout::Database => self.directory.to_string(),
        };
        let mut text = format!("{}, in {directory}/\n", self.event_type);
        if let Some(description) = &self.event_type.description {
            let _ = writeln!(text, "    {description}");
        }
        if !self.event_type.version.is_empty() {
            let names = self.event_type.version_names();
            let fields: Vec<_> = names.iter().map(|name| escape_for_terminal(name)).collect();
            let fields = fields.join(", then by ");
            let _ = writeln!(
                text,
                "    The latest version of an event is that by {fields}, then by the timestamp"
            );
        }
        let rows: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| {
                let description = self.description(field.name()).unwrap_or_default();
                (field.name().as_str(), type_name(field.data_type()), description)
            })
            .collect();
        let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
        let names = width(&mut rows.iter().map(|(name, ..)| name.chars().count()));
        let types = width(&mut rows.iter().filter(|row| !row.2.is_empty()).map(|row| row.1.chars().count()));
        for (name, type_name, description) in rows {
            let line = format!("  {name:names$}  {type_name:types$}  {description}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    pub(super) fn arrow(&self) -> String {
        let mut text = format!("{}\n", self.event_type);
        for field in self.schema.fields() {
            let _ = writeln!(text, "  {}: {}", field.name(), field.data_type());
        }
        text
    }
}

/// A type as a catalog writes it; objects with their members.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::List(element) => format!("list({})", type_name(element.data_type())),
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(parts) => format!("map({})", type_name(parts[1].data_type())),
            other => unreachable!("a map has entries, not {other}"),
        },
        DataType::Struct(fields) => {
            let members =
                fields.iter().map(|field| format!("{}: {}", field.name(), type_name(field.data_type())));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
