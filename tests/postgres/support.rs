//! A schema of its own for a test, runs that commit into it, and a proxy that loses the answer to a COMMIT.

use std::{
    env,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use event_target::{
    Change, Database, LoadFacts, Location, NewCommit, Place, QUARANTINE, Staging, Target, TargetError,
    TargetLayout,
};
use events_core::partition::{Layout, PartitionUnit};
use postgres_session::open;

/// A schema that nobody else uses, and that does not exist yet. It is dropped at the end.
pub(crate) struct Schema {
    pub(crate) name: String,
    /// The address of its database, with a password in it.
    server: String,
}

impl Schema {
    /// `None` without a server. `name` tells it from those of other tests.
    pub(crate) fn new(name: &str) -> Option<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let server = env::var("EVENTLOADER_POSTGRES").ok()?;
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Some(Self { name: format!("{name} \"{}\" {number}", process::id()), server })
    }

    /// Its address with more parameters.
    pub(crate) fn address(&self, parameters: &str) -> String {
        let name = self.name.replace('"', "%22").replace(' ', "%20");
        format!("{}?schema={name}&{parameters}", self.server)
    }

    /// The host and the port of the server.
    pub(crate) fn host(&self) -> &str {
        let (_, rest) = self.server.rsplit_once('@').unwrap();
        rest.split('/').next().unwrap()
    }

    pub(crate) fn open(&self) -> Arc<dyn Database> {
        open(&self.address("lock_timeout=20")).unwrap()
    }

    pub(crate) fn location(&self) -> Location {
        Location::database(self.open())
    }

    /// One of its tables in a statement.
    pub(crate) fn table(&self, name: &str) -> String {
        format!(
            "{}.{}",
            events_core::sql_text::double_quoted(&self.name),
            events_core::sql_text::double_quoted(name)
        )
    }

    /// Runs statements by themselves, and commits them.
    pub(crate) fn run(&self, sql: &str) {
        let mut session = self.open().change().unwrap();
        session.execute(sql, &[]).unwrap();
        session.commit().unwrap();
    }

    /// Runs a statement that stands in no transaction.
    pub(crate) fn run_alone(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connecting = tokio_postgres::connect(&self.server, tokio_postgres::NoTls);
            let (client, connection) = connecting.await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    }

    /// The first value of a query.
    pub(crate) fn value(&self, sql: &str) -> String {
        let rows = self.open().read().unwrap().query(sql, &[]).unwrap();
        rows.into_iter().flatten().next().flatten().unwrap_or_else(|| "nothing".to_owned())
    }

    /// Whether there is anything of it.
    pub(crate) fn exists(&self) -> bool {
        let sql = "SELECT nspname FROM pg_namespace WHERE nspname = $1";
        !self.open().read().unwrap().query(sql, &[&self.name]).unwrap().is_empty()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.run(&format!(
                "DROP SCHEMA IF EXISTS {} CASCADE",
                events_core::sql_text::double_quoted(&self.name)
            ));
        }
    }
}

pub(crate) fn by_day() -> TargetLayout {
    TargetLayout::new(Layout::Database, PartitionUnit::Day)
}

/// A run that commits a file of bad lines, from beginning to end.
pub(crate) fn load(location: &Location, stem: &str, text: &str) -> Result<(), TargetError> {
    let mut target = Target::open(location)?;
    let staging = target.begin(&by_day())?;
    let change = bad_lines(&staging, stem, text, None);
    target.commit(NewCommit::of(vec![change], by_day(), LoadFacts::default()), 1)
}

/// A staged file of bad lines.
pub(crate) fn bad_lines(staging: &Staging, stem: &str, text: &str, replaces: Option<String>) -> Change {
    let place = Place { directory: QUARANTINE, stem, extension: "jsonl" };
    let mut file = staging.create(stem.to_owned(), place).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let (file, _) = file.finish(0).unwrap();
    Change::file(QUARANTINE, &file, replaces)
}

/// A record of the quarantine.
pub(crate) fn record(line: u64, raw: &str) -> String {
    let raw = raw.replace('\\', "\\\\").replace('"', "\\\"").replace('\0', "\\u0000");
    format!(
        "{{\"source\":\"a.json\",\"line\":{line},\"offset\":0,\"reason\":\"type\",\"detail\":{{\"field\":\"data.x\",\
         \"expected\":\"a number\",\"found\":\"{raw}\"}},\"raw\":\"{raw}\"}}\n"
    )
}

/// What a file of the quarantine has.
pub(crate) fn text_of(location: &Location, name: &str) -> String {
    let mut text = String::new();
    location.read(&format!("{QUARANTINE}/{name}")).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// When a proxy ends the first connection that commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never gets the COMMIT.
    BeforeCommit,
    /// The server has committed, and its answer is lost.
    AfterCommit,
}

/// A proxy before a server, and how often it has cut a connection.
pub(crate) fn proxy(server: &str, cut: Cut) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (server, cuts) = (server.to_owned(), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&cuts);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let cuts = Arc::clone(&counted);
            thread::spawn(move || forward(client, server, cut, &cuts));
            thread::spawn(move || std::io::copy(&mut answers, &mut to_client));
        }
    });
    (address, cuts)
}

/// Hands on what a client sends, until it commits.
fn forward(mut client: TcpStream, mut server: TcpStream, cut: Cut, cuts: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..read];
        let commits = sent.windows(7).any(|bytes| bytes == b"COMMIT\0");
        if commits && cuts.fetch_add(1, Ordering::SeqCst) == 0 {
            // Nothing that the server answers reaches the client any more.
            let _ = client.shutdown(Shutdown::Both);
            if cut == Cut::AfterCommit {
                server.write_all(sent).unwrap();
            }
            let _ = server.shutdown(Shutdown::Write);
            return;
        }
        if server.write_all(sent).is_err() {
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}
