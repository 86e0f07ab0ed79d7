//! Lines, or the elements of an array → rows and bad lines, against the naive model.
//!
//! Invariant: see [`line_to_row`].

use super::lines::{Case, blocks_of, pieces_of};

/// The first byte chooses one of 16 ways to read the rest, a text.
///
/// - The loader agrees with the model about rows, bad lines (and the reason), blank and filtered lines, with
///   the same values in all columns. The model reads JSON with `serde_json`, instants with `chrono`, numbers
///   from their digits.
/// - Each line becomes exactly one thing; a bad one keeps its bytes, its offset and its line number.
/// - Lines that are read together give the same result as each line alone, including the details of bad ones.
pub fn line_to_row(bytes: &[u8]) {
    let Some((&options, text)) = bytes.split_first() else { return };
    let case = Case::of(options);
    let (blocks, pieces) = (blocks_of(text, case.block_bytes), pieces_of(text));
    assert_eq!(blocks.is_ok(), pieces.is_some(), "{blocks:?}");
    let (Ok(blocks), Some(pieces)) = (blocks, pieces) else { return };
    let together = case.lines(case.read(&blocks), &pieces);
    assert_eq!(together, case.read_each_alone(&blocks, &pieces), "together (left) is not alone (right)");
    let (candidates, outcomes) = (together.later_candidates(), together.outcomes.len());
    assert_eq!(together.lines, together.blank + together.filtered + outcomes - candidates, "{together:?}");
    assert_eq!(
        together.without_details(),
        case.expected(&pieces),
        "the loader (left) is not the model (right)"
    );
}
