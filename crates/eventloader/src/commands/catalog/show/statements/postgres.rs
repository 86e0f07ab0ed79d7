//! Tables → `PostgreSQL`: tables of its own.
//!
//! Invariant: a column has the type that a load into a database gives it.

use event_postgres::type_name;
use events_core::sql_text::{double_quoted, single_quoted};

use super::{
    SqlTable, comments,
    engine::{Abilities, Addresses, Load},
    lines,
    names::TableNaming,
    quoting::plain_or,
};

/// Names have at most NAMEDATALEN - 1 bytes, and longer ones are cut:
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
pub(super) const ABILITIES: Abilities = Abilities {
    name: "PostgreSQL",
    naming: TableNaming::AsDirectory,
    name_bytes_max: Some(63),
    addresses: Addresses::None,
    load: Load::Never,
    adds_days: false,
    needs_schema: &[],
};

pub(super) fn statements(table: &SqlTable<'_>) -> String {
    let name = table.name(identifier);
    let column =
        table.columns().map(|field| format!("{} {}", identifier(field.name()), type_name(field.data_type())));
    let comments = comments(table, ("TABLE", &name), table.columns(), identifier, single_quoted);
    format!("CREATE TABLE {name} (\n{}\n);\n{comments}", lines(column))
}

fn identifier(name: &str) -> String {
    plain_or(double_quoted, name)
}
