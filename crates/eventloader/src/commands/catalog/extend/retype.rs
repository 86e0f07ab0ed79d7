//! A field whose type becomes another one.
//!
//! Invariant: the lists and maps around it stay, as far as they take what was seen.

use events_core::catalog::{Container, ValueType, document::KeyPath};

use super::walk::At;
use crate::commands::catalog::observe::TypeName;

/// A field whose type becomes another one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Retype {
    /// Where its type stands.
    pub(super) path: KeyPath,
    /// The path of the field in an event.
    pub(super) field: String,
    pub(super) was: String,
    /// The lists and maps that stay around it.
    pub(super) around: Vec<Container>,
    pub(super) to: ValueType,
    /// Whether columns of its fields go, and one of this name comes.
    pub(super) new_column: Option<String>,
    /// The name that it gets instead, because that one is taken.
    pub(super) column: Option<String>,
    pub(super) user: TypeName,
}

/// The name of a type in lists and maps.
pub(super) fn within(around: &[Container], innermost: &str) -> String {
    around.iter().rev().fold(innermost.to_owned(), |inner, container| format!("{container}({inner})"))
}

impl Retype {
    pub(super) fn to_string(path: &KeyPath, was: String, at: &At) -> Self {
        Self {
            path: path.clone(),
            field: at.label(),
            was,
            around: Vec::new(),
            to: ValueType::String,
            new_column: None,
            column: None,
            user: at.user.clone(),
        }
    }

    /// The name of the new type.
    pub(super) fn name(&self) -> String {
        within(&self.around, &self.to.to_string())
    }
}
