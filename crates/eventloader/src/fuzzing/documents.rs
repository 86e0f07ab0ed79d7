//! A way to divide, and a text → its documents and their records, cut into blocks of any size, against the
//! model.
//!
//! Invariant: see [`documents`].

use std::sync::Arc;

use event_parser::{Block, Content, Cutter, Framing, Line, Records, Unit};
use events_core::envelope::RecordsPath;
use naive_model::{Framing as ModelFraming, framing::pieces_in, records};

use super::lines::all_blocks;

/// From blocks of at most one document to one block for everything.
const BLOCK_BYTES: [usize; 7] = [1, 3, 16, 63, 65, 200, 1 << 16];

const FRAMINGS: [(Framing, ModelFraming); 4] = [
    (Framing::Auto, ModelFraming::Auto),
    (Framing::Documents, ModelFraming::Documents),
    (Framing::Lines, ModelFraming::Lines),
    (Framing::Auto, ModelFraming::Auto),
];

const PATHS: [&[&str]; 4] =
    [&["."], &["Records[]", "."], &["a[].b[]"], &["a[].b", "a", "\"a.b\"[].c[].d[]", "."]];

/// A record: its text, and whether it is out of place.
type Record<'t> = (&'t [u8], bool);

/// The first byte chooses a framing and paths to records; the others are a text.
///
/// - The blocks, concatenated, are the text; what they contain, or the error, is the same for every block
///   size.
/// - Documents and records are those of the model.
pub fn documents(bytes: &[u8]) {
    let Some((&options, text)) = bytes.split_first() else { return };
    let (framing, of_model) = FRAMINGS[usize::from(options & 3)];
    let paths: Vec<RecordsPath> =
        PATHS[usize::from(options >> 2 & 3)].iter().map(|path| path.parse().unwrap()).collect();
    let plan = Arc::new(Records::new(&paths, &[]));
    let pieces = pieces_in(text, of_model);
    let expected: Option<Vec<Record<'_>>> = pieces.as_ref().map(|pieces| {
        let of_piece = |piece| {
            let whole = vec![(without_mark(piece), piece.out_of_place)];
            let is_one = piece.out_of_place || is_blank(piece) || plan.are_documents();
            let found = if is_one { None } else { records(text, piece, &paths) };
            let found = found.map(|found| {
                found.iter().map(|piece| (piece.raw, piece.out_of_place || piece.no_records)).collect()
            });
            found.unwrap_or(whole)
        };
        pieces.iter().flat_map(of_piece).collect()
    });
    let mut first_error = None;
    for block_bytes in BLOCK_BYTES {
        let cutter = Cutter::new(text, block_bytes).framed(framing).with_records(&plan);
        match (all_blocks(cutter), &expected) {
            (Ok(blocks), Some(expected)) => {
                assert_are_the_text(&blocks, text);
                let found: Vec<_> = blocks.iter().flat_map(|block| records_in(block, &plan)).collect();
                assert_eq!(
                    shown(&found),
                    shown(expected),
                    "blocks of {block_bytes} bytes (left), the model (right)"
                );
            }
            (Err(error), None) => {
                assert_eq!(&error, first_error.get_or_insert(error.clone()), "blocks of {block_bytes} bytes");
            }
            (found, _) => panic!("blocks of {block_bytes} bytes: {found:?}, the model: {expected:?}"),
        }
    }
}

fn without_mark<'t>(piece: &naive_model::framing::Piece<'t>) -> &'t [u8] {
    let mark: &[u8] = if piece.offset == 0 { b"\xEF\xBB\xBF" } else { b"" };
    piece.raw.strip_prefix(mark).unwrap_or(piece.raw)
}

fn is_blank(piece: &naive_model::framing::Piece<'_>) -> bool {
    !piece.is_element && without_mark(piece).iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

fn records_in<'b>(block: &'b Block, plan: &'b Records) -> Vec<Record<'b>> {
    if let Content::Elements(elements) = &block.content {
        let of_documents = elements.iter().all(|element| !matches!(element.unit, Unit::Record(_)));
        assert!(of_documents, "a short document is cut by its reader");
    }
    let record = |line| match line {
        Line::Text(text) => (text, false),
        Line::OutOfPlace(text) => (text, true),
        Line::TooLong | Line::Continued => panic!("a line of less than 16 MiB is whole"),
    };
    block.lines(plan).map(record).collect()
}

fn assert_are_the_text(blocks: &[Block], text: &[u8]) {
    let mut offset = 0;
    for block in blocks {
        let bytes: &[u8] = &block.bytes;
        assert_eq!(block.offset, offset as u64);
        assert_eq!(Some(bytes), text.get(offset..offset + bytes.len()), "at {offset}");
        offset += bytes.len();
    }
    assert_eq!(offset, text.len());
}

fn shown(records: &[Record<'_>]) -> Vec<String> {
    let mark = |out_of_place| if out_of_place { "!" } else { "" };
    records.iter().map(|(raw, out)| format!("{}{}", mark(*out), raw.escape_ascii())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What documents are made of, and what breaks them.
    const PARTS: [&str; 40] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        " ",
        "\t",
        "\u{1e}",
        "1",
        "null",
        "tru",
        "x",
        "\"a\"",
        "\"b\":",
        "{\"a\":1}",
        "{\"Records\":[",
        "]}",
        "{\"a\":[",
        "{\"b\":[",
        "\"a.b\":",
        "{\"c\":[{\"d\":[",
        "},{",
        "},\n{",
        "}\n{",
        "}{",
        "[{",
        "{\n\"a\": 1\n}\n",
        "\"Records\": null",
        "{\"\\u0061\":[{\"b\":",
        "\"x\":{\"y\":[\"}{\"]},",
        "\u{feff}",
        "é",
        "{}",
        "{\"s\":\"",
        "\",\"b\":{\"z\":2}}",
        "\\ud83d",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn random_documents_are_divided_as_the_model_does(
            options in 0..16_u8, parts in proptest::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40)
        ) {
            documents(&[&[options], parts.concat().as_bytes()].concat());
        }
    }
}
