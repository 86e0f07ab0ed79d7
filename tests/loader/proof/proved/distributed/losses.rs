//! What an engine loses or doubles between two stages: it is refused, or means nothing.

use std::ffi::OsString;

use arrow::{
    array::{RecordBatch, UInt32Array},
    compute::{concat_batches, take_record_batch},
};
use eventloader::commands::distributed::{Division, schema};

use super::{
    super::combination::Combination,
    engine::{answers_of, opened},
    sale,
    targets::Targets,
};
use crate::support::{
    events::Die,
    files::{assert_same_tree, published},
    workdir::Workdir,
};

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

/// Loads `first` and then, in rounds, `then` in pieces, of which something is lost or doubled each time.
fn befall(dir: &Workdir, (first, then): (&[String], &[String]), rounds: u64) {
    let (targets, mut die) = (Targets::in_directory(dir), Die::new(5));
    let at = |target: &str| ["-t".to_owned(), dir.path(target).display().to_string()];
    let load = |target: &str, arguments: &[String]| {
        dir.bare_loader().args(arguments).args(at(target)).succeeds();
    };
    load("one", first);
    load("one", then);
    load("job", first);
    let (before, after) = (targets.published("job"), targets.published("one"));
    let (mut refused, mut unharmed) = (0, 0);
    for round in 0..rounds {
        let stage = usize::try_from(die.roll(3)).unwrap();
        let division = Division { split_bytes: 40_000, buckets: Some(3), task_memory_bytes: None };
        let of_job = ["eventloader".to_owned(), "-q".to_owned()].into_iter();
        let of_job: Vec<_> = of_job.chain(then.to_owned()).chain(at("job")).map(OsString::from).collect();
        let load_of_job = opened(&of_job, division).unwrap();
        let mut chance = Die::new(round);
        let answers = answers_of(&load_of_job, &mut die, |at, batches| {
            if at == stage { befallen(&batches, &mut chance) } else { batches }
        });
        let what = format!("round {round}, behind stage {stage}");
        let ended = match answers {
            Ok(answers) => load_of_job.commit(&answers).err(),
            Err(ended) => {
                load_of_job.abandon();
                Some(ended)
            }
        };
        if let Some(ended) = ended {
            let message = ended.message.unwrap();
            assert!(message.contains("nothing was changed"), "{what}: {message}");
            assert_same_tree(&before, &targets.published("job"), &what);
            refused += 1;
        } else {
            assert_same_tree(&after, &targets.published("job"), &what);
            unharmed += 1;
            // As before.
            fs_err::remove_dir_all(dir.path("job")).unwrap();
            load("job", first);
        }
    }
    // Nothing depends on the times of tasks.
    assert!(refused > unharmed, "{refused} refused, {unharmed} unharmed");
}

fn texts(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&text| text.to_owned()).collect()
}

/// Also what is looked up by what an engine says: the rows that a file of the target has at these places.
#[test]
fn what_comes_twice_from_all_tasks_is_refused() {
    let (dir, mut die) = (Workdir::new(), Die::new(1));
    let combination = Combination::new("simple", &["-n", "300"]);
    let generated = combination.generate(&dir);
    let job = dir.path("job").display().to_string();
    let arguments = ["eventloader", "-q", "-b", "--mode", "merge", "-s", &generated.directory(), "-t", &job];
    let arguments = arguments.map(OsString::from);
    dir.bare_loader().args(&arguments[1..]).succeeds();
    let before = published(&dir.path("job"));
    let division = Division { split_bytes: 20_000, buckets: None, task_memory_bytes: None };
    for stage in 0..3 {
        let load = opened(&arguments, division).unwrap();
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
    let dir = Workdir::new();
    let generated = combination.generate(&dir);
    let [first, second] = generated.files.as_slice() else { panic!("two files") };
    let merge = |file: &std::path::Path| texts(&["-b", "--mode", "merge", "-s", &file.display().to_string()]);
    befall(&dir, (&merge(first), &merge(second)), 40);
}

#[test]
fn so_it_is_where_days_of_a_merged_target_are_overwritten() {
    let faults = "corrections=60,late=40";
    let combination =
        Combination::new("simple", &["-n", "600", "-s", "4", "--files", "2", "--faults", faults]);
    let dir = Workdir::new();
    let generated = combination.generate(&dir);
    let [first, second] = generated.files.as_slice() else { panic!("two files") };
    let [first, second] = [first, second].map(|file| file.display().to_string());
    let merge = texts(&["-b", "--mode", "merge", "-s", &first]);
    befall(&dir, (&merge, &texts(&["-b", "-s", &second])), 20);
}

#[test]
fn so_it_is_where_a_column_of_a_table_gets_another_type() {
    let dir = Workdir::new();
    let load = |kind: &str, days: u64| {
        let catalog = format!("[domain.shop.events.sale.fields]\nn = '{kind}'\n");
        let catalog = dir.write(&format!("{kind}.toml"), catalog).display().to_string();
        let sales = (0..30).map(|id| sale(id, 1, &format!("2024-10-1{}T00:00:00Z", u64::from(id) % days)));
        let lines = sales.collect::<Vec<_>>().join("\n");
        let source = dir.write(&format!("{kind}.json"), lines).display().to_string();
        texts(&["-b", "--mode", "merge", "--table", "delta", "--catalog", &catalog, "-s", &source])
    };
    befall(&dir, (&load("int32", 6), &load("int64", 1)), 24);
}
