//! The tables of event types: the built-in ones, written down by hand, and those that a catalog declares.

use events_core::{
    catalog::{self, Catalog, FieldKind, ValueType},
    timestamp::EpochUnit,
};

use crate::columns::{EventType, Field, Kind};

/// The built-in event types.
#[must_use]
pub fn built_in() -> Vec<EventType> {
    let field = |(name, kind): (&str, Kind)| {
        let (name, member) = (name.to_owned(), name.to_owned());
        Field { name, member, required: false, kind }
    };
    let account = |event_type: &str| {
        let fields = [
            ("id", Kind::Int32),
            ("old_status", Kind::String),
            ("new_status", Kind::String),
            ("reason", Kind::String),
        ];
        ("account".to_owned(), event_type.to_owned(), fields.map(field).into())
    };
    let transaction = |event_type: &str| {
        let amount = Kind::Decimal { precision: 10, scale: 2 };
        let fields = [("id", Kind::String), ("to", Kind::String), ("from", Kind::String), ("amount", amount)];
        ("transaction".to_owned(), event_type.to_owned(), fields.map(field).into())
    };
    let mut types: Vec<_> = ["account-open", "account-close", "status-change"].map(account).into();
    types.extend(["payment-to", "payment-from"].map(transaction));
    types
}

/// The other event types of a domain, whose payloads are kept as text.
#[must_use]
pub fn others_of(domain: &str) -> EventType {
    (domain.to_owned(), "*".to_owned(), vec![payload()])
}

fn payload() -> Field {
    Field { name: String::new(), member: "data".to_owned(), required: false, kind: Kind::Payload }
}

/// A catalog's event types, in its order, and those that stand for others.
#[must_use]
pub fn declared_in(catalog: &Catalog) -> Vec<EventType> {
    let event_type = |known: &catalog::EventType| {
        let fields = if known.is_json { vec![payload()] } else { fields(&known.fields) };
        (known.domain.clone(), known.name.clone(), fields)
    };
    catalog.event_types().iter().chain(catalog.open_types()).map(event_type).collect()
}

/// The fields that a catalog declares.
pub(crate) fn fields(fields: &[catalog::Field]) -> Vec<Field> {
    let field = |field: &catalog::Field| Field {
        name: field.name.clone(),
        member: field.column.clone().unwrap_or_else(|| field.name.clone()),
        required: field.required,
        kind: kind(&field.kind),
    };
    fields.iter().map(field).collect()
}

fn kind(kind_in_catalog: &FieldKind) -> Kind {
    match kind_in_catalog {
        FieldKind::Object(members) => Kind::Object(fields(members)),
        FieldKind::List(element) => Kind::List(Box::new(kind(element))),
        FieldKind::Map(value) => Kind::Map(Box::new(kind(value))),
        FieldKind::Value(value_type) => match *value_type {
            ValueType::String => Kind::String,
            ValueType::Int32 => Kind::Int32,
            ValueType::Int64 => Kind::Int64,
            ValueType::Float64 => Kind::Float64,
            ValueType::Boolean => Kind::Boolean,
            ValueType::Decimal { precision, scale } => Kind::Decimal { precision, scale },
            ValueType::Date => Kind::Date,
            ValueType::Timestamp => Kind::Timestamp,
            ValueType::Epoch(EpochUnit::Seconds) => Kind::Epoch { digits: 0 },
            ValueType::Epoch(EpochUnit::Milliseconds) => Kind::Epoch { digits: 3 },
            ValueType::Epoch(EpochUnit::Microseconds) => Kind::Epoch { digits: 6 },
            ValueType::Epoch(EpochUnit::Nanoseconds) => Kind::Epoch { digits: 9 },
            ValueType::Json => Kind::Json,
        },
    }
}
