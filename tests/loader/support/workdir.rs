//! A directory to work in, the loader's command line, and its outcome.
//!
//! ```ignore
//! let dir = Workdir::new();
//! dir.write("in.json", lines);
//! let outcome = dir.loader().source("in.json").arg("--backfill").succeeds();
//! assert_eq!(outcome.count("written"), 2);
//! ```

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fmt::Write as _,
    io::Write as _,
    mem,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::forms::Form;

/// The binary under test.
pub(crate) const LOADER: &str = env!("CARGO_BIN_EXE_eventloader");

/// A temporary directory: the working directory of every loader that it starts.
pub(crate) struct Workdir {
    root: PathBuf,
    form: Form,
    _removed_on_drop: TempDir,
}

/// Directories are made in memory only if at least this much is free there.
const FREE_BYTES_MIN: u64 = 1 << 30;

impl Workdir {
    /// A directory in memory if the system offers that: most tests run the loader many times, and would wait
    /// for the disk whenever it syncs a file.
    pub(crate) fn new() -> Self {
        Self::in_form(Form::Lines)
    }

    /// The same on the disk: for files too large for memory, and for tests in which the disk plays a part.
    pub(crate) fn on_disk() -> Self {
        Self::of(TempDir::new().unwrap(), Form::Lines)
    }

    /// The same, with events written in this form; its name says which.
    pub(crate) fn in_form(form: Form) -> Self {
        let prefix = format!("{form:?}-");
        let in_memory = Path::new("/dev/shm");
        let is_large = rustix::fs::statvfs(in_memory)
            .is_ok_and(|space| space.f_bavail * space.f_frsize >= FREE_BYTES_MIN);
        let place = if is_large { in_memory.to_owned() } else { env::temp_dir() };
        Self::of(TempDir::with_prefix_in(prefix, place).unwrap(), form)
    }

    fn of(dir: TempDir, form: Form) -> Self {
        // Canonical, because the loader writes canonical paths and macOS has its temporary files behind a
        // link.
        Self { root: fs_err::canonicalize(dir.path()).unwrap(), form, _removed_on_drop: dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path("target")
    }

    /// Writes a file, and the directories that lead to it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        path
    }

    /// Writes a file with these lines, in the form of this directory.
    pub(crate) fn write_lines<L: AsRef<[u8]>>(&self, name: &str, lines: impl AsRef<[L]>) -> PathBuf {
        self.write(name, self.form.encode(&self.form.write(lines.as_ref()).text))
    }

    /// The loader, with `-t target` and a report.
    pub(crate) fn loader(&self) -> Loader {
        self.loader_into("target")
    }

    /// The loader, with a target of that name and a report.
    pub(crate) fn loader_into(&self, target: &str) -> Loader {
        self.bare_loader().arg("-t").arg(self.path(target)).reporting()
    }

    /// The loader without any flag.
    pub(crate) fn bare_loader(&self) -> Loader {
        Loader::new(Command::new(LOADER), self)
    }
}

/// A command line of the loader.
pub(crate) struct Loader {
    command: Command,
    stdin: Vec<u8>,
    root: PathBuf,
    report: Option<PathBuf>,
}

impl Loader {
    /// `command` starts the loader in some way; arguments follow.
    pub(crate) fn new(mut command: Command, dir: &Workdir) -> Self {
        command.current_dir(&dir.root);
        Self { command, stdin: Vec::new(), root: dir.root.clone(), report: None }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn source(self, path: impl AsRef<OsStr>) -> Self {
        self.arg("-s").arg(path)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Asks for the report in a file; the outcome will hold it.
    pub(crate) fn reporting(mut self) -> Self {
        let path = self.root.join("report.json");
        self.command.arg("--report").arg(&path);
        self.report = Some(path);
        self
    }

    /// Runs, and waits before its n-th operation on a file, from 1, until `meanwhile` is done.
    #[track_caller]
    pub(crate) fn held_at(self, operation: usize, meanwhile: impl FnOnce()) -> Outcome {
        self.held(&operation.to_string(), |log| log.lines().count() >= operation, meanwhile)
    }

    /// The same before the first operation of that name on a path with that part.
    #[track_caller]
    pub(crate) fn held_at_first(self, name: &str, part: &str, meanwhile: impl FnOnce()) -> Outcome {
        let is_it = |line: &str| line.contains(&format!(" {name} /")) && line.contains(part);
        self.held(&format!("{name}@{part}"), |log| log.lines().any(is_it), meanwhile)
    }

    fn held(self, operation: &str, is_reached: impl Fn(&str) -> bool, meanwhile: impl FnOnce()) -> Outcome {
        let log = self.root.join("operations.log");
        fs_err::write(&log, "").unwrap();
        let mut held = self.env("EVENTLOADER_FAULT", &format!("{operation}:hold"));
        held.command.env("EVENTLOADER_FILE_LOG", &log);
        let (command_line, mut child, report) = held.start();
        let stdin = child.stdin.take().unwrap();
        while !is_reached(&fs_err::read_to_string(&log).unwrap()) {
            assert!(
                child.try_wait().unwrap().is_none(),
                "ended before operation {operation}: {command_line}"
            );
            thread::sleep(Duration::from_millis(1));
        }
        meanwhile();
        drop(stdin);
        Outcome::of(command_line, child.wait_with_output().unwrap(), report)
    }

    /// Runs to its end; returns the operations on files, in their order: `looks read PATH`.
    pub(crate) fn operations(mut self) -> Vec<String> {
        let log = self.root.join("operations.log");
        fs_err::write(&log, "").unwrap();
        self.command.env("EVENTLOADER_FILE_LOG", &log);
        self.run();
        fs_err::read_to_string(&log).unwrap().lines().map(str::to_owned).collect()
    }

    fn start(mut self) -> (String, Child, Option<PathBuf>) {
        if let Some(report) = &self.report {
            fs_err::remove_file(report).ok();
        }
        let command_line = command_line(&self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{command_line}: {error}"));
        (command_line, child, self.report)
    }

    pub(crate) fn run(mut self) -> Outcome {
        let stdin = mem::take(&mut self.stdin);
        let (command_line, mut child, report) = self.start();
        let mut pipe = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            // The loader may end without reading its standard input.
            scope.spawn(move || pipe.write_all(&stdin).ok());
            child.wait_with_output().unwrap()
        });
        Outcome::of(command_line, output, report)
    }

    /// Runs, and expects exit code 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Outcome {
        self.exits(0)
    }

    /// Runs, and expects an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.status.code(), Some(code), "exit code of {outcome}");
        outcome
    }

    /// The command itself, for tests that stop it: silent, and without reading its report.
    pub(crate) fn into_command(mut self) -> Command {
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.command
    }
}

/// As one would type it on a command line.
fn command_line(command: &Command) -> String {
    let mut line = String::from("eventloader");
    for arg in command.get_args() {
        write!(line, " {}", arg.to_string_lossy()).unwrap();
    }
    for (name, value) in command.get_envs() {
        line.insert_str(0, &format!("{}={} ", name.display(), value.unwrap_or_default().display()));
    }
    line
}

/// What a run came to.
pub(crate) struct Outcome {
    pub(crate) command_line: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) report: Option<Value>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command_line, status, stdout, stderr, .. } = self;
        write!(
            f,
            "`{command_line}`\n  ended with {status}\n  standard output: {stdout:?}\n  standard error:\n{stderr}"
        )
    }
}

impl Outcome {
    fn of(command_line: String, output: Output, report: Option<PathBuf>) -> Self {
        // A report that can't be read counts as none; `count` says so.
        let report = report.and_then(|path| serde_json::from_slice(&fs_err::read(path).ok()?).ok());
        Self {
            command_line,
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
            report,
        }
    }

    #[track_caller]
    pub(crate) fn report(&self) -> &Value {
        self.report.as_ref().unwrap_or_else(|| panic!("no report was written by {self}"))
    }

    /// A number of the report: `written`, `quarantined.total`.
    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        let pointer = format!("/{}", name.replace('.', "/"));
        let value = self.report().pointer(&pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("the report has no number {name:?}: {:#}", self.report()))
    }

    /// `path rows action` of every partition in the report.
    #[track_caller]
    pub(crate) fn partitions(&self) -> Vec<String> {
        let partitions = self.report()["partitions"].as_array().expect("partitions is an array");
        let text = |value: &Value| value.as_str().expect("path and action are strings").to_owned();
        partitions
            .iter()
            .map(|p| format!("{} {} {}", text(&p["path"]), p["rows"], text(&p["action"])))
            .collect()
    }

    /// The bad lines of the report, by reason.
    #[track_caller]
    pub(crate) fn reasons(&self) -> BTreeMap<String, u64> {
        let reasons = &self.report()["quarantined"]["by_reason"];
        serde_json::from_value(reasons.clone()).expect("by_reason holds numbers")
    }

    /// Standard error, which is one line that holds all of `parts`.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        let message = self.stderr.trim_end_matches('\n');
        assert!(
            !message.is_empty() && !message.contains('\n'),
            "expected one line on standard error of {self}"
        );
        for part in parts {
            assert!(message.contains(part), "expected {part:?} in the message of {self}");
        }
    }
}
