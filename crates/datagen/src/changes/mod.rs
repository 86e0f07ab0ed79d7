//! Changes of what events look like, in the course of a run (`--changes`): fields appear, disappear and take
//! other values, types split.
//!
//! ```text
//! events → plan: what changes at which → schema: fields by type and event → lines, rows, log
//! ```
//!
//! A layer on top of either world, which knows nothing of it: fields that change are more fields of the
//! payload, behind those of the world.
//!
//! Invariant: what is added to an event is a function of the run and the event's position. So a line that
//! arrives late looks as it would have in its place, and so do other versions of the event.

mod log;
mod plan;
mod schema;
mod shape;
mod value;

use std::ops::Range;

use events_core::{
    catalog::{BUILT_IN, Catalog},
    truth::RowDigest,
};

use self::{
    plan::{Host, NodeId, Plan, Planned, Planning},
    schema::{Node, field_name},
    value::Value,
};
use crate::{
    config::{Config, WorldName},
    error::Error,
    stream::random::{Stream, StreamKey, mix},
    worlds::{
        Chunk, End, Event, EventType, World,
        ledger::LedgerWorld,
        simple::SimpleWorld,
        table::{Table, append_toml, tables_of, toml_fields},
    },
};

/// The changes of a run.
#[derive(Debug)]
pub(crate) struct Changes {
    planned: Vec<Planned>,
    nodes: Vec<Node>,
    /// The tables of the nodes.
    tables: Vec<Table>,
    /// The keys of the fields.
    names: Vec<String>,
    values: StreamKey,
}

/// The key in front of an event's type.
const TYPE_KEY: &[u8] = br#""event_type": ""#;

impl Changes {
    /// The changes of a run, if there are any.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, Error> {
        let &Config { seed, start_date, events_per_day, .. } = config;
        config.changes.check(config.num_events)?;
        if config.changes.total() == 0 {
            return Ok(None);
        }
        match config.world {
            WorldName::Simple => Self::in_world(&SimpleWorld::new(seed, start_date), config).map(Some),
            WorldName::Ledger => {
                Self::in_world(&LedgerWorld::new(seed, start_date, events_per_day), config).map(Some)
            }
        }
    }

    fn in_world(world: &impl World, config: &Config) -> Result<Self, Error> {
        let &Config { seed, ref changes, .. } = config;
        let plan = planned(world, &config.events(), Planning::new(seed, &config.events(), changes))?;
        let nodes = schema::nodes(tables_of(config.world.catalog()), &plan);
        let tables = nodes.iter().map(|node| node.table.clone()).collect();
        let names = (0..plan.fields).map(field_name).collect();
        let values = StreamKey::new(seed, Stream::ChangeValues);
        Ok(Self { planned: plan.changes, nodes, tables, names, values })
    }

    /// The tables of the run. The first are those of the world's event types.
    pub(crate) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The types of the run's end, as TOML.
    pub(crate) fn toml(&self, world: WorldName) -> String {
        let mut text = format!(
            "# The events of `datagen --world {}` at the end of a run with --changes. Types that are two others by then have rows from before.\n",
            world.name()
        );
        for table in &self.tables {
            append_toml((&table.domain, &table.event_type), toml_fields(&table.fields), &mut text);
        }
        text
    }

    /// The same, as a catalog.
    pub(crate) fn catalog(&self, world: WorldName) -> Catalog {
        let types = self.toml(world);
        BUILT_IN.extended(&[("types.toml", &types)]).expect("a test reads the catalogs of changes")
    }

    /// The table of an event.
    pub(crate) fn table_of(&self, event_type: EventType, event: u64) -> usize {
        let into = |node: NodeId| {
            let (from, into) = self.nodes[node].split?;
            (event >= from).then_some(into)
        };
        node_of(event_type, event, into)
    }

    /// Changes an event's line, without its newline, to what it is in `table`.
    pub(crate) fn edit(&self, table: usize, event_type: EventType, event: u64, line: &mut Vec<u8>) {
        let node = &self.nodes[table];
        line.truncate(line.len() - b"}}".len());
        for live in node.fields(event) {
            line.extend_from_slice(b", \"");
            line.extend_from_slice(self.names[live.field].as_bytes());
            line.extend_from_slice(b"\": ");
            self.value(live, event).append_json(" ", line);
        }
        line.extend_from_slice(b"}}");
        if let Some(more) =
            node.table.event_type.strip_prefix(event_type.name()).filter(|more| !more.is_empty())
        {
            let key = line.windows(TYPE_KEY.len()).position(|bytes| bytes == TYPE_KEY);
            let end = key.unwrap_or_default() + TYPE_KEY.len() + event_type.name().len();
            line.splice(end..end, more.bytes());
        }
    }

    /// Adds the values of an event's row that are not the world's own.
    pub(crate) fn write_row(&self, table: usize, event: u64, row: &mut RowDigest) {
        let node = &self.nodes[table];
        let mut fields = node.fields(event).iter().peekable();
        for column in &node.columns {
            match fields.next_if(|live| live.field == column.field) {
                Some(live) => self.value(live, event).write(&column.kind, row),
                None => Value::write_null(&column.kind, row),
            }
        }
    }

    fn value(&self, live: &schema::Live, event: u64) -> Value {
        let key = self.values.number(u64::try_from(live.field).unwrap_or_default());
        live.shape.value(key, event, live.since == event)
    }
}

/// The tables of a run of a world.
pub(crate) fn tables(world: WorldName, changes: Option<&Changes>) -> Vec<Table> {
    changes.map_or_else(|| tables_of(world.catalog()), |changes| changes.tables.clone())
}

/// The type of an event; `into` gives what a type is split into by then.
fn node_of(event_type: EventType, event: u64, into: impl Fn(NodeId) -> Option<[NodeId; 2]>) -> NodeId {
    let mut node = event_type as usize;
    while let Some(halves) = into(node) {
        let is_second = mix(mix(event) ^ halves[0] as u64) >> 63 == 1;
        node = halves[usize::from(is_second)];
    }
    node
}

/// The plan of a run with these events.
fn planned<W: World>(world: &W, events: &Range<u64>, mut planning: Planning) -> Result<Plan, Error> {
    for chunk in world.chunks(End::before_event(events.end))? {
        let chunk = chunk?;
        if chunk.first_event() + u64::from(chunk.events()) <= events.start {
            continue;
        }
        for event in world.events(&chunk).filter(|event| event.index() >= events.start) {
            let (event_type, micros) = (event.event_type(), event.micros());
            if !planning.take(&Host { event: event.index(), micros, event_type }) {
                return Ok(planning.finish());
            }
        }
    }
    Ok(planning.finish())
}
