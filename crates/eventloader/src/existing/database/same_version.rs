//! Ids and timestamps, and the table of an event type → which of them it has.
//!
//! Invariant: they are what the transaction sees, so whoever asks does so before it changes any rows.

use std::collections::HashSet;

use event_postgres::quoted_literal;
use events_core::sql_text::double_quoted;

use super::OpenDatabase;
use crate::{error::Error, existing::Versions};

/// So many are asked for at once.
const ASKED_AT_ONCE: usize = 1_000;

/// Those of `wanted` that are in a table of this name.
pub(crate) fn versions_in_database<'v>(
    database: &OpenDatabase,
    table: &str,
    wanted: &Versions<'v>,
) -> Result<HashSet<(i64, &'v str)>, Error> {
    let mut session = database.session();
    let name = format!("{}.{}", double_quoted(database.schema()), double_quoted(table));
    let is_there = session.query("SELECT pg_catalog.to_regclass($1)::text", &[&name])?;
    if is_there.into_iter().flatten().flatten().next().is_none() {
        return Ok(HashSet::new());
    }
    let all: Vec<_> =
        wanted.iter().flat_map(|(micros, ids)| ids.iter().map(move |id| (*micros, *id))).collect();
    let mut found = HashSet::new();
    for asked in all.chunks(ASKED_AT_ONCE) {
        // A text with U+0000 is no id of a row.
        let rows = (0..).zip(asked).filter(|(_, (_, id))| !id.contains('\0'));
        let values = rows.map(|(number, (micros, id)): (usize, &(i64, &str))| {
            // Microseconds need more than the 53 bits of a float.
            let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
            format!(
                "({number}, {}, timestamptz 'epoch' + interval '{seconds} seconds {micros} microseconds')",
                quoted_literal(id)
            )
        });
        let values: Vec<_> = values.collect();
        if values.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT asked.number FROM (VALUES {}) AS asked (number, event_id, at) WHERE EXISTS \
             (SELECT FROM {name} AS t WHERE t.event_id = asked.event_id AND t.\"timestamp\" = asked.at)",
            values.join(", ")
        );
        for number in session.query(&sql, &[])?.into_iter().flatten().flatten() {
            found.extend(number.parse().ok().and_then(|number: usize| asked.get(number)));
        }
    }
    Ok(found)
}
