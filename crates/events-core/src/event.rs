//! The base contract: the fields of every event, in any domain.
//!
//! Invariant: text stays text here. The readers of events decide what a timestamp means, and which event is
//! the latest.

use serde::{Deserialize, Serialize};

/// The unique id of the event, usually a UUID.
pub const EVENT_ID: &str = "event_id";
/// When it happened.
pub const TIMESTAMP: &str = "timestamp";
/// The part of the business that it belongs to; together with [`EVENT_TYPE`] it identifies one type of event.
pub const DOMAIN: &str = "domain";
/// What happened.
pub const EVENT_TYPE: &str = "event_type";
/// The payload, in the shape that the emitting application chose.
pub const DATA: &str = "data";

/// The fields of an event, in the order in which they are written.
pub const FIELDS: [&str; 5] = [EVENT_ID, TIMESTAMP, DOMAIN, EVENT_TYPE, DATA];

/// An event with a payload of type `D`, in the order of [`FIELDS`].
///
/// ```
/// use events_core::event::Event;
///
/// let line = r#"{"event_id":"a1","timestamp":"2024-10-10","domain":"d","event_type":"t","data":{"id":1}}"#;
/// let event: Event<serde_json::Value> = serde_json::from_str(line)?;
/// assert_eq!(event.data["id"], 1);
/// assert_eq!(serde_json::to_string(&event)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
pub struct Event<D> {
    /// The unique id of the event, usually a UUID.
    pub event_id: String,
    /// When it happened, as written.
    pub timestamp: String,
    /// The part of the business that it belongs to.
    pub domain: String,
    /// What happened.
    pub event_type: String,
    /// The payload.
    pub data: D,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_with_the_fields_in_their_order() {
        let [event_id, timestamp, domain, event_type] = ["1", "2", "3", "4"].map(str::to_owned);
        let event = Event { event_id, timestamp, domain, event_type, data: 5 };
        let values = [r#""1""#, r#""2""#, r#""3""#, r#""4""#, "5"];
        let members: Vec<_> =
            FIELDS.iter().zip(values).map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let expected = format!("{{{}}}", members.join(","));
        assert_eq!(serde_json::to_string(&event).unwrap(), expected);
    }
}
