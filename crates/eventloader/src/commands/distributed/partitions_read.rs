//! The partitions that each split has → those that the whole input has, for tasks that resolve.
//!
//! Where days of a target that was merged are overwritten, the rows that it has in these days don't count.
//! And a merge that changes the type of a column writes all partitions of a type again if the input has a row
//! of it. What one split has is not enough to know that, and to send what all splits have to all buckets
//! would be too much. So a split leaves a file, and sends its name.
//!
//! Invariant: a bucket is resolved with the partitions of all splits, or refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    attempt::Attempt,
    split::Work,
    task::{JobSpec, Task},
    wire::{Kind, Message, TypeName, broken},
};
use crate::error::Error;

/// Partitions: event types, and units of time.
pub(super) type Partitions = BTreeSet<(TypeName, i64)>;

/// Where the partitions of a split are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PartitionsOfSplit {
    split: usize,
    /// The name of a file in the exchange.
    file: String,
}

impl JobSpec {
    /// Whether tasks that resolve need to know which partitions the input has.
    pub(super) fn needs_partitions(&self) -> bool {
        let has_held = !self.held.is_empty();
        has_held && (self.overwrites_merged || !self.converted.is_empty())
    }
}

impl Task {
    /// The messages about the partitions of a split; none, if nobody needs them.
    pub(super) fn tell_partitions(
        &self,
        (split, attempt): (usize, &Attempt),
        partitions: impl Iterator<Item = (TypeName, i64)>,
    ) -> Result<Vec<Message>, Error> {
        if !self.job.needs_partitions() {
            return Ok(Vec::new());
        }
        let partitions: Partitions = partitions.collect();
        let text = serde_json::to_vec(&partitions).map_err(|error| broken(&error.to_string()))?;
        let file = attempt.put(&self.exchange, "partitions.json", &text)?;
        let told = PartitionsOfSplit { split, file };
        (0..self.job.buckets).map(|bucket| Message::json(Kind::Partitions, bucket, &told)).collect()
    }

    /// All partitions of the input, told by what each of some buckets has got; `None` if nobody needs them.
    pub(super) fn partitions_read(
        &self,
        told: &BTreeMap<u32, Vec<PartitionsOfSplit>>,
        buckets: &BTreeSet<u32>,
    ) -> Result<Option<Arc<Partitions>>, Error> {
        if !self.job.needs_partitions() {
            return Ok(None);
        }
        let splits = self.job.splits.iter().filter(|split| split.work != Work::Hash).count();
        let mut files = BTreeMap::new();
        for bucket in buckets {
            let of_bucket = told.get(bucket).map_or(&[][..], Vec::as_slice);
            let known: BTreeSet<_> = of_bucket.iter().map(|told| told.split).collect();
            if (known.len(), of_bucket.len()) != (splits, splits) {
                let count = of_bucket.len();
                return Err(broken(&format!(
                    "bucket {bucket} has the partitions of {count} of {splits} splits"
                )));
            }
            files.extend(of_bucket.iter().map(|told| (told.split, &told.file)));
        }
        self.partitions_in(files.into_values()).map(Some)
    }

    /// Reads them once: they are the same, whichever attempt has left them.
    fn partitions_in<'f>(&self, files: impl Iterator<Item = &'f String>) -> Result<Arc<Partitions>, Error> {
        if let Some(known) = self.partitions.get() {
            return Ok(Arc::clone(known));
        }
        let mut all = Partitions::new();
        for file in files {
            let text = self.exchange.read(file).map_err(Error::io("reading the partitions of a split"))?;
            let text = text.ok_or_else(|| broken(&format!("{file} is gone")))?;
            let of_split: Partitions =
                serde_json::from_slice(&text).map_err(|error| broken(&error.to_string()))?;
            all.extend(of_split);
        }
        Ok(Arc::clone(self.partitions.get_or_init(|| Arc::new(all))))
    }
}
