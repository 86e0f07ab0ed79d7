//! Manifests that are invalid, and manifests of other tables than the target has.

use super::{
    MANIFEST, assert_told, load,
    model::Truth,
    simple, verify,
    worlds::{LEDGER, OWN, SIMPLE, World},
};
use crate::support::{files::tree, workdir::Workdir};

#[test]
fn a_target_of_another_catalog_is_told_once_per_event_type() {
    let dir = Workdir::new();
    load(&dir, &SIMPLE, &LEDGER.lines(), &[]);
    dir.write(MANIFEST, Truth::of(&LEDGER).manifest().to_string());
    let hint = "load the events with the catalog of the manifest's world";
    let open = "data_channel, data_currency, data_holder_name, data_holder_country are missing";
    let payment = "data_currency, data_balance, data_channel, data_merchant_name, data_merchant_category, data_merchant_city, \
                   data_merchant_country are missing";
    let expected = [
        ("2024/10/10/account-open", "account/account-open", ", in 2 partitions", open),
        ("2024/10/10/payment-from", "transaction/payment-from", "", payment),
        ("2024/10/10/status-change", "account/status-change", "", "data_channel is missing"),
        ("2024/10/11/account-close", "account/account-close", "", "data_channel is missing"),
        ("2024/10/11/payment-to", "transaction/payment-to", "", payment),
    ];
    let expected = expected.map(|(path, event_type, places, difference)| {
        (path, format!("the columns of {event_type} differ from the manifest{places}: {difference}; {hint}"))
    });
    assert_told(&verify(&dir, 1), &expected.each_ref().map(|(path, problem)| (*path, problem.as_str())));
}

#[test]
fn columns_that_have_no_digest_or_sum_are_told() {
    let dir = Workdir::new();
    load(&dir, &OWN, &OWN.lines(), &[]);
    let manifest = Truth::of(&OWN).manifest().to_string();
    dir.write(MANIFEST, manifest.replace("\"sums\":[\"data_big\"]", "\"sums\":[\"data_inner_day\"]"));
    let outcome = verify(&dir, 1);
    assert!(outcome.stdout.contains("data_inner_day is not a number, so it has no sum"), "{outcome}");
    let dir = Workdir::new();
    let floats = World { catalog: Some("[domain.own.events.all.fields]\nx = 'float64'"), ..OWN };
    load(&dir, &floats, &OWN.lines(), &["--event-type", "all"]);
    dir.write(MANIFEST, manifest);
    let outcome = verify(&dir, 1);
    assert!(
        outcome.stdout.contains("data_x is of type Float64, which manifests do not support"),
        "{outcome}"
    );
}

#[test]
fn a_manifest_that_cannot_be_used_is_refused_with_its_place() {
    let dir = Workdir::new();
    let (_, truth) = simple();
    load(&dir, truth.world, &truth.rows, &[]);
    let before = tree(&dir.target());
    let refused = |content: Option<String>, parts: &[&str]| {
        fs_err::remove_file(dir.path(MANIFEST)).ok();
        if let Some(content) = content {
            dir.write(MANIFEST, content);
        }
        let outcome = verify(&dir, 2);
        outcome.says(parts);
        assert_eq!(outcome.stdout, "");
    };
    refused(None, &["--against", MANIFEST]);
    let pretty = serde_json::to_string_pretty(&truth.manifest()).unwrap();
    refused(
        Some(pretty.replace("\"format\": 1", "\"format\": 2")),
        &["manifest: truth.json:", "format 1, found 2"],
    );
    refused(Some(pretty[..pretty.len() / 2].to_owned()), &["manifest: truth.json:", "EOF"]);
    refused(Some(pretty.replace("\"rows\": ", "\"lines\": ")), &["truth.json:", "unknown field `lines`"]);
    refused(
        Some(pretty.replacen("2024-10-11", "2024-10-09", 1)),
        &["truth.json: partition 2024-10-09 account/account-close", "out of order"],
    );
    assert!(before == tree(&dir.target()));
}
