//! Spilled rows of one event type, by ranges of their ids → the superseded ones.
//!
//! Invariant: the same rows are superseded, in the same way, as if they were in memory: everything that is
//! compared is spilled with each row.

use std::{hash::BuildHasher, ops::Range};

use event_rows::{Batch, Id, VersionOrder, hash_batch};

use super::{
    Deduper, range_of,
    samples::{self, Sampler},
    superseded::Resolved,
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

/// A spilled row of an event type that has a version.
#[derive(Debug, Clone)]
pub(crate) struct VersionedContender {
    pub(crate) text: Box<str>,
    pub(crate) key: Box<[u8]>,
    pub(crate) version: Version,
}

/// Which of so many buckets, or groups, has what has this hash.
fn one_of(count: u32, hash: u64) -> u32 {
    u32::try_from(hash % u64::from(count.max(1))).unwrap_or_default()
}

/// What is known of a spilled row.
pub(crate) trait SpilledContender {
    /// Its event's id.
    fn id(&self) -> Id<'_>;
    /// What it is judged by.
    fn version(&self) -> Version;
    /// What orders it among the versions of its event.
    fn order(&self) -> VersionOrder<'_> {
        let Version { micros, position, .. } = self.version();
        VersionOrder { key: None, micros, position }
    }
}

impl SpilledContender for UuidContender {
    fn id(&self) -> Id<'_> {
        Id::Uuid(self.uuid)
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl SpilledContender for TextContender {
    fn id(&self) -> Id<'_> {
        Id::Text(&self.text)
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl SpilledContender for VersionedContender {
    fn id(&self) -> Id<'_> {
        Id::of(&self.text)
    }

    fn version(&self) -> Version {
        self.version
    }

    fn order(&self) -> VersionOrder<'_> {
        let Version { micros, position, .. } = self.version;
        VersionOrder { key: Some(&self.key), micros, position }
    }
}

/// Spilled rows of one event type that may be versions of each other.
#[derive(Debug, Default, Clone)]
pub(crate) struct SpilledContenders {
    pub(crate) uuids: Vec<UuidContender>,
    pub(crate) texts: Vec<TextContender>,
    /// All of them, if the event type has a version.
    pub(crate) versioned: Vec<VersionedContender>,
}

impl SpilledContenders {
    pub(crate) fn len(&self) -> usize {
        self.uuids.len() + self.texts.len() + self.versioned.len()
    }

    pub(crate) fn append(&mut self, mut others: Self) {
        self.uuids.append(&mut others.uuids);
        self.texts.append(&mut others.texts);
        self.versioned.append(&mut others.versioned);
    }

    /// Each row's id, and what orders it.
    pub(crate) fn each(&self, mut look: impl FnMut(Id<'_>, VersionOrder<'_>)) {
        self.uuids.iter().for_each(|contender| look(contender.id(), contender.order()));
        self.texts.iter().for_each(|contender| look(contender.id(), contender.order()));
        self.versioned.iter().for_each(|contender| look(contender.id(), contender.order()));
    }
}

impl Deduper {
    /// Adds the rows of `batch` to `split`, for the spill file.
    pub(crate) fn split_for_spill(&self, batch: &Batch, split: &mut [SpilledContenders]) {
        let contents = hash_batch(&self.hasher, batch);
        for (row, (&micros, &position)) in batch.micros.iter().zip(&batch.positions).enumerate() {
            let (id, version) = (batch.ids.get(row), Version { micros, content: contents[row], position });
            let split = &mut split[range_of(self.hash(id, micros))];
            match (id, batch.version_order(row).key) {
                (id, Some(key)) => {
                    let text = samples::whole_text_of(id);
                    split.versioned.push(VersionedContender { text, key: key.into(), version });
                }
                (Id::Uuid(uuid), None) => split.uuids.push(UuidContender { uuid, version }),
                (Id::Text(text), None) => split.texts.push(TextContender { text: text.into(), version }),
            }
        }
    }

    /// Moves contenders to `split`, which has an entry for each range; those of other ranges are dropped.
    pub(crate) fn split_again(
        &self,
        contenders: SpilledContenders,
        ranges: &Range<usize>,
        split: &mut [SpilledContenders],
    ) {
        let place = |contender: &dyn SpilledContender| {
            let range = range_of(self.hash(contender.id(), contender.version().micros));
            ranges.contains(&range).then(|| range - ranges.start)
        };
        for contender in contenders.uuids {
            if let Some(place) = place(&contender) {
                split[place].uuids.push(contender);
            }
        }
        for contender in contenders.texts {
            if let Some(place) = place(&contender) {
                split[place].texts.push(contender);
            }
        }
        for contender in contenders.versioned {
            if let Some(place) = place(&contender) {
                split[place].versioned.push(contender);
            }
        }
    }

    /// Which of `buckets` an id falls into.
    pub(crate) fn bucket_of(&self, contender: &dyn SpilledContender, buckets: u32) -> u32 {
        self.bucket(contender.id(), contender.version().micros, buckets)
    }

    /// The same of an event that a text names.
    pub(crate) fn bucket_of_event(&self, id: &str, micros: i64, buckets: u32) -> u32 {
        self.bucket(Id::of(id), micros, buckets)
    }

    fn bucket(&self, id: Id<'_>, micros: i64, buckets: u32) -> u32 {
        one_of(buckets, self.hash(id, micros))
    }

    /// Which of `groups` a partition falls into, by its event type and its unit of time.
    pub(crate) fn group_of(&self, event_type: &(String, String), unit: i64, groups: u32) -> u32 {
        one_of(groups, self.hasher.hash_one((event_type, unit)))
    }

    /// The superseded rows among all contenders with some ids.
    pub(crate) fn superseded_of_range(&self, range: &SpilledContenders, sampler: Sampler<'_>) -> Resolved {
        let mut resolved = self.superseded_among(&range.uuids, sampler);
        resolved.append(self.superseded_among(&range.texts, sampler));
        resolved.append(self.superseded_among(&range.versioned, sampler));
        resolved
    }

    /// The superseded ones of contenders with ids of the same kind.
    fn superseded_among<C: SpilledContender>(&self, contenders: &[C], sampler: Sampler<'_>) -> Resolved {
        let mut pairs = self.find_superseded(
            &[contenders],
            |c| self.hash(c.id(), c.version().micros),
            |a, b| a.id() == b.id(),
            C::order,
        );
        // Those of an event become neighbours.
        pairs.sort_unstable_by_key(|(winner, _)| winner.version().position);
        versions::let_existing_win(&mut pairs, C::version);
        let of_versions = pairs.iter().map(|(winner, superseded)| (winner.version(), superseded.version()));
        let rows = versions::judge(of_versions);
        sampler.offer(&rows, &pairs, |c| c.order(), |c| samples::text_of(c.id()));
        let orders = pairs.iter().map(|(winner, superseded)| (winner.order(), superseded.order()));
        Resolved { rows, moves: versions::moves(orders) }
    }
}

/// The superseded rows whose ids fall into `ranges`; `contenders` reads some spilled ranges.
pub(crate) fn resolve_spilled(
    deduper: &Deduper,
    ranges: &Range<usize>,
    threads: usize,
    sampler: Sampler<'_>,
    contenders: impl Fn(&Range<usize>) -> Result<Vec<SpilledContenders>, Error> + Sync,
) -> Result<Vec<Resolved>, Error> {
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
