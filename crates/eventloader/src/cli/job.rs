//! The arguments of a load that an engine distributes → its settings, in the driver and in its tasks.
//!
//! Invariant: a task has the settings of the driver, wherever it runs: it reads no catalog and no environment
//! variable, and finds the target where the driver does.

use std::{env, ffi::OsString, path::PathBuf};

use clap::Parser;
use serde::{Deserialize, Serialize};

use super::Cli;
use crate::{commands::catalog_files::CatalogFile, error::Error, runtime::address_of, settings::Settings};

/// What the settings of a task are made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobArguments {
    arguments: Vec<String>,
    /// The driver's working directory.
    directory: PathBuf,
    /// Names and texts.
    catalogs: Vec<(String, String)>,
}

impl JobArguments {
    /// Those of a command line, whose catalogs it reads. The first argument is the program's name.
    ///
    /// # Errors
    /// An argument is not UTF-8, or a catalog can't be read.
    pub fn of(cli: &Cli, arguments: &[OsString]) -> Result<Self, Error> {
        let text = |argument: &OsString| {
            let refused = || Error::Usage(format!("{}: an engine takes only UTF-8", argument.display()));
            argument.to_str().map(str::to_owned).ok_or_else(refused)
        };
        let catalogs = cli.catalog_texts()?.into_iter().map(|file| (file.name, file.text));
        Ok(Self {
            arguments: arguments.iter().map(text).collect::<Result<_, _>>()?,
            directory: env::current_dir().map_err(Error::io("finding the working directory"))?,
            catalogs: catalogs.collect(),
        })
    }

    /// The settings.
    ///
    /// # Errors
    /// Those of [`Cli::settings`].
    pub fn settings(&self) -> Result<Settings, Error> {
        let cli = Cli::try_parse_from(&self.arguments).map_err(|error| Error::Usage(error.to_string()))?;
        let target_path = match address_of(&cli.target_path) {
            None => self.directory.join(&cli.target_path),
            Some(_) => cli.target_path.clone(),
        };
        let catalogs = self.catalogs.iter().map(|(name, text)| CatalogFile {
            path: PathBuf::from(name),
            name: name.clone(),
            text: text.clone(),
        });
        Cli { target_path, ..cli }.settings_with(&catalogs.collect::<Vec<_>>())
    }
}
