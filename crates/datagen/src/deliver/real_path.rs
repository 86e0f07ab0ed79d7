//! A path → where it leads: absolute, without links and without `..`, even if nothing is there yet.
//!
//! Invariant: two paths that lead to one place give the same path. Nothing is made or changed.

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    io,
    path::{Component, Path, PathBuf},
};

use fs_err as fs;

/// As many links as Linux follows.
const LINKS_MAX: usize = 40;

/// Where a path leads. What does not exist can't be a link, so it is taken as it is written.
pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    let mut real = PathBuf::new();
    let mut rest: VecDeque<OsString> = parts(&env::current_dir()?.join(path)).collect();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => {
                real.pop();
            }
            Some(Component::Normal(name)) => {
                let Ok(target) = fs::read_link(real.join(name)) else {
                    real.push(name);
                    continue;
                };
                links += 1;
                if links > LINKS_MAX {
                    let message = format!("{} leads through too many links", path.display());
                    return Err(io::Error::other(message));
                }
                for part in parts(&target).rev() {
                    rest.push_front(part);
                }
            }
            Some(root @ (Component::RootDir | Component::Prefix(_))) => real.push(root),
            Some(Component::CurDir) | None => {}
        }
    }
    Ok(real)
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().map(|part| part.as_os_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_steps_up_are_followed_whether_or_not_the_end_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/file"), "").unwrap();
        symlink("a/b", root.join("to-b")).unwrap();
        symlink("../nowhere/x", root.join("a/to-nowhere")).unwrap();
        symlink(root.join("to-b"), root.join("to-to-b")).unwrap();
        for (path, expected) in [
            ("a/file", "a/file"),
            ("a/b/.././file", "a/file"),
            ("to-b/../file", "a/file"),
            ("to-to-b/new", "a/b/new"),
            ("a/to-nowhere", "nowhere/x"),
            ("missing/../a/new", "a/new"),
            ("missing/deep/new", "missing/deep/new"),
        ] {
            assert_eq!(real_path(&root.join(path)).unwrap(), root.join(expected), "{path}");
        }
        symlink("loop", root.join("loop")).unwrap();
        assert!(real_path(&root.join("loop")).is_err());
    }
}
