//! A catalog → the tables that a load creates from it: as text, as Arrow schemas, or as the SQL statements of
//! an engine.
//!
//! Invariant: names and types are those of the schemas that files are written with.

mod statements;
mod table;
mod text;

use std::borrow::Cow;

use event_parser::Selection;
use events_core::{
    catalog::{Catalog, EventType, OTHERS},
    partition::{Layout, PartitionUnit},
};

pub use self::statements::{Engine, StatementSettings};
use self::{statements::Statements, table::ShownTable};
use crate::{commands::layout_fit::LayoutFit, error::Error};

/// What to show.
#[derive(Debug, Clone)]
pub struct ShowSettings {
    /// The known events.
    pub catalog: Catalog,
    /// The events to show.
    pub selection: Selection,
    /// One column per payload value; otherwise one struct column.
    pub flatten: bool,
    /// The names of the directories; engines read columns from some of them.
    pub layout: Layout,
    /// The time span of a partition.
    pub partition_unit: PartitionUnit,
    /// The output format.
    pub format: Format,
}

/// An output format.
#[derive(Debug, Clone)]
pub enum Format {
    /// Columns, types, descriptions.
    Text,
    /// Arrow's type names.
    Arrow,
    /// SQL.
    Statements(StatementSettings),
}

/// The tables of the selected event types.
///
/// # Errors
/// A domain or event type is not in the catalog, or the engine can't have the tables.
pub fn show(settings: &ShowSettings) -> Result<String, Error> {
    settings.selection.check(&settings.catalog)?;
    let ShowSettings { catalog, selection, flatten, layout, partition_unit, format } = settings;
    let fit = LayoutFit {
        catalog,
        selection,
        only: None,
        layout: *layout,
        unit: *partition_unit,
        flatten: *flatten,
        folds_case: false,
    };
    fit.check()?;
    let others = others(catalog, selection);
    let named = catalog.event_types().iter().filter(|event_type| selection.wants_type(event_type));
    let tables = named
        .chain(&others)
        .map(|event_type| ShownTable::new(event_type, *flatten, (*layout, *partition_unit)));
    let texts: Vec<_> = match format {
        Format::Text => tables.map(|table| table.text()).collect(),
        Format::Arrow => tables.map(|table| table.arrow()).collect(),
        Format::Statements(wanted) => {
            names_fit(settings, wanted.engine, &others)?;
            let types = statements::all_types(catalog, &others);
            let statements = Statements::new(wanted, (*layout, *partition_unit), &types)?;
            tables.map(|table| statements.of(&table)).collect::<Result<_, _>>()?
        }
    };
    Ok(texts.join("\n"))
}

/// Refuses columns whose names an engine would cut.
fn names_fit(settings: &ShowSettings, engine: Engine, others: &[EventType]) -> Result<(), Error> {
    let ShowSettings { catalog, selection, flatten, .. } = settings;
    for (index, event_type) in catalog.event_types().iter().enumerate() {
        let long_name = || statements::long_name(engine, *flatten, event_type);
        if let Some((path, problem)) = selection.wants_type(event_type).then(long_name).flatten() {
            return Err(catalog.error_at(index, &path, problem).into());
        }
    }
    for other in others {
        if let Some((path, problem)) = statements::long_name(engine, *flatten, other) {
            let open = catalog.open_type_of(&other.domain).unwrap_or_default();
            return Err(catalog.error_at_open(open, &path, problem).into());
        }
    }
    Ok(())
}

/// The types that the catalog does not name: those that are asked for by name, or what stands for them.
fn others(catalog: &Catalog, selection: &Selection) -> Vec<EventType> {
    let Selection { domains, event_types, .. } = selection;
    if domains.is_empty() && event_types.is_empty() {
        return catalog.open_types().to_vec();
    }
    let of_catalog = || catalog.open_types().iter().map(|open| open.domain.as_str());
    let domains: Vec<_> = if domains.is_empty() {
        of_catalog().collect()
    } else {
        domains.iter().map(String::as_str).collect()
    };
    let names = if event_types.is_empty() { &[OTHERS.to_owned()][..] } else { event_types };
    let of_domain = |domain: &&str| {
        let asked = names.iter().filter_map(|name| catalog.event_type(domain, name));
        asked.filter(|event_type| event_type.is_open).map(Cow::into_owned).collect::<Vec<_>>()
    };
    domains.iter().flat_map(of_domain).collect()
}
