//! The columns of a table ↔ JSON, as the commits of a target record them.
//!
//! Types are recorded as words, since readers of JSON refuse what nests as deep as types may.
//!
//! Invariant: what is written is read back as the same columns. A type that is not known is an error, never
//! another type.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{TableColumns, column};
use crate::catalog::{Field, FieldKind, ValueType};

/// A column, as it is recorded: `["data_id", "int32"]`.
pub(super) type RecordedColumn = (String, RecordedKind);

/// A type, as it is recorded.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum RecordedKind {
    /// Of single values.
    Value(String),
    /// Of others: `list` or `map` and the words of a type, or the members of an object between `{` and `}`,
    /// each a dot with its name and the words of its type.
    Words(Vec<String>),
}

const LIST: &str = "list";
const MAP: &str = "map";
const OBJECT: &str = "{";
const END: &str = "}";
/// More than any catalog has, and few enough for the stack.
const LEVELS_MAX: usize = 256;

impl From<TableColumns> for Vec<RecordedColumn> {
    fn from(table: TableColumns) -> Self {
        table.columns.into_iter().map(|Field { name, kind, .. }| (name, recorded(&kind))).collect()
    }
}

fn recorded(kind: &FieldKind) -> RecordedKind {
    if let FieldKind::Value(value_type) = kind {
        return RecordedKind::Value(value_type.to_string());
    }
    let mut words = Vec::new();
    add_words(kind, &mut words);
    RecordedKind::Words(words)
}

fn add_words(kind: &FieldKind, words: &mut Vec<String>) {
    match kind {
        FieldKind::Value(value_type) => words.push(value_type.to_string()),
        FieldKind::List(element) => {
            words.push(LIST.to_owned());
            add_words(element, words);
        }
        FieldKind::Map(value) => {
            words.push(MAP.to_owned());
            add_words(value, words);
        }
        FieldKind::Object(fields) => {
            words.push(OBJECT.to_owned());
            for Field { name, kind, .. } in fields {
                words.push(format!(".{name}"));
                add_words(kind, words);
            }
            words.push(END.to_owned());
        }
    }
}

impl TryFrom<Vec<RecordedColumn>> for TableColumns {
    type Error = String;

    fn try_from(columns: Vec<RecordedColumn>) -> Result<Self, Self::Error> {
        let read = |(name, kind)| Ok::<_, String>(column(name, read(kind)?));
        let columns = columns.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { columns, version: BTreeSet::new(), are_texts_alike: false })
    }
}

fn read(kind: RecordedKind) -> Result<FieldKind, String> {
    match kind {
        RecordedKind::Value(text) => value(&text),
        RecordedKind::Words(words) => {
            let mut words = words.iter().map(String::as_str);
            let kind = read_words(&mut words, 0)?;
            words.next().map_or(Ok(kind), |more| Err(format!("expected the end of a type, found {more:?}")))
        }
    }
}

fn read_words<'w>(words: &mut impl Iterator<Item = &'w str>, level: usize) -> Result<FieldKind, String> {
    if level > LEVELS_MAX {
        return Err(format!("expected at most {LEVELS_MAX} levels of a type"));
    }
    match next(words)? {
        LIST => Ok(FieldKind::List(Box::new(read_words(words, level + 1)?))),
        MAP => Ok(FieldKind::Map(Box::new(read_words(words, level + 1)?))),
        OBJECT => {
            let mut fields = Vec::new();
            loop {
                let word = next(words)?;
                if word == END {
                    return Ok(FieldKind::Object(fields));
                }
                let name =
                    word.strip_prefix('.').ok_or_else(|| format!("expected a member, found {word:?}"))?;
                fields.push(column(name.to_owned(), read_words(words, level + 1)?));
            }
        }
        text => value(text),
    }
}

fn next<'w>(words: &mut impl Iterator<Item = &'w str>) -> Result<&'w str, String> {
    words.next().ok_or_else(|| "expected a type, found nothing".to_owned())
}

fn value(text: &str) -> Result<FieldKind, String> {
    let value_type = ValueType::parse(text).ok_or_else(|| format!("expected a type, found {text:?}"))?;
    Ok(FieldKind::Value(value_type))
}
