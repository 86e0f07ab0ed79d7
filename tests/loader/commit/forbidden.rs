//! If the system forbids an operation that a commit needs, for whatever reason and for good: is the load
//! refused beforehand, carried out in another way, or taken back? And once it is partly published, is it
//! finished as soon as the obstacle is gone?
//!
//! [`TABLE`] has each kind of operation of a load, a merge and a replay that changes a target, and of the
//! other ways to publish. The test makes each fail with each error (`EVENTLOADER_FORBID`), and fails if a run
//! does an operation that is not in the table. docs/commit.md has it in words.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    every_operation::{
        load, merge, merge_by_version, replay, with_events_that_move, with_events_that_move_both_ways,
        with_lines_to_replay, with_old_target,
    },
    walk::{End, Walk, directories},
};
use crate::support::{
    files::assert_no_debris,
    workdir::{Loader, Workdir},
};

const ERRORS: [&str; 8] = ["EXDEV", "EPERM", "EACCES", "EROFS", "ENOSPC", "EINVAL", "ENOSYS", "EMFILE"];

/// Those with which everything is tried: all others leave the same.
const THOROUGH: [&str; 2] = ["EXDEV", "ENOSPC"];

/// What becomes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It ends before its commit is recorded; nothing is changed.
    Refused,
    /// It does all that it should.
    Done,
    /// Its commit was recorded and is taken back; nothing is changed.
    TakenBack,
    /// A part is published, the rest when the obstacle is gone.
    Kept,
}

use Outcome::{Done, Kept, Refused, TakenBack};

/// By kind of operation: the outcome where it is the first of its kind in a run, and where it is the last.
const TABLE: &[(&str, Outcome, Outcome)] = &[
    ("create a directory of staged files", Refused, Refused),
    ("create a staged file", Refused, Refused),
    ("create journal.json.new", Refused, Refused),
    ("create layout.json.new", Kept, Kept),
    ("create the directory _eventloader", Done, Done),
    ("create the directory _quarantine", Done, Done),
    ("create the directory a day", Refused, Refused),
    ("create the directory a directory of staged files", Refused, Refused),
    ("create the directory a partition", Done, Refused),
    ("create the directory staging", Refused, Refused),
    ("create the directory swap-N", TakenBack, Kept),
    ("create the directory swap-N-first", Kept, Kept),
    ("create the directory the target", Refused, Refused),
    ("delete a directory of staged files", Done, Done),
    ("delete a file of the quarantine", Kept, Kept),
    ("delete a new directory's file", Done, Done),
    ("delete a partition's file", TakenBack, Kept),
    ("delete a staged file", Done, Done),
    ("delete history.json.new", Refused, Refused),
    ("delete journal.json.new", Refused, Refused),
    ("delete the directory _quarantine", Done, Done),
    ("delete the directory a day", Done, Done),
    ("delete the directory a directory of staged files", Done, Done),
    ("delete the directory a partition", Done, Done),
    ("delete the directory staging", Done, Done),
    ("delete the directory swap-N", Done, Done),
    ("delete the directory swap-N-first", Done, Done),
    ("delete the directory swap-N.old", Done, Done),
    ("exchange a partition", Done, Done),
    ("open or create lock", Refused, Refused),
    ("rename to a file of the quarantine", Kept, Kept),
    ("rename to a new directory's file", TakenBack, Kept),
    ("rename to a partition", Done, Done),
    ("rename to a partition's file", TakenBack, Kept),
    ("rename to commit-NNNNNN.json", Kept, Kept),
    ("rename to journal.json", TakenBack, TakenBack),
    ("rename to layout.json", Kept, Kept),
    ("rename to swap-N-first.old", Done, Done),
    ("rename to swap-N.old", Done, Done),
    ("set the access of a staged file", Done, Done),
    ("set the access of swap-N", Done, Done),
    ("set the access of swap-N-first", Done, Done),
    ("set the length of lock", Refused, Refused),
    ("sync _eventloader", TakenBack, TakenBack),
    ("sync journal.json.new", Refused, Refused),
    ("sync layout.json.new", Kept, Kept),
    ("sync the file system of lock", Refused, Refused),
    ("try to enter _quarantine", Refused, Refused),
    ("try to enter a partition", Refused, Refused),
    ("try to take a file of the quarantine", Refused, Refused),
    ("try to take a partition's file", Refused, Refused),
    ("write a directory of staged files", Refused, Refused),
    ("write a staged file", Refused, Refused),
    ("write journal.json.new", Refused, Refused),
    ("write layout.json.new", Kept, Kept),
    ("write lock", Refused, Refused),
];

/// An operation: its name, and its path in the target.
type Operation = (String, String);

/// `rename to a partition's file`
fn kind_of(name: &str, path: &str) -> String {
    let numbered = |text: &str| -> String {
        text.chars().map(|letter| if letter.is_ascii_digit() { 'N' } else { letter }).collect()
    };
    let place = match path.strip_prefix("_eventloader/") {
        Some(private) => match private.strip_prefix("staging/") {
            Some(staged) if staged.contains(".parquet") => "a new directory's file".to_owned(),
            Some(staged) if staged.starts_with("swap-") => numbered(staged),
            Some(staged) if staged.ends_with(".staged") => "a staged file".to_owned(),
            Some(_) => "a directory of staged files".to_owned(),
            None => numbered(private),
        },
        None if path.starts_with("_quarantine/") => "a file of the quarantine".to_owned(),
        None if path.ends_with(".parquet") => "a partition's file".to_owned(),
        None if path.is_empty() => "the target".to_owned(),
        None if path.split('/').count() < 4 && !path.starts_with('_') => "a day".to_owned(),
        None if path.starts_with('_') => path.to_owned(),
        None => "a partition".to_owned(),
    };
    format!("{name} {place}")
}

/// By kind, the first and the last operation that changes something or asks whether it may.
fn points(walk: &Walk<'_>) -> BTreeMap<String, [Operation; 2]> {
    let root = walk.dir.path("counted");
    let mut kinds = BTreeMap::<String, [Operation; 2]>::new();
    for (changes, operation) in walk.operations() {
        let Some((name, path)) = operation.split_once(&format!(" {}", root.display())) else { continue };
        if changes || name.starts_with("try to") {
            let path = path.trim_start_matches('/');
            let operation = (name.to_owned(), path.to_owned());
            let both =
                kinds.entry(kind_of(name, path)).or_insert_with(|| [operation.clone(), operation.clone()]);
            both[1] = operation;
        }
    }
    kinds
}

/// Runs with this operation forbidden, and expects that the target can be used as soon as it is allowed.
fn outcome(walk: &Walk<'_>, target: &str, (name, path): &Operation, error: &str) -> Outcome {
    walk.begin(target);
    let is_thorough = THOROUGH.contains(&error);
    let target_path = walk.dir.path(target);
    let rule =
        format!("{error}:{name}:{}", target_path.join(path).display().to_string().trim_end_matches('/'));
    let forbidden = format!("{};{rule}", walk.forbidden);
    let log = walk.dir.path(&format!("{target}-log"));
    fs_err::remove_file(&log).ok();
    let run = |forbidden: &str| {
        (walk.run)(walk.dir, target)
            .env("EVENTLOADER_FORBID", forbidden)
            .env("EVENTLOADER_FILE_LOG", log.to_str().unwrap())
    };
    let mut command = run(&forbidden).into_command();
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let what = format!("{}, {rule} ({:?}): {said:?}", walk.name, walk.forbidden);
    let end = End::of(&output, &what);
    let found = directories(&target_path);
    let outcome = match end {
        End::Done => Done,
        End::NothingChanged if has_recorded(&log) => TakenBack,
        End::NothingChanged => Refused,
        End::Recorded => Kept,
        End::Died | End::Unknown => panic!("{what}: {end:?}"),
    };
    match outcome {
        Done => assert!(found == walk.new, "{what}: all is new"),
        TakenBack | Refused => assert!(found == walk.old, "{what}: nothing has changed"),
        Kept => {
            assert!(found != walk.old, "{what}: nothing was published, so it should have been taken back");
            assert!(said.contains(path.rsplit('/').next().unwrap()), "{what}: the obstacle is not named");
        }
    }
    if target_path.join("_eventloader").exists() {
        let recover = || walk.dir.bare_loader().arg("recover").arg(&target_path).arg("--quiet");
        if is_thorough {
            // As long as it is forbidden, nothing gets worse.
            recover().env("EVENTLOADER_FORBID", &forbidden).run();
        }
        recover().succeeds();
        assert_no_debris(&target_path);
    }
    let is_new = matches!(outcome, Done | Kept);
    let expected = if is_new { &walk.new } else { &walk.old };
    assert!(directories(&target_path) == *expected, "{what}: after recovery");
    if is_thorough && is_new {
        walk.verify(target, &what);
    } else if is_thorough {
        run(walk.forbidden).succeeds();
        assert!(directories(&target_path) == walk.new, "{what}: when it is allowed, the load is done");
    }
    outcome
}

/// Whether the operations of a run include the one that records its commit.
fn has_recorded(log: &Path) -> bool {
    let is_recording = |line: &str| line.starts_with("changes rename to") && line.ends_with("/journal.json");
    fs_err::read_to_string(log).unwrap().lines().any(is_recording)
}

const ANOTHER_CODEC: &str = "a load in another codec";

fn load_in_another_codec(dir: &Workdir, target: &str) -> Loader {
    load(dir, target).args(["--compression", "snappy"])
}

fn replaces_a_directory(kind: &str) -> bool {
    let places = ["swap-N", "a new directory's file", "exchange", "delete a partition's file"];
    places.iter().any(|place| kind.contains(place)) || kind == "rename to a partition"
}

type Run = fn(&Workdir, &str) -> Loader;

/// Calls `work` for each item, on two threads; the argument is the number of the thread.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for worker in 0..2 {
            let (next, results, work) = (&next, &results, &work);
            scope.spawn(move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(worker, item);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}

#[test]
fn what_a_commit_needs_is_refused_beforehand_done_in_another_way_or_taken_back() {
    let (replaced, moved, again) = (with_old_target(), with_events_that_move(), with_lines_to_replay());
    let first = with_old_target();
    fs_err::remove_dir_all(first.target()).unwrap();
    let renames_files = "EXDEV:exchange:;EXDEV:rename to:.old";
    let both_ways = with_events_that_move_both_ways();
    let runs: [(&str, &Workdir, Run, &[&'static str]); 6] = [
        // It begins with a directory; here only operations on these count.
        (ANOTHER_CODEC, &replaced, load_in_another_codec, &["", "ENOSYS:exchange:", renames_files]),
        ("a load", &replaced, load, &[""]),
        ("a first load", &first, load, &[""]),
        ("a merge", &moved, merge, &["", renames_files]),
        ("a merge both ways", &both_ways, merge_by_version, &["", renames_files]),
        ("a replay", &again, replay, &[""]),
    ];
    let mut found = BTreeMap::<String, [BTreeSet<Outcome>; 2]>::new();
    for (name, dir, run, ways) in runs {
        let mut walk = Walk::new(name, dir, &run);
        for way in ways {
            walk.forbidden = way;
            let mut points = points(&walk);
            points.retain(|kind, _| {
                !found.contains_key(kind) && (name != ANOTHER_CODEC || replaces_a_directory(kind))
            });
            let mut tries = Vec::new();
            for (kind, [first, last]) in &points {
                let places: &[usize] = if first == last { &[0, 1] } else { &[0] };
                tries.extend(ERRORS.map(|error| (kind, places, first, error)));
                if first != last {
                    tries.extend(THOROUGH.map(|error| (kind, &[1][..], last, error)));
                }
            }
            let outcomes = each(&tries, |worker, &(kind, places, operation, error)| {
                (kind, places, outcome(&walk, &format!("target-{worker}"), operation, error))
            });
            for (kind, places, outcome) in outcomes {
                let found = found.entry(kind.clone()).or_default();
                for place in places {
                    found[*place].insert(outcome);
                }
            }
        }
    }
    let expected = TABLE.iter().map(|(kind, first, last)| {
        ((*kind).to_owned(), [*first, *last].map(|outcome| BTreeSet::from([outcome])))
    });
    let expected: BTreeMap<_, _> = expected.collect();
    let other: Vec<_> =
        found.iter().filter(|(kind, outcomes)| expected.get(*kind) != Some(outcomes)).collect();
    assert!(found == expected, "these outcomes are not those of the table, or are not in it: {other:#?}");
}
