//! Who may do what with a file or directory → the same for the one that takes its place.
//!
//! Invariant: where the group can't be kept, the new group may do no more than everybody may.

use std::{
    fs::{Metadata, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use fs_err as fs;

use crate::Operation;

const SET_GROUP: u32 = 0o2000;
const MODE: u32 = 0o7777;

/// Gives `path` the mode, the group and the access control lists of `model`, and its owner if this process
/// may do that. Whether all but the owner is now the same. A link is no model for a file.
pub fn take_access(path: &Path, model: &Path) -> io::Result<bool> {
    Operation::change("set the access of", path).begin()?;
    let (own, wanted) = (fs::symlink_metadata(path)?, fs::symlink_metadata(model)?);
    if own.file_type() != wanted.file_type() {
        return Ok(false);
    }
    let is_kept = take_owner(path, &own, &wanted);
    let group = if is_kept { wanted.mode() & (SET_GROUP | 0o070) } else { (wanted.mode() & 0o007) << 3 };
    let mode = (wanted.mode() & MODE & !(SET_GROUP | 0o070)) | group;
    // A change of the group takes bits of the mode away.
    if own.mode() & MODE != mode || own.gid() != wanted.gid() {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(take_lists(path, model) && is_kept)
}

/// Gives a file the group of `directory` if files that are created there get it.
pub fn take_group(file: &Path, directory: &Path) -> io::Result<()> {
    Operation::change("set the access of", file).begin()?;
    let wanted = fs::symlink_metadata(directory)?;
    if wanted.mode() & SET_GROUP != 0 && fs::symlink_metadata(file)?.gid() != wanted.gid() {
        std::os::unix::fs::lchown(file, None, Some(wanted.gid()))?;
    }
    Ok(())
}

/// Whether the group is now the same.
fn take_owner(path: &Path, own: &Metadata, wanted: &Metadata) -> bool {
    if own.uid() != wanted.uid() {
        // Only a privileged process may do that.
        let _ = std::os::unix::fs::lchown(path, Some(wanted.uid()), None);
    }
    own.gid() == wanted.gid() || std::os::unix::fs::lchown(path, None, Some(wanted.gid())).is_ok()
}

/// Copies the access control lists, and the attributes of users. Whether all lists were copied.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn take_lists(path: &Path, model: &Path) -> bool {
    use rustix::fs::{XattrFlags, lgetxattr, llistxattr, llistxattr_query, lsetxattr};
    const ATTRIBUTE_BYTES_MAX: usize = 64 << 10;

    // Most have none, and a file system that knows none says so.
    let Ok(1..) = llistxattr_query(model) else { return true };
    let mut names = vec![0; ATTRIBUTE_BYTES_MAX];
    let Ok(length) = llistxattr(model, names.as_mut_slice()) else { return false };
    let mut value = vec![0; ATTRIBUTE_BYTES_MAX];
    let mut is_kept = true;
    for name in names[..length].split(|byte| *byte == 0) {
        let is_list = name.starts_with(b"system.");
        if is_list || name.starts_with(b"user.") {
            let copied = lgetxattr(model, name, value.as_mut_slice())
                .and_then(|length| lsetxattr(path, name, &value[..length], XattrFlags::empty()));
            is_kept &= copied.is_ok() || !is_list;
        }
    }
    is_kept
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn take_lists(_path: &Path, _model: &Path) -> bool {
    true
}
