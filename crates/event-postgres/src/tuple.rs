//! Bytes of `COPY BINARY` → the fields of a tuple.
//!
//! Invariant: only whole tuples are cut, and each field lies within its tuple.

use crate::decoder::DecodeError;

/// What stands at the beginning of some bytes.
pub(crate) enum Cut<'b> {
    /// A tuple, and its length in bytes.
    Tuple(Fields<'b>, usize),
    /// The end, and its length in bytes.
    End(usize),
    /// The end has not come yet.
    Unfinished,
}

/// The fields of a tuple, or of an array: `None` for a null.
pub(crate) struct Fields<'b> {
    left: usize,
    bytes: &'b [u8],
}

impl<'b> Fields<'b> {
    /// Looks at a tuple: the number of its fields, then each with its length.
    pub(crate) fn cut(bytes: &'b [u8]) -> Result<Cut<'b>, DecodeError> {
        let Some((count, all)) = bytes.split_first_chunk::<2>() else { return Ok(Cut::Unfinished) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            return Ok(Cut::End(2));
        }
        let count = usize::try_from(count)
            .map_err(|_| DecodeError::Framing("a row has a negative number of columns"))?;
        let mut rest = all;
        for _ in 0..count {
            let Some((length, behind)) = rest.split_first_chunk::<4>() else { return Ok(Cut::Unfinished) };
            let length = match i32::from_be_bytes(*length) {
                -1 => 0,
                length => usize::try_from(length)
                    .map_err(|_| DecodeError::Framing("a value has a negative length"))?,
            };
            let Some(behind) = behind.get(length..) else { return Ok(Cut::Unfinished) };
            rest = behind;
        }
        let length = all.len() - rest.len();
        Ok(Cut::Tuple(Self { left: count, bytes: &all[..length] }, 2 + length))
    }

    /// The elements of an array, behind its front. They are checked while they are read.
    pub(crate) fn of_array(count: usize, bytes: &'b [u8]) -> Self {
        Self { left: count, bytes }
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// Whether all were read, and nothing is behind them.
    pub(crate) fn are_all_read(&self) -> bool {
        self.left == 0 && self.bytes.is_empty()
    }
}

/// Ends early where the bytes do.
impl<'b> Iterator for Fields<'b> {
    type Item = Option<&'b [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (length, behind) = self.bytes.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            self.bytes = behind;
            return Some(None);
        }
        let (field, behind) = behind.split_at_checked(usize::try_from(length).ok()?)?;
        self.bytes = behind;
        Some(Some(field))
    }
}
