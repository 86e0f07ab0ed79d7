//! The columns of a table, as a file has them or a target remembers them, and those that a load would write →
//! what becomes of each of them.
//!
//! The names are those of the schema: of columns, and of members of objects in them (`data_items.sku`). The
//! base columns, which all tables have, are left out.
//!
//! Invariant: this alone decides which catalog may follow another one on a target's rows. Types follow
//! [`crate::catalog::ValueType::widens_to`]; a column may be new, but not lost.

mod recorded;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt, sync::Arc};

use arrow_schema::{DataType, Field as ArrowField, Schema};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use self::recorded::RecordedColumn;
use crate::{
    catalog::{EventType, Field, FieldKind, ValueType, by_name},
    event,
    schema::{self, TableForm},
};

/// The columns of a table behind the base ones, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<RecordedColumn>", into = "Vec<RecordedColumn>")]
pub struct TableColumns {
    columns: Vec<Field>,
    /// The columns by which the latest version of an event is decided; known of a catalog only.
    version: BTreeSet<String>,
    /// Whether a text may be a `json` as well as a `string`: a file does not say.
    are_texts_alike: bool,
}

/// A column, or a member of one, that is not the same in the table that a load would write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    /// Its name; with those of the members that lead to it, if it is within one.
    pub column: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What a load would make of a column that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is new, with this type: null in all rows that are held.
    Added(FieldKind),
    /// It gets a type that has all of its values.
    Widened {
        /// The type that it has.
        from: FieldKind,
        /// The one that it gets.
        to: FieldKind,
    },
    /// The load's type does not have all of its values: refused.
    Narrowed {
        /// The type that it has.
        from: FieldKind,
        /// The one that it would get.
        to: FieldKind,
    },
    /// It decides which version of an event is the latest, and texts would be in another order than what they
    /// were written from: refused.
    Reordered {
        /// The type that it has.
        from: FieldKind,
    },
    /// The load does not have it, so its values, of this type, would be lost: refused.
    Lost(FieldKind),
}

impl TableColumns {
    /// Those of an event type's table.
    #[must_use]
    pub fn of(event_type: &EventType, form: TableForm) -> Self {
        let columns: Vec<Field> = if form.flatten {
            let columns = schema::columns(event_type).into_iter();
            columns.map(|column| stored(column.name, &column.kind)).collect()
        } else {
            let member = |field: &Field| stored(field.member_name().to_owned(), &field.kind);
            let of_envelope = event_type.envelope_fields.iter().map(member);
            let data = match &event_type.fields[..] {
                _ if event_type.is_json => Some(FieldKind::Value(ValueType::Json)),
                [] => None,
                fields => Some(FieldKind::Object(fields.to_vec())),
            };
            of_envelope.chain(data.map(|kind| stored(event::DATA.to_owned(), &kind))).collect()
        };
        let paths = event_type.version.iter().map(|field| field.column(event_type, form.flatten));
        let version = paths.map(|path| name_at(&columns, &path)).collect();
        Self { columns, version, are_texts_alike: false }
    }

    /// Those of a file.
    ///
    /// # Errors
    /// A column, and its type, which no load writes.
    pub fn of_schema(schema: &Schema) -> Result<Self, (String, DataType)> {
        let is_own = |name: &str| !event::FIELDS[..schema::BASE_COLUMNS].contains(&name);
        let fields = schema.fields().iter().filter(|field| is_own(field.name()));
        let column = |field: &Arc<ArrowField>| {
            let kind = kind_of(field.data_type());
            let kind = kind.ok_or_else(|| (field.name().clone(), field.data_type().clone()))?;
            Ok(column(field.name().clone(), kind))
        };
        let columns = fields.map(column).collect::<Result<_, _>>()?;
        Ok(Self { columns, version: BTreeSet::new(), are_texts_alike: true })
    }

    /// A name for these columns: other columns have another one.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let columns: Vec<RecordedColumn> = self.clone().into();
        let text = serde_json::to_string(&columns).unwrap_or_default();
        format!("{:016x}", xxh3_64(text.as_bytes()))
    }

    /// The same in the schema of a table.
    pub fn fields(&self) -> impl Iterator<Item = ArrowField> {
        self.columns().map(|(name, kind)| ArrowField::new(name, schema::data_type(kind), true))
    }

    /// Their names and types.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &FieldKind)> {
        self.columns.iter().map(|column| (column.name.as_str(), &column.kind))
    }

    /// These columns and, behind them, those of an older table of the same rows that are not among them; in
    /// the same way the members of objects.
    #[must_use]
    pub fn joined(&self, older: &Self) -> Self {
        Self { columns: joined(&self.columns, &older.columns), ..self.clone() }
    }

    /// Only the columns with some names.
    #[must_use]
    pub fn filtered(&self, is_kept: impl Fn(&str) -> bool) -> Self {
        let columns = self.columns.iter().filter(|column| is_kept(&column.name)).cloned();
        Self { columns: columns.collect(), ..self.clone() }
    }

    /// What a load that writes the columns `asked` makes of these: first those that it has, in its order,
    /// then those that it does not have.
    #[must_use]
    pub fn changes(&self, asked: &Self) -> Vec<ColumnChange> {
        let mut changes = Changes { are_texts_alike: self.are_texts_alike, asked, found: Vec::new() };
        changes.of_members("", &self.columns, &asked.columns);
        changes.found
    }
}

impl Fate {
    /// Whether a load that would do so is refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Narrowed { .. } | Self::Reordered { .. } | Self::Lost(_))
    }
}

/// `data_id: int32 → int64`
impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, fate } = self;
        match fate {
            Fate::Added(kind) => write!(f, "{column}: {kind}, new"),
            Fate::Widened { from, to } => write!(f, "{column}: {from} → {to}"),
            Fate::Narrowed { from, to } => {
                write!(f, "{column} is {from}, and {to} does not have all of its values")
            }
            Fate::Reordered { from } => {
                let string = ValueType::String;
                write!(f, "{column} is {from} and decides the latest version: {string} has another order")
            }
            Fate::Lost(kind) => write!(f, "{column} ({kind}) would be lost"),
        }
    }
}

/// The changes that were found.
struct Changes<'a> {
    are_texts_alike: bool,
    asked: &'a TableColumns,
    found: Vec<ColumnChange>,
}

impl Changes<'_> {
    fn of_members(&mut self, path: &str, held: &[Field], asked: &[Field]) {
        let (of_held, of_asked) = (by_name(held), by_name(asked));
        for field in asked {
            let column = format!("{path}{}", field.name);
            match of_held.get(&*field.name) {
                Some(held) => self.of_kind(column, &held.kind, &field.kind),
                None => self.found.push(ColumnChange { column, fate: Fate::Added(field.kind.clone()) }),
            }
        }
        for field in held.iter().filter(|field| !of_asked.contains_key(&*field.name)) {
            let column = format!("{path}{}", field.name);
            self.found.push(ColumnChange { column, fate: Fate::Lost(field.kind.clone()) });
        }
    }

    fn of_kind(&mut self, column: String, held: &FieldKind, asked: &FieldKind) {
        match (held, asked) {
            (FieldKind::Object(held), FieldKind::Object(asked)) => {
                return self.of_members(&format!("{column}."), held, asked);
            }
            (FieldKind::List(held), FieldKind::List(asked))
            | (FieldKind::Map(held), FieldKind::Map(asked)) => {
                return self.of_kind(column, held, asked);
            }
            _ if held == asked => return,
            (FieldKind::Value(ValueType::String), FieldKind::Value(ValueType::Json))
                if self.are_texts_alike =>
            {
                return;
            }
            _ => {}
        }
        let (from, to) = (held.clone(), asked.clone());
        let is_text = to == FieldKind::Value(ValueType::String);
        let fate = if !from.widens_to(&to) {
            Fate::Narrowed { from, to }
        } else if is_text && self.asked.version.contains(&column) {
            Fate::Reordered { from }
        } else {
            Fate::Widened { from, to }
        };
        self.found.push(ColumnChange { column, fate });
    }
}

fn joined(newer: &[Field], older: &[Field]) -> Vec<Field> {
    let (of_newer, of_older) = (by_name(newer), by_name(older));
    let both = newer.iter().map(|field| match of_older.get(&*field.name) {
        Some(older) => column(field.name.clone(), joined_kind(&field.kind, &older.kind)),
        None => field.clone(),
    });
    let only_older = older.iter().filter(|field| !of_newer.contains_key(&*field.name)).cloned();
    both.chain(only_older).collect()
}

fn joined_kind(newer: &FieldKind, older: &FieldKind) -> FieldKind {
    match (newer, older) {
        (FieldKind::Object(newer), FieldKind::Object(older)) => FieldKind::Object(joined(newer, older)),
        (FieldKind::List(newer), FieldKind::List(older)) => {
            FieldKind::List(Box::new(joined_kind(newer, older)))
        }
        (FieldKind::Map(newer), FieldKind::Map(older)) => FieldKind::Map(Box::new(joined_kind(newer, older))),
        _ => newer.clone(),
    }
}

/// The name of the column that a version's field has, as changes write it.
fn name_at(columns: &[Field], path: &[usize]) -> String {
    let (mut fields, mut names) = (columns, Vec::new());
    for &index in path {
        names.push(fields[index].name.as_str());
        fields = if let FieldKind::Object(members) = &fields[index].kind { members } else { &[] };
    }
    names.join(".")
}

fn column(name: String, kind: FieldKind) -> Field {
    Field { name, column: None, description: None, required: false, kind }
}

/// A field as its column is stored: with the names of members in the schema, and no unit of epochs.
fn stored(name: String, kind: &FieldKind) -> Field {
    column(name, stored_kind(kind))
}

fn stored_kind(kind: &FieldKind) -> FieldKind {
    match kind {
        FieldKind::Value(ValueType::Epoch(_)) => FieldKind::Value(ValueType::Timestamp),
        FieldKind::Value(value_type) => FieldKind::Value(*value_type),
        FieldKind::Object(fields) => {
            let member = |field: &Field| stored(field.member_name().to_owned(), &field.kind);
            FieldKind::Object(fields.iter().map(member).collect())
        }
        FieldKind::List(element) => FieldKind::List(Box::new(stored_kind(element))),
        FieldKind::Map(value) => FieldKind::Map(Box::new(stored_kind(value))),
    }
}

/// The type whose column has this type; `None` if none has. Texts are those of a `string`.
fn kind_of(data_type: &DataType) -> Option<FieldKind> {
    let value = match data_type {
        DataType::Utf8 => ValueType::String,
        DataType::Int32 => ValueType::Int32,
        DataType::Int64 => ValueType::Int64,
        DataType::Float64 => ValueType::Float64,
        DataType::Boolean => ValueType::Boolean,
        DataType::Date32 => ValueType::Date,
        DataType::Decimal128(precision, scale) => {
            ValueType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
        }
        DataType::Struct(fields) => {
            let member =
                |field: &Arc<ArrowField>| Some(column(field.name().clone(), kind_of(field.data_type())?));
            return fields.iter().map(member).collect::<Option<_>>().map(FieldKind::Object);
        }
        DataType::List(element) => return Some(FieldKind::List(Box::new(kind_of(element.data_type())?))),
        DataType::Map(entry, false) => {
            let DataType::Struct(parts) = entry.data_type() else { return None };
            let [_, value] = &parts[..] else { return None };
            return Some(FieldKind::Map(Box::new(kind_of(value.data_type())?)));
        }
        other if *other == schema::data_type(&FieldKind::Value(ValueType::Timestamp)) => ValueType::Timestamp,
        _ => return None,
    };
    Some(FieldKind::Value(value))
}
