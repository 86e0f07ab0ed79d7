//! `~/.pgpass`, or the file that `PGPASSFILE` names → the password of an address.
//!
//! Lines of `host:port:database:user:password`; `*` stands for anything, `\` takes away the meaning of the
//! character behind it. The first line that matches counts. As for libpq, a file that others may read is
//! not used. <https://www.postgresql.org/docs/current/libpq-pgpass.html>
//!
//! Invariant: no message has anything of a file's text.

use std::{
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::address::Address;

/// The permissions of others than the owner.
const OF_OTHERS: u32 = 0o077;
/// How a file names a server that is reached through a socket (libpq: `DefaultHost`).
const LOCAL: &str = "localhost";

/// What a password file has for an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// This one.
    Password(String),
    /// There is none, and perhaps something to say of that.
    None(Option<String>),
}

/// Looks for the password of an address; `variable` stands for the environment.
pub(crate) fn find(address: &Address, variable: &dyn Fn(&str) -> Option<String>) -> Found {
    let named = variable("PGPASSFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let of_home = || Some(Path::new(&variable("HOME")?).join(".pgpass"));
    let Some(path) = named.or_else(of_home) else { return Found::None(None) };
    let shown = path.display();
    let found = match storage::find(&path) {
        Ok(Some(found)) if found.is_file() => found,
        Ok(Some(_)) => return Found::None(Some(format!("{shown} is no file"))),
        _ => return Found::None(None),
    };
    if found.permissions().mode() & OF_OTHERS != 0 {
        return Found::None(Some(format!(
            "{shown} was not read, because others may read it: chmod 600 {shown}"
        )));
    }
    let text = match storage::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Found::None(None),
        Err(error) => return Found::None(Some(format!("{shown} can't be read ({error})"))),
    };
    match password_in(&String::from_utf8_lossy(&text), address) {
        Some(password) => Found::Password(password),
        None => Found::None(Some(format!("{shown} has no line for it"))),
    }
}

fn password_in(text: &str, address: &Address) -> Option<String> {
    let port = address.port.to_string();
    let wanted = [address.host.as_str(), &port, &address.database, &address.user];
    let is_local = |field: &str| address.is_socket() && field == LOCAL;
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields_of(line)?;
        let is_it = fields.iter().zip(wanted).enumerate().all(|(place, ((field, is_any), wanted))| {
            *is_any || field == wanted || (place == 0 && is_local(field))
        });
        is_it.then(|| fields[4].0.clone())
    })
}

/// The five fields of a line without their backslashes, and whether each stands for anything.
fn fields_of(line: &str) -> Option<[(String, bool); 5]> {
    let mut fields = vec![String::new()];
    let mut has_backslash = vec![false];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let (last, escaped) = (fields.last_mut()?, has_backslash.last_mut()?);
        match character {
            '\\' => {
                *escaped = true;
                last.extend(characters.next());
            }
            // What stands behind the fifth field belongs to nothing.
            ':' if has_backslash.len() == 5 => break,
            ':' => {
                fields.push(String::new());
                has_backslash.push(false);
            }
            _ => last.push(character),
        }
    }
    let fields = fields.into_iter().zip(has_backslash);
    let fields: Vec<_> = fields.map(|(field, escaped)| (field.clone(), field == "*" && !escaped)).collect();
    fields.try_into().ok()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes the files of a user")]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text, &|_| None).unwrap()
    }

    const FILE: &str = "# a comment: with colons\n\
        short:line\n\
        other:5432:d:u:wrong\n\
        h:5433:d:u:port\n\
        h:*:d\\:x:u:escaped\\:\\\\\n\
        h:*:d:\\*:star\n\
        localhost:*:*:u:socket\n\
        h:5432:*:u:first\n\
        h:5432:d:u:second\n";

    #[test]
    fn the_first_line_that_matches_has_the_password() {
        let password = |text: &str| password_in(FILE, &address(text));
        assert_eq!(password("postgresql://u@h/d").as_deref(), Some("first"));
        assert_eq!(password("postgresql://u@h:5433/d").as_deref(), Some("port"));
        assert_eq!(password("postgresql://u@h/d%3Ax").as_deref(), Some("escaped:\\"));
        assert_eq!(password("postgresql:///d?host=/run&user=u").as_deref(), Some("socket"));
        assert_eq!(password("postgresql://v@h/d"), None);
        assert_eq!(password("postgresql://%2A@h/d").as_deref(), Some("star"));
    }

    #[test]
    fn a_file_is_used_only_if_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        let of = address("postgresql://u@h/d");
        let variable = |name: &str| (name == "PGPASSFILE").then(|| path.to_string_lossy().into_owned());
        assert_eq!(find(&of, &variable), Found::None(None));
        std::fs::write(&path, "h:*:*:u:hush\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let Found::None(Some(said)) = find(&of, &variable) else { panic!("it was read") };
        assert!(said.contains("chmod 600") && !said.contains("hush"), "{said}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(find(&of, &variable), Found::Password("hush".to_owned()));
        assert_eq!(
            find(&address("postgresql://u@i/d"), &variable),
            Found::None(Some(format!("{} has no line for it", path.display())))
        );
        let home = folder.path().to_string_lossy().into_owned();
        std::fs::rename(&path, folder.path().join(".pgpass")).unwrap();
        let in_home = |name: &str| (name == "HOME").then(|| home.clone());
        assert_eq!(find(&of, &in_home), Found::Password("hush".to_owned()));
    }
}
