//! A schema of the server that `scripts/servers.sh postgres` has started, and what `psql` says of it.

use std::{
    env,
    io::{Write as _, stderr},
    process::{self, Command},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::support::workdir::{Loader, Workdir};

const ADDRESS: &str = "EVENTLOADER_POSTGRES";

/// Statements of psql's session; the server's own settings are strange on purpose.
const SESSION: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex'; SET extra_float_digits = 1; \
                       SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning';";

/// A name that no other test has; the schema is dropped in the end.
pub(crate) struct Schema {
    address: String,
    pub(crate) name: String,
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.psql(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.quoted()));
    }
}

impl Schema {
    /// `None` without a server, which is told even where tests' output is not shown.
    pub(crate) fn new() -> Option<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Ok(address) = env::var(ADDRESS) else {
            let how = "scripts/servers.sh postgres -- cargo test --package eventloader --features postgres \
                       --test loader_cli -- database";
            let mut people = stderr();
            writeln!(people, "skipped, for there is no {ADDRESS}: {how}").unwrap();
            return None;
        };
        // Case and blanks count.
        let name = format!("Test {} {}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Some(Self { address, name })
    }

    /// The address as a target.
    pub(crate) fn url(&self) -> String {
        self.url_of(&self.address)
    }

    /// The same for another user, whose password is their name.
    pub(crate) fn url_as(&self, user: &str) -> String {
        let (_, place) = self.address.split_once('@').unwrap();
        self.url_of(&format!("postgresql://{user}:{user}@{place}"))
    }

    fn url_of(&self, address: &str) -> String {
        format!("{address}?schema={}", self.name.replace(' ', "%20"))
    }

    /// The password in the address, decoded.
    pub(crate) fn password(&self) -> String {
        let (user, _) = self.address.split_once('@').unwrap();
        user.rsplit(':').next().unwrap().replace("%20", " ").replace("%2F", "/")
    }

    /// `127.0.0.1:PORT/DATABASE`
    pub(crate) fn place(&self) -> &str {
        self.address.split_once('@').unwrap().1
    }

    /// The schema's name in SQL.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.name)
    }

    /// Runs SQL, in which `lake.` stands for the schema; returns what psql prints: a line for each row,
    /// columns separated by `|`.
    #[track_caller]
    pub(crate) fn psql(&self, sql: &str) -> String {
        let (ok, printed) = self.try_psql(sql);
        assert!(ok, "{sql}: {printed}");
        printed
    }

    /// The same, and whether it went through.
    pub(crate) fn try_psql(&self, sql: &str) -> (bool, String) {
        let sql = sql.replace("lake.", &format!("{}.", self.quoted()));
        let output = Command::new("psql")
            .args([
                "-XAtq",
                "-P",
                "null=NULL",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                &self.address,
                "-c",
                SESSION,
                "-c",
                &sql,
            ])
            .output()
            .expect("psql is in the PATH: it comes with Debian's postgresql-client");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let printed = text(output.stdout) + &text(output.stderr);
        (output.status.success(), printed.trim_end_matches('\n').to_owned())
    }

    /// The lines that psql prints.
    #[track_caller]
    pub(crate) fn lines(&self, sql: &str) -> Vec<String> {
        self.psql(sql).lines().map(str::to_owned).collect()
    }

    /// A number that psql prints.
    #[track_caller]
    pub(crate) fn number(&self, sql: &str) -> u64 {
        self.psql(sql).parse().unwrap()
    }

    /// All of the schema: each table with its columns, indexes, comments and rows, with the loads and the bad
    /// lines.
    pub(crate) fn content(&self) -> String {
        let name = &self.name;
        let tables = self.lines(&format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = '{name}' ORDER BY table_name COLLATE \"C\""
        ));
        let mut content = String::new();
        for table in tables {
            let columns = format!(
                "SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum) FROM pg_attribute \
                 WHERE attrelid = 'lake.\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            );
            let indexes = format!(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = '{name}' AND tablename = '{table}' ORDER BY 1"
            );
            let rows = format!("SELECT t::text FROM lake.\"{table}\" AS t ORDER BY t::text COLLATE \"C\"");
            for sql in [columns, indexes, rows] {
                content.extend([table.as_str(), ": ", &sql, "\n", &self.psql(&sql), "\n"]);
            }
        }
        content
    }

    /// The loader with this target and a report, in this directory.
    pub(crate) fn loader(&self, dir: &Workdir) -> Loader {
        dir.bare_loader().args(["-t", &self.url()]).reporting()
    }

    /// `eventloader COMMAND TARGET`
    pub(crate) fn command(&self, dir: &Workdir, name: &str) -> Loader {
        dir.bare_loader().args([name, &self.url()])
    }

    /// `verify` finds nothing.
    #[track_caller]
    pub(crate) fn is_well(&self, dir: &Workdir) {
        let verified = self.command(dir, "verify").succeeds();
        assert_eq!(verified.stdout, "", "verify");
    }
}
