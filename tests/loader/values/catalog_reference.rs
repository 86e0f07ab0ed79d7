//! Is docs/catalog.md true? Its examples are parsed, and the first is run.

use std::path::Path;

use serde_json::json;

use crate::support::{
    readback::{rows_of, schema_of},
    workdir::Workdir,
};

/// The fenced blocks of docs/catalog.md in a language, in order.
fn blocks_of_the_reference(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/catalog.md");
    let text = fs_err::read_to_string(path).unwrap();
    let fence = format!("\n```{language}\n");
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn every_catalog_of_the_reference_is_one() {
    let blocks = blocks_of_the_reference("toml");
    assert!(blocks.len() >= 5, "{blocks:#?}");
    for block in blocks {
        let dir = Workdir::new();
        dir.write("x.toml", &block);
        dir.write("in.json", "");
        let outcome = dir.loader().args(["-s", "in.json", "-b", "--catalog", "x.toml"]).run();
        assert!(outcome.status.success(), "{outcome}\nof\n{block}");
    }
}

#[test]
fn the_example_of_the_reference_comes_to_the_row_that_it_shows() {
    let dir = Workdir::new();
    dir.write("shop.toml", &blocks_of_the_reference("toml")[0]);
    let event: serde_json::Value = serde_json::from_str(&blocks_of_the_reference("json")[0]).unwrap();
    dir.write("in.json", event.to_string());
    let outcome = dir.loader().args(["-s", "in.json", "-b", "--catalog", "shop.toml"]).succeeds();
    let file = dir.target().join("2025/03/29/returned/part-00000.zstd.parquet");
    let names: Vec<_> = schema_names(&schema_of(&file));
    let row = rows_of(&file).remove(0);
    let shown: Vec<_> = names.iter().zip(row).map(|(name, value)| format!("{name:<28} {value}")).collect();
    assert_eq!(shown.join("\n"), blocks_of_the_reference("text")[0], "{outcome}");
    assert_eq!(
        outcome.report()["unknown_fields"],
        json!({"data.customer.address.zip": 1, "data.items.colour": 1})
    );
}

#[test]
fn the_message_in_the_reference_is_the_loader_s() {
    let text = "[domain.a.events.b.fields]\nx = 'int'";
    let dir = Workdir::new();
    dir.write("shop.toml", text);
    let outcome = dir.bare_loader().args(["-s", "in", "-b", "--catalog", "shop.toml"]).exits(2);
    let messages = blocks_of_the_reference("text").into_iter().filter(|block| block.starts_with("error: "));
    assert_eq!(messages.collect::<Vec<_>>(), [outcome.stderr.trim_end()]);
}

/// The names of a message type's columns; of nested ones only the outermost.
fn schema_names(schema: &str) -> Vec<String> {
    let of_root = |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && !line.ends_with("  }");
    let name = |line: &str| line.split([' ', ';']).filter(|word| !word.is_empty()).nth(2).unwrap().to_owned();
    schema.lines().filter(of_root).map(name).collect()
}
