//! Spilled rows of one event type, by ranges of their ids → those that lose.
//!
//! Invariant: the same rows lose, and in the same way, as if they were in memory: what is compared is written beside each.

use std::ops::Range;

use super::{
    Arbiter, range_of,
    samples::{self, Sampler},
    superseded::Loser,
    versions::{self, Version},
};
use crate::{batch::Batch, content, error::Error, ids::Id, workers};

/// A spilled row whose id is a UUID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UuidContender {
    pub(crate) uuid: u128,
    pub(crate) version: Version,
}

/// A spilled row whose id is another text.
#[derive(Debug, Clone)]
pub(crate) struct TextContender {
    pub(crate) text: Box<str>,
    pub(crate) version: Version,
}

/// Spilled rows of one event type that may be versions of each other.
#[derive(Debug, Default, Clone)]
pub(crate) struct SpilledContenders {
    pub(crate) uuids: Vec<UuidContender>,
    pub(crate) texts: Vec<TextContender>,
}

impl Arbiter {
    /// Adds the rows of `batch` to `split`, for the spill file.
    pub(crate) fn split_for_spill(&self, batch: &Batch, split: &mut [SpilledContenders]) {
        let contents = content::of_batch(&self.hasher, batch);
        for (row, (&micros, &position)) in batch.micros.iter().zip(&batch.positions).enumerate() {
            let (id, version) = (batch.ids.get(row), Version { micros, content: contents[row], position });
            let split = &mut split[range_of(self.hash(id, micros))];
            match id {
                Id::Uuid(uuid) => split.uuids.push(UuidContender { uuid, version }),
                Id::Text(text) => split.texts.push(TextContender { text: text.into(), version }),
            }
        }
    }

    /// The spilled rows of a range that lose.
    fn spilled_losers(&self, range: &SpilledContenders, sampler: Sampler<'_>) -> Vec<Loser> {
        let mut uuids = self.find_beaten(
            &[&range.uuids],
            |c| self.hash(Id::Uuid(c.uuid), c.version.micros),
            |a, b| a.uuid == b.uuid,
            |c| c.version.order(),
        );
        let mut texts = self.find_beaten(
            &[&range.texts],
            |c| self.hash(Id::Text(&c.text), c.version.micros),
            |a, b| a.text == b.text,
            |c| c.version.order(),
        );
        bring_events_together(&mut uuids, |c| c.version);
        bring_events_together(&mut texts, |c| c.version);
        let versions_of_uuids = uuids.iter().map(|(winner, loser)| (winner.version, loser.version));
        let versions_of_texts = texts.iter().map(|(winner, loser)| (winner.version, loser.version));
        let beaten: Vec<_> = versions_of_uuids.chain(versions_of_texts).collect();
        let losers = versions::judge(beaten.into_iter());
        sampler.offer(&losers, &uuids, |c| c.version.sampled(), |c| samples::text_of(Id::Uuid(c.uuid)));
        sampler.offer(&losers, &texts, |c| c.version.sampled(), |c| samples::text_of(Id::Text(&c.text)));
        losers
    }
}

/// Makes the pairs of an event neighbours, and lets the rows win that are to.
fn bring_events_together<'c, C>(beaten: &mut [(&'c C, &'c C)], version: impl Fn(&C) -> Version) {
    beaten.sort_unstable_by_key(|(winner, _)| version(winner).position);
    versions::let_held_win(beaten, version);
}

/// The spilled rows that lose, of those whose ids fall into `ranges`; `contenders` reads a range of them.
pub(crate) fn resolve_spilled(
    arbiter: &Arbiter,
    ranges: &Range<usize>,
    threads: usize,
    sampler: Sampler<'_>,
    contenders: impl Fn(usize) -> Result<SpilledContenders, Error> + Sync,
) -> Result<Vec<Vec<Loser>>, Error> {
    workers::map(threads, ranges.len(), |index| {
        Ok(arbiter.spilled_losers(&contenders(ranges.start + index)?, sampler))
    })
}
