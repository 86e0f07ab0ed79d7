//! An event type in a schema → the SQL of its table.
//!
//! Invariant: names are quoted, so the statements mean the same whatever the `search_path`.

use std::{collections::HashMap, fmt::Write};

use arrow::datatypes::{DataType, Field};
use events_core::{
    catalog::EventType,
    event,
    schema::{self, TableForm},
    sql_text::double_quoted,
    table::TableColumns,
};

use crate::{
    names::{self, BadTable, quoted_literal},
    types::{kind_name, type_name},
    widening::Functions,
};

/// The name of the table in [`Table::select`].
const ROW: &str = "t";

/// The table of an event type.
#[derive(Debug, Clone)]
pub struct Table {
    schema: String,
    name: String,
    domain: String,
    event_type: String,
    columns: TableColumns,
    /// The same with their types, behind the base columns.
    fields: Vec<Field>,
    description: Option<String>,
    /// By column.
    descriptions: Vec<(String, String)>,
}

impl Table {
    /// The one that a load writes.
    ///
    /// # Errors
    /// A name that the server would not take as it is.
    pub fn new(schema: &str, event_type: &EventType, form: TableForm) -> Result<Self, BadTable> {
        let columns = TableColumns::of(event_type, form);
        names::check(event_type, &columns)?;
        let descriptions = schema::descriptions(event_type, form.flatten).into_iter();
        let of_type = (event_type.domain.as_str(), event_type.name.as_str());
        Ok(Self {
            description: event_type.description.clone(),
            descriptions: descriptions.map(|(column, text)| (column, text.to_owned())).collect(),
            ..Self::held(schema, &event_type.directory, of_type, columns)
        })
    }

    /// The one that the target has, by what it remembers: the name, the domain and the event type, the
    /// columns.
    #[must_use]
    pub fn held(schema: &str, name: &str, (domain, event_type): (&str, &str), columns: TableColumns) -> Self {
        Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
            domain: domain.to_owned(),
            event_type: event_type.to_owned(),
            fields: columns.fields().collect(),
            columns,
            description: None,
            descriptions: Vec::new(),
        }
    }

    /// Its name in the schema.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name in SQL: `"lake"."payment-to"`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        self.in_schema(&self.name)
    }

    /// Its columns behind the base ones.
    #[must_use]
    pub fn columns(&self) -> &TableColumns {
        &self.columns
    }

    /// The domain and the event type of all rows.
    pub(crate) fn of_type(&self) -> (&str, &str) {
        (&self.domain, &self.event_type)
    }

    fn in_schema(&self, name: &str) -> String {
        format!("{}.{}", double_quoted(&self.schema), double_quoted(name))
    }

    /// `CREATE TABLE`, and the comments.
    #[must_use]
    pub fn create(&self) -> String {
        let base = [
            format!("{} text COLLATE \"C\" NOT NULL", double_quoted(event::EVENT_ID)),
            format!("{} timestamp with time zone NOT NULL", double_quoted(event::TIMESTAMP)),
            format!("{} text NOT NULL", double_quoted(event::DOMAIN)),
            format!("{} text NOT NULL", double_quoted(event::EVENT_TYPE)),
        ];
        let own = self
            .fields
            .iter()
            .map(|field| format!("{} {}", double_quoted(field.name()), type_name(field.data_type())));
        let columns: Vec<_> = base.into_iter().chain(own).collect();
        format!(
            "CREATE TABLE {} (\n  {}\n);\n{}",
            self.qualified_name(),
            columns.join(",\n  "),
            self.comments()
        )
    }

    /// The comments of the table and its columns, by the descriptions of the catalog.
    #[must_use]
    pub fn comments(&self) -> String {
        let name = self.qualified_name();
        let mut text = String::new();
        if let Some(description) = &self.description {
            let _ = writeln!(text, "COMMENT ON TABLE {name} IS {};", quoted_literal(description));
        }
        for field in &self.fields {
            let found = self.descriptions.iter().find(|(column, _)| column == field.name());
            if let Some((column, description)) = found {
                let column = double_quoted(column);
                let _ =
                    writeln!(text, "COMMENT ON COLUMN {name}.{column} IS {};", quoted_literal(description));
            }
        }
        text
    }

    /// The indexes: on `event_id`, which is unique unless an event may be in several days, and on
    /// `timestamp`.
    #[must_use]
    pub fn indexes(&self, is_unique: bool) -> String {
        let (name, timestamp) = (self.qualified_name(), double_quoted(event::TIMESTAMP));
        let index = double_quoted(&self.index_name(event::TIMESTAMP));
        format!("{}CREATE INDEX {index} ON {name} ({timestamp});\n", self.id_index(is_unique))
    }

    /// The index on `event_id` alone.
    #[must_use]
    pub fn id_index(&self, is_unique: bool) -> String {
        let (name, id) = (self.qualified_name(), double_quoted(event::EVENT_ID));
        let index = double_quoted(&self.index_name(event::EVENT_ID));
        let unique = if is_unique { "UNIQUE " } else { "" };
        format!("CREATE {unique}INDEX {index} ON {name} ({id});\n")
    }

    /// Drops the index on `event_id`.
    #[must_use]
    pub fn drop_id_index(&self) -> String {
        format!("DROP INDEX IF EXISTS {};\n", self.in_schema(&self.index_name(event::EVENT_ID)))
    }

    /// The name of an index. Indexes and tables have their names in common, and no event type's table begins
    /// with `_`. The server's names are limited, so a long one is cut, and has a hash of the whole.
    fn index_name(&self, column: &str) -> String {
        names::index_name(&self.name, column)
    }

    /// What brings a table with the columns `held` to these, in one pass over its rows; empty if it has them.
    /// They are several statements. Columns that are lost or get narrower were refused before: they stay.
    #[must_use]
    pub fn alter(&self, held: &TableColumns) -> String {
        let held: HashMap<_, _> = held.columns().collect();
        let mut functions = Functions::default();
        let mut actions = Vec::new();
        for (column, kind) in self.columns.columns() {
            let (name, type_name) = (double_quoted(column), kind_name(kind));
            match held.get(column) {
                None => actions.push(format!("ADD COLUMN {name} {type_name}")),
                Some(held) => {
                    if let Some(value) = functions.converted(held, kind, &name) {
                        actions.push(format!("ALTER COLUMN {name} TYPE {type_name} USING {value}"));
                    }
                }
            }
        }
        if actions.is_empty() {
            return String::new();
        }
        let (functions, actions) = (functions.statements(), actions.join(",\n  "));
        format!("{functions}ALTER TABLE {}\n  {actions};\n{}", self.qualified_name(), self.comments())
    }

    /// `COPY … FROM STDIN`, for what an [`crate::Encoder`] writes.
    #[must_use]
    pub fn copy_in(&self) -> String {
        let base = [event::EVENT_ID, event::TIMESTAMP, event::DOMAIN, event::EVENT_TYPE].map(double_quoted);
        let own = self.fields.iter().map(|field| double_quoted(field.name()));
        let columns: Vec<_> = base.into_iter().chain(own).collect();
        format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.qualified_name(), columns.join(", "))
    }

    /// `SELECT t… FROM … AS t`, for what a [`crate::Decoder`] reads: first `ctid`, if asked for, then the id,
    /// the timestamp and the columns behind the base ones. A condition, a join or an order may follow. It is
    /// read by `COPY (…) TO STDOUT (FORMAT binary)`.
    #[must_use]
    pub fn select(&self, with_ctid: bool) -> String {
        let ctid = with_ctid.then(|| "ctid".to_owned());
        let base = [event::EVENT_ID, event::TIMESTAMP].map(double_quoted);
        let own = self.fields.iter().map(|field| double_quoted(field.name()));
        let columns = ctid.into_iter().chain(base).chain(own).map(|column| format!("{ROW}.{column}"));
        let columns: Vec<_> = columns.collect();
        format!("SELECT {} FROM {} AS {ROW}", columns.join(", "), self.qualified_name())
    }

    /// The type of each column behind the base ones.
    pub(crate) fn types(&self) -> impl Iterator<Item = &DataType> {
        self.fields.iter().map(Field::data_type)
    }
}
