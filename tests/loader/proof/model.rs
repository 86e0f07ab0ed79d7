//! Whatever the input and the flags: the loader does what the naive model says, in rows, order, quarantine,
//! counts and files.
//!
//! `LOADER_SEEDS=5000 cargo test …` tries more seeds; `LOADER_SEED=17` one of them. Of a case that fails,
//! `proptest` leaves out lines for as long as it still fails; the smallest one is printed.

use std::{
    cell::Cell,
    collections::BTreeMap,
    env,
    fmt::Write as _,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use chrono::NaiveDate;
use naive_model::{
    BadLine, Expected, Flags, OfSource, Row,
    columns::{EventType, Field, Kind},
    event_types::{built_in, others_of},
};
use proptest::{
    bool::weighted,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{
    events::{Die, TYPES},
    files::{assert_no_debris, assert_same_lines, tree, visible},
    forms::{FORMS, Form},
    hostile::{self, HostileFile},
    readback::{files_of_rows, footer_rows_of, parquet_files, quarantine, rows, text_of, text_of_bad_line},
    tables::without_attempt,
    workdir::{Outcome, Workdir},
};

/// The built-in catalog, with versions.
const VERSIONS: &str = "[domain.account]
version = 'id'
fields = { id = 'int32', old_status = 'string', new_status = 'string', reason = 'string' }
events = { account-open = {}, account-close = {}, status-change = {} }
[domain.transaction]
version = ['amount', 'to']
fields = { id = 'string', to = 'string', from = 'string', amount = 'decimal(10,2)' }
events = { payment-to = {}, payment-from = {} }
";

/// How the loader is given the files of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handing {
    EachByName,
    Directory,
    Glob,
    /// The last file on standard input, the others by name.
    Stdin,
}

#[derive(Debug, Clone)]
struct Case {
    files: Vec<HostileFile>,
    form: Form,
    handing: Handing,
    flags: Flags,
    /// How many superseded rows the report should name.
    samples_max: usize,
    /// What a catalog says of types that are not built in.
    catalog: Option<&'static str>,
    types: Vec<EventType>,
    /// The model's flags, and those that must not change any row.
    args: Vec<String>,
    codec: String,
}

#[test]
fn hostile_files_load_as_the_model_says_a() {
    load_seeds(0..100);
}

/// A second test, because tests run side by side.
#[test]
fn hostile_files_load_as_the_model_says_b() {
    load_seeds(100..200);
}

/// Seeds prove nothing about what they don't reach.
#[test]
fn the_hostile_files_reach_every_reason_and_every_fate() {
    let (mut reached, mut rows) = (BTreeMap::<String, u64>::new(), 0);
    for seed in 0..200 {
        let case = Case::new(seed);
        let expected = case.expected(&case.sources("/in"));
        for bad in expected.bad_lines {
            *reached.entry(bad.reason).or_default() += 1;
        }
        rows += expected.written;
        *reached.entry("filtered".to_owned()).or_default() += expected.filtered;
        *reached.entry("redelivered".to_owned()).or_default() += expected.redelivered;
        *reached.entry("corrected".to_owned()).or_default() += expected.corrected;
        for (what, counts) in [("coerced", expected.coerced), ("rounded", expected.rounded)] {
            for (path, count) in counts {
                *reached.entry(format!("{what} {path}")).or_default() += count;
            }
        }
        *reached.entry("blank".to_owned()).or_default() += expected.blank;
        *reached.entry("unknown fields".to_owned()).or_default() +=
            expected.unknown_fields.values().sum::<u64>();
    }
    assert_eq!(
        reached.len(),
        23,
        "all reasons but line_too_long, the other fates of a line, and all columns that a value can be changed for: {reached:#?}"
    );
    assert!(rows > 1000 && reached.values().all(|times| *times >= 5), "{rows} rows, {reached:#?}");
}

fn load_seeds(seeds: Range<u64>) {
    let number =
        |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("LOADER_SEED(S) is a number"));
    let seeds = match (number("LOADER_SEED"), number("LOADER_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => seeds.start * count..seeds.start * count + count,
        (None, None) => seeds,
    };
    for seed in seeds {
        let case = Case::new(seed);
        // The first try keeps all lines, with certainty: it is the case itself. Shrinking leaves out lines.
        let lines = case.files.iter().map(|file| file.lines.len()).sum();
        let all_kept = vec![weighted(1.0); lines];
        let config =
            Config { cases: 1, max_shrink_iters: 10_000, failure_persistence: None, ..Config::default() };
        let checked = TestRunner::new(config)
            .run(&all_kept, |kept| check(&case.with_lines(&kept)).map_err(TestCaseError::fail));
        match checked {
            Ok(()) => {}
            Err(TestError::Fail(message, kept)) => {
                let smallest = case.with_lines(&kept).text();
                panic!("seed {seed}; the smallest case that fails:\n{smallest}\n{message}");
            }
            Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
        }
    }
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut die = Die::new(seed);
        let files = hostile::files(&mut die);
        let handing = *die.pick(&[Handing::EachByName, Handing::Directory, Handing::Glob, Handing::Stdin]);
        let (mut flags, mut args) = (Flags::default(), Vec::new());
        let mut add = |arg: &str| args.push(arg.to_owned());
        choose_days(&mut die, &mut flags, &mut add);
        let mut types = TYPES.to_vec();
        if die.one_in(4) {
            let (domain, _) = *die.pick(&TYPES);
            flags.wanted.domains.push(domain.to_owned());
            add(&format!("--domain={domain}"));
            // A type of another domain would be refused, for nothing could ever match.
            types.retain(|known| known.0 == domain);
        }
        while die.one_in(4) {
            let (_, event_type) = *die.pick(&types);
            flags.wanted.event_types.push(event_type.to_owned());
            add(&format!("--event-type={event_type}"));
        }
        flags.by_day = die.one_in(3);
        flags.hive = die.one_in(3);
        flags.tables = !flags.hive && die.one_in(3);
        flags.hourly = die.one_in(4);
        flags.nested = die.one_in(3);
        let optional = [
            (flags.by_day, "--dedupe-scope=day"),
            (flags.hive, "--layout=hive"),
            (flags.tables, "--table=delta"),
            (flags.hourly, "--partition-by=hour"),
            (flags.nested, "--flatten=false"),
            (die.one_in(4), "--memory=64MiB"),
            (die.one_in(4), "--encodings=basic"),
        ];
        optional.iter().filter(|(chosen, _)| *chosen).for_each(|(_, arg)| add(arg));
        let codec = (*die.pick(&["zstd", "snappy", "none"])).to_owned();
        add(&format!("--compression={codec}"));
        add(&format!("--threads={}", 1 + die.roll(4)));
        let (catalog, types) = choose_catalog(&mut die, &mut add);
        let form = *die.pick(&FORMS);
        let samples_max = *die.pick(&[0, 1, 2, 5, 10_000]);
        args.push(format!("--superseded-samples={samples_max}"));
        // It names the built-in domains, which would close them.
        if catalog.is_none() && die.one_in(3) {
            let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            flags.versions.insert("account".to_owned(), names(&["id"]));
            flags.versions.insert("transaction".to_owned(), names(&["amount", "to"]));
            args.push("--catalog=versions.toml".to_owned());
        }
        Self { files, form, handing, flags, samples_max, catalog, types, args, codec }
    }

    fn expected(&self, sources: &[naive_model::Source]) -> Expected {
        match self.catalog {
            Some(_) => naive_model::load_as(sources, &self.flags, &self.types),
            None => naive_model::load(sources, &self.flags),
        }
    }

    /// The same with only the lines that are kept.
    fn with_lines(&self, kept: &[bool]) -> Self {
        let (mut case, mut kept) = (self.clone(), kept.iter());
        for file in &mut case.files {
            file.lines.retain(|_| *kept.next().unwrap());
        }
        case
    }

    /// What the model reads: the files below `dir`, in the order of their paths as bytes, standard input
    /// last.
    fn sources(&self, dir: &str) -> Vec<naive_model::Source> {
        let name = |index, file: &HostileFile| {
            if self.on_stdin(index) { "-".to_owned() } else { format!("{dir}/{}", file.name) }
        };
        let source = |(index, file)| (name(index, file), self.text_of(file));
        self.files.iter().enumerate().map(source).collect()
    }

    /// The text of a file. Lines keep their ends, and the first and the last keep what is odd about them.
    fn text_of(&self, file: &HostileFile) -> Vec<u8> {
        if !self.form.is_array() {
            return file.lines.concat();
        }
        let bom: &[u8] = b"\xEF\xBB\xBF";
        let mut lines = file.lines.clone();
        let first = lines.first_mut().filter(|line| line.starts_with(bom));
        let front = first.map_or(Vec::new(), |line| line.drain(..bom.len()).collect());
        [front, self.form.write(&lines).text].concat()
    }

    fn on_stdin(&self, index: usize) -> bool {
        self.handing == Handing::Stdin && index + 1 == self.files.len()
    }

    fn text(&self) -> String {
        let mut text = format!("{:?} {}", self.form, self.args.join(" "));
        text.extend(self.catalog.map(|catalog| format!("\ncatalog.toml: {catalog}")));
        for (index, file) in self.files.iter().enumerate() {
            let stdin = if self.on_stdin(index) { " (standard input)" } else { "" };
            writeln!(text, "\n{}{stdin}:", file.name).unwrap();
            file.lines.iter().for_each(|line| writeln!(text, "  {}", visible(line)).unwrap());
        }
        text
    }
}

fn choose_days(die: &mut Die, flags: &mut Flags, add: &mut impl FnMut(&str)) {
    let first = NaiveDate::from_ymd_opt(2024, 10, 10 + u32::try_from(die.roll(3)).unwrap()).unwrap();
    let last = first + chrono::Days::new(die.roll(3));
    // A small case may have no good line; the model quarantines that, too.
    add("--max-bad-lines=100%");
    match die.roll(7) {
        0 | 1 => {
            (flags.wanted.since, flags.wanted.until) = (Some(first), Some(first));
            add(&format!("--date={first}"));
        }
        2 => {
            (flags.wanted.since, flags.wanted.until) = (Some(first), Some(last));
            add(&format!("--since={first}"));
            add(&format!("--until={last}"));
        }
        3 => {
            flags.wanted.since = Some(first);
            add(&format!("--since={first}"));
        }
        4 => {
            flags.wanted.until = Some(last);
            add(&format!("--until={last}"));
        }
        _ => add("--backfill"),
    }
}

/// A catalog of open sets of types, or none.
fn choose_catalog(die: &mut Die, add: &mut impl FnMut(&str)) -> (Option<&'static str>, Vec<EventType>) {
    let id = Field { name: "id".to_owned(), member: "id".to_owned(), required: false, kind: Kind::String };
    let sale = || ("shop".to_owned(), "sale".to_owned(), vec![id.clone()]);
    let others_by_id = || ("shop".to_owned(), "*".to_owned(), vec![id.clone()]);
    let (catalog, declared) = match die.roll(7) {
        0 => ("[domain.'*']", vec![others_of("*")]),
        1 => ("[domain.shop.events.'*']", vec![others_of("shop")]),
        2 => (
            "[domain.'*'.events.'*']\n[domain.shop.events.sale]\nfields.id = 'string'",
            vec![others_of("*"), sale()],
        ),
        3 => (
            "[domain.'*']\n[domain.shop.events.sale]\nfields.id = 'string'\n[domain.shop.events.'*']",
            vec![others_of("*"), sale(), others_of("shop")],
        ),
        4 => ("[domain.shop.events.'*'.fields]\nid = 'string'", vec![others_by_id()]),
        _ => return (None, built_in()),
    };
    add("--catalog=catalog.toml");
    (Some(catalog), built_in().into_iter().chain(declared).collect())
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Loads a case and compares; the message of a failed assertion is returned, not printed, for the next case
/// may be smaller.
fn check(case: &Case) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                print(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(|| load_and_compare(case)));
    QUIET.set(false);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    })
}

fn load_and_compare(case: &Case) {
    let dir = Workdir::new();
    fs_err::create_dir(dir.path("in")).unwrap();
    dir.write("versions.toml", VERSIONS);
    if let Some(catalog) = case.catalog {
        dir.write("catalog.toml", catalog);
    }
    let mut loader = dir.loader().args(&case.args);
    // Last to first: the order is that of the paths, not that of the flags.
    for (index, file) in case.files.iter().enumerate().rev() {
        if case.on_stdin(index) {
            loader = loader.source("-").stdin(case.form.encode(&case.text_of(file)));
        } else {
            let path = dir.write(&format!("in/{}", file.name), case.form.encode(&case.text_of(file)));
            loader = if matches!(case.handing, Handing::EachByName | Handing::Stdin) {
                loader.source(path)
            } else {
                loader
            };
        }
    }
    let outcome = match case.handing {
        Handing::Directory => loader.source(dir.path("in")),
        Handing::Glob => loader.source(dir.path("in/**/*.json")),
        Handing::EachByName | Handing::Stdin => loader,
    }
    .succeeds();

    let sources = case.sources(&dir.path("in").display().to_string());
    let expected = case.expected(&sources);
    compare_target(&dir, case, &expected, &outcome);
    compare_report(&dir, case, &sources, &expected, &outcome);
}

fn compare_target(dir: &Workdir, case: &Case, expected: &Expected, outcome: &Outcome) {
    let target = dir.target();
    assert_same_lines(&text_of(&expected.rows), &text_of(&rows(&target)), &format!("rows after {outcome}"));
    let texts = |lines: &[BadLine]| lines.iter().map(text_of_bad_line).collect::<Vec<_>>();
    assert_same_lines(
        &texts(&expected.bad_lines),
        &texts(&quarantine(&target)),
        &format!("bad lines after {outcome}"),
    );
    assert!(expected.bad_lines == quarantine(&target), "a bad line is kept whole");
    let mut names: Vec<_> = expected
        .rows
        .keys()
        .map(|partition| format!("{partition}/part-00000.{}.parquet", case.codec))
        .collect();
    // A directory may have the name of another one, and more: `.` comes before `/`.
    names.sort();
    let mut found = parquet_files(&tree(&target));
    if case.flags.tables {
        assert_eq!(found, files_of_rows(&target), "what the logs name is all that there is");
        found = found.iter().map(|path| without_attempt(path)).collect();
        found.sort();
    }
    assert_same_lines(&names, &found, &format!("files after {outcome}"));
    assert_no_debris(&target);
}

fn compare_report(
    dir: &Workdir,
    case: &Case,
    sources: &[naive_model::Source],
    expected: &Expected,
    outcome: &Outcome,
) {
    let mut by_reason = BTreeMap::<&str, u64>::new();
    for bad in &expected.bad_lines {
        *by_reason.entry(&bad.reason).or_default() += 1;
    }
    let files = files_of_rows(&dir.target());
    let partition = |(path, rows): (&String, &Vec<Row>)| {
        let file = files.iter().find(|file| file.rsplit_once('/').unwrap().0 == path).unwrap();
        let file = dir.target().join(file);
        assert_eq!(footer_rows_of(&file), rows.len() as u64, "rows in the footer of {}", file.display());
        let superseded = expected.superseded_in.get(path).copied().unwrap_or_default();
        let bytes = fs_err::metadata(&file).unwrap().len();
        json!({
            "path": path, "rows": rows.len(), "superseded": superseded, "held": 0, "held_superseded": 0, "files": 1, "bytes": bytes,
            "action": "created"
        })
    };
    let left_out = expected.superseded_in.iter().filter(|(path, _)| !expected.rows.contains_key(*path));
    let left_out = left_out.map(|(path, superseded)| json!({"path": path, "superseded": superseded}));
    let mut wanted = json!({
        "lines": expected.lines,
        "blank": expected.blank,
        "quarantined": {"total": expected.bad_lines.len(), "by_reason": by_reason},
        "filtered": expected.filtered,
        "superseded": expected.superseded,
        "redelivered": expected.redelivered,
        "held_kept": 0,
        "held_superseded": 0,
        "corrected": expected.corrected,
        "superseded_samples": expected.superseded_rows.iter().take(case.samples_max).collect::<Vec<_>>(),
        "written": expected.written,
        "partitions": expected.rows.iter().map(partition).collect::<Vec<_>>(),
        "unknown_fields": expected.unknown_fields,
        "coerced": expected.coerced,
        "rounded": expected.rounded,
        "superseded_partitions": left_out.collect::<Vec<_>>(),
        "sources": sources.iter().zip(&expected.sources).map(source_report).collect::<Vec<_>>(),
        "committed": true,
        "dry_run": false,
    });
    if let Some(days) = &expected.days_without_events {
        wanted["days_without_events"] = json!(days);
    }
    let keys = wanted.as_object().unwrap().keys();
    let found: Value = keys.map(|key| (key.clone(), outcome.report()[key].clone())).collect();
    let lines = |value: &Value| format!("{value:#}").lines().map(str::to_owned).collect::<Vec<_>>();
    assert_same_lines(&lines(&wanted), &lines(&found), &format!("report of {outcome}"));
    let accounted =
        ["blank", "quarantined.total", "filtered", "superseded", "written"].map(|name| outcome.count(name));
    assert_eq!(outcome.count("lines"), accounted.iter().sum::<u64>(), "the report's equation");
}

fn source_report(((name, bytes), of_source): (&naive_model::Source, &OfSource)) -> Value {
    let OfSource { lines, blank, quarantined, filtered, superseded, written } = of_source;
    json!({
        "path": name,
        "bytes": bytes.len(),
        "lines": lines,
        "blank": blank,
        "quarantined": quarantined,
        "filtered": filtered,
        "superseded": superseded,
        "written": written,
    })
}
