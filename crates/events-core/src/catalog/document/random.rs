//! Random fields in random forms of TOML → the same fields with one more, or with another type.

use std::fmt::Write;

use proptest::prelude::*;

use super::{tests::fields, *};

/// A field, and how it is written.
#[derive(Debug, Clone)]
enum Node {
    Value,
    Object(Form, Vec<(usize, Node)>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Inline,
    /// Inline over several lines, the last one with a comma or without.
    Lines(bool),
    Dotted,
    /// Tables of its own, with a description or without.
    Tables(bool),
}

const KEYS: [&str; 6] = ["a", "b", "c d", "e.f", "ü", "g-h"];

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Inline),
        any::<bool>().prop_map(Form::Lines),
        Just(Form::Dotted),
        any::<bool>().prop_map(Form::Tables),
    ]
}

fn object() -> impl Strategy<Value = Node> {
    Just(Node::Value).prop_recursive(3, 20, 4, |inner| {
        let members = proptest::collection::btree_map(0..KEYS.len(), inner, 1..4);
        (form(), members).prop_map(|(form, members)| Node::Object(form, members.into_iter().collect()))
    })
}

/// The fields of an object as an inline table.
fn inline(members: &[(usize, Node)]) -> String {
    let entry = |(key, node): &(usize, Node)| format!("{} = {}", key_of(*key), value(node));
    format!("{{ {} }}", members.iter().map(entry).collect::<Vec<_>>().join(", "))
}

fn value(node: &Node) -> String {
    match node {
        Node::Value => "'int32'".to_owned(),
        Node::Object(Form::Lines(has_comma), members) => {
            let entry = |(key, node): &(usize, Node)| format!("    {} = {}", key_of(*key), value(node));
            let entries = members.iter().map(entry).collect::<Vec<_>>().join(", # one of them\n");
            let comma = if *has_comma { "," } else { "" };
            format!("{{ fields = {{\n{entries}{comma} # the last\n}} }}")
        }
        Node::Object(_, members) => format!("{{ fields = {} }}", inline(members)),
    }
}

fn key_of(key: usize) -> String {
    dotted(&[KEYS[key].to_owned()])
}

/// The lines of fields in a section, with these keys in front.
fn lines(keys: &str, members: &[(usize, Node)], text: &mut String) {
    for (key, node) in members {
        let name = format!("{keys}{}", key_of(*key));
        match node {
            Node::Object(Form::Dotted | Form::Tables(_), members) => {
                lines(&format!("{name}.fields."), members, text);
            }
            _ => writeln!(text, "{name} = {}  # {name}", value(node)).unwrap(),
        }
    }
}

/// The section of a table of fields, and those behind it.
fn section(head: &str, members: &[(usize, Node)], text: &mut String) {
    let (tables, others): (Vec<_>, Vec<_>) =
        members.iter().cloned().partition(|(_, node)| matches!(node, Node::Object(Form::Tables(_), _)));
    write!(text, "\n# Of {head}\n[{head}] # head\n").unwrap();
    lines("", &others, text);
    for (key, node) in tables {
        let Node::Object(Form::Tables(has_head), members) = node else { continue };
        let head = format!("{head}.{}", key_of(key));
        if has_head {
            write!(text, "\n[{head}]\ndescription = 'D'\n").unwrap();
        }
        section(&format!("{head}.fields"), &members, text);
    }
}

/// A file with these fields in an event type.
fn file(node: &Node) -> Option<String> {
    let Node::Object(form, members) = node else { return None };
    let mut text = "# Mine\n[domain.x.events.t]\n".to_owned();
    match form {
        Form::Tables(_) => section("domain.x.events.t.fields", members, &mut text),
        Form::Dotted => lines("fields.", members, &mut text),
        Form::Inline | Form::Lines(_) => writeln!(text, "fields = {}", inline(members)).unwrap(),
    }
    Some(text + "\n# Next\n[domain.x.events.u.fields]\nz = 'date'\n")
}

/// The paths of all objects in it and of all values, as an event has them.
fn paths(members: &[(usize, Node)], path: &[String], objects: &mut Vec<KeyPath>, values: &mut Vec<KeyPath>) {
    objects.push(path.to_vec());
    for (key, node) in members {
        let path = [path, &[KEYS[*key].to_owned()]].concat();
        match node {
            Node::Value => values.push(path),
            Node::Object(_, members) => paths(members, &path, objects, values),
        }
    }
}

/// The path in the file.
fn path_of(field: &[String]) -> KeyPath {
    let inner = field.iter().flat_map(|key| [key.clone(), "fields".to_owned()]);
    ["domain", "x", "events", "t", "fields"].map(str::to_owned).into_iter().chain(inner).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_the_form_a_field_comes_behind_the_others_and_a_type_changes_alone(
        node in object(), chosen in any::<proptest::sample::Index>()
    ) {
        let Some(text) = file(&node) else { return Ok(()) };
        let Node::Object(_, members) = &node else { unreachable!() };
        let (mut objects, mut values) = (Vec::new(), Vec::new());
        paths(members, &[], &mut objects, &mut values);
        let before = fields(&text);

        let object = chosen.get(&objects);
        let new = tests::with_fields(&text, &path_of(object), &["n", "m"]);
        let at = |name: &str| [&object[..], &[name.to_owned()]].concat().join(".");
        let after = fields(&new);
        let is_new = |field: &&String| [at("n"), at("m")].iter().any(|path| **field == format!("{path} date"));
        prop_assert_eq!(after.iter().filter(|field| !is_new(field)).cloned().collect::<Vec<_>>(), before.clone(), "{}", new);
        let prefix: String = object.iter().flat_map(|key| [key.as_str(), "."]).collect();
        let last = before.iter().rposition(|field| field.starts_with(&prefix) && !field.starts_with("z ")).unwrap();
        prop_assert_eq!(&after[last + 1..last + 3], &[format!("{} date", at("n")), format!("{} date", at("m"))], "{}", new);
        // Every byte that was there is there, in its order.
        let mut bytes = new.bytes();
        prop_assert!(text.bytes().all(|byte| bytes.any(|other| other == byte)), "{}", new);

        let value = chosen.get(&values);
        let path = path_of(value);
        let wider = tests::with_type(&text, &path[..path.len() - 1], "int64");
        let expected = before.iter().map(|field| {
            if *field == format!("{} int32", value.join(".")) { field.replace("int32", "int64") } else { field.clone() }
        });
        prop_assert_eq!(fields(&wider), expected.collect::<Vec<_>>(), "{}", wider);
        prop_assert_eq!(wider.len(), text.len());

        if !object.is_empty() {
            let path = path_of(object);
            let flat = tests::with_type(&text, &path[..path.len() - 1], "string");
            let mut expected: Vec<_> = before.clone();
            let first = expected.iter().position(|field| field.starts_with(&prefix)).unwrap();
            expected.retain(|field| !field.starts_with(&prefix));
            expected.insert(first, format!("{} string", object.join(".")));
            prop_assert_eq!(fields(&flat), expected, "{}", flat);
        }
    }
}
