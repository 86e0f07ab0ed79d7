//! An envelope → a plan for reading records: a tree of the keys that it reads, and templates whose pieces are
//! captures.
//!
//! Each key of the tree is a capture: the value that a record has for it. A template that is one path borrows
//! the text of its capture; nothing is interpreted per line.
//!
//! Invariant: a key of an object is in the tree once, whatever reads it.

mod captures;
mod template;

use events_core::{
    catalog::Field,
    envelope::{Data, Envelope, EventId, Path, Piece, Template, paths_text},
    schema::member_path,
    timestamp::EpochUnit,
};

pub(crate) use self::{
    captures::Captures,
    template::{Absence, Alternative, PiecePlan, Record, TemplatePlan},
};
use crate::plan::{ByName, KeyTarget, Member, Shape};

/// The root of a record.
pub(crate) const RECORD: usize = 0;

/// An envelope, compiled.
#[derive(Debug)]
pub(crate) struct EnvelopePlan {
    /// The objects in which keys are read, beginning with the record.
    pub(crate) nodes: Vec<Node>,
    /// The keys, by the number of their capture.
    pub(crate) keys: Vec<Key>,
    /// The object that holds what is read of the objects around a record.
    pub(crate) enclosing: Option<usize>,
    pub(crate) domain: TemplatePlan,
    pub(crate) event_type: TemplatePlan,
    pub(crate) time: TemplatePlan,
    pub(crate) unit: Option<EpochUnit>,
    pub(crate) id: IdPlan,
    pub(crate) data: DataPlan,
    /// The keys that are columns.
    pub(crate) fields: Vec<usize>,
}

/// What an id is made of.
#[derive(Debug)]
pub(crate) enum IdPlan {
    Text(TemplatePlan),
    Key(Vec<TemplatePlan>),
    Hash,
}

/// What the payload is.
#[derive(Debug)]
pub(crate) enum DataPlan {
    /// The record without what the envelope took whole.
    Rest,
    /// The first of these captures that is there and not null.
    At(Vec<usize>),
}

/// An object in which keys are read.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Index into [`crate::plan::Plan::object_paths`].
    pub(crate) id: usize,
    /// The captures of its keys.
    pub(crate) members: Vec<usize>,
    by_name: ByName<usize>,
    /// Whether its other keys are read by a column or the payload, so that they are not unknown.
    pub(crate) is_covered: bool,
}

/// A key that is read.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: Box<str>,
    pub(crate) path: String,
    /// The object in which further keys are read.
    pub(crate) node: Option<usize>,
    /// Its place among the envelope's fields, and its columns.
    pub(crate) field: Option<(usize, KeyTarget)>,
    /// Its place among the alternatives of the payload.
    pub(crate) data: Option<usize>,
    /// The earliest decision that needs it.
    pub(crate) stage: Stage,
    pub(crate) taken: Taken,
    /// The alternatives of each piece of a template that it may be used for.
    pub(crate) uses: Vec<Vec<Alternative>>,
}

/// When a repeated key is reported: what is decided by it, in the order of judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Type,
    Time,
    Event,
}

/// Whether a key of the record is not part of the payload that is the rest of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is part of it.
    Never,
    Always,
    /// If it is the alternative that was used.
    IfUsed,
}

impl EnvelopePlan {
    /// Compiles an envelope; its nodes get ids in `object_paths`.
    pub(crate) fn new(envelope: &Envelope, object_paths: &mut Vec<String>) -> Self {
        let mut tree = Tree { nodes: Vec::new(), keys: Vec::new(), object_paths };
        tree.add_node("");
        let enclosing = envelope.paths().iter().any(|path| path.is_enclosing).then(|| tree.add_node("^"));
        let mut template = |template: &Template, stage| tree.template(template, stage, enclosing);
        let domain = template(&envelope.domain, Stage::Type);
        let event_type = template(&envelope.event_type, Stage::Type);
        let time = template(&envelope.timestamp.from, Stage::Time);
        let id = match &envelope.event_id {
            EventId::Text(text) => IdPlan::Text(template(text, Stage::Event)),
            EventId::Key(parts) => {
                IdPlan::Key(parts.iter().map(|part| template(part, Stage::Event)).collect())
            }
            EventId::Hash => IdPlan::Hash,
        };
        let data = match &envelope.data {
            Data::Rest => DataPlan::Rest,
            Data::At(paths) => DataPlan::At(tree.data(paths)),
        };
        let fields = tree.fields(&envelope.fields);
        let covers_record = matches!(data, DataPlan::Rest);
        tree.cover(RECORD, covers_record);
        if let Some(node) = enclosing {
            tree.cover(node, true);
        }
        let Tree { nodes, keys, .. } = tree;
        let mut plan = Self {
            nodes,
            keys,
            enclosing,
            domain,
            event_type,
            time,
            unit: envelope.timestamp.unit,
            id,
            data,
            fields,
        };
        plan.mark_taken();
        plan
    }

    /// All templates.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &TemplatePlan> {
        let of_id = match &self.id {
            IdPlan::Text(template) => std::slice::from_ref(template),
            IdPlan::Key(parts) => parts,
            IdPlan::Hash => &[],
        };
        [&self.domain, &self.event_type, &self.time].into_iter().chain(of_id)
    }

    /// Keys of the record that are always taken whole: fields, and paths without another before them. Others
    /// are, if they are used.
    fn mark_taken(&mut self) {
        let pieces: Vec<_> = self.templates().flat_map(|template| &template.pieces).collect();
        let mut uses = vec![Vec::new(); self.keys.len()];
        for piece in pieces {
            let PiecePlan::Paths { alternatives, .. } = piece else { continue };
            for alternative in alternatives.iter().filter(|alternative| !alternative.is_enclosing) {
                uses[alternative.key].push(alternatives.clone());
            }
        }
        for (key, uses) in self.keys.iter_mut().zip(uses) {
            key.uses = uses;
        }
        for &member in &self.nodes[RECORD].members.clone() {
            let key = &mut self.keys[member];
            key.taken = if key.field.is_some() || key.uses.iter().any(|alternatives| alternatives.len() == 1)
            {
                Taken::Always
            } else if key.uses.is_empty() {
                Taken::Never
            } else {
                // A first alternative that is null is not used.
                Taken::IfUsed
            };
        }
    }
}

/// A tree that is being built.
struct Tree<'p> {
    nodes: Vec<Node>,
    keys: Vec<Key>,
    object_paths: &'p mut Vec<String>,
}

impl Tree<'_> {
    fn add_node(&mut self, path: &str) -> usize {
        self.object_paths.push(path.to_owned());
        self.nodes.push(Node { id: self.object_paths.len() - 1, ..Node::default() });
        self.nodes.len() - 1
    }

    /// The capture of a key of a node.
    fn key(&mut self, node: usize, object: &str, name: &str, stage: Stage) -> usize {
        let known =
            self.nodes[node].by_name.get(name.as_bytes()).map(|&member| self.nodes[node].members[member]);
        if let Some(known) = known {
            let key = &mut self.keys[known];
            key.stage = key.stage.min(stage);
            return known;
        }
        let capture = self.keys.len();
        self.keys.push(Key {
            name: name.into(),
            path: member_path(object, name),
            node: None,
            field: None,
            data: None,
            stage,
            taken: Taken::Never,
            uses: Vec::new(),
        });
        let Node { members, by_name, .. } = &mut self.nodes[node];
        by_name.insert(name.as_bytes().into(), members.len());
        members.push(capture);
        capture
    }

    /// The capture of a path.
    fn path(&mut self, path: &Path, stage: Stage, enclosing: Option<usize>) -> usize {
        let mut node = if path.is_enclosing { enclosing.unwrap_or(RECORD) } else { RECORD };
        let mut object = if path.is_enclosing { "^".to_owned() } else { String::new() };
        let mut capture = 0;
        for (index, name) in path.keys.iter().enumerate() {
            capture = self.key(node, &object, name, stage);
            if path.is_enclosing && index == 0 {
                self.keys[capture].path = format!("^{name}");
            }
            object.clone_from(&self.keys[capture].path);
            if index + 1 < path.keys.len() {
                node = self.keys[capture].node.unwrap_or_else(|| {
                    let node = self.add_node(&object);
                    self.keys[capture].node = Some(node);
                    node
                });
            }
        }
        capture
    }

    fn template(&mut self, template: &Template, stage: Stage, enclosing: Option<usize>) -> TemplatePlan {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => PiecePlan::Literal(text.as_bytes().into()),
            Piece::Paths(paths) => PiecePlan::Paths {
                alternatives: paths
                    .iter()
                    .map(|path| {
                        let key = self.path(path, stage, enclosing);
                        Alternative { key, is_enclosing: path.is_enclosing }
                    })
                    .collect(),
                path: paths_text(paths),
            },
        };
        let pieces: Vec<_> = template.pieces.iter().map(piece).collect();
        let path = match pieces.as_slice() {
            [PiecePlan::Paths { path, .. }] => path.clone(),
            _ => template.to_string(),
        };
        TemplatePlan { pieces, path }
    }

    fn data(&mut self, paths: &[Path]) -> Vec<usize> {
        let captures: Vec<_> = paths.iter().map(|path| self.path(path, Stage::Event, None)).collect();
        for (place, &capture) in captures.iter().enumerate() {
            self.keys[capture].data.get_or_insert(place);
        }
        captures
    }

    /// The fields are the first columns and objects of each type's shape, so they are the same in all.
    fn fields(&mut self, fields: &[Field]) -> Vec<usize> {
        let shape = Shape::of_record(fields);
        let members = shape.objects[shape.root].members.iter().enumerate();
        let of_field = |(field, (index, member)): (&Field, (usize, &Member))| {
            let capture = self.key(RECORD, "", &field.name, Stage::Event);
            self.keys[capture].field = Some((index, member.target));
            capture
        };
        fields.iter().zip(members).map(of_field).collect()
    }

    /// Marks the nodes in what a column or the payload reads.
    fn cover(&mut self, node: usize, is_covered: bool) {
        self.nodes[node].is_covered = is_covered;
        for capture in self.nodes[node].members.clone() {
            let Key { node, field, data, .. } = self.keys[capture];
            if let Some(node) = node {
                self.cover(node, is_covered || field.is_some() || data.is_some());
            }
        }
    }
}

impl Node {
    /// The index of the member with this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Key {
    /// Whether its value is only read by columns or as the payload, so that it may be skipped at first.
    pub(crate) fn may_be_skipped(&self) -> bool {
        self.node.is_none()
            && (self.data.is_some()
                || matches!(self.field, Some((_, KeyTarget::Object(_) | KeyTarget::Keyed(_)))))
    }
}
