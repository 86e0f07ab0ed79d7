//! Azure: the variables of its tools, a connection string, a signature, a service principal.
//!
//! In this order, the first that is there: the connection string, the account's key, a shared access
//! signature, a federated token (workload identity), a client's secret, and the managed identity if
//! `AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential` asks for it.

use std::collections::BTreeMap;

use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};
use storage::{OpenError, Unusable};

use super::{Access, Environment, endpoint_of, no_credentials};
use crate::{address::Address, open::Options, secrets::Secrets};

const ACCOUNT: [&str; 2] = ["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"];
const ACCOUNT_KEY: [&str; 2] = ["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY"];
const SAS: [&str; 2] = ["AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY"];
const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";
const IDENTITY: &str = "AZURE_TOKEN_CREDENTIALS";
const TENANT_AND_CLIENT: [&str; 2] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"];

/// The account that every emulator has. Its key is in the documentation of Azure.
const EMULATOR: [(&str, &str); 3] = [
    ("AccountName", "devstoreaccount1"),
    (
        "AccountKey",
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    ),
    ("BlobEndpoint", "http://127.0.0.1:10000/devstoreaccount1"),
];

/// How to reach a container.
pub(crate) fn azure(
    address: &Address,
    options: &Options,
    environment: Environment<'_>,
) -> Result<Access<MicrosoftAzureBuilder>, OpenError> {
    let connection = Connection::of(environment);
    let endpoint = endpoint_of(address, options, || {
        environment.get(&["AZURE_STORAGE_ENDPOINT"]).or_else(|| connection.endpoint())
    })?;
    let account = address.account.clone().or_else(|| connection.get("AccountName"));
    let account = account.or_else(|| environment.get(&ACCOUNT)).ok_or_else(|| OpenError {
        address: address.to_string(),
        kind: Unusable::Setting,
        problem: format!(
            "no account: set {}, or name it as in abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/",
            ACCOUNT[0]
        ),
    })?;
    let mut builder = MicrosoftAzureBuilder::new().with_container_name(&address.bucket).with_account(account);
    if let Some(endpoint) = &endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    let mut secrets = Secrets::default();
    if options.anonymous {
        let builder = builder.with_config(Key::SkipSignature, "true");
        return Ok(Access { builder, secrets, endpoint, signed_by: None });
    }
    let (builder, signed_by) = signed(builder, environment, &connection, &mut secrets)
        .ok_or_else(|| no_credentials(address, format!(
            "no credentials: set {}, {} or {CONNECTION}; with a managed identity, set {IDENTITY}=ManagedIdentityCredential",
            ACCOUNT_KEY[0], SAS[0]
        )))?;
    Ok(Access { builder, secrets, endpoint, signed_by: Some(signed_by) })
}

fn signed(
    builder: MicrosoftAzureBuilder,
    environment: Environment<'_>,
    connection: &Connection,
    secrets: &mut Secrets,
) -> Option<(MicrosoftAzureBuilder, &'static str)> {
    let key = connection.get("AccountKey").map(|key| (key, CONNECTION));
    if let Some((key, name)) = key.or_else(|| environment.get(&ACCOUNT_KEY).map(|key| (key, ACCOUNT_KEY[0])))
    {
        secrets.add(&key);
        return Some((builder.with_access_key(key), name));
    }
    let sas = connection.get("SharedAccessSignature").map(|sas| (sas, CONNECTION));
    if let Some((sas, name)) = sas.or_else(|| environment.get(&SAS).map(|sas| (sas, SAS[0]))) {
        for part in sas.trim_start_matches('?').split('&').filter_map(|part| part.strip_prefix("sig=")) {
            secrets.add(part);
            secrets.add(&decoded(part));
        }
        secrets.add(&sas);
        return Some((builder.with_config(Key::SasKey, sas), name));
    }
    if let Some([tenant, client]) = environment.has_all(TENANT_AND_CLIENT) {
        let builder = builder.clone().with_tenant_id(tenant).with_client_id(client);
        if let Some(file) = environment.get(&["AZURE_FEDERATED_TOKEN_FILE"]) {
            return Some((builder.with_federated_token_file(file), "AZURE_FEDERATED_TOKEN_FILE"));
        }
        if let Some(secret) = environment.get(&["AZURE_CLIENT_SECRET"]) {
            secrets.add(&secret);
            return Some((builder.with_client_secret(secret), "AZURE_CLIENT_SECRET"));
        }
    }
    if environment.is(IDENTITY, "ManagedIdentityCredential") {
        let mut builder = builder.with_config(Key::CredentialType, "managed_identity");
        if let Some(client) = environment.get(&["AZURE_CLIENT_ID"]) {
            builder = builder.with_client_id(client);
        }
        if let Some(endpoint) = environment.get(&["IDENTITY_ENDPOINT", "MSI_ENDPOINT"]) {
            builder = builder.with_msi_endpoint(endpoint);
        }
        return Some((builder, "the managed identity"));
    }
    None
}

/// The parts of a connection string.
#[derive(Debug, Default)]
struct Connection(BTreeMap<String, String>);

impl Connection {
    fn of(environment: Environment<'_>) -> Self {
        let text = environment.get(&[CONNECTION]).unwrap_or_default();
        let parts = text.split(';').filter_map(|part| part.trim().split_once('='));
        let mut parts: BTreeMap<_, _> =
            parts.map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned())).collect();
        let is_emulator = parts.get("usedevelopmentstorage").is_some_and(|value| value == "true")
            || environment.is("AZURE_STORAGE_USE_EMULATOR", "true");
        if is_emulator {
            for (key, value) in EMULATOR {
                parts.entry(key.to_ascii_lowercase()).or_insert_with(|| value.to_owned());
            }
        }
        Self(parts)
    }

    fn get(&self, key: &str) -> Option<String> {
        self.0.get(&key.to_ascii_lowercase()).filter(|value| !value.is_empty()).cloned()
    }

    fn endpoint(&self) -> Option<String> {
        self.get("BlobEndpoint").or_else(|| {
            let (account, suffix) = (self.get("AccountName")?, self.get("EndpointSuffix")?);
            let protocol = self.get("DefaultEndpointsProtocol").unwrap_or_else(|| "https".to_owned());
            Some(format!("{protocol}://{account}.blob.{suffix}"))
        })
    }
}

fn decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = (Option<String>, &'static str);

    fn open(address: &str, variables: &[(&str, &str)]) -> Result<(Found, Secrets), String> {
        let get =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let access = azure(&Address::parse(address).unwrap(), &Options::default(), Environment(&get));
        let access = access.map_err(|error| error.to_string())?;
        Ok(((access.endpoint, access.signed_by.unwrap_or("nobody")), access.secrets))
    }

    #[test]
    fn credentials_are_found_where_azure_tools_look_for_them() {
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", "lake");
        let found = |variables: &[(&str, &str)]| open("az://data/x", variables).unwrap().0;
        assert_eq!(
            found(&[account, ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")]),
            (None, "AZURE_STORAGE_ACCOUNT_KEY")
        );
        assert_eq!(
            found(&[("AZURE_STORAGE_USE_EMULATOR", "true")]),
            (Some(EMULATOR[2].1.to_owned()), CONNECTION)
        );
        let text =
            "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=a2V5;EndpointSuffix=core.windows.net";
        let endpoint = "https://lake.blob.core.windows.net".to_owned();
        assert_eq!(found(&[(CONNECTION, text)]), (Some(endpoint), CONNECTION));
        let client =
            [account, ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
        assert_eq!(found(&client).1, "AZURE_CLIENT_SECRET");
        assert_eq!(found(&[account, (IDENTITY, "ManagedIdentityCredential")]).1, "the managed identity");

        let sas = [("AZURE_STORAGE_SAS_TOKEN", "?sv=2024-11-04&sig=top%2Fsecret%3D")];
        let (_, secrets) = open("abfss://data@lake.dfs.core.windows.net/x", &sas).unwrap();
        assert_eq!(secrets.clean("sig=top%2Fsecret%3D&x, top/secret="), "sig=***&x, ***");

        let refused = |variables: &[(&str, &str)]| open("az://data/x", variables).unwrap_err();
        assert!(refused(&[]).contains("no account: set AZURE_STORAGE_ACCOUNT_NAME"));
        assert!(refused(&[account]).contains("set AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN or"));
    }
}
