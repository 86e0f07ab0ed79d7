//! The scanner of a text that is not lines: of an array, or of documents.
//!
//! Invariant: whoever reads elements need not know which of them they are.

use std::io;

use super::{
    arrays::{ArrayScanner, Element},
    documents::DocumentScanner,
};

/// See [`ArrayScanner`] and [`DocumentScanner`].
#[derive(Debug)]
pub(super) enum ElementScanner {
    Array(ArrayScanner),
    Documents(DocumentScanner),
}

impl ElementScanner {
    /// Continues to the end of `bytes`, or until `elements` has `elements_max`.
    pub(super) fn scan(&mut self, bytes: &[u8], elements: &mut Vec<Element>, elements_max: usize) {
        match self {
            Self::Array(array) => array.scan(bytes, elements, elements_max),
            Self::Documents(documents) => documents.scan(bytes, elements, elements_max),
        }
    }

    /// At the end of the text: finishes its last line or piece; fails if it is cut off.
    pub(super) fn finish(&mut self, bytes: &[u8], elements: &mut Vec<Element>) -> io::Result<()> {
        match self {
            Self::Array(array) => array.finish(bytes, elements),
            Self::Documents(documents) => documents.finish(bytes, elements),
        }
    }

    /// The start of the element in which the bytes end; their end, if they end between elements.
    pub(super) fn unfinished(&self) -> usize {
        match self {
            Self::Array(array) => array.unfinished(),
            Self::Documents(documents) => documents.unfinished(),
        }
    }

    /// Whether it has just gone back to the start of the bytes.
    pub(super) fn went_back(&mut self) -> bool {
        match self {
            Self::Array(_) => false,
            Self::Documents(documents) => documents.went_back(),
        }
    }

    /// How far the bytes are scanned.
    pub(super) fn scanned(&self) -> usize {
        match self {
            Self::Array(array) => array.scanned(),
            Self::Documents(documents) => documents.scanned(),
        }
    }

    /// The first bytes were returned: the following ones count from there.
    pub(super) fn advance(&mut self, returned: &[u8]) {
        match self {
            Self::Array(array) => array.advance(returned),
            Self::Documents(documents) => documents.advance(returned),
        }
    }
}
