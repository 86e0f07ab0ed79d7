//! Which changes there are to be, and the events of the run → at which of these they happen, and what each of
//! them changes.
//!
//! A change happens at an event, and changes the fields of that event's type. What it needs (a field to drop,
//! one of a given type to widen) is either there by then, or has been there from the beginning: the plan
//! comes before the first line. Each change has a part of the run of its own, in which it happens at the
//! first event after a random one whose type was there before: else nobody could see what it was like.
//!
//! Invariant: there are exactly as many changes as were asked for, each at an event that shows it. What a
//! column of the end has of an older value does not depend on how often its partition was written meanwhile:
//! only values with one text become texts.

use std::ops::Range;

use super::shape::{ADDED, NESTINGS, Shape, WIDENINGS};
use crate::{
    config::change_list::{Change, ChangeCounts},
    stream::random::{Engine, Stream, StreamKey},
    worlds::EventType,
};

/// A type, from its first event on. The first are those of the world, in the order of [`EventType::ALL`].
pub(super) type NodeId = usize;

/// A field of the run.
pub(super) type FieldId = usize;

/// What happens at an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    /// Its position in the stream, and its time.
    pub(super) event: u64,
    pub(super) micros: i64,
    pub(super) change: Change,
    pub(super) node: NodeId,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Added(FieldId, Shape),
    Dropped(FieldId),
    Turned(FieldId, Shape, Shape),
    Split([NodeId; 2]),
}

/// The changes of a run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// In the order of their events.
    pub(super) changes: Vec<Planned>,
    /// The fields that are there from the beginning, by event type of the world.
    pub(super) first_fields: [Vec<(FieldId, Shape)>; EventType::ALL.len()],
    /// The number of all fields.
    pub(super) fields: FieldId,
}

/// An event of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) event: u64,
    pub(super) micros: i64,
    pub(super) event_type: EventType,
}

/// Plans the changes of a run, as many as `counts` names. Its events come in their order, until it is done.
pub(super) struct Planning {
    engine: Engine,
    nodes: Vec<Node>,
    /// How many there were of each kind of change.
    ordinals: [usize; Change::ALL.len()],
    /// The next change is the last of these: what, and the events at which it may happen.
    due: Vec<(Change, Range<u64>)>,
    plan: Plan,
}

/// The events at which something may change: of each of as many equal parts of the run those from a random
/// one on, but none in the part before them.
fn places(seed: u64, events: &Range<u64>, counts: &ChangeCounts) -> Vec<Range<u64>> {
    let (length, parts) = (u128::from(events.end - events.start), u128::from(counts.total()) + 1);
    let start_of = |part: u128| u64::try_from(length * part / parts).unwrap_or(u64::MAX);
    let key = StreamKey::new(seed, Stream::ChangeHosts);
    let place = |part: u64| {
        let (start, end) = (start_of(part.into()), start_of(u128::from(part) + 1));
        events.start + start + key.engine(part).below_u64(end - start)..events.start + end
    };
    (1..=counts.total()).map(place).collect()
}

/// The step that is in turn. Types that another one was split into have the same keys, and what drafts
/// catalogs takes days for texts where their key has other texts elsewhere: so their days stay days.
fn widening(node: NodeId, ordinal: usize) -> (Shape, Shape) {
    let is_of_world = node < EventType::ALL.len();
    let mut in_turn = WIDENINGS.iter().cycle().skip(ordinal % WIDENINGS.len());
    let step = in_turn.find(|(from, _)| is_of_world || *from != Shape::Date);
    *step.expect("there are other steps")
}

/// A field of a type, as it is in the latest events.
#[derive(Debug, Clone)]
struct Live {
    field: FieldId,
    /// Its shapes since the type began.
    history: Vec<Shape>,
}

impl Live {
    fn shape(&self) -> Option<Shape> {
        self.history.last().copied()
    }

    /// Whether it can become what `to` is.
    fn turns(&self, from: Shape, to: Shape) -> bool {
        let becomes_text = matches!(to, Shape::Text | Shape::List | Shape::Object);
        self.shape() == Some(from) && (!becomes_text || Shape::have_one_text(&self.history))
    }
}

/// A type while changes are planned.
#[derive(Debug, Clone)]
struct Node {
    root: EventType,
    live: Vec<Live>,
    /// The types that its events have become.
    split: Option<[NodeId; 2]>,
    /// Whether it has an event by now.
    is_seen: bool,
}

impl Planning {
    pub(super) fn new(seed: u64, events: &Range<u64>, counts: &ChangeCounts) -> Self {
        let mut engine = StreamKey::new(seed, Stream::ChangeDetails).engine(0);
        let kinds = counts.iter().flat_map(|(change, count)| (0..count).map(move |_| change));
        let mut kinds: Vec<_> = kinds.collect();
        for last in (1..kinds.len()).rev() {
            kinds.swap(last, engine.index_below(last + 1));
        }
        let due = kinds.into_iter().zip(places(seed, events, counts)).rev().collect();
        let new = |root| Node { root, live: Vec::new(), split: None, is_seen: false };
        let nodes = EventType::ALL.map(new).into();
        Self { engine, nodes, ordinals: Default::default(), due, plan: Plan::default() }
    }

    /// The plan, if there is nothing left to plan.
    pub(super) fn finish(self) -> Plan {
        debug_assert!(self.due.is_empty(), "{} changes have no event", self.due.len());
        self.plan
    }

    /// Takes the next event; returns whether more are needed.
    pub(super) fn take(&mut self, host: &Host) -> bool {
        let Some((change, place)) = self.due.last() else { return false };
        let node = self.node_of(host);
        let is_last = host.event + 1 >= place.end;
        if host.event >= place.start && (self.nodes[node].is_seen || is_last) {
            let change = *change;
            self.due.pop();
            self.change(host, node, change);
        }
        // Another one, if it is split by now.
        let node = self.node_of(host);
        self.nodes[node].is_seen = true;
        !self.due.is_empty()
    }

    fn node_of(&self, host: &Host) -> NodeId {
        super::node_of(host.event_type, host.event, |node| self.nodes[node].split)
    }

    fn change(&mut self, host: &Host, node: NodeId, change: Change) {
        let ordinal = self.ordinals[change as usize];
        self.ordinals[change as usize] += 1;
        let what = match change {
            Change::Add => {
                let (field, shape) = (self.new_field(), ADDED[ordinal % ADDED.len()]);
                self.nodes[node].live.push(Live { field, history: vec![shape] });
                What::Added(field, shape)
            }
            Change::Drop => {
                let field = self.field(node, ADDED[ordinal % ADDED.len()], |_| true);
                self.nodes[node].live.retain(|live| live.field != field);
                What::Dropped(field)
            }
            Change::Widen => self.turned(node, widening(node, ordinal)),
            Change::Nest => self.turned(node, NESTINGS[ordinal % NESTINGS.len()]),
            Change::Split => What::Split(self.split(node)),
        };
        let &Host { event, micros, .. } = host;
        self.plan.changes.push(Planned { event, micros, change, node, what });
    }

    fn new_field(&mut self) -> FieldId {
        self.plan.fields += 1;
        self.plan.fields - 1
    }

    fn turned(&mut self, node: NodeId, (from, to): (Shape, Shape)) -> What {
        let field = self.field(node, from, |live| live.turns(from, to));
        for live in self.nodes[node].live.iter_mut().filter(|live| live.field == field) {
            live.history.push(to);
        }
        What::Turned(field, from, to)
    }

    fn split(&mut self, node: NodeId) -> [NodeId; 2] {
        let Node { root, live, .. } = &self.nodes[node];
        let carried = |live: &Live| Live { field: live.field, history: live.shape().into_iter().collect() };
        let live = live.iter().map(carried).collect();
        let into = Node { root: *root, live, split: None, is_seen: false };
        let first = self.nodes.len();
        self.nodes.extend([into.clone(), into]);
        let into = [first, first + 1];
        self.nodes[node].split = Some(into);
        into
    }

    /// A field of a type that is fit: in three of four cases one that was changed before, if there is one.
    /// Else it gets one of this shape, and has had it from the beginning.
    fn field(&mut self, node: NodeId, shape: Shape, is_fit: impl Fn(&Live) -> bool) -> FieldId {
        let live = &self.nodes[node].live;
        let fit: Vec<_> = live.iter().filter(|live| is_fit(live)).map(|live| live.field).collect();
        let takes_one = self.engine.below(4) > 0;
        if takes_one && !fit.is_empty() {
            return fit[self.engine.index_below(fit.len())];
        }
        let field = self.new_field();
        let root = self.nodes[node].root;
        self.plan.first_fields[root as usize].push((field, shape));
        for node in self.nodes.iter_mut().filter(|node| node.root == root) {
            node.live.push(Live { field, history: vec![shape] });
        }
        field
    }
}
