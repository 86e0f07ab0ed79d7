//! S3, and what speaks its protocol: the variables and files of the AWS tools.
//!
//! In this order, the first that is there: the key of the environment, a web identity, a profile's key, the
//! credentials of a container, and those of an instance if `AWS_EC2_METADATA_DISABLED=false` asks for them.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};
use storage::{OpenError, Unusable};

use super::{Access, Environment, endpoint_of, no_credentials, profile::Profile};
use crate::{address::Address, open::Options, secrets::Secrets};

const KEY: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
const WEB_IDENTITY: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"];
const TASK: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const POD: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
const METADATA: &str = "AWS_EC2_METADATA_DISABLED";

/// How to reach a bucket, and its region if that is said somewhere.
pub(crate) fn s3(
    address: &Address,
    options: &Options,
    environment: Environment<'_>,
) -> Result<(Access<AmazonS3Builder>, Option<String>), OpenError> {
    let profile = Profile::read(environment).map_err(|problem| OpenError {
        address: address.to_string(),
        kind: Unusable::Setting,
        problem,
    })?;
    let endpoint = endpoint_of(address, options, || {
        environment.get(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]).or_else(|| profile.get("endpoint_url"))
    })?;
    let given = || environment.get(&["AWS_REGION", "AWS_DEFAULT_REGION"]).or_else(|| profile.get("region"));
    let region = options.region.clone().or_else(given);

    let mut builder = AmazonS3Builder::new().with_bucket_name(&address.bucket).with_disable_bulk_delete(true);
    if let Some(endpoint) = &endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let mut secrets = Secrets::default();
    if options.anonymous {
        let builder = builder.with_skip_signature(true);
        return Ok((Access { builder, secrets, endpoint, signed_by: None }, region));
    }
    let (builder, signed_by) = signed(builder, environment, &profile, &mut secrets)
        .map_err(|problem| no_credentials(address, problem))?;
    Ok((Access { builder, secrets, endpoint, signed_by: Some(signed_by) }, region))
}

fn signed(
    builder: AmazonS3Builder,
    environment: Environment<'_>,
    profile: &Profile,
    secrets: &mut Secrets,
) -> Result<(AmazonS3Builder, &'static str), String> {
    let mut with_key = |id: &str, secret: &str, token: Option<String>| {
        /// Shorter ones are those of test servers.
        const ID_LETTERS_MIN: usize = 16;
        secrets.add(secret);
        if id.len() >= ID_LETTERS_MIN {
            secrets.add(id);
        }
        let builder = builder.clone().with_access_key_id(id).with_secret_access_key(secret);
        match token {
            Some(token) => {
                secrets.add(&token);
                builder.with_token(token)
            }
            None => builder,
        }
    };
    if let Some([id, secret]) = environment.has_all(KEY) {
        return Ok((with_key(&id, &secret, environment.get(&["AWS_SESSION_TOKEN"])), "AWS_ACCESS_KEY_ID"));
    }
    if let Some([file, role]) = environment.has_all(WEB_IDENTITY) {
        let mut builder =
            builder.with_config(Key::WebIdentityTokenFile, file).with_config(Key::RoleArn, role);
        if let Some(name) = environment.get(&["AWS_ROLE_SESSION_NAME"]) {
            builder = builder.with_config(Key::RoleSessionName, name);
        }
        if let Some(endpoint) = environment.get(&["AWS_ENDPOINT_URL_STS"]) {
            builder = builder.with_config(Key::StsEndpoint, endpoint);
        }
        return Ok((builder, "AWS_WEB_IDENTITY_TOKEN_FILE"));
    }
    if let (Some(id), Some(secret)) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"))
    {
        return Ok((with_key(&id, &secret, profile.get("aws_session_token")), "the profile"));
    }
    if let Some(setting) = profile.asks_for() {
        let name = &profile.name;
        return Err(format!(
            "the profile {name:?} has {setting} and no key: set one with \
             eval \"$(aws configure export-credentials --profile {name} --format env)\""
        ));
    }
    if profile.is_named {
        return Err(format!("the profile {:?} has no aws_access_key_id", profile.name));
    }
    if let Some(uri) = environment.get(&[TASK]) {
        return Ok((builder.with_config(Key::ContainerCredentialsRelativeUri, uri), TASK));
    }
    if let Some([uri, file]) = environment.has_all(POD) {
        let builder = builder.with_config(Key::ContainerCredentialsFullUri, uri);
        return Ok((builder.with_config(Key::ContainerAuthorizationTokenFile, file), POD[0]));
    }
    if environment.is(METADATA, "false") {
        let endpoint = environment.get(&["AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
        let builder = match endpoint {
            Some(endpoint) => builder.with_metadata_endpoint(endpoint),
            None => builder,
        };
        return Ok((builder, "the instance's metadata"));
    }
    Err(format!(
        "no credentials: set {} and {}, or AWS_PROFILE; on a machine of EC2 with a role, set {METADATA}=false",
        KEY[0], KEY[1]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(variables: &[(&str, &str)], options: &Options) -> Result<(Option<String>, &'static str), String> {
        let get =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let address = Address::parse("s3://bucket/lake").unwrap();
        match s3(&address, options, Environment(&get)) {
            Ok((access, region)) => Ok((region, access.signed_by.unwrap_or("nobody"))),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn credentials_are_found_where_aws_tools_look_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            storage::File::create(&path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                .unwrap();
            path.display().to_string()
        };
        let keys = file(
            "credentials",
            "[default]\naws_access_key_id = AKIA\naws_secret_access_key = hidden\n[sso]\n",
        );
        let config = file("config", "[default]\nregion = eu-west-1\n[profile sso]\nsso_session = corp\n");
        let files = [("AWS_SHARED_CREDENTIALS_FILE", keys.as_str()), ("AWS_CONFIG_FILE", config.as_str())];
        let key = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
        let role = [("AWS_WEB_IDENTITY_TOKEN_FILE", "t"), ("AWS_ROLE_ARN", "r")];
        let with = |more: &[(&'static str, &'static str)]| [files.to_vec(), more.to_vec()].concat();
        let none = Options::default();

        assert_eq!(open(&with(&key), &none), Ok((Some("eu-west-1".into()), "AWS_ACCESS_KEY_ID")));
        assert_eq!(open(&with(&role), &none).unwrap().1, "AWS_WEB_IDENTITY_TOKEN_FILE");
        assert_eq!(open(&files, &none), Ok((Some("eu-west-1".into()), "the profile")));
        assert_eq!(open(&[(TASK, "/v2/x")], &none).unwrap().1, TASK);
        assert_eq!(open(&[(METADATA, "false")], &none).unwrap().1, "the instance's metadata");
        let region = [("AWS_REGION", "eu-north-1"), ("AWS_DEFAULT_REGION", "x")];
        let anonymous = Options { anonymous: true, ..Options::default() };
        assert_eq!(open(&region, &anonymous), Ok((Some("eu-north-1".into()), "nobody")));

        let refused = |variables: &[(&str, &str)], part: &str| {
            let message = open(variables, &Options::default()).unwrap_err();
            assert!(message.contains(part) && !message.contains("hidden"), "{message}");
        };
        refused(&[], "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
        refused(&[(METADATA, "true")], "no credentials");
        refused(&with(&[("AWS_PROFILE", "sso")]), "aws configure export-credentials --profile sso");
        refused(&with(&[("AWS_PROFILE", "other")]), "the profile \"other\", which no file has");
        refused(
            &[&key[..], &[("AWS_ENDPOINT_URL", "http://u:hidden@x")]].concat(),
            "the endpoint is not of the form",
        );
    }
}
