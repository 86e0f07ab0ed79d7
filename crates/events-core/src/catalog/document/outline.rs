//! A catalog file → its domains, event types, types and fields, each with its path in the file.
//!
//! Unlike a catalog, it has shared fields once, and types with a name by their name.
//!
//! Invariant: it has every field of the file, in the order of the columns.

use toml::{Spanned, de::DeValue};

use super::{
    super::value_type::{Container, TypeName, ValueType},
    Document, KeyPath,
};

/// What a file says.
#[derive(Debug, Clone)]
pub struct Outline {
    /// The file's types, each with its name and fields.
    pub types: Vec<(String, TableNode)>,
    /// Its domains.
    pub domains: Vec<DomainNode>,
    /// The fields of its envelope.
    pub envelope: Option<TableNode>,
}

/// A domain of the file.
#[derive(Debug, Clone)]
pub struct DomainNode {
    /// Its name.
    pub name: String,
    /// The fields of all its event types in this file.
    pub shared: Option<TableNode>,
    /// Its event types; `"*"` is one of them.
    pub event_types: Vec<TypeNode>,
}

/// An event type of the file.
#[derive(Debug, Clone)]
pub struct TypeNode {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub path: KeyPath,
    /// The fields of this type only.
    pub own: Option<TableNode>,
}

/// A table of fields.
#[derive(Debug, Clone)]
pub struct TableNode {
    /// Where it stands.
    pub path: KeyPath,
    /// Its fields, in their order.
    pub fields: Vec<FieldNode>,
}

/// A field.
#[derive(Debug, Clone)]
pub struct FieldNode {
    /// Its key in the JSON object.
    pub name: String,
    /// The name of its column, if it is given one.
    pub column: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Whether an event must have it.
    pub required: bool,
    /// Its type.
    pub kind: KindNode,
}

/// A type, as the file has it.
#[derive(Debug, Clone)]
pub enum KindNode {
    /// A name: that of a value or of one of the file's types, within lists and maps.
    Text {
        /// Where the name stands.
        path: KeyPath,
        /// From the outermost one on.
        containers: Vec<Container>,
        /// What is in them.
        leaf: Leaf,
    },
    /// `fields`, of what stands at this path.
    Object(KeyPath, TableNode),
    /// `list` or `map`, of what stands at this path.
    Container(KeyPath, Container, Box<KindNode>),
}

/// The type that lists and maps are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// A value.
    Value(ValueType),
    /// One of the file's types.
    Named(String),
}

type Node<'t> = Spanned<DeValue<'t>>;

impl Document<'_> {
    /// What the file says.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let types = self
            .members(&["types".to_owned()])
            .into_iter()
            .filter_map(|(name, path, value)| Some((name, table_at(&path, member(value, "fields")?))));
        let domains = self.members(&["domain".to_owned()]).into_iter().map(|(name, path, value)| {
            let events = extended(&path, "events");
            let event_types = self.members(&events).into_iter().map(|(name, path, value)| {
                let own = member(value, "fields").map(|fields| table_at(&path, fields));
                TypeNode { name, path, own }
            });
            DomainNode {
                name,
                event_types: event_types.collect(),
                shared: member(value, "fields").map(|fields| table_at(&path, fields)),
            }
        });
        let envelope = ["envelope".to_owned()];
        let fields = self.value(&envelope).and_then(|value| member(value, "fields"));
        Outline {
            types: types.collect(),
            domains: domains.collect(),
            envelope: fields.map(|fields| table_at(&envelope, fields)),
        }
    }

    fn members(&self, path: &[String]) -> Vec<(String, KeyPath, &Node<'_>)> {
        let table = self.value(path).and_then(|value| value.get_ref().as_table());
        let members = table.into_iter().flatten().map(|(key, value)| {
            let name = key.get_ref().to_string();
            (name.clone(), extended(path, &name), value)
        });
        members.collect()
    }
}

fn extended(path: &[String], key: &str) -> KeyPath {
    [path, &[key.to_owned()]].concat()
}

fn member<'n, 't>(value: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
    value.get_ref().as_table()?.get(key)
}

fn text_of(value: &Node<'_>, key: &str) -> Option<String> {
    member(value, key)?.get_ref().as_str().map(str::to_owned)
}

/// The table `fields` of what stands at `owner`.
fn table_at(owner: &[String], fields: &Node<'_>) -> TableNode {
    let path = extended(owner, "fields");
    let table = fields.get_ref().as_table();
    let fields = table.into_iter().flatten().filter_map(|(key, value)| {
        let name = key.get_ref().to_string();
        Some(FieldNode {
            column: text_of(value, "column"),
            description: text_of(value, "description"),
            required: member(value, "required").and_then(|required| required.get_ref().as_bool())
                == Some(true),
            kind: kind_at(extended(&path, &name), value)?,
            name,
        })
    });
    TableNode { fields: fields.collect(), path: path.clone() }
}

fn kind_at(path: KeyPath, value: &Node<'_>) -> Option<KindNode> {
    if let Some(text) = value.get_ref().as_str() {
        let name = TypeName::of(text)?;
        let leaf = ValueType::parse(name.innermost)
            .map_or_else(|| Leaf::Named(name.innermost.to_owned()), Leaf::Value);
        return Some(KindNode::Text { path, containers: name.containers, leaf });
    }
    if let Some(named) = member(value, "type") {
        return kind_at(extended(&path, "type"), named);
    }
    if let Some(fields) = member(value, "fields") {
        return Some(KindNode::Object(path.clone(), table_at(&path, fields)));
    }
    let (key, container) = [("list", Container::List), ("map", Container::Map)]
        .into_iter()
        .find(|(key, _)| member(value, key).is_some())?;
    let inner = kind_at(extended(&path, key), member(value, key)?)?;
    Some(KindNode::Container(path, container, Box::new(inner)))
}
