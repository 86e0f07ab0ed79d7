//! The envelope of events: where the base fields of an event, and the events themselves, are in a document.
//!
//! Invariant: a path's text is read back as the same path.

mod records;

pub use self::records::{RecordsPath, RecordsPathError, RecordsStep};
