//! One request before any work → what is wrong with a name, a key, a region or an endpoint.

use std::time::Duration;

use object_store::list::PaginatedListOptions;
use storage::{OpenError, Unusable};
use tokio::runtime::Runtime;

use crate::{
    address::{Address, Cloud},
    failure::{cause_of, code_of, is_denial, text_of},
    open::Clients,
};

/// How long a store has for its first answer.
const ANSWER: Duration = Duration::from_secs(15);

/// Lists one object. That it may not be listed is no problem: reading one may be allowed.
pub(crate) fn probe(address: &Address, clients: &Clients, runtime: &Runtime) -> Result<(), OpenError> {
    let prefix = address.key();
    let one = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
    let list = clients.quick.pages.list_paginated((!prefix.is_empty()).then_some(prefix), one);
    let answer = runtime.block_on(async { tokio::time::timeout(ANSWER, list).await });
    let (kind, problem) = match answer {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => match kind_of(&error) {
            None => return Ok(()),
            Some(kind) => (kind, clients.secrets.clean(&cause_of(&error))),
        },
        Err(_) => (Unusable::Unreachable, format!("no answer within {} seconds", ANSWER.as_secs())),
    };
    let problem = said(address, clients, kind, &problem);
    Err(OpenError { address: address.to_string(), kind, problem })
}

/// What an error of the first request means; `None` if it is none.
fn kind_of(error: &object_store::Error) -> Option<Unusable> {
    let text = text_of(error);
    let kind = match code_of(&text) {
        Some(code) if is_denial(code) => return None,
        Some("NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName") => Unusable::Bucket,
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            Unusable::Region
        }
        Some(
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "AuthenticationFailed"
            | "InvalidAuthenticationInfo"
            | "NoAuthenticationInformation"
            | "RequestTimeTooSkewed",
        ) => Unusable::Refused,
        _ if text.contains("Received redirect without LOCATION") => Unusable::Region,
        _ if text.contains("error sending request") || text.contains("error trying to connect") => {
            Unusable::Unreachable
        }
        _ => match error {
            object_store::Error::Unauthenticated { .. } => Unusable::Refused,
            // The latter is an answer, too: a key of someone else, which this program could not name.
            object_store::Error::PermissionDenied { .. } | object_store::Error::InvalidPath { .. } => {
                return None;
            }
            object_store::Error::NotFound { .. } => Unusable::Bucket,
            _ => Unusable::Failing,
        },
    };
    Some(kind)
}

fn said(address: &Address, clients: &Clients, kind: Unusable, cause: &str) -> String {
    let (what, at) = match (address.cloud, &clients.endpoint) {
        (Cloud::Azure, Some(endpoint)) => ("container", format!(" at {endpoint}")),
        (Cloud::Azure, None) => ("container", " in the account".to_owned()),
        (_, Some(endpoint)) => ("bucket", format!(" at {endpoint}")),
        (_, None) => ("bucket", String::new()),
    };
    let name = &address.bucket;
    match kind {
        Unusable::Bucket => format!("there is no {what} {name:?}{at}: {cause}"),
        Unusable::Region => {
            let region = clients.region.as_deref().unwrap_or("us-east-1");
            format!("the {what} is not in the region {region}: {cause}")
        }
        Unusable::Refused => {
            let by = clients.signed_by.unwrap_or("nobody");
            format!("the credentials of {by} are refused: {cause}")
        }
        Unusable::Unreachable => format!("no connection{at}: {cause}"),
        _ => cause.to_owned(),
    }
}
