//! `postgresql://user@host:port/database?schema=lake` and the environment → what to connect to.
//!
//! The form is that of libpq's URIs, the variables are its own. Its parameters have two more: `schema`, and
//! `lock_timeout`, in seconds.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>
//!
//! Invariant: what [`Address`] shows has no password.

use std::{fmt, path::PathBuf, time::Duration};

use storage::{OpenError, Unusable};

use crate::tls::SslMode;

/// The schemes of addresses.
const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];
/// The port of a server that has no other (libpq: `DEF_PGPORT`).
const PORT: u16 = 5432;
/// The schema that every database has.
const SCHEMA: &str = "public";
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long another run is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// The most bytes of a name (`NAMEDATALEN` - 1): the server cuts longer ones, so two would be one.
const NAME_BYTES_MAX: usize = 63;
/// What stands behind `?`.
const PARAMETERS: &str = "schema, host, port, user, password, dbname, sslmode, sslrootcert, connect_timeout, \
                          lock_timeout";

/// A schema of a database of a server, and how to get there.
#[derive(Clone)]
pub struct Address {
    /// A name, an IP address or, of a Unix socket, the directory that it is in.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    pub(crate) schema: String,
    pub(crate) ssl_mode: SslMode,
    /// The file with the certificates that sign the server's; `system` for those of the machine.
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) lock_timeout: Duration,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, database, schema) = (encoded(&self.user), encoded(&self.database), encoded(&self.schema));
        if self.is_socket() {
            let host = &self.host;
            return write!(
                f,
                "postgresql://{user}@/{database}?host={host}&port={}&schema={schema}",
                self.port
            );
        }
        let is_v6 = self.host.contains(':');
        let host = if is_v6 { format!("[{}]", self.host) } else { encoded(&self.host) };
        write!(f, "postgresql://{user}@{host}:{}/{database}?schema={schema}", self.port)
    }
}

impl Address {
    /// Reads an address; `variable` stands for the environment.
    ///
    /// # Errors
    /// It is none, or something in it or in a variable can't be used.
    pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, OpenError> {
        // Nothing of an address that is not understood is shown: a password may be anywhere in it.
        let refused = |kind, problem| OpenError { address: "postgresql://…".to_owned(), kind, problem };
        let parts = Parts::of(text).map_err(|problem| refused(Unusable::Address, problem))?;
        parts.address(variable).map_err(|(kind, problem)| refused(kind, problem))
    }

    /// Whether it is reached through a Unix socket.
    pub(crate) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// The parts of an address that it gives, decoded.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    schema: Option<String>,
    ssl_mode: Option<String>,
    root_certificates: Option<String>,
    connect_timeout: Option<String>,
    lock_timeout: Option<String>,
}

impl Parts {
    fn of(text: &str) -> Result<Self, String> {
        let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| format!("an address begins with {}", SCHEMES[0]))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let mut parts = Self::default();
        let (user, password) = user.split_once(':').map_or((user, None), |(user, word)| (user, Some(word)));
        set(&mut parts.user, user)?;
        set(&mut parts.password, password.unwrap_or_default())?;
        if server.contains(',') {
            return Err("an address names one server".to_owned());
        }
        let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or(rest)),
            None => server.split_once(':').unwrap_or((server, "")),
        };
        set(&mut parts.host, host)?;
        set(&mut parts.port, port)?;
        set(&mut parts.database, database)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.add(&decoded(name)?, value)?;
        }
        Ok(parts)
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "schema" => set(&mut self.schema, value),
            "host" => set(&mut self.host, value),
            "port" => set(&mut self.port, value),
            "user" => set(&mut self.user, value),
            "password" => set(&mut self.password, value),
            "dbname" => set(&mut self.database, value),
            "sslmode" => set(&mut self.ssl_mode, value),
            "sslrootcert" => set(&mut self.root_certificates, value),
            "connect_timeout" => set(&mut self.connect_timeout, value),
            "lock_timeout" => set(&mut self.lock_timeout, value),
            // Providers write it into the addresses that they give out.
            "channel_binding" if matches!(value, "prefer" | "disable") => Ok(()),
            "channel_binding" => {
                Err("channel_binding is not there; sslmode=verify-full says who the server is".to_owned())
            }
            _ => Err(format!("there is no parameter {name:?}; there are {PARAMETERS}")),
        }
    }

    fn address(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Address, (Unusable, String)> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let bad = |problem| (Unusable::Address, problem);
        let set = |problem| (Unusable::Setting, problem);
        let user = self.user.or_else(|| variable("PGUSER")).or_else(|| variable("USER"));
        let user = user.ok_or_else(|| bad("it names no user: postgresql://user@host/database".to_owned()))?;
        let database = self.database.or_else(|| variable("PGDATABASE"));
        let database = database
            .ok_or_else(|| bad("it names no database: postgresql://user@host/database".to_owned()))?;
        let schema = self.schema.unwrap_or_else(|| SCHEMA.to_owned());
        if schema.len() > NAME_BYTES_MAX {
            return Err(bad(format!("the name of a schema has at most {NAME_BYTES_MAX} bytes")));
        }
        if schema.starts_with("pg_") || schema == "information_schema" {
            return Err(bad(format!("the schema {schema:?} belongs to the server")));
        }
        let host = self.host.or_else(|| variable("PGHOST")).unwrap_or_else(|| "localhost".to_owned());
        let port = self.port.or_else(|| variable("PGPORT"));
        let port = port.map_or(Ok(PORT), |port| match port.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(bad(format!("the port is a number up to 65535, not {port:?}"))),
        })?;
        let ssl_mode = self.ssl_mode.or_else(|| variable("PGSSLMODE"));
        let ssl_mode = ssl_mode.map_or(Ok(SslMode::Prefer), |mode| SslMode::parse(&mode)).map_err(set)?;
        let root_certificates = self.root_certificates.or_else(|| variable("PGSSLROOTCERT"));
        let connect_timeout = self.connect_timeout.or_else(|| variable("PGCONNECT_TIMEOUT"));
        let seconds = |name: &str, text: Option<String>, default| match text.map(|text| text.parse()) {
            None => Ok(default),
            Some(Ok(seconds @ 1..=86_400)) => Ok(Duration::from_secs(seconds)),
            Some(_) => Err(bad(format!("{name} is a number of seconds, from 1 to 86400"))),
        };
        Ok(Address {
            host,
            port,
            user,
            password: self.password.or_else(|| variable("PGPASSWORD")),
            database,
            schema,
            ssl_mode,
            root_certificates: root_certificates.map(PathBuf::from),
            connect_timeout: seconds("connect_timeout", connect_timeout, CONNECT_TIMEOUT)?,
            lock_timeout: seconds("lock_timeout", self.lock_timeout, LOCK_TIMEOUT)?,
        })
    }
}

/// Sets a part, unless it is empty.
fn set(part: &mut Option<String>, value: &str) -> Result<(), String> {
    if !value.is_empty() {
        *part = Some(decoded(value)?);
    }
    Ok(())
}

/// `%2F` → `/`
fn decoded(text: &str) -> Result<String, String> {
    // The text itself may be a password.
    let refused = || "a % is not followed by two hexadecimal digits, or does not make UTF-8".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(refused)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| refused())?);
        rest = &rest[2..];
    }
    // No name, path or password of libpq has it.
    if bytes.contains(&0) {
        return Err("it has U+0000".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| refused())
}

/// `/` → `%2F`: what is not plain in a part of an address.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, String> {
        Address::parse(text, &|_| None).map_err(|error| error.to_string())
    }

    fn parse_with(text: &str, variables: &[(&str, &str)]) -> Address {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Address::parse(text, &|name| value(name).map(|(_, value)| (*value).to_owned())).unwrap()
    }

    #[test]
    fn an_address_has_its_parts_decoded_and_shows_no_password() {
        let address = parse(
            "postgres://an%40na:p%3Aw%2F%C3%BC@db.example:6432/my%20base?schema=la%22ke&sslmode=require\
             &connect_timeout=3&lock_timeout=7",
        )
        .unwrap();
        assert_eq!((address.user.as_str(), address.password.as_deref()), ("an@na", Some("p:w/ü")));
        assert_eq!((address.host.as_str(), address.port), ("db.example", 6432));
        assert_eq!((address.database.as_str(), address.schema.as_str()), ("my base", "la\"ke"));
        assert_eq!(address.ssl_mode, SslMode::Require);
        assert_eq!(address.connect_timeout, Duration::from_secs(3));
        assert_eq!(address.lock_timeout, Duration::from_secs(7));
        assert_eq!(address.to_string(), "postgresql://an%40na@db.example:6432/my%20base?schema=la%22ke");
        assert_eq!(format!("{address:?}"), format!("Address({address})"));
    }

    #[test]
    fn what_an_address_leaves_out_is_in_the_environment_or_has_a_default() {
        let address = parse("postgresql://u@h/d").unwrap();
        assert_eq!(address.to_string(), "postgresql://u@h:5432/d?schema=public");
        assert_eq!((address.ssl_mode, address.password.as_deref()), (SslMode::Prefer, None));
        assert_eq!(address.lock_timeout, Duration::from_secs(60));
        let variables = [
            ("PGHOST", "h2"),
            ("PGPORT", "1"),
            ("PGUSER", "u2"),
            ("PGDATABASE", "d2"),
            ("PGPASSWORD", "p2"),
            ("PGSSLMODE", "disable"),
            ("PGCONNECT_TIMEOUT", "2"),
        ];
        let address = parse_with("postgresql://", &variables);
        assert_eq!(address.to_string(), "postgresql://u2@h2:1/d2?schema=public");
        assert_eq!((address.user.as_str(), address.password.as_deref()), ("u2", Some("p2")));
        assert_eq!((address.ssl_mode, address.connect_timeout), (SslMode::Disable, Duration::from_secs(2)));
        let address = parse_with("postgresql://u:p@h:2/d?sslmode=prefer", &variables);
        assert_eq!(address.to_string(), "postgresql://u@h:2/d?schema=public");
        assert_eq!((address.password.as_deref(), address.ssl_mode), (Some("p"), SslMode::Prefer));
        assert_eq!(parse_with("postgresql://h/d", &[("USER", "os")]).user, "os");
    }

    #[test]
    fn sockets_and_ipv6_are_hosts() {
        let address = parse("postgresql:///d?host=/var/run/postgresql&user=u&port=5433&schema=s").unwrap();
        assert!(address.is_socket());
        assert_eq!(address.to_string(), "postgresql://u@/d?host=/var/run/postgresql&port=5433&schema=s");
        let address = parse("postgresql://u@%2Frun%2Fpg/d").unwrap();
        assert!(address.is_socket());
        let address = parse("postgresql://u@[::1]:5433/d").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", 5433));
        assert_eq!(address.to_string(), "postgresql://u@[::1]:5433/d?schema=public");
    }

    #[test]
    fn a_bad_address_is_refused_without_showing_it() {
        for (text, problem) in [
            ("postgresql://u:hush@h", "it names no database"),
            ("postgresql://:hush@h/d", "it names no user"),
            ("postgresql://u:hush@h,i/d", "names one server"),
            ("postgresql://u:hush@h:99999/d", "the port is a number"),
            ("postgresql://u:hush@h/d?sslmode=on", "sslmode"),
            ("postgresql://u:hush@h/d?search_path=x", "there is no parameter"),
            ("postgresql://u:hush@h/d?schema=pg_catalog", "belongs to the server"),
            ("postgresql://u:hush%@h/d", "a % is not followed"),
            ("postgresql://u:hush%FF@h/d", "does not make UTF-8"),
            ("postgresql://u:hush%00@h/d", "U+0000"),
            ("postgresql://u:hush@h/d?connect_timeout=soon", "connect_timeout is a number"),
            ("postgresql://u:hush@h/d?lock_timeout=0", "lock_timeout is a number"),
            ("postgresql://u:hush@h/d?channel_binding=require", "channel_binding"),
            ("mysql://u:hush@h/d", "begins with postgresql://"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
        let long = "x".repeat(64);
        assert!(parse(&format!("postgresql://u@h/d?schema={long}")).unwrap_err().contains("63 bytes"));
    }
}
