//! What an event is, for the programs that write and read events: the base contract, the catalog of event
//! types, the schemas derived from it, the meaning of values, the partition that an event belongs to, and the
//! truth about generated events.
//!
//! There are no files and no command line here, and of the arrow family it only uses `arrow-schema`.
//!
//! Invariant: the programs agree on events because neither has a copy of what is here.
//!
//! In reading order:

pub mod event;
pub mod catalog;
pub mod envelope;
pub mod schema;
pub mod stored_text;
pub mod table;
pub mod timestamp;
pub mod number;
pub mod directory_name;
pub mod partition;
pub mod sql_text;
pub mod truth;
