//! Does the order of the files by which a catalog is extended change what it takes, or its types?

use events_core::catalog::{Catalog, EventType};

use super::*;

/// All orders of three things.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Drafts a catalog from the first of these files, extends it by the others, and returns it.
#[track_caller]
fn one_after_the_other(dir: &Workdir, order: [usize; 3]) -> String {
    let name = |file: usize| format!("{file}.json");
    fs_err::remove_file(dir.path("mine.toml")).ok();
    catalog(dir, ["infer", &name(order[0]), "-o", "mine.toml", "--all"]).succeeds();
    for file in &order[1..] {
        let name = name(*file);
        let before = fs_err::read_to_string(dir.path("mine.toml")).unwrap();
        let args = ["infer", &name, "--catalog", "mine.toml", "-o", "mine.toml", "--all"];
        let outcome = catalog(dir, args).run();
        assert_eq!(outcome.status.code(), Some(0), "{order:?}: {outcome}\n{before}");
    }
    fs_err::read_to_string(dir.path("mine.toml")).unwrap()
}

#[test]
fn a_catalog_that_was_extended_by_random_events_loads_them_in_any_order() {
    for seed in 100..104 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let mut shapes = Shape::some(&mut die);
        let mut at = 0;
        for file in 0..3 {
            let lines: Vec<_> = (0..4 + die.roll(30))
                .map(|_| {
                    at += 1;
                    die.pick(&shapes).event(&mut die, at)
                })
                .collect();
            dir.write(&format!("{file}.json"), file_of(&lines));
            shapes = shapes.iter().map(|shape| shape.later(&mut die)).collect();
        }
        for (index, order) in ORDERS.into_iter().enumerate() {
            let text = one_after_the_other(&dir, order);
            let loader = dir.loader_into(&format!("target-{index}"));
            let load = loader.source("0.json").source("1.json").source("2.json");
            let load = load.args(["-b", "--catalog", "mine.toml"]).succeeds();
            assert_eq!(
                load.reasons(),
                BTreeMap::new(),
                "seed {seed}, {order:?}: {load}
{text}"
            );
        }
        for file in ["0.json", "1.json", "2.json"] {
            let again = catalog(&dir, ["infer", file, "--all", "--catalog", "mine.toml", "--check"]).run();
            assert_eq!(again.status.code(), Some(0), "seed {seed}: {again}");
        }
    }
}

/// The types of a catalog, by event type and field.
fn types(text: &str) -> BTreeMap<String, String> {
    let catalog = Catalog::from_toml(&[("mine.toml", text)]).unwrap();
    let of_type = |of_type: &EventType| {
        let types = of_type.fields.iter().map(|field| (&field.name, field.kind.to_string()));
        types.map(|(name, kind)| (format!("{of_type} {name}"), kind)).collect::<Vec<_>>()
    };
    catalog.event_types().iter().flat_map(of_type).collect()
}

/// Whether a type widens to another, by the table in docs/catalog.md.
fn widens(from: &str, to: &str) -> bool {
    let digits = |name: &str| -> Option<(u32, u32)> {
        let (precision, scale) = name.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
        let (precision, scale): (u32, u32) = (precision.parse().ok()?, scale.parse().ok()?);
        Some((precision - scale, scale))
    };
    let needs = match from {
        "int32" => Some((10, 0)),
        "int64" => Some((19, 0)),
        _ => digits(from),
    };
    let fits = |(before, behind): (u32, u32)| digits(to).is_some_and(|(b, s)| before <= b && behind <= s);
    from == to
        || matches!((from, to), ("int32", "int64" | "float64") | ("date", "timestamp"))
        || needs.is_some_and(fits)
}

#[test]
fn where_the_lattice_orders_the_types_a_catalog_ends_in_those_of_a_draft_of_all_events() {
    const NUMBERS: [&str; 9] = [
        "1",
        "2000000000",
        "2147483648",
        "9223372036854775808",
        "818.32",
        "12345678.25",
        "1.5",
        "24.519456",
        "1234567890123.125",
    ];
    const TEXTS: [&str; 4] = ["\"2024-02-29\"", "\"2024-02-29T10:00:00Z\"", "\"12.50\"", "\"1234567.25\""];
    let (mut ordered, mut others) = (0, 0);
    for seed in 0..3 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let mut all = Vec::new();
        for file in 0..3 {
            // Both share the fields that they have in common; one is not in every file.
            let types = if die.one_in(3) { &["t"][..] } else { &["t", "u"] };
            let payload = |event_type: &&str| {
                let number = |die: &mut Die, at: usize| *die.pick(&NUMBERS[..if at < 10 { 4 } else { 9 }]);
                let fields =
                    (0..20).map(|at| format!("\"n{at}\": {}", number(&mut die, at))).collect::<Vec<_>>();
                let text = |die: &mut Die, at: usize| *die.pick(&TEXTS[..if at < 6 { 2 } else { 4 }]);
                // Behind one key, texts of other forms are texts in all types.
                let texts = (0..10).filter(|at| *at < 6 || *event_type == "t");
                let texts = texts.map(|at| format!("\"t{at}\": {}", text(&mut die, at))).collect::<Vec<_>>();
                event(event_type, &format!("{{{}, {}}}", fields.join(", "), texts.join(", ")))
            };
            let lines: Vec<_> = types.iter().map(payload).collect();
            dir.write(&format!("{file}.json"), file_of(&lines));
            all.extend(lines);
        }
        dir.write("all.json", file_of(&all));
        let draft = |name: &str| types(&catalog(&dir, ["infer", name]).succeeds().stdout);
        let (each, all) = (["0.json", "1.json", "2.json"].map(draft), draft("all.json"));
        for order in ORDERS {
            let found = types(&one_after_the_other(&dir, order));
            for (field, found) in &found {
                let drafted: Vec<_> = each.iter().filter_map(|types| types.get(field)).collect();
                let is_chain =
                    |one: &&String| drafted.iter().all(|other| widens(one, other) || widens(other, one));
                let first = order.iter().find_map(|&file| each[file].get(field)).unwrap();
                if drafted.iter().all(is_chain) {
                    assert_eq!(found, &all[field], "seed {seed}, {order:?}: {field}, {drafted:?}");
                    ordered += 1;
                } else {
                    assert!(
                        widens(first, found) || found == "string",
                        "{order:?}: {field}, {drafted:?}: {found}"
                    );
                    others += 1;
                }
            }
        }
    }
    assert!(ordered > 200 && others > 50, "{ordered} are ordered, {others} are not");
}
