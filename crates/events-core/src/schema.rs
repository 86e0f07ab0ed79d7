//! An event type → its columns, as a flat table or with the payload as one nested column.
//!
//! The name of a flattened column is its path joined with `_`: `data.merchant.address.city` is
//! `data_merchant_address_city`. If the catalog gives a `column`, that replaces the path up to there. A list
//! is one column, whatever its elements are, and so is a map.
//!
//! A payload that is one column of its JSON text is the column `data`, in both forms.
//!
//! Invariant: columns are in the order of the catalog, base columns first, and all are nullable; the flat and
//! the nested schema have the same values in the same order.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, Schema, TimeUnit};

use crate::{
    catalog::{EventType, Field, FieldKind, ValueType},
    event,
};

/// The number of columns that every table begins with: the event's own fields except `data`. Without
/// `event_type` ([`TableForm`]) it is one less.
pub const BASE_COLUMNS: usize = 4;

/// The name of a list's elements in the schema, as required by the Parquet format.
const ELEMENT: &str = "element";

/// The names of a map's entries, and of their parts, as required by the Parquet format.
const KEY_VALUE: &str = "key_value";
const KEY: &str = "key";
const VALUE: &str = "value";

/// One flattened column of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// The path of its value in the event, with dots: `data.merchant.name`.
    pub path: String,
    /// Whether an event must have it.
    pub required: bool,
    /// Its type: a value, a list or a map; objects have columns of their own.
    pub kind: FieldKind,
}

/// The columns behind the base ones, depth first, in catalog order: the envelope's and the payload's.
#[must_use]
pub fn columns(event_type: &EventType) -> Vec<Column> {
    let mut columns = Vec::new();
    collect_columns("", "", &event_type.envelope_fields, &mut columns);
    if event_type.is_json {
        let (name, path) = (event::DATA.to_owned(), event::DATA.to_owned());
        columns.push(Column { name, path, required: false, kind: FieldKind::Value(ValueType::Json) });
    }
    collect_columns(event::DATA, event::DATA, &event_type.fields, &mut columns);
    columns
}

fn collect_columns(name: &str, path: &str, fields: &[Field], columns: &mut Vec<Column>) {
    for field in fields {
        let name = flat_name(name, field);
        let path = member_path(path, &field.name);
        match &field.kind {
            FieldKind::Object(fields) => collect_columns(&name, &path, fields, columns),
            kind => {
                columns.push(Column { name, path, required: field.required, kind: kind.clone() });
            }
        }
    }
}

/// The name of a field's column, or the beginning of the names of its columns.
fn flat_name(parent: &str, field: &Field) -> String {
    let of_path = || match parent {
        "" => field.name.clone(),
        _ => format!("{parent}_{}", field.name),
    };
    field.column.clone().unwrap_or_else(of_path)
}

/// The path of an object's member; that of the event itself is empty.
#[must_use]
pub fn member_path(object: &str, member: &str) -> String {
    if object.is_empty() { member.to_owned() } else { format!("{object}.{member}") }
}

impl Field {
    /// Its name in the nested schema.
    #[must_use]
    pub fn member_name(&self) -> &str {
        self.column.as_ref().unwrap_or(&self.name)
    }
}

/// Which columns the tables of a target have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableForm {
    /// One column per value of the payload; otherwise the payload is one struct column.
    pub flatten: bool,
    /// Whether there is a column `event_type`; otherwise the type is in the directories alone.
    pub has_event_type: bool,
}

impl TableForm {
    /// The number of columns that every table begins with.
    #[must_use]
    pub fn base_columns(self) -> usize {
        BASE_COLUMNS - usize::from(!self.has_event_type)
    }

    /// The columns of an event type's table.
    #[must_use]
    pub fn schema(self, event_type: &EventType) -> Schema {
        let schema = if self.flatten { flat_schema(event_type) } else { nested_schema(event_type) };
        if self.has_event_type {
            return schema;
        }
        let kept = schema.fields().iter().filter(|field| field.name() != event::EVENT_TYPE);
        Schema::new(kept.cloned().collect::<Fields>())
    }
}

/// The schema with one column per value of the payload.
#[must_use]
pub fn flat_schema(event_type: &EventType) -> Schema {
    let payload =
        columns(event_type).into_iter().map(|column| nullable(column.name, data_type(&column.kind)));
    Schema::new(base_fields().into_iter().chain(payload).collect::<Fields>())
}

/// The schema with the payload as one struct column `data`; without it if the payload has no fields, because
/// Parquet has no empty structs.
#[must_use]
pub fn nested_schema(event_type: &EventType) -> Schema {
    let data =
        if event_type.is_json { DataType::Utf8 } else { DataType::Struct(members(&event_type.fields)) };
    let has_data = event_type.is_json || !event_type.fields.is_empty();
    let data = has_data.then(|| nullable(event::DATA, data));
    let of_envelope = event_type.envelope_fields.iter().map(member_field);
    Schema::new(base_fields().into_iter().chain(of_envelope).chain(data).collect::<Fields>())
}

/// The members of an object in the nested schema.
#[must_use]
pub fn members(fields: &[Field]) -> Fields {
    fields.iter().map(member_field).collect()
}

fn member_field(field: &Field) -> ArrowField {
    nullable(field.member_name(), data_type(&field.kind))
}

/// The descriptions of an event type's fields, by the name of a column and, in a nested one, the member's
/// after a dot (`data.merchant.name`, `data_items.sku`).
#[must_use]
pub fn descriptions(event_type: &EventType, flatten: bool) -> Vec<(String, &str)> {
    let mut descriptions = Vec::new();
    collect_descriptions("", &event_type.envelope_fields, flatten, &mut descriptions);
    collect_descriptions(event::DATA, &event_type.fields, flatten, &mut descriptions);
    descriptions
}

fn collect_descriptions<'a>(
    parent: &str,
    fields: &'a [Field],
    flatten: bool,
    descriptions: &mut Vec<(String, &'a str)>,
) {
    for field in fields {
        let name = if flatten { flat_name(parent, field) } else { member_path(parent, field.member_name()) };
        if let Some(description) = &field.description {
            descriptions.push((name.clone(), description));
        }
        if let FieldKind::Object(fields) = field.kind.innermost() {
            let flatten = flatten && matches!(field.kind, FieldKind::Object(_));
            collect_descriptions(&name, fields, flatten, descriptions);
        }
    }
}

/// The columns that every table begins with.
#[must_use]
pub fn base_fields() -> [ArrowField; BASE_COLUMNS] {
    [
        nullable(event::EVENT_ID, DataType::Utf8),
        nullable(event::TIMESTAMP, value_data_type(ValueType::Timestamp)),
        nullable(event::DOMAIN, DataType::Utf8),
        nullable(event::EVENT_TYPE, DataType::Utf8),
    ]
}

fn nullable(name: impl Into<String>, data_type: DataType) -> ArrowField {
    ArrowField::new(name, data_type, true)
}

/// The Arrow type of a field.
#[must_use]
pub fn data_type(kind: &FieldKind) -> DataType {
    match kind {
        FieldKind::Value(value_type) => value_data_type(*value_type),
        FieldKind::Object(fields) => DataType::Struct(members(fields)),
        FieldKind::List(element) => DataType::List(Arc::new(element_field(element))),
        FieldKind::Map(value) => DataType::Map(Arc::new(entry_field(value)), false),
    }
}

/// The Arrow field of a list's elements.
#[must_use]
pub fn element_field(element: &FieldKind) -> ArrowField {
    nullable(ELEMENT, data_type(element))
}

/// The Arrow field of a map's entries, which are in the order of the event.
#[must_use]
pub fn entry_field(value: &FieldKind) -> ArrowField {
    let key = ArrowField::new(KEY, DataType::Utf8, false);
    let value = nullable(VALUE, data_type(value));
    ArrowField::new(KEY_VALUE, DataType::Struct(Fields::from(vec![key, value])), false)
}

fn value_data_type(value_type: ValueType) -> DataType {
    match value_type {
        ValueType::String | ValueType::Json => DataType::Utf8,
        ValueType::Int32 => DataType::Int32,
        ValueType::Int64 => DataType::Int64,
        ValueType::Float64 => DataType::Float64,
        ValueType::Boolean => DataType::Boolean,
        ValueType::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
        }
        ValueType::Date => DataType::Date32,
        ValueType::Timestamp | ValueType::Epoch(_) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{BUILT_IN, Catalog};

    fn text_of(schema: &Schema) -> String {
        let line = |field: &Arc<ArrowField>| {
            assert!(field.is_nullable(), "{field}");
            format!("{} {}", field.name(), field.data_type())
        };
        schema.fields().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_built_in_tables_are_the_contract_s() {
        let base = "event_id Utf8\ntimestamp Timestamp(µs, \"UTC\")\ndomain Utf8\nevent_type Utf8\n";
        for event_type in BUILT_IN.event_types() {
            let payload = match event_type.domain.as_str() {
                "account" => "data_id Int32\ndata_old_status Utf8\ndata_new_status Utf8\ndata_reason Utf8",
                _ => "data_id Utf8\ndata_to Utf8\ndata_from Utf8\ndata_amount Decimal128(10, 2)",
            };
            assert_eq!(text_of(&flat_schema(event_type)), format!("{base}{payload}"));
        }
    }

    #[test]
    fn the_nested_schema_keeps_data_as_one_struct() {
        let schema = nested_schema(&BUILT_IN.event_types()[3]);
        assert_eq!(schema.fields().len(), 5);
        let DataType::Struct(fields) = schema.field(4).data_type() else { panic!("{schema}") };
        assert_eq!(
            fields.iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
            ["id", "to", "from", "amount"]
        );
    }

    fn card() -> EventType {
        let text = "[domain.card.events.sale]\ndescription = 'A sale'\n[domain.card.events.sale.fields]\n\
             id = { type = 'string', column = 'card_id', description = 'The card' }\n\
             shop = { column = 'at', description = 'Where', fields = { name = { type = 'string', description = 'Its name' } } }\n\
             items = { list = { fields = { sku = { type = 'string', column = 'article', description = 'What' }, sizes = 'list(int32)' } } }";
        Catalog::from_toml(&[("x.toml", text)]).unwrap().event_types()[0].clone()
    }

    #[test]
    fn a_column_is_named_as_the_catalog_says_and_a_list_is_one() {
        let names: Vec<_> = columns(&card()).into_iter().map(|column| column.name).collect();
        assert_eq!(names, ["card_id", "at_name", "data_items"]);
        let schema = nested_schema(&card());
        let DataType::Struct(fields) = schema.field(4).data_type() else { panic!("{schema}") };
        let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["card_id", "at", "items"]);
        assert_eq!(flat_schema(&card()).field(6).data_type(), fields[2].data_type());
        assert_eq!(
            fields[2].data_type().to_string(),
            r#"List(Struct("article": Utf8, "sizes": List(Int32, field: 'element')), field: 'element')"#
        );
    }

    #[test]
    fn descriptions_go_by_the_place_in_the_table() {
        let card = card();
        let flat = descriptions(&card, true);
        assert_eq!(
            flat.iter().map(|(place, text)| format!("{place}: {text}")).collect::<Vec<_>>(),
            ["card_id: The card", "at: Where", "at_name: Its name", "data_items.article: What"]
        );
        let nested: Vec<_> = descriptions(&card, false).into_iter().map(|(place, _)| place).collect();
        assert_eq!(nested, ["data.card_id", "data.at", "data.at.name", "data.items.article"]);
    }

    #[test]
    fn a_payload_without_fields_is_no_struct() {
        let catalog = Catalog::from_toml(&[("x.toml", "[domain.a.events.ping]")]).unwrap();
        assert_eq!(nested_schema(&catalog.event_types()[0]).fields().len(), 4);
    }
}
