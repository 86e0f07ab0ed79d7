//! Do the servers that `scripts/servers.sh` has started have the objects that files are? Without servers,
//! nothing is asked.

use std::{env, process};

use super::{all_kinds, comparable, rows_and_names};
use crate::support::{
    files::{assert_same_tree, published},
    workdir::{Loader, Workdir},
};

/// The variables with their endpoints, and how addresses on them begin.
const SERVERS: [(&str, &str); 8] = [
    ("MOTO_ENDPOINT", "s3"),
    ("MOTO_LOSSY_ENDPOINT", "s3"),
    ("SEAWEEDFS_ENDPOINT", "s3"),
    ("SEAWEEDFS_LOSSY_ENDPOINT", "s3"),
    ("AZURITE_ENDPOINT", "az"),
    ("AZURITE_LOSSY_ENDPOINT", "az"),
    ("GOOGLE_ENDPOINT", "gs"),
    ("GOOGLE_LOSSY_ENDPOINT", "gs"),
];

#[test]
fn objects_of_each_server_leave_what_files_do() {
    let all = all_kinds();
    for (variable, scheme) in SERVERS {
        let Ok(endpoint) = env::var(variable) else { continue };
        let (place, is_anonymous) =
            (format!("{scheme}://lake/sources-{}-{variable}", process::id()), scheme == "gs");
        let options = object_stores::Options {
            endpoint: Some(endpoint.clone()),
            anonymous: is_anonymous,
            ..object_stores::Options::default()
        };
        let store = object_stores::open(&place, &options).unwrap();
        let dir = Workdir::new();
        for (name, content) in &all {
            dir.write(name, content);
            store.put(name, content).unwrap();
        }
        let merge = |loader: Loader| loader.args(["--backfill", "--mode=merge", "--skip-loaded"]);
        let from_store = |loader: Loader, key: &str| {
            let anonymous = is_anonymous.then_some("--anonymous");
            merge(loader).args(["--endpoint", &endpoint]).args(anonymous).source(format!("{place}/{key}"))
        };
        for key in ["in/", "in*/**/*.json"] {
            let files = merge(dir.loader_into("of-files")).source(dir.path(key)).succeeds();
            let objects = from_store(dir.loader_into("of-objects"), key).succeeds();
            assert!(files.count("written") > 0);
            let of = |outcome| comparable(&dir, &format!("{place}/"), outcome);
            assert_eq!(of(&files), of(&objects), "{variable}: {objects}");
            let of = |target| rows_and_names(published(&dir.path(target)));
            assert_same_tree(&of("of-files"), &of("of-objects"), variable);
        }
        let again = from_store(dir.loader_into("of-objects"), "in/").succeeds();
        assert_eq!(again.count("lines"), 0, "{variable}: {again}");
    }
}
