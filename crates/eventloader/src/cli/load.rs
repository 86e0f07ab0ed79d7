//! The flags of a load → its settings.
//!
//! Invariant: flags that contradict each other are refused before anything is read.

use std::path::{Path, PathBuf};

use event_parser::{DayRange, Selection};

use super::{
    Cli, catalogs_of,
    values::{Mode, Scope},
};
use crate::{
    commands::{
        catalog_files::{self, CatalogFile},
        report_place, target_form,
    },
    error::Error,
    runtime::shown,
    settings::{Input, Settings},
};

impl Cli {
    /// The settings given by the command line; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<Settings, Error> {
        let catalogs = catalogs_of(&self.catalog);
        let report = report_file(self.report.as_deref(), &catalogs)?;
        Ok(Settings { report, ..self.settings_with(&catalog_files::texts(&catalogs)?)? })
    }

    /// The files of its catalogs.
    ///
    /// # Errors
    /// One can't be read.
    pub(super) fn catalog_texts(&self) -> Result<Vec<CatalogFile>, Error> {
        catalog_files::texts(&catalogs_of(&self.catalog))
    }

    /// The same settings, with catalogs that were read before, and without a report.
    pub(super) fn settings_with(&self, catalogs: &[CatalogFile]) -> Result<Settings, Error> {
        let days = match (self.date, self.since, self.until) {
            (Some(day), ..) => Some(DayRange { first: Some(day), last: Some(day) }),
            (None, None, None) => None,
            (None, first, last) => Some(DayRange { first, last }),
        };
        let asked = (self.layout.layout(), self.layout.unit());
        let target =
            self.stores.location_within(&self.target_path, asked.0, Some(self.resources.memory_bytes()))?;
        if target.database_of().is_some() {
            self.format.refuse_in_database()?;
        }
        let (layout, partition_unit) = target_form::of_target(&target, asked);
        Ok(Settings {
            input: Input::Sources { paths: self.source_file.clone(), skip_loaded: self.skip_loaded()? },
            framing: self.framing.into(),
            catalog: catalog_files::catalog_of(catalogs, self.envelope.as_deref())?,
            selection: Selection {
                domains: self.domain.clone(),
                event_types: self.event_type.clone(),
                days,
                ..Selection::default()
            },
            flatten: self.flatten,
            stores: self.stores.options(),
            target,
            layout,
            partition_unit,
            mode: self.mode.into(),
            dedupe_scope: self.dedupe_scope()?.into(),
            format: self.format.format(),
            memory_bytes: self.resources.memory_bytes(),
            threads: self.resources.threads(),
            bad_lines_max: self.max_bad_lines,
            superseded_samples_max: self.superseded_samples,
            dry_run: self.dry_run,
            report: None,
        })
    }

    fn skip_loaded(&self) -> Result<bool, Error> {
        if self.skip_loaded && self.mode == Mode::Overwrite {
            return Err(Error::Usage(
                "--skip-loaded: overwriting forgets which sources were loaded; add --mode merge".to_owned(),
            ));
        }
        Ok(self.skip_loaded)
    }

    fn dedupe_scope(&self) -> Result<Scope, Error> {
        match (self.mode, self.dedupe_scope) {
            (Mode::Overwrite, None) => Ok(Scope::Input),
            (Mode::Merge, None) => Ok(Scope::Target),
            (Mode::Overwrite, Some(Scope::Target)) => Err(Error::Usage(
                "--dedupe-scope target: rows of the target take part only with --mode merge; add it"
                    .to_owned(),
            )),
            (Mode::Merge, Some(Scope::Input)) => Err(Error::Usage(
                "--dedupe-scope input: with --mode merge, rows of the target take part; use target or day"
                    .to_owned(),
            )),
            (_, Some(scope)) => Ok(scope),
        }
    }

    /// The target as given, for messages.
    #[must_use]
    pub fn target(&self) -> String {
        shown(&self.target_path)
    }

    /// The catalog as given, if it is one file.
    #[must_use]
    pub fn catalog(&self) -> Option<String> {
        let [catalog] = self.catalog.as_slice() else { return None };
        let is_file = catalog.extension().is_some_and(|extension| extension == "toml");
        is_file.then(|| catalog.display().to_string())
    }
}

/// The file that the report goes to, which must be none of the catalogs; `None` for standard output.
pub(super) fn report_file(given: Option<&Path>, catalogs: &[PathBuf]) -> Result<Option<PathBuf>, Error> {
    let Some(report) = given.filter(|path| *path != Path::new("-")) else { return Ok(None) };
    let catalogs = catalog_files::files(catalogs)?;
    report_place::refuse_files(report, catalogs.iter().map(PathBuf::as_path), "is one of the catalogs")?;
    Ok(Some(report.to_owned()))
}
