//! The keys by which the records of each preset are recognised.
//!
//! A signature lists keys that its producer's documentation calls required, and that no other kind of record
//! has together. `a|b` is any of these keys; `a=b` is a key whose value is the text `b`.
//!
//! Invariant: a record has a signature if it has each of its keys, with a value other than null.

/// What the records of a preset have in common.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) preset: &'static str,
    pub(super) keys: &'static [&'static str],
}

/// The base contract's own fields. They win over every preset.
pub(super) const BASE: [&str; 4] = ["event_id", "timestamp", "domain", "event_type"];

/// One for each preset.
pub(super) const SIGNATURES: [Signature; 12] = [
    Signature { preset: "cloudevents", keys: &["specversion", "id", "source", "type"] },
    Signature {
        preset: "segment",
        keys: &["messageId", "timestamp", "type", "anonymousId|userId", "context|originalTimestamp"],
    },
    Signature { preset: "stripe", keys: &["object=event", "id", "created", "type", "data.object"] },
    Signature {
        preset: "github-archive",
        keys: &["id", "type", "actor.login", "repo.name", "payload", "created_at"],
    },
    Signature { preset: "cloudtrail", keys: &["eventID", "eventTime", "eventSource", "eventName"] },
    Signature {
        preset: "eventbridge",
        keys: &["id", "detail-type", "source", "account", "time", "region", "detail"],
    },
    Signature {
        preset: "debezium",
        keys: &["op", "source.connector", "source.ts_ms", "source.db", "source.table", "after|before"],
    },
    Signature {
        preset: "otlp-logs",
        keys: &["timeUnixNano|observedTimeUnixNano", "severityNumber|severityText|body|eventName"],
    },
    Signature {
        preset: "kubernetes-audit",
        keys: &["auditID", "stage", "requestReceivedTimestamp", "verb", "requestURI"],
    },
    Signature { preset: "kafka", keys: &["topic", "partition", "offset", "timestamp", "value"] },
    Signature { preset: "docker", keys: &["log", "stream", "time"] },
    Signature {
        preset: "journald",
        keys: &["__CURSOR", "__REALTIME_TIMESTAMP", "_SYSTEMD_UNIT|SYSLOG_IDENTIFIER|_TRANSPORT"],
    },
];

impl Signature {
    /// Whether a record has it; `text_at` gives the value at a path of keys, where it is not null.
    pub(super) fn is_met<'r>(&self, text_at: impl Fn(&str) -> Option<&'r [u8]>) -> bool {
        self.keys.iter().all(|key| match key.split_once('=') {
            Some((key, value)) => text_at(key).is_some_and(|found| found == value.as_bytes()),
            None => key.split('|').any(|key| text_at(key).is_some()),
        })
    }

    /// Its keys, for a message.
    pub(super) fn described(&self) -> String {
        let described = self.keys.iter().map(|key| key.replace('|', " or ").replace('=', " = "));
        described.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_preset_has_a_signature() {
        let mut presets: Vec<_> = events_core::envelope::PRESETS.iter().map(|(name, _)| *name).collect();
        let mut named: Vec<_> = SIGNATURES.iter().map(|signature| signature.preset).collect();
        presets.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, presets);
    }

    #[test]
    fn a_record_has_a_signature_if_it_has_all_of_its_keys() {
        let signature = Signature { preset: "x", keys: &["object=event", "a|b", "c.d"] };
        let is_met = |keys: &[(&str, &'static str)]| {
            signature.is_met(|wanted| {
                keys.iter().find(|(key, _)| *key == wanted).map(|(_, value)| value.as_bytes())
            })
        };
        assert!(is_met(&[("object", "event"), ("b", "1"), ("c.d", "{}")]));
        assert!(!is_met(&[("object", "charge"), ("b", "1"), ("c.d", "{}")]));
        assert!(!is_met(&[("object", "event"), ("c.d", "{}")]));
        assert_eq!(signature.described(), "object = event, a or b, c.d");
    }
}
