//! The naive model that the tests of the binary have, for event types of any catalog.
//!
//! Its files are those of `tests/loader`; here is what leads to them: a catalog's fields become the model's.

#[path = "../../../../tests/loader/oracle/columns.rs"]
pub(super) mod columns;
#[path = "../../../../tests/loader/oracle/framing.rs"]
pub(super) mod framing;
#[path = "../../../../tests/loader/oracle/json.rs"]
pub(super) mod json;
#[path = "../../../../tests/loader/oracle/judge.rs"]
pub(super) mod judge;
#[path = "../../../../tests/loader/readback/values.rs"]
pub(super) mod readback;
#[path = "../../../../tests/loader/oracle/values.rs"]
pub(super) mod values;

use events_core::catalog::{self, Catalog, FieldKind, ValueType};

use self::columns::{EventType, Field, Kind};
use self::readback::{instant, json_string};

/// A catalog's event types, in its order.
pub(super) fn event_types(catalog: &Catalog) -> Vec<EventType> {
    let event_type =
        |known: &catalog::EventType| (known.domain.clone(), known.name.clone(), fields(&known.fields));
    catalog.event_types().iter().map(event_type).collect()
}

fn fields(fields: &[catalog::Field]) -> Vec<Field> {
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
        FieldKind::Value(value_type) => match *value_type {
            ValueType::String => Kind::String,
            ValueType::Int32 => Kind::Int32,
            ValueType::Int64 => Kind::Int64,
            ValueType::Float64 => Kind::Float64,
            ValueType::Boolean => Kind::Boolean,
            ValueType::Decimal { precision, scale } => Kind::Decimal { precision, scale },
            ValueType::Date => Kind::Date,
            ValueType::Timestamp => Kind::Timestamp,
            ValueType::Json => Kind::Json,
        },
    }
}
