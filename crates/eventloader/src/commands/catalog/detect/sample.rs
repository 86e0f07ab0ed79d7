//! Sources → the beginnings of some of them, read before all else.
//!
//! Invariant: memory is bounded by [`BYTES_MAX`], and the sample depends on the sources alone.

use crate::{
    error::Error,
    input::{Source, look_at},
    runtime::Progress,
};

/// The most text that is looked at.
const BYTES_MAX: usize = 4 << 20;
/// The most sources that are looked at.
const SOURCES_MAX: usize = 16;

/// The beginnings of some sources.
#[derive(Debug)]
pub(crate) struct Sample(Vec<Vec<u8>>);

impl Sample {
    /// Looks at the first source, the last, and some between them.
    pub(crate) fn of(sources: &mut [Source], progress: &Progress) -> Result<Self, Error> {
        let looked_at = sources.len().min(SOURCES_MAX);
        let bytes = BYTES_MAX / looked_at.max(1);
        let (last, steps) = (sources.len().saturating_sub(1), looked_at.saturating_sub(1).max(1));
        let places = (0..looked_at).map(|step| step * last / steps);
        let texts = places.map(|index| look_at(&mut sources[index], bytes as u64, progress));
        Ok(Self(texts.collect::<Result<_, _>>()?))
    }

    /// Of one text.
    #[cfg(test)]
    pub(super) fn of_text(text: &[u8]) -> Self {
        Self(vec![text.to_vec()])
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}
