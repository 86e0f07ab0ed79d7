use super::*;
use crate::catalog::Catalog;

/// Adds fields to the table at this path, as a program would that has no other text to add.
pub(super) fn with_fields<K: AsRef<str>>(text: &str, path: &[K], names: &[&str]) -> String {
    let path: KeyPath = path.iter().map(|key| key.as_ref().to_owned()).collect();
    let mut document = Document::parse("x.toml", text).unwrap();
    let key = |keys: &[String], name: &str| dotted(&[keys, &[name.to_owned()]].concat());
    match document.end_of(&path) {
        Place::Inline(place) => {
            let entry = |name: &&str| format!("{} = 'date'", key(&place.keys, name));
            document.add_inline(&place, &names.iter().map(entry).collect::<Vec<_>>());
        }
        Place::Lines { at, indent, keys } => {
            let line = |name: &&str| format!("{indent}{} = 'date'\n", key(&keys, name));
            document.add_lines(at, names.iter().map(line).collect());
        }
        Place::Tables { at } => {
            let table = |name: &&str| format!("\n[{}]\ntype = 'date'\n", key(&path, name));
            document.add_tables(at, names.iter().map(table).collect());
        }
        Place::Section { at } => {
            let line = |name: &&str| format!("{name} = 'date'\n");
            let lines: String = names.iter().map(line).collect();
            document.add_tables(at, format!("[{}]\n{lines}", dotted(&path)));
        }
    }
    document.changed()
}

pub(super) fn with_type<K: AsRef<str>>(text: &str, path: &[K], name: &str) -> String {
    let path: KeyPath = path.iter().map(|key| key.as_ref().to_owned()).collect();
    let mut document = Document::parse("x.toml", text).unwrap();
    document.set_type(&path, name, None);
    document.changed()
}

/// The types of all fields of all event types, in their order.
pub(super) fn fields(text: &str) -> Vec<String> {
    let catalog = Catalog::from_toml(&[("x.toml", text)]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let columns = catalog.event_types().iter().flat_map(crate::schema::columns);
    columns.map(|column| format!("{} {}", column.path.trim_start_matches("data."), column.kind)).collect()
}

/// A text, a table in it, and the text with two more fields in that table.
const ADDED: [(&str, &[&str], &str); 13] = [
    (
        "[domain.x.fields]\na = 'int32'",
        &["domain", "x", "fields"],
        "[domain.x.fields]\na = 'int32'\nn = 'date'\nm = 'date'\n",
    ),
    (
        "[domain.x.fields]\na = 'int32'  # one\n#   a: alternative: none\n# the end\n\n# Next\n[domain.x.events.t]\n",
        &["domain", "x", "fields"],
        "[domain.x.fields]\na = 'int32'  # one\n#   a: alternative: none\n# the end\nn = 'date'\nm = 'date'\n\n# Next\n[domain.x.events.t]\n",
    ),
    (
        "[domain.x.fields]\na = 'int32'\n# Next\n[domain.x.events.t]\n",
        &["domain", "x", "fields"],
        "[domain.x.fields]\na = 'int32'\nn = 'date'\nm = 'date'\n# Next\n[domain.x.events.t]\n",
    ),
    (
        "[domain.x]\nfields = { a = 'int32' }\n",
        &["domain", "x", "fields"],
        "[domain.x]\nfields = { a = 'int32', n = 'date', m = 'date' }\n",
    ),
    (
        "[domain.x]\nfields = {}\n",
        &["domain", "x", "fields"],
        "[domain.x]\nfields = { n = 'date', m = 'date' }\n",
    ),
    (
        "[domain.x]\nfields = {\n  a = 'int32', # one\n  b = { type = 'date' } # two\n}\n",
        &["domain", "x", "fields"],
        "[domain.x]\nfields = {\n  a = 'int32', # one\n  b = { type = 'date' }, # two\n  n = 'date',\n  m = 'date'\n}\n",
    ),
    (
        "[domain.x]\nfields = {\n  a = 'int32',\n}\n",
        &["domain", "x", "fields"],
        "[domain.x]\nfields = {\n  a = 'int32',\n  n = 'date',\n  m = 'date',\n}\n",
    ),
    (
        "[domain.x.fields]\n  o.fields.a = 'int32'\nb = 'date'\n",
        &["domain", "x", "fields", "o", "fields"],
        "[domain.x.fields]\n  o.fields.a = 'int32'\n  o.fields.n = 'date'\n  o.fields.m = 'date'\nb = 'date'\n",
    ),
    (
        "[domain.x.fields]\na = 'int32'\n[domain.x.fields.o]\ndescription = 'O'\n[domain.x.fields.o.fields]\nb = 'date'\n\n[domain.x.events.t]\n",
        &["domain", "x", "fields"],
        "[domain.x.fields]\na = 'int32'\n[domain.x.fields.o]\ndescription = 'O'\n[domain.x.fields.o.fields]\nb = 'date'\n\n[domain.x.fields.n]\ntype = 'date'\n\n[domain.x.fields.m]\ntype = 'date'\n\n[domain.x.events.t]\n",
    ),
    (
        "[domain.x.events.t]\ndirectory = 'd' # D\n\n[domain.x.events.u]\n",
        &["domain", "x", "events", "t", "fields"],
        "[domain.x.events.t]\ndirectory = 'd' # D\n[domain.x.events.t.fields]\nn = 'date'\nm = 'date'\n\n[domain.x.events.u]\n",
    ),
    (
        "[domain.x.events]\nt = { description = 'T' }\nu = {}\n",
        &["domain", "x", "events", "t", "fields"],
        "[domain.x.events]\nt = { description = 'T', fields.n = 'date', fields.m = 'date' }\nu = {}\n",
    ),
    (
        "domain.x.events.t.fields.a = 'date'\ndomain.y.events.u.fields.a = 'date'\r\n",
        &["domain", "x", "events", "t", "fields"],
        "domain.x.events.t.fields.a = 'date'\ndomain.x.events.t.fields.n = 'date'\r\ndomain.x.events.t.fields.m = 'date'\r\ndomain.y.events.u.fields.a = 'date'\r\n",
    ),
    (
        "[domain.\"a b\".events.t]\nfields.\"c.d\".fields.e = 'date'",
        &["domain", "a b", "events", "t", "fields", "c.d", "fields"],
        "[domain.\"a b\".events.t]\nfields.\"c.d\".fields.e = 'date'\nfields.\"c.d\".fields.n = 'date'\nfields.\"c.d\".fields.m = 'date'\n",
    ),
];

#[test]
fn a_field_is_added_at_the_end_of_its_table_in_the_form_of_its_neighbours() {
    for (text, path, expected) in ADDED {
        let changed = with_fields(text, path, &["n", "m"]);
        assert_eq!(changed.replace("\r\n", "\n"), expected.replace("\r\n", "\n"), "{text}");
        assert_eq!(changed.matches("\r\n").count(), expected.matches("\r\n").count());
        let with_event = if expected.contains("events") { "" } else { "\n[domain.x.events.only]\n" };
        let (before, after) =
            (fields(&format!("{text}{with_event}")), fields(&format!("{changed}{with_event}")));
        assert!(before.iter().all(|field| after.contains(field)), "{changed}");
        assert!(after.iter().any(|field| field.ends_with("m date")), "{changed}");
    }
}

#[test]
fn a_type_is_changed_where_it_stands_and_nothing_else() {
    let path = ["domain", "x", "fields", "o"];
    let table = "[domain.x.events.t] # T\n[domain.x.fields]\n# O\no";
    for (form, path, expected) in [
        (" = 'int32' # why", &path[..], " = 'int64' # why"),
        (
            " = { column = \"c\", type = \"int32\" }",
            &[&path[..], &["type"]].concat(),
            " = { column = \"c\", type = \"int64\" }",
        ),
        (
            ".type = \"int32\"\no.required = true",
            &[&path[..], &["type"]].concat(),
            ".type = \"int64\"\no.required = true",
        ),
        (" = { fields = { a = 'date' } }", &path[..], " = \"int64\""),
        (" = { list.list = 'date', required = true }", &path[..], " = { type = \"int64\", required = true }"),
        (
            " = { list = { fields = { a = 'date' } } }",
            &[&path[..], &["list"]].concat(),
            " = { list = \"int64\" }",
        ),
        (".fields.a = 'date' # A\no.fields.b = 'date'", &path[..], " = \"int64\""),
        (".fields.a = 'date'\no.column = 'c'", &path[..], ".column = 'c'\no.type = \"int64\""),
        (".list.fields.a = 'date'", &[&path[..], &["list"]].concat(), ".list = \"int64\""),
    ] {
        let changed = with_type(&format!("{table}{form}\np = 'date'"), path, "int64");
        assert_eq!(changed, format!("{table}{expected}\np = 'date'"));
        fields(&changed);
    }
    let tables = "[domain.x.events.t]\n[domain.x.fields]\np = 'date'\n[domain.x.fields.o.fields]\na = 'date'\nb = 'date'\n";
    let changed = with_type(tables, &path, "string");
    assert_eq!(
        changed,
        "[domain.x.events.t]\n[domain.x.fields]\np = 'date'\n[domain.x.fields.o]\ntype = \"string\"\n"
    );
    let tables =
        "[domain.x.events.t]\n[domain.x.fields.o]\ncolumn = 'c'\n[domain.x.fields.o.fields]\na = 'date'\n";
    let changed = with_type(tables, &path, "string");
    assert_eq!(changed, "[domain.x.events.t]\n[domain.x.fields.o]\ncolumn = 'c'\ntype = \"string\"\n");
}

#[test]
fn a_type_gets_a_column_of_its_own_where_it_is_given_one() {
    let path: KeyPath = ["domain", "x", "fields", "o"].map(str::to_owned).to_vec();
    let table = "[domain.x.events.t]\n[domain.x.fields]\no";
    for (form, expected) in [
        (".fields.a = 'date'", " = { type = \"string\", column = \"c_2\" }"),
        (" = { fields = { a = 'date' }, column = 'c' }", " = { type = \"string\", column = \"c_2\" }"),
        (".column = 'c'\no.fields.a = 'date'", ".column = \"c_2\"\no.type = \"string\""),
        (
            ".required = true\no.fields.a = 'date'",
            ".required = true\no.type = \"string\"\no.column = \"c_2\"",
        ),
    ] {
        let text = format!("{table}{form}\n");
        let mut document = Document::parse("x.toml", &text).unwrap();
        document.set_type(&path, "string", Some("c_2"));
        let changed = document.changed();
        assert_eq!(changed, format!("{table}{expected}\n"));
        fields(&changed);
    }
}

#[test]
fn the_outline_has_shared_fields_once_and_types_by_their_names() {
    let text = "[types.money.fields]\nn = 'int32'\n[domain.x]\nfields.a = { type = 'list(map(money))', column = 'c' }\n\
                [domain.x.events.t]\nfields = { o = { required = true, fields = { list = { map = 'date' } } } }\n[domain.x.events.'*']\n";
    let outline = Document::parse("x.toml", text).unwrap().outline();
    assert_eq!(outline.types[0].1.path.join("/"), "types/money/fields");
    let domain = &outline.domains[0];
    let shared = &domain.shared.as_ref().unwrap().fields[0];
    let KindNode::Text { path, containers, leaf } = &shared.kind else { panic!("{shared:?}") };
    assert_eq!(path.join("/"), "domain/x/fields/a/type");
    assert_eq!((containers.len(), leaf), (2, &Leaf::Named("money".into())));
    assert_eq!(
        domain.event_types.iter().map(|of_type| of_type.name.as_str()).collect::<Vec<_>>(),
        ["t", "*"]
    );
    let object = &domain.event_types[0].own.as_ref().unwrap().fields[0];
    let KindNode::Object(_, table) = &object.kind else { panic!("{object:?}") };
    let KindNode::Container(path, _, inner) = &table.fields[0].kind else { panic!("{table:?}") };
    assert_eq!(
        (object.required, path.join("/")),
        (true, "domain/x/events/t/fields/o/fields/list".to_owned())
    );
    let KindNode::Text { path, .. } = &**inner else { panic!("{inner:?}") };
    assert_eq!(path.last().map(String::as_str), Some("map"));
}
