//! A package's version, and facts about the build → what `--version` prints after the program's name.
//!
//! Invariant: the commit is that of the checkout at build time; it is left out if there was none.

/// The short hash and the date of the commit that this was built from, `3de6bc9 2026-11-25`; see `build.rs`.
const COMMIT: Option<&str> = option_env!("COMMAND_LINE_COMMIT");

/// The version of the calling package, for clap: `0.1.0 (3de6bc9 2026-11-25)`, and more facts if given.
///
/// ```text
/// #[command(version = command_line::version!())]
/// ```
#[macro_export]
macro_rules! version {
    ($($fact:expr),*) => {{
        static VERSION: ::std::sync::LazyLock<String> = ::std::sync::LazyLock::new(|| {
            $crate::version_text(env!("CARGO_PKG_VERSION"), &[$($fact),*])
        });
        VERSION.as_str()
    }};
}

/// A version with the commit and further facts in parentheses; used by [`version!`](crate::version!).
#[must_use]
pub fn version_text(version: &str, facts: &[&str]) -> String {
    text(version, COMMIT, facts)
}

fn text(version: &str, commit: Option<&str>, facts: &[&str]) -> String {
    let details: Vec<_> = commit.into_iter().chain(facts.iter().copied()).collect();
    if details.is_empty() { version.to_owned() } else { format!("{version} ({})", details.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_its_commit_and_its_facts() {
        let commit = Some("3de6bc9 2026-11-25");
        assert_eq!(text("0.1.0", commit, &[]), "0.1.0 (3de6bc9 2026-11-25)");
        assert_eq!(
            text("0.1.0", commit, &["stream version 1"]),
            "0.1.0 (3de6bc9 2026-11-25, stream version 1)"
        );
        assert_eq!(text("0.1.0", None, &["stream version 1"]), "0.1.0 (stream version 1)");
        assert_eq!(text("0.1.0", None, &[]), "0.1.0");
    }

    #[test]
    fn a_commit_has_a_short_hash_and_a_date() {
        let Some((hash, date)) = COMMIT.map(|commit| commit.split_once(' ').unwrap()) else { return };
        assert!(hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        assert!(date.len() == 10 && date.split('-').all(|part| part.parse::<u32>().is_ok()), "{date}");
    }
}
