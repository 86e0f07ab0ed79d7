//! One connection to a server: its thread drives it, the caller waits.
//!
//! Invariant: a connection that is lost says why, once.

use std::{
    fmt,
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, config};

use crate::{
    address::Address,
    failure,
    tls::{Encryption, SslMode},
};

/// A peer that is gone without a word is found out within a minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(20);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 4;
const UNANSWERED: Duration = Duration::from_secs(60);
/// The name of the client in the server's own views.
const APPLICATION: &str = "eventloader";

/// Makes connections to a server.
pub(crate) struct Connector {
    pub(crate) address: Address,
    pub(crate) password: Option<String>,
    encryption: Encryption,
    runtime: Arc<Runtime>,
}

impl Connector {
    pub(crate) fn new(
        address: Address,
        password: Option<String>,
        encryption: Encryption,
    ) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("database").enable_all().build()?;
        Ok(Self { address, password, encryption, runtime: Arc::new(runtime) })
    }

    /// Connects, within the time that the address allows.
    pub(crate) fn connect(&self) -> Result<Connection, Unconnected> {
        let connecting =
            connected_within(self.address.connect_timeout, self.config(), self.encryption.clone());
        let (client, connection) = self.runtime.block_on(connecting)?;
        let ended = Arc::new(Mutex::new(None));
        let end = Arc::clone(&ended);
        self.runtime.spawn(async move {
            if let Err(error) = connection.await {
                *end.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure::text_of(&error));
            }
        });
        Ok(Connection { client, ended, runtime: Arc::clone(&self.runtime) })
    }

    fn config(&self) -> Config {
        let address = &self.address;
        let mut config = Config::new();
        config.user(&address.user).dbname(&address.database).application_name(APPLICATION);
        config.host(&address.host).port(address.port);
        // As for libpq: nobody can listen at a socket of this machine.
        config.ssl_mode(match address.ssl_mode {
            _ if address.is_socket() => config::SslMode::Disable,
            SslMode::Disable => config::SslMode::Disable,
            SslMode::Prefer => config::SslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => config::SslMode::Require,
        });
        if let Some(password) = &self.password {
            config.password(password);
        }
        config.keepalives(true).keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(KEEPALIVE_RETRIES).tcp_user_timeout(UNANSWERED);
        config
    }
}

type Connected = (Client, tokio_postgres::Connection<tokio_postgres::Socket, crate::tls::Encrypted>);

/// The time counts for all of it: a server that takes a connection and says nothing is not waited for.
async fn connected_within(
    timeout: Duration,
    config: Config,
    encryption: Encryption,
) -> Result<Connected, Unconnected> {
    match tokio::time::timeout(timeout, config.connect(encryption)).await {
        Ok(connected) => connected.map_err(Unconnected::Refused),
        Err(_) => Err(Unconnected::Silent(timeout)),
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Unconnected {
    Refused(tokio_postgres::Error),
    Silent(Duration),
}

impl fmt::Display for Unconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => f.write_str(&failure::text_of(error)),
            Self::Silent(timeout) => write!(f, "there is no answer after {} s", timeout.as_secs()),
        }
    }
}

/// A connection.
pub(crate) struct Connection {
    pub(crate) client: Client,
    ended: Arc<Mutex<Option<String>>>,
    runtime: Arc<Runtime>,
}

impl Connection {
    /// Waits for something that the connection does.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Why it has ended, if it has.
    pub(crate) fn ended(&self) -> Option<String> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
