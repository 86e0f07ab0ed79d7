//! The frozen table of the words of sentences.
//!
//! The words were drawn once from the English tables of the `fake` crate, and now belong to the stream:
//! `fake` gives no promise about its tables, and a word that changes there must not change anybody's data.
//! There are 256 of them, so one random byte is one word.
//!
//! Invariant: lower case ASCII letters only, so no word needs escaping in JSON. The table never changes
//! within a stream version.

/// The number of words.
pub(crate) const WORD_COUNT: usize = 256;

/// The maximum length of a word, in bytes: short words read better, and each must fit into 16 bytes with a
/// space after it.
#[cfg(test)]
pub(crate) const WORD_BYTES_MAX: usize = 10;

/// The words, in the order in which they were drawn.
#[rustfmt::skip]
pub(crate) const WORDS: [&str; WORD_COUNT] = [
    "engineer", "reduced", "matrices", "treasurer", "district", "accounting", "liaison", "cultivate",
    "virtual", "markets", "integrated", "capacity", "editor", "regional", "technology", "technician",
    "impactful", "platforms", "inverse", "matrix", "principal", "healthcare", "producer", "engage",
    "firmware", "accountant", "global", "retail", "developer", "grow", "niches", "local", "broker", "junior",
    "it", "associate", "scale", "efficient", "librarian", "corporate", "consulting", "executive", "leverage",
    "horizontal", "strategy", "surgeon", "designer", "architect", "exclusive", "advocate", "senior",
    "ergonomic", "tertiary", "intranet", "analyst", "design", "officer", "viral", "interfaces", "phased",
    "secondary", "target", "synergy", "astronomer", "national", "marketing", "seize", "software", "zoologist",
    "legal", "models", "vet", "banking", "synthesize", "compelling", "plumber", "specialist", "drive",
    "dynamic", "devolved", "modular", "adapter", "bandwidth", "multimedia", "nurse", "expedite", "ability",
    "education", "empower", "enterprise", "realigned", "motivating", "assistant", "synergize", "customized",
    "compatible", "definition", "baker", "musician", "agent", "proactive", "synergized", "encryption",
    "cashier", "manager", "evolve", "holistic", "hierarchy", "dentist", "farming", "policy", "mining",
    "intuitive", "planner", "integrate", "extensible", "users", "cohesive", "geologist", "actuating",
    "central", "director", "analyzer", "notary", "lead", "deploy", "advanced", "pilot", "visionary",
    "bifurcated", "algorithm", "welder", "sales", "brand", "circuit", "vortals", "hybrid", "versatile",
    "chief", "generate", "solutions", "optimal", "support", "judge", "productize", "ubiquitous", "reactive",
    "writer", "networks", "programmer", "supervisor", "aggregate", "mindshare", "projection", "strategist",
    "portals", "initiative", "maximize", "paradigms", "success", "throughput", "moderator", "actor",
    "transition", "solution", "consultant", "enhance", "sticky", "cloned", "seamless", "strategize", "chef",
    "redefine", "magnetic", "eyeballs", "optional", "scalable", "driver", "transform", "channels",
    "automated", "innovate", "enable", "concept", "physicist", "deliver", "sharable", "moratorium",
    "strategic", "logistical", "counselor", "embrace", "jeweller", "unleash", "enhanced", "mobile", "product",
    "lawyer", "innovative", "iterate", "managed", "benchmark", "organic", "discrete", "array", "monitored",
    "composite", "government", "systems", "biologist", "syndicate", "maximized", "robust", "migration",
    "harness", "frame", "teacher", "organized", "exuding", "optimizing", "mandatory", "challenge",
    "background", "model", "monetize", "neutral", "schemas", "operative", "analyzing", "exploit", "digitized",
    "reciprocal", "workforce", "coherent", "upgradable", "incubate", "adaptive", "radical", "extend",
    "framework", "waiter", "foreground", "coach", "visualize", "persistent", "implement", "universal",
    "asymmetric", "function", "facilitate", "systematic", "painter", "granular", "groupware", "metrics",
    "doctor",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use fake::{
        Fake,
        faker::{
            company::en::{BsAdj, BsNoun, BsVerb, Buzzword, BuzzwordMiddle, BuzzwordTail, Profession},
            job::en::{Field, Position, Seniority},
        },
    };
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    /// Words that no bank would write into a reason.
    const UNFIT: [&str; 2] = ["killer", "sexy"];

    /// Draws the table from ten tables of `fake` in turn, each plain word once.
    fn drawn_from_fake() -> Vec<String> {
        let mut engine = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut words: Vec<String> = Vec::new();
        while words.len() < WORD_COUNT {
            let round: [&str; 10] = [
                BsVerb().fake_with_rng(&mut engine),
                BsAdj().fake_with_rng(&mut engine),
                BsNoun().fake_with_rng(&mut engine),
                Buzzword().fake_with_rng(&mut engine),
                BuzzwordMiddle().fake_with_rng(&mut engine),
                BuzzwordTail().fake_with_rng(&mut engine),
                Profession().fake_with_rng(&mut engine),
                Seniority().fake_with_rng(&mut engine),
                Field().fake_with_rng(&mut engine),
                Position().fake_with_rng(&mut engine),
            ];
            for word in round.map(str::to_ascii_lowercase) {
                let plain =
                    word.len() <= WORD_BYTES_MAX && word.bytes().all(|byte| byte.is_ascii_lowercase());
                if plain && words.len() < WORD_COUNT && !UNFIT.contains(&&*word) && !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        words
    }

    /// Shows where the table comes from. If this fails after an update of `fake` or `rand`, their tables or
    /// their way of choosing have changed. Leave `WORDS` alone, since it belongs to the stream: go back to
    /// the pinned version of `fake`, or delete this test.
    #[test]
    fn the_table_was_drawn_from_fake() {
        assert_eq!(drawn_from_fake(), WORDS);
    }

    #[test]
    fn words_are_distinct_and_need_no_escaping() {
        assert_eq!(WORDS.iter().collect::<HashSet<_>>().len(), WORD_COUNT);
        for word in WORDS {
            assert!((2..=WORD_BYTES_MAX).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }
}
