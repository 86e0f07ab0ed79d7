//! What the system tells about itself (`/proc`, `/sys/fs/cgroup`) → the memory that the process may have.
//!
//! Containers, systemd units and batch systems limit memory by control groups, of version 2 or 1. A process
//! is killed as soon as its group, or any group around that one, exceeds its limit. Systems other than
//! Linux tell nothing here.
//!
//! Invariant: what is not there, or can't be read, is no limit.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

/// The least of the machine's memory and the limits of all control groups around the process, in bytes.
pub(super) fn available_bytes() -> Option<u64> {
    available_under(Path::new("/"))
}

/// The same for a system whose files are under `root`.
fn available_under(root: &Path) -> Option<u64> {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let machine = total_memory(&read("proc/meminfo"));
    let (groups, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    let hierarchies = mounts.lines().filter_map(Hierarchy::of_mount);
    let limits = hierarchies.filter_map(|hierarchy| hierarchy.least_limit(root, &groups));
    machine.into_iter().chain(limits).min()
}

/// `MemTotal:       16318052 kB`, in bytes.
fn total_memory(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A mounted hierarchy of groups that may limit memory.
struct Hierarchy<'m> {
    /// The group that is at the mount point: not the root if a container sees only its own part.
    root: PathBuf,
    mount_point: PathBuf,
    /// The controllers of its line in `/proc/self/cgroup`; none in version 2.
    controller: Option<&'m str>,
}

impl<'m> Hierarchy<'m> {
    /// From a line of `/proc/self/mountinfo`: `30 24 0:26 ROOT MOUNT_POINT rw,… shared:9 - TYPE SOURCE
    /// rw,memory`.
    fn of_mount(line: &'m str) -> Option<Self> {
        let (before, behind) = line.split_once(" - ")?;
        let mut behind = behind.split(' ');
        let (kind, options) = (behind.next()?, behind.nth(1)?);
        let controller = match kind {
            "cgroup2" => None,
            "cgroup" => Some(options.split(',').find(|option| *option == MEMORY)?),
            _ => return None,
        };
        let mut fields = before.split(' ').skip(3).map(unescaped);
        Some(Self { root: fields.next()?, mount_point: fields.next()?, controller })
    }

    /// The least limit of the process's group and those around it. `groups` is `/proc/self/cgroup`, with
    /// lines like `4:memory:/system.slice/x.service` and `0::/system.slice/x.service`.
    fn least_limit(&self, root: &Path, groups: &str) -> Option<u64> {
        let group = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, group) = (parts.next()?, parts.next()?);
            let is_own = match self.controller {
                None => controllers.is_empty(),
                Some(controller) => controllers.split(',').any(|name| name == controller),
            };
            is_own.then(|| Path::new(group))
        })?;
        // A group that is not below the one at the mount point can't be seen from here.
        let within = group.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let is_below = within.components().all(|part| matches!(part, Component::Normal(_)));
        let within = if is_below { within } else { Path::new("") };
        let mount_point = root.join(self.mount_point.strip_prefix("/").ok()?);
        let names = if self.controller.is_some() { LIMITS_V1 } else { LIMITS_V2 };
        let limits = within.ancestors().flat_map(|group| {
            let directory = mount_point.join(group);
            names.iter().filter_map(move |name| {
                // `max` is no number, and no limit.
                fs::read_to_string(directory.join(name)).ok()?.trim().parse().ok()
            })
        });
        limits.min()
    }
}

const MEMORY: &str = "memory";
/// Beyond the first, the process is killed; beyond the second, it is slowed down until it hardly moves.
const LIMITS_V2: &[&str] = &["memory.max", "memory.high"];
const LIMITS_V1: &[&str] = &["memory.limit_in_bytes"];

/// A path of `mountinfo`, where blanks are `\040`.
fn unescaped(path: &str) -> PathBuf {
    ["\\040", "\\011", "\\012", "\\134"]
        .into_iter()
        .zip([" ", "\t", "\n", "\\"])
        .fold(path.to_owned(), |path, (escaped, plain)| path.replace(escaped, plain))
        .into()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the files are neither sources nor a target")]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A system with 16 GiB, this `/proc/self/cgroup` and `mountinfo`, and limits in MiB by file.
    fn available(cgroup: &str, mountinfo: &str, limits: &[(&str, &str)]) -> Option<u64> {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:         1 kB\n");
        write("proc/self/cgroup", cgroup);
        write("proc/self/mountinfo", mountinfo);
        for (path, text) in limits {
            write(path, &format!("{text}\n"));
        }
        available_under(dir.path()).map(|bytes| bytes / MIB)
    }

    const V2: &str = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1: &str = "24 18 0:22 / /proc rw - proc proc rw\n\
        33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
        36 32 0:32 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory\n";

    #[test]
    fn the_least_limit_of_all_nested_groups_counts() {
        let max = |bytes: u64| bytes.to_string();
        let (small, large) = (max(300 * MIB), max(900 * MIB));
        for (inner, outer, expected) in
            [("max", "max", 16_384), (&small, "max", 300), (&large, &small, 300), ("max", &large, 900)]
        {
            let limits = [
                ("sys/fs/cgroup/a.slice/b c.scope/memory.max", inner),
                ("sys/fs/cgroup/a.slice/memory.max", outer),
            ];
            assert_eq!(
                available("0::/a.slice/b c.scope\n", V2, &limits),
                Some(expected),
                "{inner} in {outer}"
            );
            // Version 1 has a large number for no limit.
            let number =
                |limit: &str| if limit == "max" { max(i64::MAX as u64 & !4095) } else { limit.to_owned() };
            let (inner, outer) = (number(inner), number(outer));
            let limits = [
                ("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", inner.as_str()),
                ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", outer.as_str()),
            ];
            let groups = "5:cpu,cpuacct:/\n4:memory:/a/b\n0::/\n";
            assert_eq!(available(groups, V1, &limits), Some(expected), "{inner} in {outer}");
        }
        let high = [("sys/fs/cgroup/a/memory.max", large.as_str()), ("sys/fs/cgroup/a/memory.high", &small)];
        assert_eq!(available("0::/a\n", V2, &high), Some(300), "slowed down before it is killed");
    }

    #[test]
    fn a_container_sees_its_group_at_the_mount_point() {
        let limit = (200 * MIB).to_string();
        // Without a namespace the group has its name outside; with one, it is the root.
        let mounted = "36 32 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let limits = [("sys/fs/cgroup/memory/memory.limit_in_bytes", limit.as_str())];
        for group in ["4:memory:/docker/abc\n", "4:memory:/elsewhere\n", "4:memory:/\n"] {
            assert_eq!(available(group, mounted, &limits), Some(200), "{group}");
        }
        let limits = [("sys/fs/cgroup/memory.max", limit.as_str())];
        for group in ["0::/\n", "0::/../outside\n"] {
            assert_eq!(available(group, V2, &limits), Some(200), "{group}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_limit() {
        assert_eq!(available("", "", &[]), Some(16_384));
        assert_eq!(available("nonsense\n4:memory\n", "nonsense - cgroup\n", &[]), Some(16_384));
        assert_eq!(available_under(Path::new("/nowhere")), None);
    }
}
