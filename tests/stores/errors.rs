//! What is said of a store that can't be used: what happened, what to set, and never a secret.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use object_stores::{Options, open_with};
use storage::{OpenError, Unusable};

use crate::support::stub;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKEN";
const ID: &str = "AKIAIOSFODNN7EXAMPLE";

fn signed(name: &str) -> Option<String> {
    let value = match name {
        "AWS_ACCESS_KEY_ID" => ID,
        "AWS_SECRET_ACCESS_KEY" => SECRET,
        "AWS_SESSION_TOKEN" => TOKEN,
        "AZURE_STORAGE_ACCOUNT_NAME" => "lake",
        "AZURE_STORAGE_SAS_TOKEN" => "sv=2024-11-04&sr=c&sig=c2VjcmV0%2Bsignature%3D",
        _ => return None,
    };
    Some(value.to_owned())
}

fn refusal(address: &str, endpoint: &str) -> OpenError {
    let options = Options { endpoint: Some(endpoint.to_owned()), ..Options::default() };
    let error = open_with(address, &options, &signed).unwrap_err();
    without_secrets(&error.to_string());
    error
}

fn without_secrets(message: &str) {
    for secret in [SECRET, TOKEN, ID, "c2VjcmV0%2Bsignature%3D", "c2VjcmV0+signature="] {
        assert!(!message.contains(secret), "{message}");
    }
}

/// An answer that repeats all that a store knows of a request, as S3 does for a wrong signature.
fn document(code: &str, message: &str) -> String {
    format!(
        "<Error><Code>{code}</Code><Message>{message}</Message><AWSAccessKeyId>{ID}</AWSAccessKeyId>\
         <CanonicalRequest>x-amz-security-token:{TOKEN} {SECRET} sig=c2VjcmV0%2Bsignature%3D</CanonicalRequest></Error>"
    )
}

#[test]
fn the_first_answer_tells_what_is_wrong() {
    for (status, code, kind, part) in [
        (
            "404 Not Found",
            "NoSuchBucket",
            Unusable::Bucket,
            "there is no bucket \"lake\" at http://127.0.0.1:",
        ),
        (
            "403 Forbidden",
            "SignatureDoesNotMatch",
            Unusable::Refused,
            "credentials of AWS_ACCESS_KEY_ID are refused",
        ),
        (
            "403 Forbidden",
            "InvalidAccessKeyId",
            Unusable::Refused,
            "credentials of AWS_ACCESS_KEY_ID are refused",
        ),
        (
            "400 Bad Request",
            "AuthorizationHeaderMalformed",
            Unusable::Region,
            "is not in the region us-east-1",
        ),
        ("301 Moved", "PermanentRedirect", Unusable::Region, "is not in the region us-east-1"),
        ("400 Bad Request", "Odd", Unusable::Failing, "Something odd (Odd)"),
    ] {
        let body = document(code, "Something odd.");
        let endpoint = stub(move |_| (status.to_owned(), body.clone()));
        let error = refusal("s3://lake/t", &endpoint);
        assert_eq!(error.kind, kind, "{code}: {error}");
        assert!(error.to_string().contains(part), "{code}: {error}");
    }
}

#[test]
fn nobody_there_is_told_within_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = refusal("s3://lake/t", &endpoint);
    assert_eq!(error.kind, Unusable::Unreachable, "{error}");
    assert!(error.to_string().contains("no connection at http://127.0.0.1:"), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(refusal("az://lake/t", &endpoint).kind, Unusable::Unreachable);
}

#[test]
fn an_error_of_a_verb_names_the_object_and_no_secret() {
    let s3 = ("s3", "<ListBucketResult></ListBucketResult>", format!("Not with {SECRET} or {TOKEN}"));
    let blobs = "<EnumerationResults><Blobs></Blobs><NextMarker/></EnumerationResults>";
    let azure = ("az", blobs, "Not with sig=c2VjcmV0%2Bsignature%3D".to_owned());
    for (scheme, lists, problem) in [s3, azure] {
        let endpoint = stub(move |request| {
            if request.starts_with("GET") && (request.contains("list-type") || request.contains("comp=list"))
            {
                return ("200 OK".to_owned(), lists.to_owned());
            }
            ("403 Forbidden".to_owned(), document("AccessDenied", &problem))
        });
        let options = Options { endpoint: Some(endpoint), ..Options::default() };
        let store = open_with(&format!("{scheme}://lake/t"), &options, &signed).unwrap();
        let errors = [
            store.read("a/b").unwrap_err(),
            store.find("a/b").unwrap_err(),
            store.put_new("a/b", b"x").unwrap_err(),
            store.put("a/b", b"x").unwrap_err(),
            store.delete("a/b").unwrap_err(),
            store.open("a/b", Some(10)).unwrap_err(),
            {
                let mut upload = store.upload("a/b").unwrap();
                upload.write_all(b"x").unwrap();
                upload.finish().unwrap();
                store.barrier().unwrap_err()
            },
        ];
        for error in errors {
            let message = error.to_string();
            without_secrets(&message);
            without_secrets(&format!("{error:?} {store:?}"));
            assert!(message.contains(&format!("`{scheme}://lake/t/a/b`")), "{message}");
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{message}");
        }
    }
}

#[test]
fn without_credentials_nothing_is_asked() {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let metadata = stub(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        ("404 Not Found".to_owned(), String::new())
    });
    let variable = |disabled: Option<&'static str>| {
        let metadata = metadata.clone();
        move |name: &str| match name {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT" => Some(metadata.clone()),
            "AWS_EC2_METADATA_DISABLED" => disabled.map(str::to_owned),
            _ => None,
        }
    };
    let options = Options { endpoint: Some(metadata.clone()), ..Options::default() };
    for disabled in [None, Some("true")] {
        let error = open_with("s3://lake/t", &options, &variable(disabled)).unwrap_err();
        assert_eq!(error.kind, Unusable::NoCredentials);
        assert!(
            error.to_string().contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
            "{error}"
        );
    }
    assert_eq!(requests.load(Ordering::Relaxed), 0);
    // The control: with the variable, the metadata service is asked.
    open_with("s3://lake/t", &options, &variable(Some("false"))).unwrap_err();
    assert!(requests.load(Ordering::Relaxed) > 0);
}
