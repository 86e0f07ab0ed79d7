//! The engines, and what each can have of a target.
//!
//! Invariant: statements are made only of what passed [`Abilities::check`].

use events_core::partition::{Layout, PartitionUnit};

use super::{
    SqlTable, StatementSettings, athena, bigquery, clickhouse, duckdb, names::TableNaming, postgres,
    redshift, snowflake, spark, trino,
};
use crate::error::{Error, Instead};

/// An engine with a dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Amazon Athena.
    Athena,
    /// Google `BigQuery`.
    BigQuery,
    /// `ClickHouse`.
    ClickHouse,
    /// `DuckDB`.
    DuckDb,
    /// `PostgreSQL`.
    Postgres,
    /// Amazon Redshift, with Spectrum.
    Redshift,
    /// Snowflake.
    Snowflake,
    /// Spark.
    Spark,
    /// Trino, with its connectors for Hive and Delta Lake.
    Trino,
}

/// What an engine can have.
pub(super) struct Abilities {
    pub(super) name: &'static str,
    pub(super) naming: TableNaming,
    /// The bytes of the longest name; longer ones are cut or refused.
    pub(super) name_bytes_max: Option<usize>,
    pub(super) addresses: Addresses,
    pub(super) load: Load,
    /// Whether a table over files is told of each day.
    pub(super) adds_days: bool,
    /// The layouts whose statements need the name of the schema.
    pub(super) needs_schema: &'static [Layout],
}

/// How an engine names the place of files.
pub(super) enum Addresses {
    /// It reads none.
    None,
    /// In any way, or not at all: without one, its tables are its own.
    Any,
    /// With one of these in front, as the text says.
    Begin(&'static [&'static str], &'static str),
}

/// How an engine fills a table of its own from files.
#[derive(PartialEq, Eq)]
pub(super) enum Load {
    /// By no statement that could be shown.
    Never,
    /// All files, or those of a day.
    Any,
    /// Those of a day, from one directory.
    Days,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Athena,
        Self::BigQuery,
        Self::ClickHouse,
        Self::DuckDb,
        Self::Postgres,
        Self::Redshift,
        Self::Snowflake,
        Self::Spark,
        Self::Trino,
    ];

    /// As its makers write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.abilities().name
    }

    pub(super) fn abilities(self) -> &'static Abilities {
        match self {
            Self::Athena => &athena::ABILITIES,
            Self::BigQuery => &bigquery::ABILITIES,
            Self::ClickHouse => &clickhouse::ABILITIES,
            Self::DuckDb => &duckdb::ABILITIES,
            Self::Postgres => &postgres::ABILITIES,
            Self::Redshift => &redshift::ABILITIES,
            Self::Snowflake => &snowflake::ABILITIES,
            Self::Spark => &spark::ABILITIES,
            Self::Trino => &trino::ABILITIES,
        }
    }

    pub(super) fn statements(self, table: &SqlTable<'_>) -> Result<String, Error> {
        match self {
            Self::Athena => athena::statements(table),
            Self::BigQuery => bigquery::statements(table),
            Self::ClickHouse => Ok(clickhouse::statements(table)),
            Self::DuckDb => Ok(duckdb::statements(table)),
            Self::Postgres => Ok(postgres::statements(table)),
            Self::Redshift => redshift::statements(table),
            Self::Snowflake => snowflake::statements(table),
            Self::Spark => Ok(spark::statements(table)),
            Self::Trino => trino::statements(table),
        }
    }
}

impl Abilities {
    /// # Errors
    /// [`Error::Engine`] if the engine can't have what is wanted.
    pub(super) fn check(
        &self,
        settings: &StatementSettings,
        (layout, unit): (Layout, PartitionUnit),
    ) -> Result<(), Error> {
        let refused = |problem: &str, instead| {
            Err(Error::Engine { engine: self.name, problem: problem.to_owned(), instead })
        };
        let StatementSettings { address, schema, load, day, .. } = settings;
        if *load && self.load == Load::Never {
            return refused("no statement is known that fills its own tables from a target", Instead::NoLoad);
        }
        if *load && layout == Layout::Delta {
            let problem = "a statement that loads files would also load those that the log of a Delta table does \
                           not count any more";
            return refused(problem, Instead::NoLoad);
        }
        match (address, &self.addresses) {
            (Some(_), Addresses::None) => {
                return refused("it reads no files of a target", Instead::NoAddress);
            }
            (None, Addresses::Begin(_, text)) => {
                let problem = format!("its tables are over the files of a target, at {text}");
                return refused(&problem, Instead::Address);
            }
            (Some(address), Addresses::Begin(beginnings, text))
                if !beginnings.iter().any(|beginning| address.starts_with(beginning)) =>
            {
                return refused(&format!("expected {text}, found {address:?}"), Instead::Address);
            }
            _ => {}
        }
        match day {
            Some(_) if *load && self.load == Load::Days && unit == PartitionUnit::Hour => {
                let problem = "it would load a day from its hours, and fail for each that has no directory";
                return refused(problem, Instead::NoLoad);
            }
            Some(_) if !*load && !self.adds_days => {
                return refused("a table over files of all days needs no statement for one", Instead::NoDay);
            }
            _ => {}
        }
        if schema.is_none() && !*load && self.needs_schema.contains(&layout) {
            return refused("its statements name the schema of a table", Instead::Schema);
        }
        Ok(())
    }
}
