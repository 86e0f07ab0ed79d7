//! The position of a row: in the input, or in a target that a merge reads.
//!
//! Invariant: positions order rows as "latest" breaks ties between equal timestamps: rows of the target come
//! before the input, and rows of the input are in input order. Only a line that is replayed may come before
//! the target's rows: it was read before they were.

/// The position of a row, in eight bytes. It names the row, and it orders rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

/// The parts of a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The row was in the target before the run.
    Existing {
        /// The number of its file.
        file: u32,
        /// Its row in the file.
        row: u32,
    },
    /// The row comes from the input.
    Input {
        /// The number of its block.
        block: u32,
        /// Its line in the block.
        line: u32,
    },
    /// The event is of another day than those to be loaded, and may be a later version: it can supersede
    /// rows, and is not a row itself.
    LaterCandidate {
        /// The number of its block.
        block: u32,
        /// Its line in the block.
        line: u32,
    },
}

/// The bit of positions in the target. A position of the input that has none of the bits comes before them.
const EXISTING: u64 = 1 << 61;
/// The bit of positions in the input.
const INPUT: u64 = 1 << 62;
/// The bit of later candidates. They are later than every row, so their order among rows is never asked for.
const LATER_CANDIDATE: u64 = 1 << 63;

impl Position {
    /// The position of a line of the input.
    #[must_use]
    pub fn new(block: u32, line: u32) -> Self {
        Self(INPUT | u64::from(block) << 32 | u64::from(line))
    }

    /// The position of a row that the target already has.
    #[must_use]
    pub fn existing(file: u32, row: u32) -> Self {
        Self(EXISTING | u64::from(file) << 32 | u64::from(row))
    }

    /// The same line of the input, but before all rows of the target.
    #[must_use]
    pub fn before_existing(self) -> Self {
        Self(self.0 & !INPUT)
    }

    /// Whether the line comes behind another one of the input, wherever they stand among the target's rows.
    #[must_use]
    pub fn is_behind_in_input(self, other: Self) -> bool {
        self.0 & !INPUT > other.0 & !INPUT
    }

    /// The same line of the input, as a later candidate.
    #[must_use]
    pub fn as_later_candidate(self) -> Self {
        Self(self.0 | LATER_CANDIDATE)
    }

    /// Whether the row was in the target before the run.
    #[must_use]
    #[inline]
    pub fn is_existing(self) -> bool {
        self.0 & EXISTING != 0
    }

    /// Whether this is a later candidate.
    #[must_use]
    #[inline]
    pub fn is_later_candidate(self) -> bool {
        self.0 & LATER_CANDIDATE != 0
    }

    /// Takes the position apart.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the two halves apart")]
    pub fn place(self) -> Place {
        let place = self.0 & !(EXISTING | INPUT | LATER_CANDIDATE);
        let (high, low) = ((place >> 32) as u32, place as u32);
        if self.is_existing() {
            Place::Existing { file: high, row: low }
        } else if self.is_later_candidate() {
            Place::LaterCandidate { block: high, line: low }
        } else {
            Place::Input { block: high, line: low }
        }
    }

    /// The position from its eight bytes; the inverse of [`Self::to_bits`].
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The position as eight bytes.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_rows_come_before_the_input_and_later_candidates_behind_it() {
        let existing = Position::existing(u32::MAX >> 3, u32::MAX);
        let (first, last) = (Position::new(0, 0), Position::new(u32::MAX >> 3, u32::MAX));
        assert!(existing < first && first < last && last < first.as_later_candidate());
        let early = last.before_existing();
        assert!(early < Position::existing(0, 0) && !early.is_existing());
        assert_eq!(early.place(), last.place());
        assert!(early.is_behind_in_input(first) && !first.is_behind_in_input(early));
        assert_eq!(existing.place(), Place::Existing { file: u32::MAX >> 3, row: u32::MAX });
        assert_eq!(last.place(), Place::Input { block: u32::MAX >> 3, line: u32::MAX });
        assert_eq!(
            Position::new(3, 4).as_later_candidate().place(),
            Place::LaterCandidate { block: 3, line: 4 }
        );
        assert_eq!(Position::from_bits(last.to_bits()), last);
    }
}
