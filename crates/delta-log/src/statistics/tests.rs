//! Files of the real writer: what their statistics say, to the letter, and whether readers that go by them
//! find all rows.

mod naive;
mod random;
mod values;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, StructArray},
    datatypes::{DataType, Schema},
};
use event_parquet::{Codec, Encodings, FileWriter, Format, Scratch, Table};
use event_rows::{Batch, CHUNK_ROWS, Ids, Position, RowRef, Rows, chunk_rows};
use events_core::{catalog::Catalog, schema::TableForm};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader};
use serde_json::{Value as Json, json};

use self::values::{Value, array_of};
use super::statistics;

const FORMAT: Format = Format { codec: Codec::Zstd, encodings: Encodings::Compact };

/// The columns of a payload, as `name = 'type'`.
fn catalog_of(fields: &str) -> Catalog {
    let text = format!("[domain.a.events.b.fields]\n{fields}");
    Catalog::from_toml(&[("x.toml", &text)]).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Rows: the timestamps, and the values of each column that is no list, map or object, in the order of the
/// file.
struct Group {
    micros: Vec<i64>,
    columns: Vec<Vec<Option<Value>>>,
}

impl Group {
    fn batch(&self, schema: &Schema, base_columns: usize) -> Batch {
        let rows = u32::try_from(self.micros.len()).unwrap();
        let columns = schema.fields()[base_columns..].iter();
        let mut leaves = self.columns.iter();
        Batch {
            positions: (0..rows).map(|line| Position::new(0, line)).collect(),
            micros: self.micros.clone(),
            ids: Ids::Uuids((0..u128::from(rows)).map(|row| row << 64).collect()),
            columns: columns.map(|field| array(field.data_type(), &mut leaves)).collect(),
            versions: None,
        }
    }
}

/// The next column, or an object of the next ones.
fn array<'v>(data_type: &DataType, leaves: &mut impl Iterator<Item = &'v Vec<Option<Value>>>) -> ArrayRef {
    match data_type {
        DataType::Struct(fields) => {
            let members = fields.iter().map(|field| array(field.data_type(), leaves)).collect();
            Arc::new(StructArray::new(fields.clone(), members, None))
        }
        _ => array_of(data_type, leaves.next().unwrap()),
    }
}

/// The footer of a file of these row groups, each of which the writer has made as a file of its own.
fn footer_of(catalog: &Catalog, flatten: bool, groups: &[Group]) -> ParquetMetaData {
    let form = TableForm { flatten, has_event_type: true };
    let event_type = &catalog.event_types()[0];
    let table = Table::new(event_type, form, FORMAT).unwrap();
    let schema = form.schema(event_type);
    let footers: Vec<_> =
        groups.iter().map(|group| footer(&table, &group.batch(&schema, form.base_columns()))).collect();
    joined(&footers)
}

fn footer(table: &Table<'_>, batch: &Batch) -> ParquetMetaData {
    let batches = std::slice::from_ref(batch);
    let refs: Vec<_> = (0..batch.rows()).map(|row| RowRef::new(0, row)).collect();
    let mut scratch = Scratch::new(FORMAT.codec).unwrap();
    let mut writer = FileWriter::new(table, Vec::new()).unwrap();
    let mut rest = refs.as_slice();
    while !rest.is_empty() {
        let (refs, behind) = rest.split_at(chunk_rows(batches, rest, CHUNK_ROWS));
        writer.write(Rows { batches, refs }, &mut scratch).unwrap();
        rest = behind;
    }
    let (bytes, footer) = writer.finish(&mut scratch).unwrap();
    let tail = u32::from_le_bytes(*bytes[..bytes.len() - 4].last_chunk().unwrap()) as usize + 8;
    let read = ParquetMetaDataReader::decode_metadata(&bytes[bytes.len() - tail..bytes.len() - 8]).unwrap();
    assert_eq!(statistics(&read), statistics(&footer), "of the file and of its writer");
    footer
}

fn joined(footers: &[ParquetMetaData]) -> ParquetMetaData {
    let file = footers[0].file_metadata();
    let rows = footers.iter().map(|footer| footer.file_metadata().num_rows()).sum();
    let file = parquet::file::metadata::FileMetaData::new(
        file.version(),
        rows,
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let groups = footers.iter().flat_map(|footer| footer.row_groups().to_vec()).collect();
    ParquetMetaDataBuilder::new(file).set_row_groups(groups).build()
}

/// A column of the payload in a file of some row groups: minimum, maximum and nulls in its statistics.
fn of_column(value_type: &str, groups: &[&[Option<Value>]]) -> [Json; 3] {
    let catalog = catalog_of(&format!("x = '{value_type}'"));
    let group =
        |values: &&[Option<Value>]| Group { micros: vec![0; values.len()], columns: vec![values.to_vec()] };
    let groups: Vec<_> = groups.iter().map(group).collect();
    let text = statistics(&footer_of(&catalog, true, &groups));
    let all: Json = serde_json::from_str(&text).unwrap();
    ["minValues", "maxValues", "nullCount"].map(|name| all[name]["data_x"].clone())
}

/// What there is of a column of values if one of its bounds can't be written: nothing of any column.
fn none() -> [Json; 3] {
    [Json::Null, Json::Null, Json::Null]
}

fn ints(values: &[i128]) -> Vec<Option<Value>> {
    values.iter().map(|value| Some(Value::Int(*value))).collect()
}

fn texts(values: &[&str]) -> Vec<Option<Value>> {
    values.iter().map(|value| Some(Value::Text((*value).to_owned()))).collect()
}

fn floats(values: &[f64]) -> Vec<Option<Value>> {
    values.iter().map(|value| Some(Value::Float(*value))).collect()
}

#[test]
fn a_file_s_statistics_are_those_of_its_columns() {
    let catalog = catalog_of(
        "n = 'int32'\nlist = 'list(int32)'\no = { fields = { d = 'decimal(38,9)', b = 'boolean', f = 'float64' } }",
    );
    let form = TableForm { flatten: false, has_event_type: true };
    let event_type = &catalog.event_types()[0];
    let schema = form.schema(event_type);
    let DataType::Struct(fields) = schema.field(4).data_type() else { panic!("{schema}") };
    let list = arrow::array::new_null_array(fields[1].data_type(), 2);
    let of = |field: usize, values: Vec<Option<Value>>| array_of(fields[field].data_type(), &values);
    let DataType::Struct(members) = fields[2].data_type() else { panic!("{schema}") };
    let members: Vec<_> = [
        vec![Some(Value::Int(-12_345_678_901_234_567_890_123_456_789_012_345_678)), None],
        vec![Some(Value::Bool(true)), Some(Value::Bool(false))],
        floats(&[1.5, 2.5]),
    ]
    .iter()
    .zip(members)
    .map(|(values, member)| array_of(member.data_type(), values))
    .collect();
    let DataType::Struct(of_object) = fields[2].data_type() else { panic!("{schema}") };
    let object: ArrayRef = Arc::new(StructArray::new(of_object.clone(), members, None));
    let data = StructArray::new(fields.clone(), vec![of(0, ints(&[7, -7])), list, object], None);
    assert_eq!(data.column(0).as_primitive::<arrow::datatypes::Int32Type>().value(0), 7);
    let batch = Batch {
        positions: vec![Position::new(0, 0), Position::new(0, 1)],
        micros: vec![1_728_518_400_123_001, 1_728_518_400_123_001],
        ids: Ids::Uuids(vec![1, 2]),
        columns: vec![Arc::new(data)],
        versions: None,
    };
    let text = statistics(&footer(&Table::new(event_type, form, FORMAT).unwrap(), &batch));
    let (first, second) = ("00000000-0000-0000-0000-00000000", "00000000-0000-0000-0000-00000001");
    let instants = ("2024-10-10T00:00:00.123Z", "2024-10-10T00:00:00.124Z");
    assert_eq!(
        text,
        format!(
            "{{\"numRecords\":2,\
             \"minValues\":{{\"event_id\":\"{first}\",\"timestamp\":\"{}\",\"domain\":\"a\",\"event_type\":\"b\",\
             \"data\":{{\"n\":-7,\"o\":{{\"d\":-12345678901234567890123456789.012345678,\"b\":false}}}}}},\
             \"maxValues\":{{\"event_id\":\"{second}\",\"timestamp\":\"{}\",\"domain\":\"a\",\"event_type\":\"b\",\
             \"data\":{{\"n\":7,\"o\":{{\"d\":-12345678901234567890123456789.012345678,\"b\":true}}}}}},\
             \"nullCount\":{{\"event_id\":0,\"timestamp\":0,\"domain\":0,\"event_type\":0,\
             \"data\":{{\"n\":0,\"o\":{{\"d\":1,\"b\":0,\"f\":0}}}}}}}}",
            instants.0, instants.1
        )
    );
}

#[test]
fn bounds_of_row_groups_are_joined() {
    let nulls = [None, None];
    assert_eq!(of_column("int64", &[&ints(&[3, 5]), &nulls, &ints(&[-1])]), [json!(-1), json!(5), json!(2)]);
    assert_eq!(of_column("int64", &[&nulls, &nulls]), [Json::Null, Json::Null, json!(4)]);
    let extremes = [i64::MIN.into(), i64::MAX.into()];
    assert_eq!(of_column("int64", &[&ints(&extremes)]), [json!(i64::MIN), json!(i64::MAX), json!(0)]);
    assert_eq!(
        of_column("boolean", &[&[Some(Value::Bool(true)), None]]),
        [json!(true), json!(true), json!(1)]
    );
    let both = [Some(Value::Bool(true)), Some(Value::Bool(false))];
    assert_eq!(of_column("boolean", &[&both]), [json!(false), json!(true), json!(0)]);
}

#[test]
fn instants_are_rounded_to_the_milliseconds_around_them() {
    let bounds = |micros: &[i128]| of_column("timestamp", &[&ints(micros)]);
    let expected = |min: &str, max: &str| [json!(min), json!(max), json!(0)];
    assert_eq!(bounds(&[-1]), expected("1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"));
    assert_eq!(bounds(&[1_000, 2_001]), expected("1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.003Z"));
    let [least, greatest] = [-62_135_596_800_000_000, 253_402_300_799_999_000];
    assert_eq!(bounds(&[least, greatest]), expected("0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"));
    // Readers know no year 10000.
    assert_eq!(
        bounds(&[0, greatest + 1]),
        expected("1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999001Z")
    );
    assert_eq!(bounds(&[0, greatest + 1_000]), none());
    let dates = of_column("date", &[&ints(&[-719_162, 2_932_896])]);
    assert_eq!(dates, expected("0001-01-01", "9999-12-31"));
}

#[test]
fn numbers_with_a_fraction_have_all_digits_and_both_zeros() {
    let zero = |zero: f64| {
        let [min, max, _] = of_column("float64", &[&floats(&[zero])]).map(|bound| bound.as_f64().unwrap());
        (min.is_sign_negative(), max.is_sign_positive())
    };
    assert_eq!([0.0, -0.0].map(zero), [(true, true); 2]);
    let float = |values: &[f64]| of_column("float64", &[&floats(&[1.0]), &floats(values)]);
    assert_eq!(float(&[f64::MAX, 5e-324]), [json!(5e-324), json!(f64::MAX), json!(0)]);
    assert_eq!(float(&[f64::INFINITY]), none());
    assert_eq!(float(&[f64::NAN]), none());
    let catalog = catalog_of("d = 'decimal(4,4)'\ne = 'decimal(20,0)'");
    let columns = vec![ints(&[-5, 0]), ints(&[10_i128.pow(19), -10_i128.pow(19)])];
    let text = statistics(&footer_of(&catalog, true, &[Group { micros: vec![0; 2], columns }]));
    for part in [
        r#""data_d":-0.0005,"data_e":-10000000000000000000}"#,
        r#""data_d":0.0000,"data_e":10000000000000000000}"#,
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn long_texts_are_cut_and_the_greatest_rounded_up() {
    let bounds = |values: &[&str]| {
        let [min, max, _] = of_column("string", &[&texts(values)]);
        (min.as_str().map(str::to_owned), max.as_str().map(str::to_owned))
    };
    let of = |min: &str, max: &str| (Some(min.to_owned()), Some(max.to_owned()));
    let [a, e] = ["a".repeat(31), "é".repeat(32)];
    assert_eq!(bounds(&["", "é\"\0"]), of("", "é\"\0"));
    assert_eq!(bounds(&[&e]), of(&e, &e));
    assert_eq!(bounds(&[&format!("{a}bc")]), of(&format!("{a}b"), &format!("{a}c")));
    // The footer has 64 bytes of it at most, rounded up already.
    assert_eq!(bounds(&[&format!("{e}é")]), of(&e, &format!("{}ê", "é".repeat(31))));
    // Surrogates are no characters, and there is none behind U+10FFFF.
    assert_eq!(bounds(&[&format!("{a}\u{D7FF}x")]), of(&format!("{a}\u{D7FF}"), &format!("{a}\u{E000}")));
    assert_eq!(bounds(&["a\u{FFFF}", "a\u{1F600}"]), of("a\u{FFFF}", "a\u{1F600}"));
    assert_eq!(
        bounds(&[&format!("{a}\u{10FFFF}x")]),
        of(&format!("{a}\u{10FFFF}"), &format!("{}b", &a[1..]))
    );
    assert_eq!(bounds(&["", &"\u{10FFFF}".repeat(33)]), (None, None));
    assert_eq!(bounds(&["", &"\u{10FFFF}".repeat(32)]), of("", &"\u{10FFFF}".repeat(32)));
}

#[test]
fn the_first_columns_have_statistics_and_a_list_is_one_of_them() {
    let fields: String = (0..40)
        .map(|n| if n == 2 { "c2 = 'list(string)'\n".to_owned() } else { format!("c{n} = 'int32'\n") })
        .collect();
    let catalog = catalog_of(&fields);
    let form = TableForm { flatten: true, has_event_type: true };
    let event_type = &catalog.event_types()[0];
    let schema = form.schema(event_type);
    let columns =
        schema.fields()[4..].iter().map(|field| arrow::array::new_null_array(field.data_type(), 1)).collect();
    let (positions, ids) = (vec![Position::new(0, 0)], Ids::Uuids(vec![0]));
    let batch = Batch { positions, micros: vec![0], ids, columns, versions: None };
    let text = statistics(&footer(&Table::new(event_type, form, FORMAT).unwrap(), &batch));
    let all: Json = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = all["nullCount"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names.len(), 31, "the list has none: {names:?}");
    assert!(all["nullCount"]["data_c27"] == 1 && all["nullCount"]["data_c28"].is_null(), "{text}");
}
