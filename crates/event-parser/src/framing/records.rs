//! The list of paths → which of them a document has, and so where its records are.
//!
//! Invariant: of the paths that a document has, the first one counts. A path with lists is there if the value
//! of its first list is one, or null, which is an empty one; another path is there if an object is; the
//! document itself always is.

use events_core::envelope::RecordsPath;
use memchr::memmem::Finder;

use crate::json::{KeyPredictor, Next, OBJECT_START, OTHER_KEYS, Scanner};

/// Where the records of documents are, and what is to be kept of the objects around them.
#[derive(Debug, Clone, Default)]
pub struct Records {
    paths: Vec<Path>,
    /// The paths as texts, for messages.
    names: String,
    /// The keys of enclosing objects that records are read with.
    enclosing_keys: Vec<String>,
}

/// A step on the way from a document to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathStep {
    /// Into the value of a key.
    Key(String),
    /// Into each element.
    List,
}

#[derive(Debug, Clone)]
struct Path {
    steps: Vec<PathStep>,
    /// `None` where a document must be read to know.
    probe: Option<Probe>,
}

/// A look at a document that most documents without a path don't pass, without reading their keys.
#[derive(Debug, Clone)]
struct Probe {
    /// Finds the key that decides, as it is usually written: that of the first list, or the last one.
    key: Finder<'static>,
    /// Finds the escapes that may hide it.
    escape: Finder<'static>,
    has_list: bool,
}

impl Path {
    fn new(path: &RecordsPath) -> Self {
        let mut steps = Vec::new();
        for step in path.steps() {
            steps.push(PathStep::Key(step.key.clone()));
            steps.extend(step.is_list.then_some(PathStep::List));
        }
        let probe = Probe::of(&steps);
        Self { steps, probe }
    }

    fn has_lists(&self) -> bool {
        self.steps.contains(&PathStep::List)
    }

    /// Whether a document has it, as far as the document is JSON.
    fn is_in(&self, document: &[u8], keys: &mut Vec<KeyPredictor>) -> bool {
        self.probe.as_ref().is_none_or(|probe| probe.passes(document))
            && self.leads_somewhere(document, keys).unwrap_or(false)
    }

    fn leads_somewhere(&self, document: &[u8], keys: &mut Vec<KeyPredictor>) -> Option<bool> {
        keys.resize_with(self.steps.len(), KeyPredictor::default);
        let mut scanner = Scanner::new(document);
        for (step, keys) in self.steps.iter().zip(keys) {
            let PathStep::Key(wanted) = step else {
                return Some(matches!(scanner.peek(), Some(b'[' | b'n')));
            };
            if scanner.peek() != Some(b'{') {
                return Some(false);
            }
            scanner.open_object().ok()?;
            let mut position = OBJECT_START;
            loop {
                let find = |name: &[u8]| (*name == *wanted.as_bytes()).then_some(0);
                let next = keys.next_of_many(&mut scanner, position, (1, OTHER_KEYS), find).ok()?;
                position = next.position();
                match next {
                    Next::End => return Some(false),
                    Next::Member(_) => break,
                    Next::Unknown | Next::Other(_) => drop(scanner.value().ok()?),
                }
            }
        }
        Some(self.steps.is_empty() || scanner.peek() == Some(b'{'))
    }
}

impl Probe {
    fn of(steps: &[PathStep]) -> Option<Self> {
        let list = steps.iter().position(|step| *step == PathStep::List);
        let PathStep::Key(key) = &steps[list.unwrap_or(steps.len()).checked_sub(1)?] else { return None };
        // Of these characters, JSON has short escapes.
        if key.contains(|character: char| matches!(character, '"' | '\\' | '/') || character.is_control()) {
            return None;
        }
        let [key, escape] = [key.as_str(), "\\u"].map(|text| Finder::new(text).into_owned());
        Some(Self { key, escape, has_list: list.is_some() })
    }

    /// `false` only if the path is not in the document, as far as that is JSON.
    fn passes(&self, document: &[u8]) -> bool {
        let leads_on = |at: usize| {
            let behind = document[at + self.key.needle().len()..].strip_prefix(b"\"").unwrap_or_default();
            let value = behind.trim_ascii_start().strip_prefix(b":").unwrap_or_default().trim_ascii_start();
            match value.first() {
                Some(b'{') => !self.has_list,
                Some(b'[' | b'n') => self.has_list,
                _ => false,
            }
        };
        self.key.find_iter(document).any(leads_on) || self.escape.find(document).is_some()
    }
}

/// What was learned of the keys on the way to the records, by path and step.
#[derive(Debug, Default)]
pub(super) struct KnownKeys(Vec<Vec<KeyPredictor>>);

impl Records {
    /// Records at the first of `paths` that a document has, which are read with what the objects around them
    /// have at `enclosing_keys`. Without paths, each document is a record.
    #[must_use]
    pub fn new(paths: &[RecordsPath], enclosing_keys: &[String]) -> Self {
        let names: Vec<_> = paths.iter().map(ToString::to_string).collect();
        Self {
            paths: paths.iter().map(Path::new).collect(),
            names: names.join(" or "),
            enclosing_keys: enclosing_keys.to_owned(),
        }
    }

    /// Whether each document is a record.
    #[must_use]
    pub fn are_documents(&self) -> bool {
        self.paths.first().is_none_or(|path| path.steps.is_empty())
    }

    pub(super) fn has_lists(&self) -> bool {
        self.paths.iter().any(Path::has_lists)
    }

    /// Where the records of a document must be.
    pub(crate) fn names(&self) -> &str {
        &self.names
    }

    /// The index of the first path that a document has, if it has one.
    pub(super) fn path_in(&self, document: &[u8], known: &mut KnownKeys) -> Option<usize> {
        known.0.resize_with(self.paths.len(), Vec::new);
        self.paths.iter().zip(&mut known.0).position(|(path, keys)| path.is_in(document, keys))
    }

    /// The same of a document that is too long to be read as a whole, by its beginning; only of paths with
    /// lists.
    pub(super) fn list_in(&self, beginning: &[u8]) -> Option<usize> {
        self.paths.iter().position(|path| path.has_lists() && path.is_in(beginning, &mut Vec::new()))
    }

    pub(super) fn steps(&self, path: usize) -> &[PathStep] {
        &self.paths[path].steps
    }

    pub(super) fn enclosing_key(&self, name: &[u8]) -> Option<usize> {
        self.enclosing_keys.iter().position(|key| key.as_bytes() == name)
    }

    pub(super) fn has_enclosing_keys(&self) -> bool {
        !self.enclosing_keys.is_empty()
    }
}
