//! An address and the environment → a store that answers.
//!
//! Invariant: what is returned has answered once, so that a wrong name, key, region or endpoint is told
//! before any work begins, and within seconds.

use std::{env, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, HeaderValue, ObjectStore, RetryConfig, aws::resolve_bucket_region,
    list::PaginatedListStore,
};
use storage::{OpenError, Store, Unusable};
use tokio::runtime::{Builder, Runtime};

use crate::{
    address::{Address, Cloud},
    bucket::Bucket,
    credentials::{self, Access, Environment},
    failure,
    probe::probe,
    secrets::Secrets,
    uploads::BYTES_AT_ONCE,
};

/// What the command line says of a store. All else is in the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The URL of the service, if it is not the cloud's own.
    pub endpoint: Option<String>,
    /// The region of the bucket (S3).
    pub region: Option<String>,
    /// Requests are not signed.
    pub anonymous: bool,
    /// The most bytes of what is on its way to the store, and of what is kept of objects that are read;
    /// 64 MiB each where `None`.
    pub buffer_bytes_max: Option<usize>,
}

/// A client of a bucket.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) pages: Arc<dyn PaginatedListStore>,
}

impl Client {
    fn of<S: ObjectStore + PaginatedListStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self { objects: Arc::<S>::clone(&store), pages: store }
    }
}

/// The clients of a bucket, and what to say of them.
pub(crate) struct Clients {
    /// Tries again for a while.
    pub(crate) patient: Client,
    /// For what its caller tries again.
    pub(crate) quick: Client,
    pub(crate) secrets: Secrets,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) signed_by: Option<&'static str>,
}

/// Opens the place of an address, with the credentials of the environment.
///
/// # Errors
/// If the address is none, there are no credentials for it, or the store does not answer.
pub fn open(text: &str, options: &Options) -> Result<Arc<dyn Store>, OpenError> {
    open_with(text, options, &|name| env::var(name).ok())
}

/// Opens the place of an address; `variable` stands for the environment.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    text: &str,
    options: &Options,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Store>, OpenError> {
    let address = Address::parse(text)?;
    let failing =
        |problem: String| OpenError { address: address.to_string(), kind: Unusable::Setting, problem };
    // Another of the process is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("requests").enable_all().build();
    let runtime = runtime.map_err(|error| failing(error.to_string()))?;
    let clients = clients(&address, options, Environment(variable), &runtime)?;
    probe(&address, &clients, &runtime)?;
    let buffer_bytes = options.buffer_bytes_max.unwrap_or(BYTES_AT_ONCE);
    Ok(Arc::new(Bucket::new(&address, clients, runtime, buffer_bytes)))
}

fn clients(
    address: &Address,
    options: &Options,
    environment: Environment<'_>,
    runtime: &Runtime,
) -> Result<Clients, OpenError> {
    match address.cloud {
        Cloud::S3 => {
            let (access, region) = credentials::s3(address, options, environment)?;
            let region = match region {
                None if access.endpoint.is_none() => Some(region_of(address, runtime)?),
                region => region,
            };
            build(address, access, region.clone(), |builder, requests, retries| {
                let builder = builder.with_region(region.as_deref().unwrap_or("us-east-1"));
                Ok(Client::of(builder.with_client_options(requests).with_retry(retries).build()?))
            })
        }
        Cloud::Azure => {
            let access = credentials::azure(address, options, environment)?;
            build(address, access, None, |builder, requests, retries| {
                Ok(Client::of(builder.with_client_options(requests).with_retry(retries).build()?))
            })
        }
        Cloud::Google => {
            let access = credentials::google(address, options, environment)?;
            build(address, access, None, |builder, requests, retries| {
                Ok(Client::of(builder.with_client_options(requests).with_retry(retries).build()?))
            })
        }
    }
}

/// Builds both clients of a bucket.
fn build<B: Clone>(
    address: &Address,
    access: Access<B>,
    region: Option<String>,
    client: impl Fn(B, ClientOptions, RetryConfig) -> object_store::Result<Client>,
) -> Result<Clients, OpenError> {
    let Access { builder, secrets, endpoint, signed_by } = access;
    // Whoever names an endpoint decides whether it is encrypted.
    let is_plain = endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    let client = |retries| {
        client(builder.clone(), requests().with_allow_http(is_plain), retries).map_err(|error| OpenError {
            address: address.to_string(),
            kind: Unusable::Setting,
            problem: secrets.clean(&failure::cause_of(&error)),
        })
    };
    let (patient, quick) = (client(patient())?, client(quick())?);
    Ok(Clients { patient, quick, secrets, endpoint, region, signed_by })
}

/// The region of a bucket, as S3 tells everybody.
fn region_of(address: &Address, runtime: &Runtime) -> Result<String, OpenError> {
    let problem = |kind, problem| OpenError { address: address.to_string(), kind, problem };
    match runtime.block_on(resolve_bucket_region(&address.bucket, &requests())) {
        Ok(region) => Ok(region),
        Err(error) if failure::text_of(&error).contains("not found") => {
            Err(problem(Unusable::Bucket, format!("there is no bucket {:?}", address.bucket)))
        }
        Err(error) => {
            let cause = failure::cause_of(&error);
            Err(problem(
                Unusable::Unreachable,
                format!("the region of the bucket could not be found out: {cause}"),
            ))
        }
    }
}

fn requests() -> ClientOptions {
    const CONNECT: Duration = Duration::from_secs(5);
    /// A part of an upload has this long.
    const REQUEST: Duration = Duration::from_secs(120);
    let agent = HeaderValue::from_static(concat!("eventloader/", env!("CARGO_PKG_VERSION")));
    ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST).with_user_agent(agent)
}

/// How often and how long a request is tried again.
fn patient() -> RetryConfig {
    retries(10, Duration::from_secs(30), Duration::from_secs(5))
}

fn quick() -> RetryConfig {
    retries(4, Duration::from_secs(5), Duration::from_secs(1))
}

fn retries(max_retries: usize, retry_timeout: Duration, max_backoff: Duration) -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(50), max_backoff, base: 2.0 };
    RetryConfig { backoff, max_retries, retry_timeout }
}
