//! Golden bytes and statements; decoding what was encoded, and what no server writes. `tests/database` has
//! the same against a real server.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    ListArray, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::Int32Type;
use event_rows::{Batch, Ids, Position, RowRef, Rows};
use events_core::{catalog::Catalog, schema::TableForm, table::TableColumns};

use crate::{DecodeError, Decoder, Encoder, HEADER, TRAILER, Table};

const FLAT: TableForm = TableForm { flatten: true, has_event_type: true };

const SALE: &str = r#"
[domain.card.events.sale]
description = "A sale's \\ slip"
[domain.card.events.sale.fields]
n = 'int32'
big = 'int64'
rate = 'float64'
ok = 'boolean'
amount = { type = 'decimal(10,2)', description = 'What was paid' }
day = 'date'
at = 'timestamp(ms)'
note = 'string'
raw = 'json'
tags = 'list(int32)'
items = { list = { fields = { sku = 'string', price = 'decimal(5,2)', sizes = 'list(int32)' } } }
more = 'map(date)'
"#;

fn catalog(text: &str) -> Catalog {
    Catalog::from_toml(&[("x.toml", text)]).unwrap()
}

fn sale() -> Table {
    Table::new("lake", &catalog(SALE).event_types()[0], FLAT).unwrap()
}

#[test]
fn the_statements_of_a_table() {
    let table = sale();
    assert_eq!(
        table.create(),
        r#"CREATE TABLE "lake"."sale" (
  "event_id" text COLLATE "C" NOT NULL,
  "timestamp" timestamp with time zone NOT NULL,
  "domain" text NOT NULL,
  "event_type" text NOT NULL,
  "data_n" integer,
  "data_big" bigint,
  "data_rate" double precision,
  "data_ok" boolean,
  "data_amount" numeric(10,2),
  "data_day" date,
  "data_at" timestamp with time zone,
  "data_note" text,
  "data_raw" text,
  "data_tags" integer[],
  "data_items" jsonb,
  "data_more" jsonb
);
COMMENT ON TABLE "lake"."sale" IS E'A sale''s \\ slip';
COMMENT ON COLUMN "lake"."sale"."data_amount" IS 'What was paid';
"#
    );
    assert_eq!(
        table.indexes(true),
        r#"CREATE UNIQUE INDEX "_sale_event_id" ON "lake"."sale" ("event_id");
CREATE INDEX "_sale_timestamp" ON "lake"."sale" ("timestamp");
"#
    );
    assert_eq!(table.drop_id_index(), "DROP INDEX IF EXISTS \"lake\".\"_sale_event_id\";\n");
    assert!(table.id_index(false).starts_with("CREATE INDEX "));
    let copy = table.copy_in();
    assert!(
        copy.starts_with(
            r#"COPY "lake"."sale" ("event_id", "timestamp", "domain", "event_type", "data_n", "#
        ),
        "{copy}"
    );
    assert!(copy.ends_with(r#""data_more") FROM STDIN (FORMAT binary)"#), "{copy}");
    let select = table.select(true);
    assert!(select.starts_with(r#"SELECT t.ctid, t."event_id", t."timestamp", t."data_n", "#), "{select}");
    assert!(select.ends_with(r#"t."data_more" FROM "lake"."sale" AS t"#), "{select}");
}

#[test]
fn a_table_with_other_columns_is_altered_in_one_statement() {
    let text = "[domain.card.events.sale.fields]\nn = 'int64'\nday = 'timestamp'\nnew = 'list(date)'\nnote = 'string'";
    let asked = Table::new("lake", &catalog(text).event_types()[0], FLAT).unwrap();
    let held = TableColumns::of(
        &catalog("[domain.card.events.sale.fields]\nday = 'date'\nn = 'int32'\nnote = 'string'")
            .event_types()[0],
        FLAT,
    );
    assert_eq!(
        asked.alter(&held),
        r#"ALTER TABLE "lake"."sale"
  ALTER COLUMN "data_n" TYPE bigint USING "data_n"::bigint,
  ALTER COLUMN "data_day" TYPE timestamp with time zone USING ("data_day"::timestamp AT TIME ZONE 'UTC'),
  ADD COLUMN "data_new" date[];
"#
    );
    assert_eq!(asked.alter(asked.columns()), "");
}

fn batch(columns: Vec<ArrayRef>, ids: Ids, micros: Vec<i64>) -> Batch {
    let positions = (0..).take(micros.len()).map(|row| Position::existing(0, row)).collect();
    Batch { positions, micros, ids, columns, versions: None }
}

/// A value of each type of array and a null row; lists of objects and maps are tested through the server.
fn two_sales() -> Batch {
    let null = |index: usize| {
        let columns = TableColumns::of(&catalog(SALE).event_types()[0], FLAT);
        let fields: Vec<_> = columns.fields().collect();
        new_null_array(fields[index].data_type(), 2)
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(-1), None])),
        Arc::new(Int64Array::from(vec![Some(i64::MIN), None])),
        Arc::new(Float64Array::from(vec![Some(-0.0), None])),
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(10, 2).unwrap()),
        Arc::new(Date32Array::from(vec![Some(0), None])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None]).with_timezone("UTC")),
        Arc::new(StringArray::from(vec![Some("ü"), None])),
        Arc::new(StringArray::from(vec![Some(""), None])),
        {
            let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(7), None]), None]);
            let fields: Vec<_> = TableColumns::of(&catalog(SALE).event_types()[0], FLAT).fields().collect();
            let arrow::datatypes::DataType::List(element) = fields[9].data_type() else { panic!() };
            Arc::new(ListArray::new(
                Arc::clone(element),
                list.offsets().clone(),
                Arc::clone(list.values()),
                list.nulls().cloned(),
            ))
        },
        null(10),
        null(11),
    ];
    batch(columns, Ids::Texts(StringArray::from(vec!["a", "bc"])), vec![946_684_800_000_000, 1])
}

fn encoded(table: &Table, batch: &Batch) -> Vec<u8> {
    let refs: Vec<_> = (0..batch.rows()).map(|row| RowRef::new(0, row)).collect();
    let mut bytes = Vec::new();
    Encoder::new(table)
        .encode(Rows { batches: std::slice::from_ref(batch), refs: &refs }, &mut bytes)
        .unwrap();
    bytes
}

#[test]
fn the_bytes_of_a_tuple() {
    let bytes = encoded(&sale(), &two_sales());
    let mut expected = Vec::new();
    let mut field = |bytes: &[u8]| {
        expected.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        expected.extend_from_slice(bytes);
    };
    field(b"a");
    field(&[0; 8]);
    field(b"card");
    field(b"sale");
    field(&[0xFF; 4]);
    field(&[0x80, 0, 0, 0, 0, 0, 0, 0]);
    field(&[0x80, 0, 0, 0, 0, 0, 0, 0]);
    field(&[1]);
    field(&[0, 2, 0, 0, 0, 0, 0, 2, 0, 12, 0x13, 0x88]);
    field(&(-10_957_i32).to_be_bytes());
    field(&(-946_684_800_000_000_i64).to_be_bytes());
    field("ü".as_bytes());
    field(b"");
    let words = [1, 1, 23, 2, 1, 4, 7, u32::MAX];
    field(&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>());
    let first = [&[0, 16], &expected[..], &[0xFF; 8]].concat();
    assert_eq!(bytes[..first.len()], first);
    let second = &bytes[first.len()..];
    assert_eq!(second[..8], [0, 16, 0, 0, 0, 2, b'b', b'c']);
    assert_eq!(second[second.len() - 12 * 4..], [0xFF; 48]);
}

/// What the server would send for the rows of the batch: without the domain and the event type.
fn answered(table: &Table, batch: &Batch, of_type: &[u8]) -> Vec<u8> {
    let mut bytes = encoded(table, batch);
    while let Some(at) = bytes.windows(of_type.len()).position(|window| window == of_type) {
        bytes.drain(at..at + of_type.len());
    }
    for at in 0..bytes.len() - 1 {
        if bytes[at..at + 2] == [0, 16] {
            bytes[at + 1] = 14;
        }
    }
    [HEADER, &bytes[..], TRAILER].concat()
}

#[test]
fn rows_are_decoded_whatever_the_pieces() {
    let (table, given) = (sale(), two_sales());
    let bytes = answered(&table, &given, b"\0\0\0\x04card\0\0\0\x04sale");
    for piece in [1, 2, 7, 64, bytes.len()] {
        let mut decoder = Decoder::new(&table, false);
        let mut batches = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.push(piece).unwrap();
            batches.extend(decoder.take_batch(2));
        }
        batches.extend(decoder.finish().unwrap());
        let [(found, ctids)] = &batches[..] else { panic!("{} batches", batches.len()) };
        assert_eq!((&found.columns, &found.micros, ctids.len()), (&given.columns, &given.micros, 0));
        assert_eq!(found.positions, given.positions);
        assert_eq!(found.columns[0].null_count(), 1);
    }
}

#[test]
fn what_no_server_writes_is_refused() {
    let (table, given) = (sale(), two_sales());
    let bytes = answered(&table, &given, b"\0\0\0\x04card\0\0\0\x04sale");
    let read = |bytes: &[u8]| {
        let mut decoder = Decoder::new(&table, false);
        decoder.push(bytes)?;
        decoder.finish()
    };
    assert!(read(&bytes).is_ok());
    for (problem, bytes) in [
        ("it does not begin as one does", [b"PGCOPY\r\n", &bytes[8..]].concat()),
        ("it has no end", bytes[..bytes.len() - 2].to_vec()),
        ("it has no end", bytes[..HEADER.len() + 20].to_vec()),
        ("it goes on behind its end", [&bytes[..], b"x"].concat()),
        (
            "a row has another number of columns than were asked for",
            [HEADER, &[0, 1, 0xFF, 0xFF, 0xFF, 0xFF][..]].concat(),
        ),
        ("a row has a negative number of columns", [HEADER, &[0xFF, 0xFE][..]].concat()),
        ("a value has a negative length", [HEADER, &[0, 1, 0xFF, 0xFF, 0xFF, 0xFE][..]].concat()),
    ] {
        assert_eq!(read(&bytes).unwrap_err(), DecodeError::Framing(problem));
    }
    // An int32 of three bytes.
    let mut bytes = bytes;
    let at = HEADER.len() + 2 + 5 + 12;
    assert_eq!(bytes[at..at + 8], [0, 0, 0, 4, 0xFF, 0xFF, 0xFF, 0xFF]);
    bytes[at + 3] = 3;
    bytes.remove(at + 4);
    let problem = "3 bytes, not 4".to_owned();
    assert_eq!(read(&bytes).unwrap_err(), DecodeError::Value { column: "data_n".to_owned(), problem });
}

#[test]
fn a_buffer_ends_with_the_row_that_fills_it() {
    let (table, given) = (sale(), two_sales());
    let (batches, refs) = ([given], [0, 1, 0].map(|row| RowRef::new(0, row)));
    let rows = Rows { batches: &batches, refs: &refs };
    let mut encoder = Encoder::new(&table);
    let (mut pieces, mut done) = (Vec::new(), 0);
    while done < rows.len() {
        let mut piece = Vec::new();
        done += encoder.encode_up_to(rows.range(done..rows.len()), 1, &mut piece).unwrap();
        pieces.push(piece);
    }
    let mut whole = Vec::new();
    encoder.encode(rows, &mut whole).unwrap();
    assert_eq!((pieces.len(), pieces.concat()), (3, whole));
}
