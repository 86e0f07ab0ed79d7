//! Lines, or the elements of an array → rows and bad lines, against the naive model.

use super::lines::{Case, blocks_of, pieces_of};

/// The first byte chooses one of 16 ways to read the rest, a text.
///
/// - What the model calls a row, a bad line (and why), blank or filtered, the loader does, with the same
///   values in all columns: the model reads JSON with `serde_json`, instants with `chrono`, numbers from
///   their digits.
/// - Each line has one fate, a bad one keeps its bytes, its offset and its line number.
/// - Read together, lines come to the same as each alone, also in what is told of a bad one.
pub fn line_to_row(bytes: &[u8]) {
    let Some((&options, text)) = bytes.split_first() else { return };
    let case = Case::of(options);
    let (blocks, pieces) = (blocks_of(text, case.block_bytes), pieces_of(text));
    assert_eq!(blocks.is_ok(), pieces.is_some(), "{blocks:?}");
    let (Ok(blocks), Some(pieces)) = (blocks, pieces) else { return };
    let together = case.lines(case.read(&blocks), &pieces);
    assert_eq!(together, case.read_each_alone(&blocks, &pieces), "together (left) is not alone (right)");
    let (candidates, fates) = (together.later_candidates(), together.fates.len());
    assert_eq!(together.lines, together.blank + together.filtered + fates - candidates, "{together:?}");
    assert_eq!(
        together.without_details(),
        case.expected(&pieces),
        "the loader (left) is not the model (right)"
    );
}
