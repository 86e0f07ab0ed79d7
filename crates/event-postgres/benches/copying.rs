//! How long does a row take on its way into `COPY BINARY`, and back? One thread, no server.
//!
//! 100,000 rows of the built-in `payment-to`, in the order of their timestamps, so that neighbours are of
//! different batches, as in a load. Divan shows rows per second.
//!
//! ```sh
//! cargo bench -p event-postgres
//! ```
#![allow(clippy::unwrap_used, reason = "a bench that can't go on should stop at that line")]

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray};
use divan::{Bencher, black_box, counter::ItemsCount};
use event_postgres::{Decoder, Encoder, HEADER, TRAILER, Table};
use event_rows::{Batch, Ids, Position, RowRef, Rows};
use events_core::{
    catalog::{BUILT_IN, EventType},
    schema::TableForm,
};

const ROWS: u32 = 100_000;
const BATCH_ROWS: u32 = 20_000;
/// What a load sends at once.
const PIECE_BYTES: usize = 1 << 20;

fn main() {
    divan::main();
}

#[divan::bench]
fn encode(bencher: Bencher) {
    let (table, batches) = (table(), batches());
    let refs = in_order(&batches);
    let rows = Rows { batches: &batches, refs: &refs };
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let (mut encoder, mut piece, mut done) =
            (Encoder::new(&table), Vec::with_capacity(2 * PIECE_BYTES), 0);
        while done < rows.len() {
            piece.clear();
            done += encoder.encode_up_to(rows.range(done..rows.len()), PIECE_BYTES, &mut piece).unwrap();
            black_box(&piece);
        }
    });
}

/// A table of the payload's columns alone has them in the order in which they are selected.
#[divan::bench]
fn decode(bencher: Bencher) {
    let (table, batches) = (table(), batches());
    let refs = in_order(&batches);
    let mut tuples = Vec::new();
    Encoder::new(&table).encode(Rows { batches: &batches, refs: &refs }, &mut tuples).unwrap();
    let bytes = answer(&tuples);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut decoder = Decoder::new(&table, false);
        for piece in bytes.chunks(PIECE_BYTES) {
            decoder.push(piece).unwrap();
            black_box(decoder.take_batch(2_048));
        }
        black_box(decoder.finish().unwrap());
    });
}

/// What a server answers: the tuples without the domain and the event type, the third and the fourth field.
fn answer(mut tuples: &[u8]) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    while let Some((count, rest)) = tuples.split_first_chunk::<2>() {
        let count = i16::from_be_bytes(*count);
        bytes.extend_from_slice(&(count - 2).to_be_bytes());
        tuples = rest;
        for field in 0..count {
            let length = u32::from_be_bytes(*tuples.first_chunk().unwrap());
            let (field_bytes, rest) = tuples.split_at(4 + length as usize);
            if !matches!(field, 2 | 3) {
                bytes.extend_from_slice(field_bytes);
            }
            tuples = rest;
        }
    }
    bytes.extend_from_slice(TRAILER);
    bytes
}

fn event_type() -> &'static EventType {
    BUILT_IN.event_types().iter().find(|event_type| event_type.name == "payment-to").unwrap()
}

fn table() -> Table {
    Table::new("lake", event_type(), TableForm { flatten: true, has_event_type: true }).unwrap()
}

/// A number that looks random.
fn scattered(row: u32) -> u128 {
    (u128::from(row) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
}

fn batches() -> Vec<Batch> {
    let batch = |first: u32| {
        let numbers: Vec<_> = (first..first + BATCH_ROWS).map(scattered).collect();
        let texts = |front: &str, most: u128| -> ArrayRef {
            Arc::new(
                numbers
                    .iter()
                    .map(|number| Some(format!("{front}{}", number % most)))
                    .collect::<StringArray>(),
            )
        };
        let amounts = numbers.iter().map(|number| i128::try_from(number % 10_000_000).unwrap());
        let amounts = Decimal128Array::from_iter_values(amounts).with_precision_and_scale(10, 2).unwrap();
        let micros = |number: &u128| 1_728_518_400_000_000 + i64::try_from(number % 86_400_000_000).unwrap();
        Batch {
            positions: (0..BATCH_ROWS).map(|row| Position::new(first, row)).collect(),
            micros: numbers.iter().map(micros).collect(),
            ids: Ids::Uuids(numbers.clone()),
            columns: vec![
                texts("", 900_000),
                texts("account-", 100_000),
                texts("account-", 100_000),
                Arc::new(amounts),
            ],
            versions: None,
        }
    };
    (0..ROWS).step_by(BATCH_ROWS as usize).map(batch).collect()
}

fn in_order(batches: &[Batch]) -> Vec<RowRef> {
    let of_batch =
        |(index, batch): (usize, &Batch)| (0..batch.rows()).map(move |row| RowRef::new(index, row));
    let mut refs: Vec<_> = batches.iter().enumerate().flat_map(of_batch).collect();
    refs.sort_by_key(|row| row.micros(batches));
    refs
}
