//! The shared files of AWS tools → the settings of one profile.
//!
//! Keys and tokens stand in `~/.aws/credentials`, also in `~/.aws/config`, where regions and endpoints stand.
//! A file that is not there is empty.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::Environment;

/// The settings of a profile, those of the credentials file first.
#[derive(Debug, Default)]
pub(super) struct Profile {
    pub(super) name: String,
    /// Whether the environment names it.
    pub(super) is_named: bool,
    settings: BTreeMap<String, String>,
    is_there: bool,
}

impl Profile {
    /// # Errors
    /// If a file can't be read, or the profile that the environment names is in none of them.
    pub(super) fn read(environment: Environment<'_>) -> Result<Self, String> {
        let named = environment.get(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        let mut profile = Self { is_named: named.is_some(), ..Self::default() };
        profile.name = named.unwrap_or_else(|| "default".to_owned());
        let file = |variable, path| match environment.get(&[variable]) {
            Some(file) => Some(PathBuf::from(file)),
            None => environment.at_home(path),
        };
        for (file, prefix) in [
            (file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"), ""),
            (file("AWS_CONFIG_FILE", ".aws/config"), "profile "),
        ] {
            let text = file.map(|file| text_of(&file)).transpose()?.unwrap_or_default();
            profile.take(&text, prefix);
        }
        if profile.is_named && !profile.is_there {
            return Err(format!("AWS_PROFILE names the profile {:?}, which no file has", profile.name));
        }
        Ok(profile)
    }

    /// Adds what a file says of the profile, but for what another has said.
    fn take(&mut self, text: &str, prefix: &str) {
        let mut is_own = false;
        for line in text.lines() {
            let trimmed = line.trim();
            if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                let section = section.trim();
                let name = section.strip_prefix(prefix).map_or(section, str::trim);
                is_own = name == self.name && (section != name || prefix.is_empty() || name == "default");
                self.is_there |= is_own;
            } else if is_own
                && !line.starts_with([' ', '\t', '#', ';'])
                && let Some((key, value)) = trimmed.split_once('=')
            {
                let value = value.trim().to_owned();
                self.settings.entry(key.trim().to_ascii_lowercase()).or_insert(value);
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.settings.get(key).filter(|value| !value.is_empty()).cloned()
    }

    /// A setting that asks for credentials which this program does not get by itself.
    pub(super) fn asks_for(&self) -> Option<&str> {
        let asking = ["sso_session", "sso_start_url", "role_arn", "credential_process", "login_session"];
        asking.into_iter().find(|key| self.settings.contains_key(*key))
    }
}

fn text_of(file: &Path) -> Result<String, String> {
    match storage::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_what_both_files_say_of_it() {
        let mut profile = Profile { name: "work".to_owned(), ..Profile::default() };
        profile.take("[default]\naws_access_key_id = a\n[work]\naws_access_key_id=b \n# x = y\n", "");
        profile.take(
            "[profile work]\nregion = eu-west-1\ns3 =\n  endpoint_url = nested\naws_access_key_id = c\n[work]\nx = y\n",
            "profile ",
        );
        assert_eq!(profile.get("aws_access_key_id").as_deref(), Some("b"));
        assert_eq!(profile.get("region").as_deref(), Some("eu-west-1"));
        assert_eq!((profile.get("x"), profile.get("s3"), profile.get("endpoint_url")), (None, None, None));
        assert!(profile.is_there && profile.asks_for().is_none());
        profile.take("[profile work]\nsso_session = corp\n", "profile ");
        assert_eq!(profile.asks_for(), Some("sso_session"));
    }
}
