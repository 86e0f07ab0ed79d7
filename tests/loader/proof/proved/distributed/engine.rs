//! An engine that does what engines may: splits in any order, some of them read twice, batches cut anywhere,
//! buckets and partitions in any company. Each task begins with nothing but the text that the driver gives.

use std::{collections::BTreeMap, ffi::OsString, thread, time::Duration};

use arrow::{
    array::{AsArray, RecordBatch, UInt32Array},
    compute::{concat_batches, take_record_batch},
    datatypes::Int32Type,
};
use eventloader::{
    commands::distributed::{Division, schema},
    program::distributed::{DistributedLoad, Ended, task},
};

use crate::support::events::Die;

/// Rows that have the same bucket.
fn grouped(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    let all = concat_batches(&schema(), batches).unwrap();
    let mut rows = BTreeMap::<i32, Vec<u32>>::new();
    for (row, bucket) in (0..).zip(all["bucket"].as_primitive::<Int32Type>().values()) {
        rows.entry(*bucket).or_default().push(row);
    }
    rows.into_values().map(|rows| take_record_batch(&all, &UInt32Array::from(rows)).unwrap()).collect()
}

/// Groups, some of them together.
fn in_company(groups: Vec<RecordBatch>, die: &mut Die) -> Vec<Vec<RecordBatch>> {
    let mut together: Vec<Vec<RecordBatch>> = Vec::new();
    for group in groups {
        match together.last_mut() {
            Some(last) if die.one_in(3) => last.push(group),
            _ => together.push(vec![group]),
        }
    }
    die.shuffle(&mut together);
    together
}

/// Opens a job. Tests beside this one start programs, which have the lock of a job that was given up until
/// they have begun.
pub(super) fn opened(arguments: &[OsString], division: Division) -> Result<DistributedLoad, Ended> {
    const LOCKED: u8 = 4;
    loop {
        match DistributedLoad::open(arguments, division) {
            Err(ended) if ended.exit_code == LOCKED => thread::sleep(Duration::from_millis(10)),
            opened => return opened,
        }
    }
}

/// What an engine does with a job.
pub(super) fn answers(job: &DistributedLoad, die: &mut Die) -> Result<Vec<RecordBatch>, Ended> {
    answers_of(job, die, |_, batches| batches)
}

/// The same, where something happens to the batches behind each of the three stages.
pub(super) fn answers_of(
    job: &DistributedLoad,
    die: &mut Die,
    mut befall: impl FnMut(usize, Vec<RecordBatch>) -> Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, Ended> {
    let task = || task(&job.handle());
    let mut splits: Vec<_> = (0..job.split_count()).collect();
    die.shuffle(&mut splits);
    let mut parsed = Vec::new();
    for split in splits {
        let task = task()?;
        if die.one_in(4) {
            // An attempt that dies somewhere.
            let mut lost = task.parse(split)?;
            (0..die.roll(3)).try_for_each(|_| lost.next_batch().map(drop))?;
        }
        let mut batches = task.parse(split)?;
        while let Some(batch) = batches.next_batch()? {
            parsed.push(batch);
        }
    }
    die.shuffle(&mut parsed);
    let parsed = befall(0, parsed);
    let mut resolved = Vec::new();
    for buckets in in_company(grouped(&parsed), die) {
        resolved.push(task()?.resolve(&buckets)?);
    }
    let resolved = befall(1, resolved);
    let mut written = Vec::new();
    for partitions in in_company(grouped(&resolved), die) {
        if die.one_in(4) {
            task()?.write(&partitions)?;
        }
        written.push(task()?.write(&partitions)?);
    }
    Ok(befall(2, written))
}
