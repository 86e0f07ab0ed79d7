//! Two targets, of which one machine loads the one, and a job the other: whether they are the same.

use std::{collections::BTreeMap, ffi::OsString, sync::Arc};

use eventloader::commands::distributed::Division;
use serde_json::Value;
use storage::{LocalStore, Store};

use super::{
    super::combination::Combination,
    engine::{answers, opened},
};
use crate::support::{
    events::Die,
    files::{Tree, assert_same_tree},
    workdir::Workdir,
};

/// Where both targets are.
pub(super) struct Targets<'d> {
    dir: &'d Workdir,
    /// Of the place that they are in.
    address: String,
    store: Arc<dyn Store>,
    /// How it is reached.
    flags: Vec<String>,
}

impl<'d> Targets<'d> {
    /// In the directory of the test.
    pub(super) fn in_directory(dir: &'d Workdir) -> Self {
        let address = dir.path("").display().to_string().trim_end_matches('/').to_owned();
        Self { dir, address, store: Arc::new(LocalStore::new(dir.path(""), "")), flags: Vec::new() }
    }

    /// In a store.
    #[cfg(feature = "objects")]
    pub(super) fn in_store(
        dir: &'d Workdir,
        address: &str,
        store: Arc<dyn Store>,
        flags: Vec<String>,
    ) -> Self {
        Self { dir, address: address.to_owned(), store, flags }
    }

    fn at(&self, target: &str) -> String {
        format!("{}/{target}", self.address)
    }

    /// What is published in a target, without what two runs name and date differently.
    pub(super) fn published(&self, target: &str) -> Tree {
        let inside = format!("{target}/");
        let found = self.store.list_after(&inside, "").unwrap();
        let keys = found.iter().filter_map(|found| found.key.strip_prefix(&inside));
        let keys = keys.filter(|key| !key.starts_with("_eventloader/"));
        let read = |key: &str| (key.to_owned(), self.store.read(&format!("{inside}{key}")).unwrap().unwrap());
        without_names(keys.map(read).collect())
    }

    /// Whether files of a run are left over in a target.
    fn has_leftovers(&self, target: &str) -> bool {
        !self.store.list_after(&format!("{target}/_eventloader/staging/"), "").unwrap().is_empty()
    }

    fn listed(&self, target: &str) -> Vec<Value> {
        let list = self.dir.bare_loader().args(["list", "--json"]).args(&self.flags);
        let listed = list.arg(self.at(target)).succeeds();
        let untimed = |line: &str| {
            let mut load: Value = serde_json::from_str(line).unwrap();
            load.as_object_mut().unwrap().remove("at");
            load
        };
        listed.stdout.lines().map(untimed).collect()
    }

    /// A load by one machine and the same by a job leave the same.
    pub(super) fn load_both(
        &self,
        combination: &Combination,
        arguments: &[String],
        die: &mut Die,
        what: &str,
    ) {
        let division = Division {
            split_bytes: 10_000 + die.roll(200_000),
            buckets: die.one_in(2).then(|| 1 + u32::try_from(die.roll(20)).unwrap()),
            task_memory_bytes: die.one_in(3).then_some(64 << 20),
        };
        self.load_divided(combination, arguments, (division, die), what);
    }

    pub(super) fn load_divided(
        &self,
        combination: &Combination,
        arguments: &[String],
        (division, die): (Division, &mut Die),
        what: &str,
    ) {
        let dir = self.dir;
        let mut flags = [&combination.flags, &self.flags, arguments].concat();
        if let Some(catalog) = combination.catalog() {
            let catalog = dir.write("catalog.toml", catalog);
            flags.extend(["--catalog".to_owned(), catalog.display().to_string()]);
        }
        let [one, job] = ["one", "job"].map(|target| self.at(target));
        let by_one = dir.bare_loader().args(["-t", &one]).reporting().args(&flags).run();
        let of_job = ["eventloader", "-q", "-t", &job].into_iter().chain(flags.iter().map(String::as_str));
        let of_job: Vec<_> = of_job.map(OsString::from).collect();
        let what = format!("{what}; {division:?}; {arguments:?}");
        let report = opened(&of_job, division).and_then(|load| match answers(&load, die) {
            Ok(answers) => load.commit(&answers),
            Err(ended) => {
                load.abandon();
                Err(ended)
            }
        });
        match (by_one.status.code(), report) {
            (Some(0), Ok(report)) => {
                let report: Value = serde_json::from_str(&report).unwrap();
                check_stages(&report, by_one.report(), &what);
                assert_eq!(untimed(report), untimed(by_one.report().clone()), "{what}");
            }
            (Some(code), Err(ended)) if code == i32::from(ended.exit_code) => {
                let message = ended.message.unwrap_or_default().replace(&job, &one);
                assert_eq!(by_one.stderr.trim_end(), format!("error: {message}"), "{what}");
            }
            (_, outcome) => panic!("{what}: {outcome:?}\n{by_one}"),
        }
        assert_same_tree(&self.published("one"), &self.published("job"), &what);
        assert!(!self.has_leftovers("job"), "{what}: files of tasks are left over");
        if by_one.status.success() {
            assert_eq!(self.listed("one"), self.listed("job"), "{what}");
            dir.bare_loader().arg("verify").args(&self.flags).arg(&job).succeeds();
        }
    }
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
