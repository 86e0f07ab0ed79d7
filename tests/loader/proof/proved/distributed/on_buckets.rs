//! The same where sources and targets are in buckets of the servers that `scripts/servers.sh` has started;
//! without servers, only sources are, in the bucket of the tests.

use std::{env, process};

use super::{Targets, combination, loads};
use crate::support::{bucket::Bucket, events::Die, workdir::Workdir};

/// How many random combinations are loaded: a lost answer costs the time of a retry.
const COMBINATIONS: u64 = 5;
const SERVERS: [(&str, u64); 2] = [("MOTO_ENDPOINT", COMBINATIONS), ("MOTO_LOSSY_ENDPOINT", 1)];

#[test]
fn objects_are_read_in_ranges() {
    for seed in 0..COMBINATIONS {
        let (dir, bucket, mut die) = (Workdir::new(), Bucket::new(), Die::new(2_000 + seed));
        let mut combination = combination(seed);
        let generated = combination.generate(&dir);
        let directory = generated.directory();
        for file in &generated.files {
            let name = file.strip_prefix(&directory).unwrap().display().to_string();
            bucket.put(&format!("in/{name}"), fs_err::read(file).unwrap());
        }
        combination.flags.extend(bucket.flags());
        for arguments in loads(&combination, &generated, &mut die) {
            let arguments: Vec<_> =
                arguments.iter().map(|text| text.replace(&directory, "s3://b/in")).collect();
            let what = format!("combination {seed}, {combination}");
            Targets::in_directory(&dir).load_both(&combination, &arguments, &mut die, &what);
        }
    }
}

#[test]
fn a_job_in_a_bucket_leaves_what_one_machine_leaves() {
    for (variable, combinations) in SERVERS {
        let Ok(endpoint) = env::var(variable) else { continue };
        let options =
            object_stores::Options { endpoint: Some(endpoint.clone()), ..object_stores::Options::default() };
        for seed in 0..combinations {
            let (dir, mut die) = (Workdir::new(), Die::new(3_000 + seed));
            let address = format!("s3://lake/jobs-{}-{variable}-{seed}", process::id());
            let store = object_stores::open(&address, &options).unwrap();
            let mut combination = combination(seed);
            // A bucket has tables.
            for flag in ["--layout", "--table"] {
                while let Some(at) = combination.flags.iter().position(|argument| argument == flag) {
                    combination.flags.drain(at..=at + 1);
                }
            }
            let generated = combination.generate(&dir);
            let directory = generated.directory();
            for file in &generated.files {
                let name = file.strip_prefix(&directory).unwrap().display().to_string();
                store.put(&format!("in/{name}"), &fs_err::read(file).unwrap()).unwrap();
            }
            let flags = vec!["--endpoint".to_owned(), endpoint.clone()];
            let targets = Targets::in_store(&dir, &address, store, flags);
            for arguments in loads(&combination, &generated, &mut die) {
                let sources = format!("{address}/in");
                let arguments: Vec<_> =
                    arguments.iter().map(|text| text.replace(&directory, &sources)).collect();
                let what = format!("{variable}, combination {seed}, {combination}");
                targets.load_both(&combination, &arguments, &mut die, &what);
            }
        }
    }
}
