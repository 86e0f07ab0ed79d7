//! The catalog → a text of its meaning: which events it accepts, and into which columns.
//!
//! The catalog's location, its comments and descriptions, and the order of types and fields are not part of
//! it.
//!
//! Invariant: two catalogs with the same text accept the same lines, with the same values in columns of the
//! same names.

use std::fmt::Write;

use super::{Catalog, EventType, Field, FieldKind, OTHERS};

impl Catalog {
    /// The canonical form of the catalog's meaning.
    #[must_use]
    pub fn meaning(&self) -> String {
        let mut types: Vec<_> = self.event_types.iter().collect();
        types.sort_by_key(|event_type| (&event_type.domain, &event_type.name));
        let mut text = String::new();
        if !self.envelope().is_base() {
            let _ = writeln!(text, "{}", self.envelope().meaning());
        }
        for event_type in types {
            let EventType { domain, name, directory, fields, .. } = event_type;
            let _ = write!(text, "{domain:?} {name:?} {directory:?} ");
            write_fields(&mut text, fields);
            write_version(&mut text, event_type);
            text.push('\n');
        }
        self.write_open_types(&mut text);
        text
    }

    /// Nothing for a catalog without them: what was loaded before there were any is known by the text of
    /// then.
    fn write_open_types(&self, text: &mut String) {
        let mut types: Vec<_> = self.open.types.iter().collect();
        types.sort_by_key(|event_type| &event_type.domain);
        for event_type in types {
            let EventType { domain, fields, is_json, .. } = event_type;
            let _ = write!(text, "{domain:?} * {is_json} ");
            write_fields(text, fields);
            write_version(text, event_type);
            if domain == OTHERS {
                let _ = write!(text, " but {:?}", self.open.named_domains);
            }
            text.push('\n');
        }
    }
}

fn write_version(text: &mut String, event_type: &EventType) {
    for field in &event_type.version {
        let _ = write!(text, " {:?}", field.name);
        if event_type.hides_field_of_envelope(field) {
            text.push_str(" of data");
        }
    }
}

/// Appends the meaning of some fields.
pub(crate) fn write_fields(text: &mut String, fields: &[Field]) {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|field| &field.name);
    text.push('{');
    for Field { name, column, required, kind, .. } in fields {
        let _ = write!(text, "{name:?} {column:?} {required} ");
        write_kind(text, kind);
        text.push(';');
    }
    text.push('}');
}

fn write_kind(text: &mut String, kind: &FieldKind) {
    match kind {
        FieldKind::Value(value_type) => {
            let _ = write!(text, "{value_type}");
        }
        FieldKind::Object(fields) => write_fields(text, fields),
        FieldKind::List(element) => {
            text.push('[');
            write_kind(text, element);
            text.push(']');
        }
        FieldKind::Map(value) => {
            text.push('<');
            write_kind(text, value);
            text.push('>');
        }
    }
}

#[cfg(test)]
mod spellings;

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(file: &str, text: &str) -> String {
        Catalog::from_toml(&[(file, text)]).unwrap().meaning()
    }

    #[test]
    fn paths_comments_descriptions_and_order_mean_nothing() {
        let one = "[domain.a.events.x.fields]\nn = 'int32'\no = { fields = { p = 'string', q = 'list(date)' } }\n\
                   [domain.b.events.y]";
        let other = "# a comment\n[domain.b.events.y]\ndescription = 'Why'\n\n[domain.a.events.x.fields]\n\
                     o = { fields = { q = 'list(date)', p = 'string' } }\nn = { type = 'int32', description = 'How many' }";
        assert_eq!(meaning("one.toml", one), meaning("./other.toml", other));
    }

    #[test]
    fn a_type_with_a_name_means_its_fields() {
        let named = "[types.money]\nfields = { amount = 'decimal(9,2)', at = 'timestamp(ms)' }\n\
                     [domain.a.events.x.fields]\nn = 'money'\no = 'map(list(money))'";
        let money = "fields = { at = 'timestamp(ms)', amount = 'decimal(9,2)' }";
        let spelt_out = format!(
            "[domain.a.events.x.fields]\nn = {{ {money} }}\no = {{ map = {{ list = {{ {money} }} }} }}"
        );
        assert_eq!(meaning("x.toml", named), meaning("x.toml", &spelt_out));
    }

    #[test]
    fn records_that_are_the_documents_are_where_they_are_without_a_word() {
        let preset = "[envelope]\npreset = 'cloudevents'\n";
        let said = meaning("x.toml", &format!("{preset}records = '.'"));
        assert_eq!(said, meaning("x.toml", preset));
        assert_eq!(said, meaning("x.toml", &format!("{preset}records = ['.']")));
        assert_ne!(said, meaning("x.toml", &format!("{preset}records = ['.', 'data[]']")));
    }

    /// The field that an envelope's version names is one of the envelope, that of a type's own one of `data`.
    #[test]
    fn two_fields_of_one_name_are_two_versions() {
        let envelope = "[envelope]\npreset = 'stripe'\nfields = { n = 'int32' }\nversion = 'n'\n";
        let fields = "fields = { n = { type = 'int32', required = true } }";
        let of_envelope = format!("{envelope}[domain.a.events.x]\n{fields}");
        let of_data = format!("{envelope}[domain.a.events.x]\nversion = 'n'\n{fields}");
        assert_ne!(meaning("x.toml", &of_envelope), meaning("x.toml", &of_data));
    }

    #[test]
    fn everything_that_a_load_depends_on_means_something() {
        let base = "[domain.a.events.x.fields]\nn = 'int32'\no = { fields = { p = 'string' } }";
        for other in [
            "[domain.a.events.x.fields]\nn = 'int64'\no = { fields = { p = 'string' } }",
            "[domain.a.events.x.fields]\nn = { type = 'int32', required = true }\no = { fields = { p = 'string' } }",
            "[domain.a.events.x.fields]\nn = { type = 'int32', column = 'm' }\no = { fields = { p = 'string' } }",
            "[domain.a.events.x.fields]\nn = 'int32'\no = { list = { fields = { p = 'string' } } }",
            "[domain.a.events.x.fields]\nn = 'int32'\no = { map = { fields = { p = 'string' } } }",
            "[domain.a.events.x.fields]\nn = 'timestamp(s)'\no = { fields = { p = 'string' } }",
            "[domain.a.events.x.fields]\nn = 'int32'\no = { fields = { p = 'string' } }\nr = 'date'",
            "[domain.a.events.x]\ndirectory = 'z'\n[domain.a.events.x.fields]\nn = 'int32'\no = { fields = { p = 'string' } }",
            "[domain.b.events.x.fields]\nn = 'int32'\no = { fields = { p = 'string' } }",
            "[domain.a.events.x]\nversion = 'n'\n[domain.a.events.x.fields]\nn = 'int32'\no = { fields = { p = 'string' } }",
        ] {
            assert_ne!(meaning("x.toml", base), meaning("x.toml", other), "{other}");
        }
    }
}
