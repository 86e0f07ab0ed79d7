//! How fast is a whole load without the disk? One thread; Parquet files are encoded but not kept
//! (`--dry-run`).
//!
//! The input is 200,000 events of datagen, one in twenty delivered twice, in a few large partitions or in
//! many small ones, flat or nested, with every codec. It includes what `reading` measures, so the difference
//! is the cost of latest, order and encoding. `eventloader -v` prints the time of each stage.
//!
//! ```sh
//! cargo bench -p eventloader --bench loading                    # all
//! cargo bench -p eventloader --bench loading -- few_large       # only few partitions
//! cargo bench -p eventloader --bench loading -- many_small::flat --sample-count 50
//! ```
//!
//! `reading.rs` says how to compare two commits.
#![allow(clippy::unwrap_used, reason = "a bench that can't go on should stop at that line")]

mod support;

use divan::Bencher;
use event_parquet::{Codec, Encodings, Format};
use event_parser::{Framing, Selection};
use event_target::{DedupeScope, Location, Mode};
use eventloader::{
    commands::load,
    runtime::{Controls, MEMORY_BYTES_DEFAULT},
    settings::{Input as LoadInput, Settings},
};
use events_core::{
    catalog::BUILT_IN,
    partition::{Layout, PartitionUnit},
};

use self::support::{Input, generated};

const EVENTS: u64 = 200_000;
const CODECS: [Codec; 3] = [Codec::Zstd, Codec::Snappy, Codec::None];

fn main() {
    divan::Divan::default().sample_count(10).config_with_args().main();
}

/// One day: five partitions of 40,000 rows.
mod few_large {
    use super::{Bencher, CODECS, Codec, measure, on_one_day};

    #[divan::bench(args = CODECS)]
    fn flat(bencher: Bencher, codec: Codec) {
        measure(bencher, on_one_day, true, codec);
    }

    #[divan::bench(args = CODECS)]
    fn nested(bencher: Bencher, codec: Codec) {
        measure(bencher, on_one_day, false, codec);
    }
}

/// datagen's own times, over 140 days: 700 partitions of 286 rows.
mod many_small {
    use super::{Bencher, CODECS, Codec, measure};

    #[divan::bench(args = CODECS)]
    fn flat(bencher: Bencher, codec: Codec) {
        measure(bencher, |_| (), true, codec);
    }

    #[divan::bench(args = CODECS)]
    fn nested(bencher: Bencher, codec: Codec) {
        measure(bencher, |_| (), false, codec);
    }
}

fn measure(bencher: Bencher, change_times: impl Fn(&mut [u8]), flatten: bool, codec: Codec) {
    let mut lines = generated(EVENTS);
    change_times(&mut lines);
    let input = Input::lines(&with_later_copies(&lines));
    let target = tempfile::tempdir().unwrap();
    let settings = Settings {
        framing: Framing::Auto,
        input: LoadInput::Sources { paths: input.sources(), skip_loaded: false },
        stores: eventloader::settings::StoreOptions::default(),
        target: Location::partitions(target.path().join("target")),
        catalog: BUILT_IN.clone(),
        selection: Selection::default(),
        flatten,
        layout: Layout::Plain,
        partition_unit: PartitionUnit::Day,
        mode: Mode::Overwrite,
        dedupe_scope: DedupeScope::Input,
        format: Format { codec, encodings: Encodings::Compact },
        memory_bytes: MEMORY_BYTES_DEFAULT,
        threads: 1,
        bad_lines_max: None,
        superseded_samples_max: 0,
        dry_run: true,
        report: None,
    };
    let controls = Controls::hidden();
    input.measure(bencher, || load::load(&settings, &controls).unwrap());
}

/// Writes the events' times anew, at even steps over one day.
fn on_one_day(lines: &mut [u8]) {
    const BEFORE: &[u8] = br#""timestamp": ""#;
    const AT: usize = br#"{"event_id": "00000000-0000-4000-8000-000000000000", "#.len() + BEFORE.len();
    let lines = lines.split_mut(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    for (event, line) in (0..).zip(lines) {
        let second: u64 = event * 86_400 / EVENTS;
        let time = format!("2024-10-10T{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
        assert!(line[..AT].ends_with(BEFORE), "datagen's lines have changed");
        line[AT..AT + time.len()].copy_from_slice(time.as_bytes());
    }
}

/// One line in twenty a second time, two thousand lines later.
fn with_later_copies(lines: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = lines.split_inclusive(|&byte| byte == b'\n').collect();
    let mut all = Vec::new();
    for number in 0..lines.len() + 2_000 {
        all.extend(lines.get(number).copied().unwrap_or_default());
        let copied = number.checked_sub(2_000).filter(|earlier| earlier.is_multiple_of(20));
        all.extend(copied.map(|earlier| lines[earlier]).unwrap_or_default());
    }
    all
}
