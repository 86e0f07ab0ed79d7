//! Spilled rows of one event type, by ranges of their ids → the superseded ones.
//!
//! Invariant: the same rows are superseded, in the same way, as if they were in memory: everything that is
//! compared is spilled with each row.

use std::ops::Range;

use event_rows::{Batch, Id, hash_batch};

use super::{
    Deduper, range_of,
    samples::{self, Sampler},
    superseded::SupersededRow,
    versions::{self, Version},
};
use crate::error::Error;

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

impl SpilledContenders {
    pub(crate) fn len(&self) -> usize {
        self.uuids.len() + self.texts.len()
    }

    pub(crate) fn append(&mut self, mut others: Self) {
        self.uuids.append(&mut others.uuids);
        self.texts.append(&mut others.texts);
    }
}

impl Deduper {
    /// Adds the rows of `batch` to `split`, for the spill file.
    pub(crate) fn split_for_spill(&self, batch: &Batch, split: &mut [SpilledContenders]) {
        let contents = hash_batch(&self.hasher, batch);
        for (row, (&micros, &position)) in batch.micros.iter().zip(&batch.positions).enumerate() {
            let (id, version) = (batch.ids.get(row), Version { micros, content: contents[row], position });
            let split = &mut split[range_of(self.hash(id, micros))];
            match id {
                Id::Uuid(uuid) => split.uuids.push(UuidContender { uuid, version }),
                Id::Text(text) => split.texts.push(TextContender { text: text.into(), version }),
            }
        }
    }

    /// Adds the contenders whose ids fall into `ranges` to `split`, which has an entry for each of these.
    pub(crate) fn split_again(
        &self,
        contenders: SpilledContenders,
        ranges: &Range<usize>,
        split: &mut [SpilledContenders],
    ) {
        let place = |id: Id<'_>, version: &Version| {
            let range = range_of(self.hash(id, version.micros));
            ranges.contains(&range).then(|| range - ranges.start)
        };
        for contender in contenders.uuids {
            if let Some(place) = place(Id::Uuid(contender.uuid), &contender.version) {
                split[place].uuids.push(contender);
            }
        }
        for contender in contenders.texts {
            if let Some(place) = place(Id::Text(&contender.text), &contender.version) {
                split[place].texts.push(contender);
            }
        }
    }

    /// The superseded rows of a spilled range.
    fn superseded_of_range(&self, range: &SpilledContenders, sampler: Sampler<'_>) -> Vec<SupersededRow> {
        let mut uuids = self.find_superseded(
            &[&range.uuids],
            |c| self.hash(Id::Uuid(c.uuid), c.version.micros),
            |a, b| a.uuid == b.uuid,
            |c| c.version.order(),
        );
        let mut texts = self.find_superseded(
            &[&range.texts],
            |c| self.hash(Id::Text(&c.text), c.version.micros),
            |a, b| a.text == b.text,
            |c| c.version.order(),
        );
        bring_events_together(&mut uuids, |c| c.version);
        bring_events_together(&mut texts, |c| c.version);
        let versions_of_uuids = uuids.iter().map(|(winner, superseded)| (winner.version, superseded.version));
        let versions_of_texts = texts.iter().map(|(winner, superseded)| (winner.version, superseded.version));
        let pairs: Vec<_> = versions_of_uuids.chain(versions_of_texts).collect();
        let superseded_rows = versions::judge(pairs.into_iter());
        sampler.offer(
            &superseded_rows,
            &uuids,
            |c| c.version.sampled(),
            |c| samples::text_of(Id::Uuid(c.uuid)),
        );
        sampler.offer(
            &superseded_rows,
            &texts,
            |c| c.version.sampled(),
            |c| samples::text_of(Id::Text(&c.text)),
        );
        superseded_rows
    }
}

/// Makes the pairs of an event neighbours, and keeps an existing row if it has the same content.
fn bring_events_together<'c, C>(pairs: &mut [(&'c C, &'c C)], version: impl Fn(&C) -> Version) {
    pairs.sort_unstable_by_key(|(winner, _)| version(winner).position);
    versions::let_existing_win(pairs, version);
}

/// The superseded rows whose ids fall into `ranges`; `contenders` reads some spilled ranges.
pub(crate) fn resolve_spilled(
    deduper: &Deduper,
    ranges: &Range<usize>,
    threads: usize,
    sampler: Sampler<'_>,
    contenders: impl Fn(&Range<usize>) -> Result<Vec<SpilledContenders>, Error> + Sync,
) -> Result<Vec<Vec<SupersededRow>>, Error> {
    // As few shares as possible, because one piece of the spill file may have contenders for all of them.
    let shares = threads.min(ranges.len());
    let superseded = workers::map(threads, shares, |share| {
        let place = |share: usize| ranges.start + ranges.len() * share / shares;
        let contenders = contenders(&(place(share)..place(share + 1)))?;
        let resolved = contenders.into_iter().map(|of_range| deduper.superseded_of_range(&of_range, sampler));
        Ok::<_, Error>(resolved.collect::<Vec<_>>())
    })?;
    Ok(superseded.into_iter().flatten().collect())
}
