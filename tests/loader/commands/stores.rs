//! Addresses of object stores on the command line: does a build without them say what to do, is it told
//! within one line what is missing, and is a secret nowhere in what is printed, reported or written?

use crate::support::{
    events::account_open,
    workdir::{Loader, Workdir},
};

/// A command line of each command that takes an address.
fn commands(dir: &Workdir, address: &str) -> Vec<Loader> {
    dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1));
    dir.write("catalog.toml", "");
    let lines: [&[&str]; 12] = [
        &["-s", "in.json", "-b", "-t", address],
        &["-s", address, "-b", "-t", "target"],
        &["accept", address],
        &["catalog", "check", address],
        &["catalog", "diff", address, "catalog.toml"],
        &["catalog", "infer", address],
        &["discard", address],
        &["list", address],
        &["quarantine", address],
        &["recover", address],
        &["rewrite", address],
        &["verify", address],
    ];
    lines.iter().map(|line| without_credentials(dir.bare_loader().args(*line), dir)).collect()
}

/// As on a machine where nobody has set anything up.
fn without_credentials(loader: Loader, dir: &Workdir) -> Loader {
    let unset = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_EC2_METADATA_DISABLED"];
    let loader = unset.iter().fold(loader, |loader, name| loader.env(name, ""));
    loader.env("HOME", dir.path("home").to_str().unwrap())
}

#[cfg(not(feature = "objects"))]
#[test]
fn a_build_without_object_stores_says_how_to_build_one_with_them() {
    let dir = Workdir::new();
    for command in commands(&dir, "s3://bucket/lake") {
        // Of sources, the bucket is named: it may be that of several.
        let outcome = command.exits(2);
        outcome.says(&[
            "s3://bucket",
            ": this program was built without object stores",
            "--features objects",
        ]);
    }
    for command in commands(&dir, "s3://bucket/lake?sig=topsecret") {
        let outcome = command.exits(2);
        assert!(!outcome.stderr.contains("topsecret"), "{outcome}");
    }
    assert!(!dir.target().exists());
}

#[cfg(feature = "objects")]
mod with_object_stores {
    use std::{
        env,
        io::{Read, Write},
        net::TcpStream,
        process,
    };

    use super::*;

    #[test]
    fn without_credentials_every_command_says_what_to_set() {
        let dir = Workdir::new();
        for command in commands(&dir, "s3://bucket/lake") {
            let outcome = command.exits(2);
            outcome.says(&["s3://bucket", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "--anonymous"]);
        }
        assert!(!dir.target().exists());
    }

    #[test]
    fn an_address_that_is_none_is_refused_before_anything_is_read() {
        let dir = Workdir::new();
        for (address, part) in [
            ("file:///tmp/lake", "expected a path, or s3://"),
            ("s3://key:topsecret@bucket/lake", "credentials do not belong into an address"),
            ("az://container/lake?sig=topsecret", "set AZURE_STORAGE_SAS_TOKEN"),
        ] {
            for command in commands(&dir, address) {
                let outcome = command.exits(2);
                outcome.says(&[part]);
                assert!(!outcome.stderr.contains("topsecret"), "{outcome}");
            }
        }
        let plain =
            dir.bare_loader().source("in.json").args(["-b", "-t", "s3://b/lake", "--layout", "plain"]);
        plain.exits(2).says(&["--layout: a target on an object store is of Delta tables"]);
    }

    /// On the server of `scripts/servers.sh`, which takes any key.
    #[test]
    fn a_secret_is_nowhere() {
        const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
        const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKEN";
        const ID: &str = "AKIAIOSFODNN7EXAMPLE";
        let Ok(endpoint) = env::var("MOTO_ENDPOINT") else { return };
        let dir = Workdir::new();
        let lake = format!("secrets-{}", process::id());
        let address = format!("s3://lake/{lake}");
        dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1) + "\nbroken\n");
        let mut printed = String::new();
        let mut run = |line: &[&str], code| {
            let loader = dir.bare_loader().args(line).args(["--endpoint", &endpoint]);
            let key =
                [("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", TOKEN)];
            let outcome =
                key.iter().fold(loader, |loader, (name, value)| loader.env(name, value)).exits(code);
            printed.push_str(&outcome.stdout);
            printed.push_str(&outcome.stderr);
        };
        run(&["-s", "in.json", "-b", "-v", "-t", &address, "--report", "report.json"], 0);
        run(&["list", "--json", &address], 0);
        run(&["quarantine", &address], 0);
        run(&["verify", &address], 0);
        run(&["recover", &address], 0);
        run(&["verify", "s3://none/lake"], 1);
        printed += &fs_err::read_to_string(dir.path("report.json")).unwrap();

        let listing = get(&endpoint, &format!("/lake?list-type=2&prefix={lake}"));
        let keys: Vec<_> = listing.split("<Key>").skip(1).filter_map(|key| key.split('<').next()).collect();
        assert!(keys.iter().any(|key| key.contains("_eventloader/commits/")), "{listing}");
        printed += &keys.iter().map(|key| get(&endpoint, &format!("/lake/{key}"))).collect::<String>();
        assert!(printed.contains("account-open"), "{printed}");
        for secret in [SECRET, TOKEN, ID] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    /// What the server answers to a request that is not signed.
    fn get(endpoint: &str, path: &str) -> String {
        let host = endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}
