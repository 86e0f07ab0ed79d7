//! A catalog file's tables of fields → the fields, each with its location.
//!
//! A type may have the name of one of the file's `[types]`: an object with these fields, read again wherever
//! it is used. Other files have types of their own, as they have shared fields of their own.
//!
//! Invariant: a type ends, whatever the file says: no type is within itself, and neither the levels of a
//! field nor the number of fields grow without bounds.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    ops::Range,
};

use super::{
    CatalogError, Field, FieldKind,
    names::{self, EXPECTED_COLUMN},
    reader::{Key, Source, Value},
    value_type::{self, EXPECTED_TYPE, TypeName, ValueType},
};
use crate::event;

/// By path in the event: the location of a field.
pub(super) type Spans = HashMap<String, Range<usize>>;

/// The longest excerpt of an invalid type name in a message.
const FOUND_CHARS_MAX: usize = 100;

/// The most levels of objects, lists and maps in a payload: code recurses over them, also that of readers.
const LEVELS_MAX: usize = 64;

/// The most fields of a file that come from types with names, counted wherever such a type is used: types
/// that are used twice in each other would double them level by level.
const FIELDS_OF_TYPES_MAX: usize = 250_000;

/// Fields, with their locations.
#[derive(Default, Clone)]
pub(super) struct Fields {
    pub(super) fields: Vec<Field>,
    pub(super) spans: Spans,
}

/// Reads the fields of one file.
pub(super) struct FieldReader<'d> {
    source: &'d Source<'d>,
    /// The fields of each of the file's types.
    types: BTreeMap<&'d str, &'d Value<'d>>,
    /// The types that are being read, from the outermost one on.
    within: Vec<&'d str>,
    /// The objects, lists and maps around the field that is being read.
    levels: usize,
    fields_of_types: usize,
    spans: Spans,
}

impl<'d> FieldReader<'d> {
    pub(super) fn new(source: &'d Source<'d>) -> Self {
        Self {
            source,
            types: BTreeMap::new(),
            within: Vec::new(),
            levels: 0,
            fields_of_types: 0,
            spans: Spans::new(),
        }
    }

    /// Adds the file's types, and checks them, used or not.
    pub(super) fn add_types(&mut self, value: &'d Value<'d>) -> Result<(), CatalogError> {
        for (name, value) in self.source.table(value)? {
            self.check_type_name(name)?;
            let mut fields = None;
            for (key, value) in self.source.table(value)? {
                match self.source.expect_key(key, &["description", "fields"])? {
                    "fields" => fields = Some(value),
                    _ => drop(self.source.string(value)?),
                }
            }
            let Some(fields) = fields else {
                let message = format!("type {:?} has no fields: add `fields = {{ … }}`", name.get_ref());
                return Err(self.source.error(&name.span(), message));
            };
            self.types.insert(name.get_ref(), fields);
        }
        let types: Vec<_> = self.types.iter().map(|(&name, &fields)| (name, fields.span())).collect();
        for (name, span) in types {
            self.named(name, &format!("types.{name}"), &span)?;
            self.spans.clear();
            self.fields_of_types = 0;
        }
        Ok(())
    }

    fn check_type_name(&self, name: &Key<'_>) -> Result<(), CatalogError> {
        let text = name.get_ref();
        let problem = if value_type::is_reserved(text) {
            "the name of a built-in type: choose another".to_owned()
        } else if names::is_safe_column(text) {
            return Ok(());
        } else {
            format!("no name for a type: use {EXPECTED_COLUMN}")
        };
        Err(self.source.error(&name.span(), format!("{text:?} is {problem}")))
    }

    /// The fields of `data`.
    pub(super) fn payload(&mut self, value: &'d Value<'d>) -> Result<Fields, CatalogError> {
        let fields = self.fields(value, event::DATA)?;
        Ok(Fields { fields, spans: mem::take(&mut self.spans) })
    }

    /// A field of the envelope.
    pub(super) fn envelope_field(
        &mut self,
        name: &'d Key<'d>,
        value: &'d Value<'d>,
        path: &str,
    ) -> Result<Field, CatalogError> {
        let field = self.field(name, value, path)?;
        self.spans.clear();
        Ok(field)
    }

    fn fields(&mut self, value: &'d Value<'d>, path: &str) -> Result<Vec<Field>, CatalogError> {
        let fields = self.source.table(value)?.map(|(name, value)| {
            let path = format!("{path}.{}", name.get_ref());
            let field = self.field(name, value, &path)?;
            self.spans.insert(path, name.span());
            Ok(field)
        });
        fields.collect()
    }

    fn field(&mut self, name: &'d Key<'d>, value: &'d Value<'d>, path: &str) -> Result<Field, CatalogError> {
        self.fields_of_types += usize::from(!self.within.is_empty());
        if self.fields_of_types > FIELDS_OF_TYPES_MAX {
            let message = format!(
                "the file's [types] come to more than {FIELDS_OF_TYPES_MAX} fields, counted wherever they are \
                 used: make some of them a \"json\""
            );
            return Err(self.source.error(&name.span(), message));
        }
        let mut field = Field {
            name: name.get_ref().to_string(),
            column: None,
            description: None,
            required: false,
            kind: FieldKind::Object(Vec::new()),
        };
        if value.get_ref().is_table() {
            for (key, value) in self.source.table(value)? {
                let allowed = ["type", "fields", "list", "map", "column", "required", "description"];
                match self.source.expect_key(key, &allowed)? {
                    "column" => field.column = Some(self.column(value)?),
                    "description" => field.description = Some(self.source.string(value)?),
                    "required" => field.required = self.source.boolean(value)?,
                    _ => {}
                }
            }
        }
        field.kind = self.kind(value, path, &name.span())?;
        Ok(field)
    }

    /// The type of a field, of an element or of a map's value: a type's name, or that of a table. Other keys
    /// of the table are ignored here.
    fn kind(
        &mut self,
        value: &'d Value<'d>,
        path: &str,
        owner: &Range<usize>,
    ) -> Result<FieldKind, CatalogError> {
        if value.get_ref().is_str() {
            return self.type_of_name(value, path);
        }
        let mut kinds = Vec::new();
        for (key, value) in self.source.table(value)? {
            kinds.push(match key.get_ref().as_ref() {
                "type" => self.type_of_name(value, path)?,
                "fields" => FieldKind::Object(self.members(value, path, &value.span())?),
                "list" => FieldKind::List(Box::new(self.inner(value, path)?)),
                "map" => FieldKind::Map(Box::new(self.inner(value, path)?)),
                _ => continue,
            });
        }
        let found = if kinds.is_empty() { "none" } else { "more than one" };
        match (kinds.pop(), kinds.is_empty()) {
            (Some(kind), true) => Ok(kind),
            _ => Err(self.source.error(
                owner,
                format!(
                    "{path}: expected one of `type = \"…\"`, `fields = {{ … }}`, `list = …` and `map = …`, \
                     found {found}"
                ),
            )),
        }
    }

    /// The type of the elements of a list, or of the values of a map.
    fn inner(&mut self, value: &'d Value<'d>, path: &str) -> Result<FieldKind, CatalogError> {
        if value.get_ref().is_table() {
            for (key, _) in self.source.table(value)? {
                self.source.expect_key(key, &["type", "fields", "list", "map"])?;
            }
        }
        self.deeper(1, &value.span(), |reader| reader.kind(value, path, &value.span()))
    }

    /// The fields of an object in the payload.
    fn members(
        &mut self,
        value: &'d Value<'d>,
        path: &str,
        owner: &Range<usize>,
    ) -> Result<Vec<Field>, CatalogError> {
        let fields = self.deeper(1, owner, |reader| reader.fields(value, path))?;
        if fields.is_empty() {
            let message =
                format!("{path}: expected at least one field; an object of any shape is a \"json\"");
            return Err(self.source.error(&value.span(), message));
        }
        Ok(fields)
    }

    /// The fields of a type of this file, which is named at `owner`.
    fn named(&mut self, name: &'d str, path: &str, owner: &Range<usize>) -> Result<Vec<Field>, CatalogError> {
        let fields = self.types[name];
        if let Some(first) = self.within.iter().position(|outer| *outer == name) {
            let circle = [&self.within[first..], &[name]].concat().join(" → ");
            let message = format!(
                "type {name:?} contains itself ({circle}): make the inner one a \"json\", because a column has \
                 as many levels as its type"
            );
            return Err(self.source.error(owner, message));
        }
        self.within.push(name);
        let fields = self.members(fields, path, owner)?;
        self.within.pop();
        Ok(fields)
    }

    /// Reads something that is so many levels deeper.
    fn deeper<T>(
        &mut self,
        levels: usize,
        owner: &Range<usize>,
        read: impl FnOnce(&mut Self) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        self.levels += levels;
        if self.levels > LEVELS_MAX {
            let message =
                format!("it is more than {LEVELS_MAX} levels deep: make what is below them a \"json\"");
            return Err(self.source.error(owner, message));
        }
        let read = read(self)?;
        self.levels -= levels;
        Ok(read)
    }

    fn type_of_name(&mut self, value: &'d Value<'d>, path: &str) -> Result<FieldKind, CatalogError> {
        let text = self.source.string(value)?;
        if let Some(name) = TypeName::of(&text) {
            if let Some(value_type) = ValueType::parse(name.innermost) {
                let kind = FieldKind::Value(value_type);
                return self.deeper(name.levels(), &value.span(), |_| Ok(name.around(kind)));
            }
            if let Some((&named, _)) = self.types.get_key_value(name.innermost) {
                let span = value.span();
                let fields = self.deeper(name.levels(), &span, |reader| reader.named(named, path, &span))?;
                return Ok(name.around(FieldKind::Object(fields)));
            }
        }
        let found: String = text.chars().take(FOUND_CHARS_MAX).collect();
        Err(self.source.error(&value.span(), format!("expected {EXPECTED_TYPE}, found {found:?}")))
    }

    fn column(&self, value: &Value<'_>) -> Result<String, CatalogError> {
        let name = self.source.string(value)?;
        if names::is_safe_column(&name) {
            return Ok(name);
        }
        let message = format!("{name:?} is not a safe column name: use {EXPECTED_COLUMN}");
        Err(self.source.error(&value.span(), message))
    }
}

impl Fields {
    /// Adds a type's own fields; one with the name of a shared field replaces it.
    pub(super) fn override_with(&mut self, own: Self) {
        for field in own.fields {
            match self.fields.iter_mut().find(|shared| shared.name == field.name) {
                Some(shared) => *shared = field,
                None => self.fields.push(field),
            }
        }
        self.spans.extend(own.spans);
    }
}
