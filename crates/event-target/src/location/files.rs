//! Single files of a target: found, looked at, read.
//!
//! Invariant: errors name the file.

use std::io::{self, Read};

use storage::{File, LocalObject, Object, ObjectReader};

use super::{Kind, Location};
use crate::{
    History, Place, Stamp,
    partitions::listing,
    staged_file::checksum_of_all,
    tables::{self, Tables},
};

impl Location {
    /// The Parquet files of a directory: paths and, where they are recorded, lengths.
    ///
    /// # Errors
    /// It can't be read.
    pub fn parquet_files(
        &self,
        history: &History,
        directory: &str,
    ) -> io::Result<Vec<(String, Option<u64>)>> {
        match &self.kind {
            Kind::Partitions { root } => {
                let paths = listing::parquet_files(root, directory)?;
                Ok(paths.into_iter().map(|path| (path, None)).collect())
            }
            Kind::Tables(_) | Kind::Database(_) => {
                let files = history.in_directory(directory);
                Ok(files.map(|(path, file)| (path.clone(), Some(file.bytes))).collect())
            }
        }
    }

    /// The path of any Parquet file below directories that are called like these columns, some of which may
    /// be left out; `None` also where nothing can be read.
    #[must_use]
    pub fn file_below(&self, columns: &[&str]) -> Option<String> {
        match &self.kind {
            Kind::Partitions { root } => listing::file_below(root, "", columns),
            // Its records say what they are.
            Kind::Tables(_) | Kind::Database(_) => None,
        }
    }

    /// Whether a file of this path is in this place, whichever commit wrote it.
    #[must_use]
    pub fn is_in_place(&self, path: &str, place: Place<'_>) -> bool {
        match &self.kind {
            Kind::Partitions { .. } | Kind::Database(_) => {
                let inside = path.strip_prefix(place.directory).and_then(|rest| rest.strip_prefix('/'));
                inside.is_some_and(|name| name == place.file_name())
            }
            Kind::Tables(_) => {
                let inside = path.strip_prefix(place.directory).and_then(|rest| rest.strip_prefix('/'));
                inside.map(tables::stem_and_extension) == Some((place.stem, place.extension))
            }
        }
    }

    /// Whether there is anything in the place of a file; in a database, of one of the quarantine.
    ///
    /// # Errors
    /// It can't be read.
    pub fn is_there(&self, path: &str) -> io::Result<bool> {
        match &self.kind {
            Kind::Partitions { root } => storage::is_there(&root.join(path)),
            Kind::Tables(Tables { store, .. }) => Ok(store.find(path)?.is_some()),
            Kind::Database(schema) => schema.is_there(path).map_err(io::Error::other),
        }
    }

    /// The stamp of a file; `None` if there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub fn stamp_of(&self, path: &str) -> io::Result<Option<Stamp>> {
        match &self.kind {
            Kind::Partitions { root } => Ok(storage::look_at(&root.join(path))?.as_ref().map(Stamp::from)),
            Kind::Tables(Tables { store, .. }) => Ok(store.find(path)?.map(|found| found.stamp.into())),
            Kind::Database(_) => Ok(None),
        }
    }

    /// The length in bytes and the checksum of a file, as in [`StagedFile`](crate::StagedFile).
    ///
    /// # Errors
    /// It can't be read.
    pub fn checksum_of(&self, path: &str) -> io::Result<(u64, u64)> {
        checksum_of_all(&mut self.read(path)?)
    }

    /// Opens a file to read parts of it. Its length is looked up where it is not known.
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(&self, path: &str, bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
        match &self.kind {
            Kind::Partitions { root } => Ok(Box::new(LocalObject::open(&root.join(path))?)),
            Kind::Tables(Tables { store, .. }) => store.open(path, bytes),
            Kind::Database(schema) => {
                let problem = format!("{}: rows of a database are no file", schema.address(path).display());
                Err(io::Error::new(io::ErrorKind::Unsupported, problem))
            }
        }
    }

    /// Opens a file to read it from its beginning to its end; in a database, one of the quarantine.
    ///
    /// # Errors
    /// It can't be read.
    pub fn read(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        match &self.kind {
            Kind::Partitions { root } => Ok(Box::new(File::open(&root.join(path))?)),
            Kind::Tables(Tables { store, .. }) => {
                Ok(Box::new(ObjectReader::new(store.open(path, None)?.into(), 0)))
            }
            Kind::Database(schema) => Ok(Box::new(schema.read_file(path).map_err(io::Error::other)?)),
        }
    }
}
