//! The base contract that every event keeps: five fields, of which `data` is the application's own.
//!
//! ```json
//! {"event_id": "…", "timestamp": "2024-10-10T00:00:07", "domain": "account", "event_type": "account-open", "data": {"id": 1}}
//! ```

use serde::{Deserialize, Serialize};

/// Unique id of the event, usually a UUID.
pub const EVENT_ID: &str = "event_id";
/// When it happened.
pub const TIMESTAMP: &str = "timestamp";
/// The part of the business that it belongs to; with [`EVENT_TYPE`] it names one type of event.
pub const DOMAIN: &str = "domain";
/// What happened.
pub const EVENT_TYPE: &str = "event_type";
/// The payload.
pub const DATA: &str = "data";

/// An event with a payload of type `D`; its fields are in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event<D> {
    /// See [`EVENT_ID`].
    pub event_id: String,
    /// See [`TIMESTAMP`]; text, as written.
    pub timestamp: String,
    /// See [`DOMAIN`].
    pub domain: String,
    /// See [`EVENT_TYPE`].
    pub event_type: String,
    /// See [`DATA`].
    pub data: D,
}
