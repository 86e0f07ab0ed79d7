//! A transaction on the server, and rows in and out of tables in it.

use std::{
    env,
    io::{Read, Write},
};

use event_postgres::{Decoder, Encoder, HEADER, TRAILER, Table};
use event_rows::{Batch, RowRef, Rows};
use postgres::{Client, NoTls};

/// The schema of all tables.
pub(crate) const SCHEMA: &str = "a \"lake\"";

/// Calls it with a transaction that is rolled back; not at all without a server.
pub(crate) fn with_server(test: impl FnOnce(&mut Client)) {
    let Ok(address) = env::var("EVENTLOADER_POSTGRES") else { return };
    let mut client = Client::connect(&address, NoTls).unwrap();
    test(&mut client);
}

/// Begins a transaction with an empty schema.
pub(crate) fn begin(client: &mut Client) {
    let schema = events_core::sql_text::double_quoted(SCHEMA);
    client.batch_execute(&format!("BEGIN; CREATE SCHEMA {schema}")).unwrap();
}

/// Copies all rows into a table, in the order of the batch.
pub(crate) fn copy_in(client: &mut Client, table: &Table, batch: &Batch) -> Result<u64, postgres::Error> {
    let batches = std::slice::from_ref(batch);
    let refs: Vec<_> = (0..batch.rows()).map(|row| RowRef::new(0, row)).collect();
    let mut bytes = HEADER.to_vec();
    Encoder::new(table).encode(Rows { batches, refs: &refs }, &mut bytes).unwrap();
    bytes.extend_from_slice(TRAILER);
    let mut writer = client.copy_in(&table.copy_in())?;
    writer.write_all(&bytes).unwrap();
    writer.finish()
}

/// All rows of a table in the order of their ids, which is that of their bytes; with `ctid`s.
pub(crate) fn copy_out(client: &mut Client, table: &Table, piece_bytes: usize) -> Option<(Batch, Vec<u64>)> {
    let query = format!("COPY ({} ORDER BY t.event_id) TO STDOUT (FORMAT binary)", table.select(true));
    let mut bytes = Vec::new();
    client.copy_out(&query).unwrap().read_to_end(&mut bytes).unwrap();
    let mut decoder = Decoder::new(table, true);
    for piece in bytes.chunks(piece_bytes) {
        decoder.push(piece).unwrap();
    }
    decoder.finish().unwrap()
}

/// The values of a column as the server writes them, in the order of the ids.
pub(crate) fn texts(client: &mut Client, table: &Table, column: &str) -> Vec<Option<String>> {
    let column = events_core::sql_text::double_quoted(column);
    let query = format!("SELECT {column}::text FROM {} ORDER BY event_id", table.qualified_name());
    client.query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}
