//! `catalog diff`: two catalogs, or a target and a catalog → what is different between their tables, and
//! which of it a merge would refuse.
//!
//! ```text
//! catalog or target → tables → compare → changes → text, JSON
//! ```
//!
//! Invariant: what is refused here, and nothing else, is refused by a merge that reads files of all tables:
//! the decision about columns is that of [`events_core::table`], that about a layout the one of loads.

mod change;
mod compare;
mod tables;
mod text;

use std::path::PathBuf;

use event_parser::Selection;
use event_target::Location;
use events_core::{catalog::Catalog, partition::Layout};

use self::{
    change::{Change, Difference},
    compare::compare,
    tables::{Held, Tables},
};
use crate::{commands::layout_fit::LayoutFit, error::Error};

/// What is compared.
#[derive(Debug)]
pub struct DiffSettings {
    /// What is there.
    pub before: Side,
    /// What would come.
    pub after: Side,
    /// The number of threads.
    pub threads: usize,
}

/// One of the two.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are two of them")]
pub enum Side {
    /// A target.
    Target(Location),
    /// A catalog, and its path as given.
    Catalog(PathBuf, Catalog),
}

impl Side {
    fn catalog(&self) -> Option<&Catalog> {
        match self {
            Self::Target(_) => None,
            Self::Catalog(_, catalog) => Some(catalog),
        }
    }

    fn held(&self, threads: usize) -> Result<Option<Held>, Error> {
        match self {
            Self::Target(target) => Held::read(target, threads).map(Some),
            Self::Catalog(..) => Ok(None),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Target(target) => target.root().display().to_string(),
            Self::Catalog(path, _) => path.display().to_string(),
        }
    }
}

/// What is different.
#[derive(Debug)]
pub struct Diff {
    before: String,
    after: String,
    changes: Vec<Change>,
    /// Whether lines are read in another way, although no column changes.
    reads_otherwise: bool,
}

/// Compares them.
///
/// # Errors
/// A target can't be read.
pub fn diff(settings: &DiffSettings) -> Result<Diff, Error> {
    let DiffSettings { before, after, threads } = settings;
    let (of_before, of_after) = (before.held(*threads)?, after.held(*threads)?);
    let form = of_before.as_ref().or(of_after.as_ref()).map(Held::form).unwrap_or_default();
    let tables = |side: &'_ Side, held| Tables { catalog: side.catalog().cloned(), held, form };
    let (old, new) = (tables(before, of_before), tables(after, of_after));
    let mut changes = compare(&old, &new);
    if let (true, Some(catalog)) = (old.held.is_some(), after.catalog()) {
        changes.extend(misfit(catalog, &old));
    }
    let meanings = before.catalog().zip(after.catalog());
    let reads_otherwise = meanings.is_some_and(|(old, new)| old.meaning() != new.meaning());
    Ok(Diff { before: before.name(), after: after.name(), changes, reads_otherwise })
}

/// Why a load by the catalog can't have the target's layout.
fn misfit(catalog: &Catalog, target: &Tables) -> Option<Change> {
    let form = target.form;
    let fit = LayoutFit {
        catalog,
        selection: &Selection::default(),
        only: None,
        layout: form.layout,
        unit: form.unit,
        flatten: form.flatten,
        folds_case: form.folds_case,
    };
    let problem = fit.check().err()?.to_string();
    Some(Change { event_type: None, difference: Difference::Layout { problem } })
}

impl Diff {
    /// How many of the changes a merge would refuse.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.changes.iter().filter(|change| change.difference.is_refused()).count()
    }
}
