//! How a transaction begins: what it relies on is set for it alone, so that it is right behind a proxy that
//! pools connections, too.
//!
//! Invariant: the lock of a change is held by the transaction, and ends with it. What a change sees was
//! committed before each of its statements, so nothing that it sees is older than the lock.

use std::time::Duration;

/// Begins a transaction that reads everything as of one moment.
pub(crate) fn read() -> String {
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{}", settings())
}

/// Begins a transaction that may change something. The server's default for writing stays: it may refuse it.
///
/// Each statement sees what is committed (READ COMMITTED). A snapshot for all of them would be taken with the
/// first, which waits for the lock, so it would not have what the other run commits meanwhile.
pub(crate) fn change(lock_timeout: Duration) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;{}SET LOCAL lock_timeout = {};",
        settings(),
        lock_timeout.as_millis()
    )
}

/// The settings of one transaction.
fn settings() -> String {
    let settings = [
        // Names are looked up where the server has its own, and nowhere else.
        ("search_path", "pg_catalog, pg_temp"),
        ("client_encoding", "'UTF8'"),
        ("TimeZone", "'UTC'"),
        ("DateStyle", "'ISO, YMD'"),
        ("IntervalStyle", "'postgres'"),
        ("bytea_output", "'hex'"),
        ("extra_float_digits", "1"),
        ("standard_conforming_strings", "on"),
        // Rows that a policy hides would be missing without a word: so that is an error.
        ("row_security", "off"),
        // Compiling a query takes longer than these queries.
        ("jit", "off"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        // A client that is gone without a word is found out within a minute.
        ("tcp_keepalives_idle", "20"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "4"),
        ("tcp_user_timeout", "60000"),
    ];
    settings.map(|(name, value)| format!("SET LOCAL {name} = {value};")).concat()
}

/// Sets what depends on the server. Not every version has a limit of transactions (from 17 on) or, under
/// Linux, looks during a statement whether its client is still there (from 14 on). And the memory in which an
/// index of a new table is sorted, 64 MB by default, is too little for millions of ids: a load takes a
/// quarter longer with it. More than 256 MB stays as it is.
pub(crate) const SETTINGS_OF_THE_SERVER: &str = "\
    SELECT set_config(s.name, wanted.value, true) \
    FROM pg_settings s JOIN (VALUES ('transaction_timeout', '0'), ('client_connection_check_interval', '5000'), \
    ('maintenance_work_mem', '256MB')) wanted (name, value) ON s.name = wanted.name \
    WHERE (s.name <> 'client_connection_check_interval' OR version() LIKE '%linux%') \
    AND (s.name <> 'maintenance_work_mem' \
    OR pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB'))";

/// Whether the transaction can't change anything, whether the server is a replica, and the encoding of the
/// database.
pub(crate) const STATE: &str = "\
    SELECT current_setting('transaction_read_only') = 'on', pg_is_in_recovery(), current_setting('server_encoding')";

/// Takes the lock of the schema `$1`.
pub(crate) const LOCK: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended(('eventloader ' || $1) COLLATE \"C\", 0))::text";

/// Who has the lock of the schema `$1`: the process on the server and, as far as the user may know, the
/// address of its client and since when it runs.
pub(crate) const HOLDER: &str = "\
    SELECT l.pid, a.client_addr::text, to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"') \
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(('eventloader ' || $1) COLLATE \"C\", 0)";
