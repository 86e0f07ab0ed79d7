//! `version = "sequence"`, or a list → the fields of an event type that decide which version of an event is
//! the latest, before its timestamp.
//!
//! A name is a path in `data`, as a catalog names fields, or in the record for the fields of an envelope: a
//! dot leads into an object. A field whose own name has a dot is named as it is.
//!
//! Invariant: each field of a version is one value, of a type whose values have an order that everybody would
//! expect, and is required.

use std::sync::Arc;

use super::{EventType, Field, FieldKind, ValueType};
use crate::event;

/// The types that a field of a version may have, for messages.
const EXPECTED_TYPES: &str = "int32, int64, decimal, timestamp or string";

/// A field that decides which version of an event is the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionField {
    /// Its name, as the catalog gives it: `source.lsn`.
    pub name: String,
    /// Whether it is one of the envelope's fields, and not one of `data`.
    pub of_envelope: bool,
    /// The way to it: an index among these fields, then among those of each object.
    pub path: Vec<usize>,
}

/// Among which fields a name is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// An event type names its own fields.
    DataFirst,
    /// An envelope names its own fields.
    EnvelopeFirst,
}

impl VersionField {
    /// The field, of the event type that has this version.
    ///
    /// # Panics
    /// If it is another event type.
    #[must_use]
    pub fn field<'f>(&self, event_type: &'f EventType) -> &'f Field {
        let (mut fields, mut found) = (self.fields(event_type), None);
        for &index in &self.path {
            let field = &fields[index];
            if let FieldKind::Object(members) = &field.kind {
                fields = members;
            }
            found = Some(field);
        }
        found.expect("a way has at least one step")
    }

    /// The way to it among the columns behind the base ones, of the event type that has this version: a
    /// column of the flat table; or one of the nested table, then a member of each object.
    #[must_use]
    pub fn column(&self, event_type: &EventType, flatten: bool) -> Vec<usize> {
        if flatten {
            vec![self.flat_column(event_type)]
        } else if self.of_envelope {
            self.path.clone()
        } else {
            // The payload is one column, behind those of the envelope.
            [&[event_type.envelope_fields.len()], &self.path[..]].concat()
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.of_envelope, &self.path) == (other.of_envelope, &other.path)
    }

    fn fields<'f>(&self, event_type: &'f EventType) -> &'f [Field] {
        if self.of_envelope { &event_type.envelope_fields } else { &event_type.fields }
    }

    fn flat_column(&self, event_type: &EventType) -> usize {
        let of_envelope = || event_type.envelope_fields.iter().map(|field| columns_of(&field.kind)).sum();
        let (mut fields, mut before) =
            (self.fields(event_type), if self.of_envelope { 0 } else { of_envelope() });
        for &index in &self.path {
            before += fields[..index].iter().map(|field| columns_of(&field.kind)).sum::<usize>();
            if let FieldKind::Object(members) = &fields[index].kind {
                fields = members;
            }
        }
        before
    }
}

/// How many columns a field has in the flat table.
fn columns_of(kind: &FieldKind) -> usize {
    match kind {
        FieldKind::Object(members) => members.iter().map(|member| columns_of(&member.kind)).sum(),
        _ => 1,
    }
}

impl EventType {
    /// The names of the fields of its version, as the catalog gives them.
    #[must_use]
    pub fn version_names(&self) -> Vec<String> {
        self.version.iter().map(|field| field.name.clone()).collect()
    }

    /// Sets the fields that decide, the first of them first, and makes them required.
    ///
    /// # Errors
    /// The index of the first name that can't be used, and what is wrong with it; nothing was set.
    pub(super) fn set_version(&mut self, names: &[String], among: Among) -> Result<(), (usize, String)> {
        let mut version: Vec<VersionField> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let found = self.version_field(name, among).ok_or_else(|| (index, self.unknown(name)))?;
            let kind = &found.field(self).kind;
            let problem = if is_ordered(kind) {
                let is_twice = version.iter().any(|known| found.is_same(known));
                is_twice.then(|| format!("expected each field once, found {name:?} twice"))
            } else {
                Some(format!("expected fields of type {EXPECTED_TYPES}, found {name:?} of type {kind}"))
            };
            if let Some(problem) = problem {
                return Err((index, format!("version of {self}: {problem}")));
            }
            version.push(found);
        }
        for VersionField { of_envelope, path, .. } in &version {
            let fields =
                if *of_envelope { &mut self.envelope_fields[..] } else { Arc::make_mut(&mut self.fields) };
            field_at(fields, path).required = true;
        }
        self.version = version;
        Ok(())
    }

    /// Whether a field of its version is one of `data`, although the envelope has a field of the same name.
    pub(super) fn hides_field_of_envelope(&self, field: &VersionField) -> bool {
        !field.of_envelope && path_of(&self.envelope_fields, &field.name).is_some()
    }

    fn version_field(&self, name: &str, among: Among) -> Option<VersionField> {
        let found = |of_envelope: bool| {
            let fields: &[Field] = if of_envelope { &self.envelope_fields } else { &self.fields };
            let path = path_of(fields, name)?;
            Some(VersionField { name: name.to_owned(), of_envelope, path })
        };
        let first = among == Among::EnvelopeFirst;
        found(first).or_else(|| found(!first))
    }

    fn unknown(&self, name: &str) -> String {
        let of_envelope = if self.envelope_fields.is_empty() { "" } else { " or of the envelope" };
        let data = event::DATA;
        format!(
            "version of {self}: expected fields of its `{data}`{of_envelope} (a dot leads into an object), found \
             {name:?}, which it does not have"
        )
    }
}

/// The way to the field with this name.
fn path_of(fields: &[Field], name: &str) -> Option<Vec<usize>> {
    let itself = fields.iter().position(|field| field.name == name);
    let within = |(index, field): (usize, &Field)| {
        let FieldKind::Object(members) = &field.kind else { return None };
        let rest = name.strip_prefix(field.name.as_str())?.strip_prefix('.')?;
        Some([vec![index], path_of(members, rest)?].concat())
    };
    itself.map(|index| vec![index]).or_else(|| fields.iter().enumerate().find_map(within))
}

/// The field at the end of a way that exists.
fn field_at<'f>(fields: &'f mut [Field], path: &[usize]) -> &'f mut Field {
    let (index, rest) = path.split_first().map_or((0, path), |(index, rest)| (*index, rest));
    let field = &mut fields[index];
    if rest.is_empty() {
        return field;
    }
    match &mut field.kind {
        FieldKind::Object(members) => field_at(members, rest),
        kind => unreachable!("a way leads through objects, not through {kind}"),
    }
}

fn is_ordered(kind: &FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Value(
            ValueType::String
                | ValueType::Int32
                | ValueType::Int64
                | ValueType::Decimal { .. }
                | ValueType::Timestamp
                | ValueType::Epoch(_)
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    const FIELDS: &str = "n = 'int64'\nm = 'decimal(10,2)'\nat = 'timestamp'\ntext = 'string'\nyes = 'boolean'\n\
         any = 'json'\nreal = 'float64'\nday = 'date'\nall = 'list(int32)'\n'a.b' = 'int32'\n\
         source = { fields = { lsn = 'int64', tx = { fields = { order = 'int32' } } } }\n";

    fn read(version: &str) -> Result<Catalog, String> {
        let text = format!(
            "[domain.x]\nversion = {version}\n[domain.x.fields]\n{FIELDS}[domain.x.events.y]\n[domain.x.events.z]"
        );
        Catalog::from_toml(&[("c.toml", &text)]).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_are_named_by_their_paths() {
        let catalog = read("['n', 'm', 'at', 'text', 'a.b', 'source.lsn', 'source.tx.order']").unwrap();
        let version = &catalog.event_types()[1].version;
        let paths: Vec<_> = version.iter().map(|field| field.path.clone()).collect();
        let expected: [&[usize]; 7] = [&[0], &[1], &[2], &[3], &[9], &[10, 0], &[10, 1, 0]];
        assert_eq!(paths, expected);
        let y = &catalog.event_types()[0];
        let columns = crate::schema::columns(y);
        let flat = |field: &VersionField| columns[field.column(y, true)[0]].path.clone();
        let data = |field: &VersionField| format!("data.{}", field.name);
        assert_eq!(
            y.version.iter().map(flat).collect::<Vec<_>>(),
            y.version.iter().map(data).collect::<Vec<_>>()
        );
        assert!(catalog.event_types()[0].fields[9].required && !catalog.event_types()[0].fields[4].required);
    }

    #[test]
    fn other_fields_are_refused_at_their_line() {
        for (version, message) in [
            (
                "'gone'",
                "version of x/y: expected fields of its `data` (a dot leads into an object), found \"gone\"",
            ),
            ("['n', 'source.gone']", "found \"source.gone\", which it does not have"),
            (
                "'yes'",
                "expected fields of type int32, int64, decimal, timestamp or string, found \"yes\" of type boolean",
            ),
            ("'real'", "found \"real\" of type float64"),
            ("'any'", "found \"any\" of type json"),
            ("'day'", "found \"day\" of type date"),
            ("'all'", "found \"all\" of type list(int32)"),
            ("'source'", "found \"source\" of type object"),
            ("['n', 'n']", "expected each field once, found \"n\" twice"),
            ("[1]", "expected a string, found integer"),
            ("7", "expected a field's name or a list of them, found integer"),
        ] {
            let found = read(version).unwrap_err();
            assert!(found.starts_with("c.toml:2: ") && found.contains(message), "{version}: {found}");
        }
    }

    #[test]
    fn an_envelope_s_version_is_that_of_all_types_that_name_none() {
        let envelope =
            "[envelope]\npreset = 'stripe'\nfields = { seq = 'int64', o = { fields = { n = 'int32' } } }\n";
        let types = "[domain.x]\nfields.seq = 'string'\n[domain.x.events.y]\n[domain.x.events.z]\nversion = 'seq'\n\
             [domain.x.events.none]\nversion = []\n[domain.x.events.both]\nversion = ['o.n', 'seq']";
        let text = format!("{envelope}version = ['o.n', 'seq']\n{types}");
        let catalog = crate::catalog::BUILT_IN.extended(&[("c.toml", &text)]).unwrap();
        let version = |name: &str| {
            let event_type = catalog.event_types().iter().find(|known| known.name == name).unwrap();
            let columns = crate::schema::columns(event_type);
            let path = |field: &VersionField| columns[field.column(event_type, true)[0]].path.clone();
            event_type.version.iter().map(path).collect::<Vec<_>>()
        };
        assert_eq!(
            (version("y"), version("account-open")),
            (vec!["o.n".into(), "seq".into()], vec!["o.n".into(), "seq".into()])
        );
        assert_eq!((version("z"), version("none")), (vec!["data.seq".to_owned()], vec![]));
        assert_eq!(version("both"), ["o.n", "data.seq"]);
        let nested = &catalog.event_types().last().unwrap();
        assert_eq!(
            nested.version.iter().map(|field| field.column(nested, false)).collect::<Vec<_>>(),
            [vec![1, 0], vec![2, 0]]
        );
        // A field of `data` can't be missing in a type, but for the built-in ones.
        let text =
            format!("{envelope}version = 'seq2'\n{types}\n[domain.x.events.more]\nfields.seq2 = 'int32'");
        let error = crate::catalog::BUILT_IN.extended(&[("c.toml", &text)]).unwrap_err().to_string();
        assert!(
            error.starts_with("c.toml:1: version of x/y: expected fields of its `data` or of the envelope"),
            "{error}"
        );
    }

    #[test]
    fn a_type_s_own_version_takes_the_place_of_its_domain_s() {
        let text = "[domain.x]\nversion = 'n'\n[domain.x.fields]\nn = 'int32'\n[domain.x.events.y]\n\
                    [domain.x.events.z]\nversion = ['m', 'n']\nfields.m = 'string'\n[domain.x.events.none]\nversion = []";
        let catalog = Catalog::from_toml(&[("c.toml", text)]).unwrap();
        let names = |index: usize| {
            let version = &catalog.event_types()[index].version;
            version.iter().map(|field| field.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!((names(0), names(1), names(2)), (vec!["n"], vec!["m", "n"], vec![]));
        assert!(!catalog.event_types()[2].fields[0].required);
    }
}
