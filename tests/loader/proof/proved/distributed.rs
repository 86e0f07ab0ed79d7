//! A load in pieces, in the hands of an engine that does what engines may: splits of any size, in any order,
//! some of them read twice, batches cut anywhere, buckets and partitions in any company.
//!
//! The engine here is this test. Each task begins with nothing but the text that the driver gives it.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use arrow::{
    array::{AsArray, RecordBatch, UInt32Array},
    compute::{concat_batches, take_record_batch},
    datatypes::Int32Type,
};
use eventloader::{
    commands::distributed::{Division, schema},
    program::distributed::{DistributedLoad, Ended, task},
};
use serde_json::Value;

use super::combination::{Combination, Generated, Way};
use crate::support::{
    events::Die,
    files::{Tree, assert_same_tree, published},
    workdir::Workdir,
};

const COMBINATIONS: u64 = 36;

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
fn opened(arguments: &[OsString], division: Division) -> Result<DistributedLoad, Ended> {
    const LOCKED: u8 = 4;
    loop {
        match DistributedLoad::open(arguments, division) {
            Err(ended) if ended.exit_code == LOCKED => thread::sleep(Duration::from_millis(10)),
            opened => return opened,
        }
    }
}

/// What an engine does with a job.
fn answers(job: &DistributedLoad, die: &mut Die) -> Result<Vec<RecordBatch>, Ended> {
    answers_of(job, die, |_, batches| batches)
}

/// The same, where something happens to the batches behind each of the three stages.
fn answers_of(
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

/// The stages are those of one machine, which read and write as many bytes. Here one task runs after the
/// other, so all together take no longer than the load.
fn check_stages(job: &Value, one: &Value, what: &str) {
    let stages = |report: &Value| report["stages"].as_array().unwrap().clone();
    let bytes = |report: &Value| -> Vec<_> {
        stages(report).iter().map(|stage| (stage["stage"].clone(), stage["bytes"].clone())).collect()
    };
    assert_eq!(bytes(job), bytes(one), "{what}");
    let times: u64 = stages(job).iter().map(|stage| stage["thread_ms"].as_u64().unwrap()).sum();
    let longest = job["duration_ms"].as_u64().unwrap();
    let is_short = longest < 1_000;
    assert!(times <= longest && (is_short || times > 0), "{times} ms of {longest} ms; {what}");
}

/// A report without its times.
fn untimed(mut report: Value) -> Value {
    for name in ["stages", "duration_ms"] {
        report.as_object_mut().unwrap().remove(name);
    }
    report
}

fn listed(dir: &Workdir, target: &str) -> Vec<Value> {
    let listed = dir.bare_loader().args(["list", "--json"]).arg(dir.path(target)).succeeds();
    let untimed = |line: &str| {
        let mut load: Value = serde_json::from_str(line).unwrap();
        load.as_object_mut().unwrap().remove("at");
        load
    };
    listed.stdout.lines().map(untimed).collect()
}

/// Of a random combination, what an engine does.
fn combination(seed: u64) -> Combination {
    let mut die = Die::new(seed);
    let made = [Combination::random, Combination::random_dressed, Combination::random_changed];
    let mut made = made[usize::try_from(seed % 3).unwrap()](&mut die);
    made.way = *die.pick(&[Way::Backfill, Way::Merges]);
    made.killed_at = None;
    for flag in ["--memory", "--threads"] {
        while let Some(at) = made.flags.iter().position(|argument| argument == flag) {
            made.flags.drain(at..=at + 1);
        }
    }
    made
}

/// The arguments of each load.
fn loads(combination: &Combination, generated: &Generated, die: &mut Die) -> Vec<Vec<String>> {
    let texts = |arguments: &[&str]| arguments.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    if combination.way == Way::Merges {
        let files: Vec<_> = generated.files.iter().map(|file| file.display().to_string()).collect();
        let skips_loaded = die.one_in(3);
        let merge = |number: usize| {
            // With those that were loaded before.
            let first = if skips_loaded { 0 } else { number };
            let sources = files[first..=number].iter().flat_map(|file| ["-s", file]);
            let flags = ["--backfill", "--mode", "merge"].into_iter();
            let flags = flags.chain(skips_loaded.then_some("--skip-loaded"));
            texts(&sources.chain(flags).collect::<Vec<_>>())
        };
        let mut loads: Vec<_> = (0..files.len()).map(merge).collect();
        // The last one again changes nothing.
        loads.extend(loads.last().cloned());
        if die.one_in(2) {
            // Days of a target that was merged are overwritten.
            let file: &String = die.pick(&files);
            loads.push(texts(&["-s", file, "--backfill"]));
        }
        return loads;
    }
    let days: Vec<_> = generated.days().into_iter().collect();
    let days = match days.as_slice() {
        [first, .., last] if die.one_in(3) => texts(&["--since", first, "--until", last]),
        [first, ..] if die.one_in(3) => texts(&["--date", first]),
        _ => texts(&["--backfill"]),
    };
    vec![[texts(&["-s", &generated.directory()]), days].concat()]
}

/// A tree without what two runs name and date differently: the ids of runs in a target of tables, and the
/// times in the logs of these.
fn without_names(tree: Tree) -> Tree {
    let mut nameless = BTreeMap::<String, Vec<Vec<u8>>>::new();
    for (path, bytes) in tree {
        let log = path.split_once("/_delta_log/").map(|(_, name)| name);
        let is_version = |name: &str| name.trim_start_matches(|c: char| c.is_ascii_digit()) == ".json";
        match log {
            None => nameless.entry(without_ids(&path)).or_default().push(bytes),
            Some(name) if is_version(name) => nameless.entry(path).or_default().push(without_times(&bytes)),
            // Checkpoints follow from the versions.
            Some(_) => {}
        }
    }
    // Files that were replaced stay in a table until a sweep.
    let joined = |(path, mut bytes): (String, Vec<Vec<u8>>)| {
        bytes.sort();
        (path, bytes.concat())
    };
    nameless.into_iter().map(joined).collect()
}

fn without_ids(text: &str) -> String {
    const ID_DIGITS: usize = 32;
    let mut rest = text;
    let mut without = String::new();
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let taken = if digits == ID_DIGITS { digits } else { digits.max(first.len_utf8()) };
        without.push_str(if digits == ID_DIGITS { "ID" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    without
}

fn without_times(log: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in String::from_utf8(log.to_vec()).unwrap().lines() {
        let mut action: Value = serde_json::from_str(line).unwrap();
        for inner in action.as_object_mut().unwrap().values_mut() {
            let inner = inner.as_object_mut().unwrap();
            for name in
                ["timestamp", "modificationTime", "deletionTimestamp", "lastUpdated", "createdTime", "id"]
            {
                inner.remove(name);
            }
        }
        lines.push(without_ids(&action.to_string()));
    }
    lines.join("\n").into_bytes()
}

/// A load by one machine and the same by a job leave the same.
fn load_both(dir: &Workdir, combination: &Combination, arguments: &[String], die: &mut Die, what: &str) {
    let division = Division {
        split_bytes: 10_000 + die.roll(200_000),
        buckets: die.one_in(2).then(|| 1 + u32::try_from(die.roll(20)).unwrap()),
        task_memory_bytes: die.one_in(3).then_some(64 << 20),
    };
    load_divided(dir, combination, arguments, (division, die), what);
}

fn load_divided(
    dir: &Workdir,
    combination: &Combination,
    arguments: &[String],
    (division, die): (Division, &mut Die),
    what: &str,
) {
    let one = combination.loader(dir, "one").args(arguments).run();
    let path = |name: &str| dir.path(name).display().to_string();
    let mut of_job = vec!["eventloader".to_owned(), "-q".to_owned(), "-t".to_owned(), path("job")];
    of_job.extend(arguments.iter().chain(&combination.flags).cloned());
    if dir.path("catalog.toml").exists() {
        of_job.extend(["--catalog".to_owned(), path("catalog.toml")]);
    }
    let of_job: Vec<_> = of_job.into_iter().map(OsString::from).collect();
    let what = format!("{what}; {division:?}; {arguments:?}");
    let report = opened(&of_job, division).and_then(|load| match answers(&load, die) {
        Ok(answers) => load.commit(&answers),
        Err(ended) => {
            load.abandon();
            Err(ended)
        }
    });
    match (one.status.code(), report) {
        (Some(0), Ok(report)) => {
            let report: Value = serde_json::from_str(&report).unwrap();
            check_stages(&report, one.report(), &what);
            assert_eq!(untimed(report), untimed(one.report().clone()), "{what}");
        }
        (Some(code), Err(ended)) if code == i32::from(ended.exit_code) => {
            let message = ended.message.unwrap_or_default().replace(&path("job"), &path("one"));
            assert_eq!(one.stderr.trim_end(), format!("error: {message}"), "{what}");
        }
        (_, outcome) => panic!("{what}: {outcome:?}\n{one}"),
    }
    let trees = ["one", "job"].map(|target| without_names(published(&dir.path(target))));
    assert_same_tree(&trees[0], &trees[1], &what);
    let staged = dir.path("job/_eventloader/staging");
    assert!(!staged.exists() || fs_err::read_dir(&staged).unwrap().next().is_none(), "{what}");
    if one.status.success() {
        assert_eq!(listed(dir, "one"), listed(dir, "job"), "{what}");
        dir.bare_loader().arg("verify").arg(dir.path("job")).succeeds();
    }
}

/// More files than a process may have open.
#[test]
fn a_day_of_many_splits_is_merged_from_all_of_them() {
    let combination = Combination::new("simple", &["-n", "1700", "--faults", "corrections=90"]);
    let (dir, mut die) = (Workdir::new(), Die::new(1));
    let generated = combination.generate(&dir);
    let arguments = ["-s", &generated.directory(), "--backfill"].map(str::to_owned);
    let division = Division { split_bytes: 1_000, buckets: Some(2), task_memory_bytes: None };
    load_divided(&dir, &combination, &arguments, (division, &mut die), "many splits");
}

#[test]
fn a_job_leaves_what_one_machine_leaves() {
    let combinations = env::var("PROVED_COMBINATIONS").ok().and_then(|text| text.parse().ok());
    let combinations = combinations.unwrap_or(COMBINATIONS);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < combinations)
                {
                    let (dir, mut die) = (Workdir::new(), Die::new(1_000 + seed));
                    let mut combination = combination(seed);
                    let samples = format!("--superseded-samples={}", die.roll(9));
                    combination.flags.push(samples);
                    let generated = combination.generate(&dir);
                    for arguments in loads(&combination, &generated, &mut die) {
                        let what = format!("combination {seed}, {combination}");
                        load_both(&dir, &combination, &arguments, &mut die, &what);
                    }
                }
            });
        }
    });
}

/// A sale of a shop, in its version.
fn sale(id: u32, version: u32, timestamp: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "sale", "data": {{"n": {version}}}}}"#
    )
}

/// Where a version decides, events may move to earlier days, and in a circle; and bad lines stand among them.
#[test]
fn events_move_between_days_as_they_do_on_one_machine() {
    let mut combination = Combination::new("simple", &[]);
    for seed in 0..12 {
        let (dir, mut die) = (Workdir::new(), Die::new(seed));
        let catalog =
            "[domain.shop.events.sale]\nversion = 'n'\n[domain.shop.events.sale.fields]\nn = 'int64'\n";
        dir.write("shop.toml", catalog);
        combination.flags = vec!["--catalog".to_owned(), dir.path("shop.toml").display().to_string()];
        for load in 0..4 {
            let mut lines: Vec<_> = (0..60)
                .map(|_| {
                    let (id, version) =
                        (u32::try_from(die.roll(40)).unwrap(), u32::try_from(die.roll(9)).unwrap());
                    sale(id, version, &format!("2024-10-1{}T0{}:00:00Z", die.roll(4), die.roll(10)))
                })
                .collect();
            // The same event and time as a row, and no version.
            lines.push(sale(3, 1, "2024-10-11T01:00:00Z").replace("\"n\": 1", "\"n\": \"?\""));
            let name = format!("{load}.json");
            dir.write(&name, format!("{}\n", lines.join("\n")));
            let source = dir.path(&name).display().to_string();
            let arguments = ["-s", &source, "--backfill", "--mode", "merge"].map(str::to_owned);
            load_both(&dir, &combination, &arguments, &mut die, &format!("seed {seed}, load {load}"));
        }
    }
}

/// A table has one type of a column for all of its files, whatever rows a merge has.
#[test]
fn a_column_that_gets_another_type_is_written_again_in_all_days() {
    let mut combination = Combination::new("simple", &[]);
    for seed in 0..6 {
        let (dir, mut die) = (Workdir::new(), Die::new(seed));
        combination.flags = ["--table", "delta", "--catalog"].map(str::to_owned).to_vec();
        combination.flags.push(dir.path("shop.toml").display().to_string());
        for (load, kind) in
            ["int32", "int64", "decimal(20, 2)", "decimal(38, 2)", "decimal(38, 2)"].iter().enumerate()
        {
            dir.write("shop.toml", format!("[domain.shop.events.sale.fields]\nn = '{kind}'\n"));
            let days = if load == 0 { 4 } else { 1 };
            let lines: Vec<_> = (0..40)
                .map(|_| {
                    let (id, n) = (u32::try_from(die.roll(60)).unwrap(), u32::try_from(die.roll(9)).unwrap());
                    sale(id, n, &format!("2024-10-1{}T0{}:00:00Z", die.roll(days), die.roll(10)))
                })
                .collect();
            let name = format!("{load}.json");
            dir.write(&name, format!("{}\n", lines.join("\n")));
            let source = dir.path(&name).display().to_string();
            let arguments = ["-s", &source, "--backfill", "--mode", "merge"].map(str::to_owned);
            load_both(&dir, &combination, &arguments, &mut die, &format!("seed {seed}, load {load}"));
        }
    }
}

/// A row of the batches is lost, or comes twice.
fn befallen(batches: &[RecordBatch], die: &mut Die) -> Vec<RecordBatch> {
    let all = concat_batches(&schema(), batches).unwrap();
    let mut rows: Vec<_> = (0..u32::try_from(all.num_rows()).unwrap()).collect();
    let at = usize::try_from(die.roll(rows.len() as u64)).unwrap();
    if die.one_in(2) {
        rows.remove(at);
    } else {
        rows.push(rows[at]);
    }
    vec![take_record_batch(&all, &UInt32Array::from(rows)).unwrap()]
}

/// Also what is looked up by what an engine says: the rows that a file of the target has at these places.
#[test]
fn what_comes_twice_from_all_tasks_is_refused() {
    let (dir, mut die) = (Workdir::new(), Die::new(1));
    let combination = Combination::new("simple", &["-n", "300"]);
    let generated = combination.generate(&dir);
    let arguments = ["eventloader", "-q", "-b", "--mode", "merge", "-s", &generated.directory(), "-t"];
    let arguments: Vec<_> =
        arguments.map(OsString::from).into_iter().chain([dir.path("job").into_os_string()]).collect();
    dir.bare_loader().args(&arguments[1..]).succeeds();
    let before = published(&dir.path("job"));
    let division = Division { split_bytes: 20_000, buckets: None, task_memory_bytes: None };
    for stage in 0..3 {
        let load = DistributedLoad::open(&arguments, division).unwrap();
        let twice =
            |at, batches: Vec<_>| if at == stage { [batches.clone(), batches].concat() } else { batches };
        let ended = answers_of(&load, &mut die, twice).and_then(|answers| load.commit(&answers)).unwrap_err();
        let message = ended.message.unwrap();
        assert!(message.contains("the engine: ") && message.contains("nothing was changed"), "{message}");
        assert_same_tree(&before, &published(&dir.path("job")), &format!("behind stage {stage}"));
    }
}

#[test]
fn what_an_engine_loses_or_doubles_is_refused_or_means_nothing() {
    let faults = "corrections=60,duplicates=60,malformed=40,late=40";
    let combination =
        Combination::new("simple", &["-n", "900", "-s", "4", "--files", "2", "--faults", faults]);
    let (dir, mut die) = (Workdir::new(), Die::new(5));
    let generated = combination.generate(&dir);
    let [first, second] = generated.files.as_slice() else { panic!("two files") };
    let path = |path: &std::path::Path| path.display().to_string();
    let merge = |target: &str, file| {
        ["eventloader", "-q", "-b", "--mode", "merge", "-s", &path(file), "-t", &path(&dir.path(target))]
            .map(OsString::from)
    };
    for target in ["one", "job"] {
        let load = dir.bare_loader().args(&merge(target, first)[1..]);
        load.succeeds();
    }
    dir.bare_loader().args(&merge("one", second)[1..]).succeeds();
    let (before, after) = (published(&dir.path("job")), published(&dir.path("one")));
    let (mut refused, mut unharmed) = (0, 0);
    for round in 0..60 {
        let stage = usize::try_from(die.roll(3)).unwrap();
        let division = Division { split_bytes: 40_000, buckets: Some(3), task_memory_bytes: None };
        let load = opened(&merge("job", second), division).unwrap();
        let mut chance = Die::new(round);
        let answers =
            answers_of(
                &load,
                &mut die,
                |at, batches| {
                    if at == stage { befallen(&batches, &mut chance) } else { batches }
                },
            );
        let what = format!("round {round}, behind stage {stage}");
        if let Err(ended) = answers.and_then(|answers| load.commit(&answers)) {
            let message = ended.message.unwrap();
            assert!(message.contains("nothing was changed"), "{what}: {message}");
            assert_same_tree(&before, &published(&dir.path("job")), &what);
            refused += 1;
        } else {
            assert_same_tree(&after, &published(&dir.path("job")), &what);
            unharmed += 1;
            // As before.
            fs_err::remove_dir_all(dir.path("job")).unwrap();
            dir.bare_loader().args(&merge("job", first)[1..]).succeeds();
        }
    }
    // Nothing depends on the times of tasks.
    assert!(refused > unharmed, "{refused} refused, {unharmed} unharmed");
}
