//! TOML → the catalog: which types of events there are, and the fields of their payloads.
//!
//! ```toml
//! [domain.card]
//! description = "…"                       # optional, like every description
//!
//! [domain.card.fields]                    # fields of `data` that all its event types carry, in column order
//! id       = "string"
//! amount   = { type = "decimal(12,2)", description = "…" }
//! merchant = { fields = { name = "string", address = { fields = { city = "string" } } } }
//!
//! [domain.card.events.authorization]      # one table per event type; it may be empty
//! directory = "card-authorization"        # optional; the event type's name otherwise
//!
//! [domain.card.events.authorization.fields]
//! approved = "boolean"                    # fields of this type only; their columns come after the shared ones
//! ```
//!
//! A field is a type's name, or a table with `type` (a value) or `fields` (an object, to any depth), and optionally
//! `column` (another name for its column) and `description`. Types: see [`ValueType`].
//!
//! Invariant: in a catalog that was read, `domain` + `event_type` is unique, every event type has a directory of its
//! own that is safe as one, and every column of a table has a name of its own. Errors name file, line and what is allowed.

use std::{collections::HashMap, fmt, ops::Range, sync::LazyLock};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use crate::schema;

/// The catalog that is built in: the domains account and transaction.
pub static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| {
    let files = [
        ("account.toml", include_str!("catalog/account.toml")),
        ("transaction.toml", include_str!("catalog/transaction.toml")),
    ];
    Catalog::from_toml(&files).expect("the built-in catalog is read by a test")
});

/// All known types of events, in the order of their files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    event_types: Vec<EventType>,
}

/// One type of event: what `domain` + `event_type` name together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// The event's `domain`.
    pub domain: String,
    /// The event's `event_type`.
    pub name: String,
    /// What the events of this type say.
    pub description: Option<String>,
    /// The last part of its partitions' paths.
    pub directory: String,
    /// The fields of `data`, in column order.
    pub fields: Vec<Field>,
}

/// A field of a payload, or of an object in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key in the JSON object.
    pub name: String,
    /// Its part of the column's name, where that isn't `name`.
    pub column: Option<String>,
    /// What it says.
    pub description: Option<String>,
    /// What it holds.
    pub kind: FieldKind,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A value; one column.
    Value(ValueType),
    /// An object; its fields' columns.
    Object(Vec<Field>),
}

/// The type of a value, as the catalog names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// `string`: text; numbers and booleans as they are written; objects and arrays as JSON.
    String,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `float64`
    Float64,
    /// `boolean`
    Boolean,
    /// `decimal(precision,scale)`: 1 to 38 digits, `scale` of them after the point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `date`: `YYYY-MM-DD`
    Date,
    /// `timestamp`: as the event's own; microseconds, UTC.
    Timestamp,
    /// `json`: the value's JSON text, whatever it is.
    Json,
}

const VALUE_TYPES: &str =
    "string, int32, int64, float64, boolean, decimal(precision,scale), date, timestamp or json";

impl ValueType {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "string" => Self::String,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "json" => Self::Json,
            _ => {
                let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
                let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                ((1..=38).contains(&precision) && scale <= precision)
                    .then_some(Self::Decimal { precision, scale })?
            }
        })
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
        })
    }
}

/// A catalog file that can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct CatalogError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl Catalog {
    /// Reads catalog files: pairs of a name, for messages, and the TOML text.
    ///
    /// # Errors
    /// A [`CatalogError`] at the first entry that can't be used.
    pub fn from_toml(files: &[(&str, &str)]) -> Result<Self, CatalogError> {
        let mut event_types = Vec::new();
        let mut directories = HashMap::new();
        for &(file, text) in files {
            let source = Source { file, text };
            for (event_type, span) in source.read()? {
                source.check_columns(&event_type, &span)?;
                // Two names that differ in case alone are one directory on macOS.
                let owner = format!("{}/{}", event_type.domain, event_type.name);
                if let Some(other) = directories.insert(event_type.directory.to_lowercase(), owner.clone()) {
                    return Err(source.error(
                        &span,
                        format!(
                            "{owner} and {other} would share the directory {:?}: give one of them another with `directory = \"…\"`",
                            event_type.directory
                        ),
                    ));
                }
                event_types.push(event_type);
            }
        }
        Ok(Self { event_types })
    }

    /// All event types, in the order of their files.
    #[must_use]
    pub fn event_types(&self) -> &[EventType] {
        &self.event_types
    }

    /// The names of the domains, each once.
    #[must_use]
    pub fn domains(&self) -> Vec<&str> {
        let mut domains: Vec<&str> = Vec::new();
        for event_type in &self.event_types {
            if !domains.contains(&event_type.domain.as_str()) {
                domains.push(&event_type.domain);
            }
        }
        domains
    }
}

type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

/// One file, while it is read.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn error(&self, span: &Range<usize>, message: String) -> CatalogError {
        let line = 1 + self.text.bytes().take(span.start).filter(|&byte| byte == b'\n').count();
        CatalogError { file: self.file.to_owned(), line, message }
    }

    fn read(&self) -> Result<Vec<(EventType, Range<usize>)>, CatalogError> {
        let document = DeTable::parse(self.text)
            .map_err(|error| self.error(&error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let mut event_types = Vec::new();
        for (key, value) in document.get_ref() {
            self.expect_key(key, &["domain"])?;
            for (domain, value) in self.table(value)? {
                self.read_domain(domain, value, &mut event_types)?;
            }
        }
        Ok(event_types)
    }

    fn read_domain(
        &self,
        domain: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        event_types: &mut Vec<(EventType, Range<usize>)>,
    ) -> Result<(), CatalogError> {
        let (mut shared, mut events) = (Vec::new(), None);
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", "fields", "events"])? {
                "fields" => shared = self.fields(value)?,
                "events" => events = Some(self.table(value)?),
                _ => drop(self.string(value)?),
            }
        }
        let Some(events) = events else {
            let name = domain.get_ref();
            return Err(self.error(
                &domain.span(),
                format!("domain {name:?} has no event types: add [domain.{name}.events.NAME]"),
            ));
        };
        for (name, value) in events {
            event_types.push((self.read_event_type(domain.get_ref(), name, &shared, value)?, name.span()));
        }
        Ok(())
    }

    fn read_event_type(
        &self,
        domain: &str,
        name: &Spanned<DeString<'_>>,
        shared: &[Field],
        value: &Spanned<DeValue<'_>>,
    ) -> Result<EventType, CatalogError> {
        let mut event_type = EventType {
            domain: domain.to_owned(),
            name: name.get_ref().to_string(),
            description: None,
            directory: name.get_ref().to_string(),
            fields: shared.to_vec(),
        };
        let mut directory_span = name.span();
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["description", "directory", "fields"])? {
                "description" => event_type.description = Some(self.string(value)?),
                "directory" => {
                    (event_type.directory, directory_span) = (self.string(value)?, value.span());
                }
                _ => event_type.fields.extend(self.fields(value)?),
            }
        }
        if !is_safe_directory(&event_type.directory) {
            return Err(self.error(
                &directory_span,
                format!(
                    "{:?} is no safe directory name: allowed are letters, digits, `-`, `_` and `.`, up to 100 of them, \
                     not beginning with `_`, `.` or `-`; set `directory = \"…\"`",
                    event_type.directory
                ),
            ));
        }
        Ok(event_type)
    }

    fn fields(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Field>, CatalogError> {
        self.table(value)?.map(|(name, value)| self.field(name, value)).collect()
    }

    fn field(
        &self,
        name: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Field, CatalogError> {
        let mut field = Field {
            name: name.get_ref().to_string(),
            column: None,
            description: None,
            kind: FieldKind::Object(Vec::new()),
        };
        if value.get_ref().is_str() {
            field.kind = FieldKind::Value(self.value_type(value)?);
            return Ok(field);
        }
        let mut kinds = 0;
        for (key, value) in self.table(value)? {
            match self.expect_key(key, &["type", "fields", "column", "description"])? {
                "column" => field.column = Some(self.string(value)?),
                "description" => field.description = Some(self.string(value)?),
                kind => {
                    kinds += 1;
                    field.kind = if kind == "type" {
                        FieldKind::Value(self.value_type(value)?)
                    } else {
                        FieldKind::Object(self.fields(value)?)
                    };
                }
            }
        }
        if kinds != 1 {
            return Err(self.error(
                &name.span(),
                format!(
                    "field {:?}: expected one of `type = \"…\"` and `fields = {{ … }}`, found {}",
                    field.name,
                    if kinds == 0 { "neither" } else { "both" }
                ),
            ));
        }
        Ok(field)
    }

    fn value_type(&self, value: &Spanned<DeValue<'_>>) -> Result<ValueType, CatalogError> {
        let text = self.string(value)?;
        ValueType::parse(&text)
            .ok_or_else(|| self.error(&value.span(), format!("expected {VALUE_TYPES}, found {text:?}")))
    }

    fn check_columns(&self, event_type: &EventType, span: &Range<usize>) -> Result<(), CatalogError> {
        let mut names = HashMap::new();
        for column in schema::columns(event_type) {
            if let Some(other) = names.insert(column.name.to_lowercase(), column.path.clone()) {
                return Err(self.error(
                    span,
                    format!(
                        "{}/{}: the fields {other} and {} would share the column {:?}: name one of them with `column = \"…\"`",
                        event_type.domain, event_type.name, column.path, column.name
                    ),
                ));
            }
        }
        Ok(())
    }

    fn expect_key<'k>(
        &self,
        key: &'k Spanned<DeString<'_>>,
        allowed: &[&str],
    ) -> Result<&'k str, CatalogError> {
        let name: &str = key.get_ref();
        if allowed.contains(&name) {
            return Ok(name);
        }
        Err(self.error(&key.span(), format!("expected {}, found {name:?}", allowed.join(", "))))
    }

    fn table<'v>(
        &self,
        value: &'v Spanned<DeValue<'v>>,
    ) -> Result<impl Iterator<Item = Entry<'v>> + use<'v>, CatalogError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table.iter()),
            other => Err(self.error(&value.span(), format!("expected a table, found {}", other.type_str()))),
        }
    }

    fn string(&self, value: &Spanned<DeValue<'_>>) -> Result<String, CatalogError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            other => Err(self.error(&value.span(), format!("expected a string, found {}", other.type_str()))),
        }
    }
}

/// Whether a name can be a directory on every file system, and is one that readers don't skip (`_`, `.`).
fn is_safe_directory(name: &str) -> bool {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 100 && name.chars().all(safe) && !name.starts_with(['_', '.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        Catalog::from_toml(&[("x.toml", text)]).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_catalog_knows_two_domains_and_five_types() {
        assert_eq!(BUILT_IN.domains(), ["account", "transaction"]);
        let names: Vec<_> = BUILT_IN.event_types().iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["account-open", "account-close", "status-change", "payment-to", "payment-from"]);
    }

    #[test]
    fn fields_nest_and_shared_ones_come_first() {
        let catalog = Catalog::from_toml(&[(
            "x.toml",
            "[domain.card.fields]\nid = 'string'\nmerchant = { fields = { address = { fields = { city = 'string' } } } }\n\
             [domain.card.events.sale.fields]\nat = 'timestamp'",
        )])
        .unwrap();
        let columns: Vec<_> =
            schema::columns(&catalog.event_types()[0]).into_iter().map(|column| column.name).collect();
        assert_eq!(columns, ["data_id", "data_merchant_address_city", "data_at"]);
    }

    #[test]
    fn errors_name_the_line_and_what_is_allowed() {
        let head = "[domain.card.events.sale.fields]\n";
        for (text, expected) in [
            ("x = ", "x.toml:1: "),
            ("[domains.card]", "x.toml:1: expected domain, found \"domains\""),
            (
                "[domain.card]\n",
                "x.toml:1: domain \"card\" has no event types: add [domain.card.events.NAME]",
            ),
            ("\n[domain.card]\ndescription = 5", "x.toml:3: expected a string, found integer"),
            (&format!("{head}id = 'int'"), &format!("x.toml:2: expected {VALUE_TYPES}, found \"int\"")),
            (&format!("{head}id = 'decimal(39,2)'"), "x.toml:2: expected string, int32"),
            (
                &format!("{head}id = {{ typ = 'int32' }}"),
                "x.toml:2: expected type, fields, column, description, found \"typ\"",
            ),
            (&format!("{head}id = {{}}"), "x.toml:2: field \"id\": expected one of"),
            (
                &format!("{head}a_b = 'int32'\na = {{ fields = {{ b = 'int32' }} }}"),
                "x.toml:1: card/sale: the fields data.a_b and data.a.b would share the column \"data_a_b\"",
            ),
            ("[domain.a.events.'../../etc']", "x.toml:1: \"../../etc\" is no safe directory name"),
            ("[domain.a.events._x]", "x.toml:1: \"_x\" is no safe directory name"),
            (
                "[domain.a.events.open]\n[domain.b.events.Open]",
                "x.toml:2: b/Open and a/open would share the directory \"Open\"",
            ),
        ] {
            let error = error_of(text);
            assert!(error.starts_with(expected), "{text}\n  gave {error}\n  not  {expected}");
        }
    }

    #[test]
    fn a_type_may_name_another_directory() {
        let catalog = Catalog::from_toml(&[(
            "x.toml",
            "[domain.a.events.open]\n[domain.b.events.open]\ndirectory = 'b-open'",
        )])
        .unwrap();
        assert_eq!(catalog.event_types()[1].directory, "b-open");
    }
}
