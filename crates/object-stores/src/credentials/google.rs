//! Google Cloud Storage: a token, the file of a service account, or what `gcloud auth application-default
//! login` leaves; the metadata service if `NO_GCE_CHECK=false` asks for it.

use object_store::gcp::GoogleCloudStorageBuilder;
use storage::{OpenError, Unusable};

use super::{Access, Environment, endpoint_of, no_credentials};
use crate::{address::Address, open::Options, secrets::Secrets};

const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const TOKEN: &str = "GOOGLE_OAUTH_ACCESS_TOKEN";
const EMULATOR: &str = "STORAGE_EMULATOR_HOST";
const METADATA: &str = "NO_GCE_CHECK";

/// How to reach a bucket.
pub(crate) fn google(
    address: &Address,
    options: &Options,
    environment: Environment<'_>,
) -> Result<Access<GoogleCloudStorageBuilder>, OpenError> {
    let emulator = || {
        let host = environment.get(&[EMULATOR])?;
        Some(if host.contains("://") { host } else { format!("http://{host}") })
    };
    let endpoint = endpoint_of(address, options, emulator)?;
    let mut builder = GoogleCloudStorageBuilder::new().with_bucket_name(&address.bucket);
    if let Some(endpoint) = &endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let mut secrets = Secrets::default();
    if options.anonymous || environment.get(&[EMULATOR]).is_some() {
        // Without a token of its own, a client asks the metadata service even for requests without one.
        let builder = builder.with_bearer_token("").with_skip_signature(true);
        return Ok(Access { builder, secrets, endpoint, signed_by: None });
    }
    let (builder, signed_by) = signed(builder, environment, &mut secrets).map_err(|problem| OpenError {
        address: address.to_string(),
        kind: Unusable::Setting,
        problem,
    })?;
    let signed_by = signed_by.ok_or_else(|| {
        let problem = format!(
            "no credentials: set {FILE} to the file of a service account, or run \
             `gcloud auth application-default login`; on a machine of Google's, set {METADATA}=false"
        );
        no_credentials(address, problem)
    })?;
    Ok(Access { builder, secrets, endpoint, signed_by: Some(signed_by) })
}

fn signed(
    builder: GoogleCloudStorageBuilder,
    environment: Environment<'_>,
    secrets: &mut Secrets,
) -> Result<(GoogleCloudStorageBuilder, Option<&'static str>), String> {
    if let Some(token) = environment.get(&[TOKEN]) {
        secrets.add(&token);
        return Ok((builder.with_bearer_token(token), Some(TOKEN)));
    }
    if let Some(file) = environment.get(&[FILE]) {
        // A missing file would be passed over, and the metadata service asked.
        return match storage::find(file.as_ref()) {
            Ok(Some(_)) => Ok((builder.with_application_credentials(file), Some(FILE))),
            Ok(None) => Err(format!("{FILE} names {file}, which does not exist")),
            Err(error) => Err(error.to_string()),
        };
    }
    let name = "application_default_credentials.json";
    let own =
        environment.get(&["CLOUDSDK_CONFIG"]).map(|directory| std::path::PathBuf::from(directory).join(name));
    let own = own.or_else(|| environment.at_home(&format!(".config/gcloud/{name}")));
    if let Some(file) = own.filter(|file| matches!(storage::find(file), Ok(Some(_)))) {
        let builder = builder.with_application_credentials(file.display().to_string());
        return Ok((builder, Some("`gcloud auth application-default login`")));
    }
    Ok((builder, environment.is(METADATA, "false").then_some("the instance's metadata")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_where_google_tools_look_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().display().to_string();
        let open = |variables: &[(&str, &str)]| {
            let get = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let address = Address::parse("gs://bucket/x").unwrap();
            let access = google(&address, &Options::default(), Environment(&get));
            access.map(|access| access.signed_by).map_err(|error| error.to_string())
        };
        assert_eq!(open(&[(TOKEN, "ya29.x")]), Ok(Some(TOKEN)));
        assert_eq!(open(&[(EMULATOR, "127.0.0.1:1")]), Ok(None));
        assert_eq!(open(&[(METADATA, "false"), ("HOME", &home)]), Ok(Some("the instance's metadata")));
        assert!(open(&[("HOME", &home)]).unwrap_err().contains("set GOOGLE_APPLICATION_CREDENTIALS"));
        assert!(open(&[(FILE, "/none.json")]).unwrap_err().contains("/none.json, which does not exist"));
        let file = dir.path().join("application_default_credentials.json");
        drop(storage::File::create(&file).unwrap());
        assert!(open(&[("CLOUDSDK_CONFIG", &home)]).unwrap().unwrap().contains("application-default login"));
    }
}
