//! Random catalogs, each spelt in two of the ways that the format allows: another spelling means the same,
//! another catalog does not.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{BUILT_IN, Catalog};
use crate::envelope::{PRESETS, preset, preset_text};

/// What a catalog says, without the way in which it is said.
#[derive(Debug, Clone)]
struct World {
    /// The name of a preset.
    envelope: Option<&'static str>,
    /// By domain and name.
    types: BTreeMap<(&'static str, &'static str), Type>,
}

#[derive(Debug, Clone)]
struct Type {
    has_directory: bool,
    fields: Fields,
    /// Whether its field `seq`, which all types have, decides.
    has_version: bool,
}

type Fields = BTreeMap<&'static str, Field>;

#[derive(Debug, Clone)]
struct Field {
    kind: Kind,
    required: bool,
    has_column: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Value(&'static str),
    Object(Fields),
    List(Box<Kind>),
    Map(Box<Kind>),
}

fn kinds() -> impl Strategy<Value = Kind> {
    let values = ["int32", "int64", "string", "json", "date", "timestamp(ms)", "decimal(9,2)"];
    let leaf = prop::sample::select(values.to_vec()).prop_map(Kind::Value);
    leaf.prop_recursive(3, 8, 3, |inner| {
        let field = (inner.clone(), any::<bool>()).prop_map(|(kind, required)| Field {
            kind,
            required,
            has_column: false,
        });
        let names = prop::sample::select(vec!["a", "b c", "D"]);
        prop_oneof![
            prop::collection::btree_map(names, field, 1..3).prop_map(Kind::Object),
            inner.clone().prop_map(|kind| Kind::List(Box::new(kind))),
            inner.prop_map(|kind| Kind::Map(Box::new(kind))),
        ]
    })
}

fn worlds() -> impl Strategy<Value = World> {
    let field = (kinds(), any::<bool>(), any::<bool>());
    let field = field.prop_map(|(kind, required, has_column)| Field { kind, required, has_column });
    let fields = prop::collection::btree_map(prop::sample::select(vec!["n", "o", "p q"]), field, 0..4);
    let types =
        (any::<bool>(), fields, any::<bool>()).prop_map(|(has_directory, mut fields, has_version)| {
            fields.insert("seq", Field { kind: Kind::Value("int64"), required: true, has_column: false });
            Type { has_directory, fields, has_version }
        });
    let names =
        vec![("shop", "x"), ("shop", "y"), ("shop", "*"), ("card", "z"), ("card", "odd name"), ("*", "*")];
    let types = prop::collection::btree_map(prop::sample::select(names), types, 1..6);
    let presets: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
    (prop::option::of(prop::sample::select(presets)), types)
        .prop_map(|(envelope, types)| World { envelope, types })
}

/// One of the ways to write a world, chosen by a seed.
struct Spelling {
    seed: u64,
    /// The `[types]` of the file that is being written, line by line.
    named: Vec<String>,
}

impl Spelling {
    fn roll(&mut self, sides: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap_or_default() % sides
    }

    fn shuffled<T>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut items: Vec<_> = items.into_iter().collect();
        for last in (1..items.len()).rev() {
            let other = self.roll(last + 1);
            items.swap(last, other);
        }
        items
    }

    fn catalog(&mut self, world: &World) -> Catalog {
        let (mut base, mut envelope) = (BUILT_IN.clone(), String::new());
        if let Some(name) = world.envelope {
            match self.roll(3) {
                0 => base = base.with_envelope(name, preset(name).unwrap().unwrap()).unwrap(),
                1 => envelope = format!("[envelope]\npreset = '{name}'\n"),
                _ => preset_text(name).unwrap().clone_into(&mut envelope),
            }
        }
        let (first, second) = world.types.iter().partition(|_| self.roll(2) == 0);
        let texts = [self.file(&first), self.file(&second), envelope];
        let texts = self.shuffled(texts.into_iter().filter(|text| !text.is_empty()));
        let names = self.shuffled(["a.toml", "catalogs/z.toml", "../b.toml"]);
        let files: Vec<_> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        base.extended(&files).unwrap_or_else(|error| panic!("{error}\n{}", texts.join("\n---\n")))
    }

    fn file(&mut self, types: &BTreeMap<&(&'static str, &'static str), &Type>) -> String {
        self.named.clear();
        let mut domains: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((domain, name), known) in types {
            domains.entry(*domain).or_default().push((*name, *known));
        }
        let domains = self.shuffled(domains);
        let lines: Vec<_> =
            domains.into_iter().flat_map(|(domain, types)| self.domain(domain, types)).collect();
        let parts = self.shuffled([lines, self.named.clone()]);
        parts.concat().into_iter().map(|line| line + "\n").collect()
    }

    /// A domain's tables, line by line. What its types have in common may be the domain's.
    fn domain(&mut self, domain: &str, types: Vec<(&str, &Type)>) -> Vec<String> {
        let shared = types[0].1.fields.iter().filter(|(name, field)| {
            let is_same = |other: &Field| format!("{other:?}") == format!("{field:?}");
            let in_all = types.iter().all(|(_, known)| known.fields.get(*name).is_some_and(is_same));
            in_all && self.roll(2) == 0
        });
        let shared: Fields = shared.map(|(name, field)| (*name, field.clone())).collect();
        let shares_version = types.iter().all(|(_, known)| known.has_version) && self.roll(2) == 0;
        let mut lines = vec![self.comment(), format!("[domain.'{domain}']"), self.description()];
        lines.extend(shares_version.then(|| self.version()));
        lines.extend((!shared.is_empty()).then(|| format!("fields = {}", self.fields(&shared))));
        for (name, known) in self.shuffled(types) {
            let mut own = known.fields.clone();
            own.retain(|name, _| !shared.contains_key(name));
            lines.extend([
                self.comment(),
                format!("[domain.\"{domain}\".events.\"{name}\"]"),
                self.description(),
            ]);
            lines.extend((known.has_version && !shares_version).then(|| self.version()));
            lines.extend(self.directory(domain, name, known));
            if self.roll(2) == 0 {
                lines.push(format!("fields = {}", self.fields(&own)));
            } else {
                lines.push(format!("[domain.{domain:?}.events.{name:?}.fields]"));
                lines.extend(self.members(&own).into_iter().map(|member| member + " # seen"));
            }
        }
        lines
    }

    fn directory(&mut self, domain: &str, name: &str, known: &Type) -> Option<String> {
        let is_of_name = !known.has_directory;
        // That of its name may be said, too, where a catalog can say it.
        let is_said = !is_of_name || (!name.contains(' ') && self.roll(2) == 0);
        let directory =
            if is_of_name { name.to_owned() } else { format!("{domain}-{}", name.replace(' ', "-")) };
        (name != "*" && is_said).then(|| format!("directory = '{directory}'"))
    }

    fn version(&mut self) -> String {
        ["version = 'seq'", "version = ['seq']"][self.roll(2)].to_owned()
    }

    fn comment(&mut self) -> String {
        ["", "# why", "\n", "  # and so on"][self.roll(4)].to_owned()
    }

    fn description(&mut self) -> String {
        ["", "description = 'What it is'", "description = \"Something else\""][self.roll(3)].to_owned()
    }

    fn fields(&mut self, fields: &Fields) -> String {
        format!("{{ {} }}", self.members(fields).join(", "))
    }

    fn members(&mut self, fields: &Fields) -> Vec<String> {
        let members = fields.iter().map(|(name, field)| {
            let key =
                if name.contains(' ') || self.roll(2) == 0 { format!("'{name}'") } else { (*name).into() };
            format!("{key} = {}", self.field(name, field))
        });
        let members: Vec<_> = members.collect();
        self.shuffled(members)
    }

    fn field(&mut self, name: &str, Field { kind, required, has_column }: &Field) -> String {
        let mut keys = vec![self.kind(kind)];
        keys.extend(Some(self.description()).filter(|text| !text.is_empty()));
        keys.extend((*required || self.roll(3) == 0).then(|| format!("required = {required}")));
        keys.extend(has_column.then(|| format!("column = 'c_{}'", name.replace(' ', "_"))));
        let is_named = keys.len() == 1 && keys[0].starts_with("type = ") && self.roll(2) == 0;
        if is_named {
            return keys[0]["type = ".len()..].to_owned();
        }
        format!("{{ {} }}", self.shuffled(keys).join(", "))
    }

    /// The key of a field's table that says its type.
    fn kind(&mut self, kind: &Kind) -> String {
        if let Some(name) = self.name(kind) {
            return format!("type = '{name}'");
        }
        match kind {
            Kind::Value(name) => format!("type = \"{name}\""),
            Kind::Object(fields) => format!("fields = {}", self.fields(fields)),
            Kind::List(inner) => format!("list = {{ {} }}", self.kind(inner)),
            Kind::Map(inner) => format!("map = {{ {} }}", self.kind(inner)),
        }
    }

    /// A type's name, which an object has if the file gives it one.
    fn name(&mut self, kind: &Kind) -> Option<String> {
        match kind {
            Kind::Value(name) => Some((*name).to_owned()),
            Kind::Object(fields) => (self.roll(2) == 0).then(|| {
                let fields = self.fields(fields);
                let name = format!("T{}", self.named.len());
                let lines = [format!("[types.{name}]"), self.description(), format!("fields = {fields}")];
                self.named.extend(lines);
                name
            }),
            Kind::List(inner) => self.name(inner).map(|name| format!("list({name})")),
            Kind::Map(inner) => self.name(inner).map(|name| format!("map( {name} )")),
        }
    }
}

/// Changes one thing of a world.
fn change(world: &mut World, which: usize) {
    let at = which % world.types.len();
    let (key, mut known) = world.types.iter().nth(at).map(|(key, known)| (*key, known.clone())).unwrap();
    let seq = known.fields.get_mut("seq").unwrap();
    match which % 7 {
        0 => seq.kind = Kind::Value("int32"),
        1 => seq.has_column = true,
        2 => known.has_version ^= true,
        3 if key.1 != "*" => known.has_directory ^= true,
        4 if !known.has_version => seq.required = false,
        5 => {
            let other = if world.envelope == Some("kafka") { "stripe" } else { "kafka" };
            world.envelope = Some(other);
        }
        _ => {
            let field = Field { kind: Kind::Value("date"), required: false, has_column: false };
            known.fields.insert("more", field);
        }
    }
    world.types.insert(key, known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn another_spelling_means_the_same_and_another_catalog_does_not(
        world in worlds(), seeds in any::<[u64; 3]>(), which in any::<usize>(),
    ) {
        let meaning = |world: &World, seed| Spelling { seed, named: Vec::new() }.catalog(world).meaning();
        prop_assert_eq!(meaning(&world, seeds[0]), meaning(&world, seeds[1]));
        let mut other = world.clone();
        change(&mut other, which);
        prop_assert_ne!(meaning(&world, seeds[0]), meaning(&other, seeds[2]));
    }
}
