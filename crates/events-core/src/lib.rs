//! What an event is, for the programs that write and read events: the base contract, the catalog of event
//! types, the schemas derived from it, the meaning of values, the partition that an event belongs to, and the
//! truth about generated events.
//!
//! No files and no command line here, and of the arrow family `arrow-schema` alone.
//!
//! In reading order:

pub mod event;
pub mod catalog;
pub mod schema;
pub mod timestamp;
pub mod number;
pub mod partition;
pub mod truth;
