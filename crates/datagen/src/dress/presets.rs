//! What the record of each envelope looks like, with the keys that its producer documents, and which of its
//! values are the parts of the event.
//!
//! The places are JSON pointers, written down from the presets' documentation: what a loader makes of a
//! record by its preset must be what this says.
//!
//! Invariant: the first key of a name is the one that is meant, behind those of the objects around it.

use super::template::Unit;
use crate::config::EnvelopeName;

/// The records of an envelope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preset {
    pub(super) name: EnvelopeName,
    /// What stands around each record.
    pub(super) around: Around,
    /// The template of a record.
    pub(super) record: &'static str,
    /// The unit of its timestamp.
    pub(super) unit: Unit,
    /// The parts of its id; of none, the id is a hash of the record.
    pub(super) id: &'static [&'static str],
    pub(super) time: &'static str,
    pub(super) domain: Domain,
    pub(super) event_type: &'static str,
    /// The values that are columns of their own.
    pub(super) fields: &'static [&'static str],
    /// The payload; all of the record if it is empty, without what the event took.
    pub(super) data: &'static str,
    /// Its path, as a loader reports it, with a dot behind.
    pub(super) data_path: &'static str,
    pub(super) taken: &'static [&'static str],
    /// What is neither read nor part of the payload, by its path in the record: a loader counts it.
    pub(super) ignored: &'static [&'static str],
}

/// What stands around a record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Around {
    /// Nothing: it is a line.
    Nothing,
    /// The rest of its line.
    Line(&'static str, &'static str),
    /// The rest of its file, which has no other line.
    File(&'static str, &'static str),
}

/// Where the domain comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Domain {
    Constant(&'static str),
    At(&'static str),
}

const DEBEZIUM_IGNORED: &[&str] = &[
    "source.version",
    "source.connector",
    "source.name",
    "source.snapshot",
    "source.sequence",
    "source.txId",
    "source.lsn",
    "source.xmin",
    "ts_ms",
    "transaction",
];

pub(super) static PRESETS: [Preset; 12] = [
    Preset {
        name: EnvelopeName::CloudEvents,
        around: Around::Nothing,
        record: r#"{"specversion": "1.0", "id": "$id", "source": "/bank/$domain", "type": "com.example.bank.$type", "subject": "bank", "time": "$iso_us", "datacontenttype": "application/json", "data": $data}"#,
        unit: Unit::Micros,
        id: &["/source", "/id"],
        time: "/time",
        domain: Domain::Constant("cloudevents"),
        event_type: "/type",
        fields: &["/source", "/subject", "/specversion", "/datacontenttype", "/dataschema"],
        data: "/data",
        data_path: "data.",
        taken: &[],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::Segment,
        around: Around::Nothing,
        record: r#"{"anonymousId": "$id", "context": {"ip": "192.0.2.1", "library": {"name": "datagen", "version": "1.0"}}, "event": "Bank $type", "integrations": {"All": true}, "messageId": "datagen-$id", "originalTimestamp": "$iso_ms", "properties": $data, "receivedAt": "$iso_ms", "sentAt": "$iso_ms", "timestamp": "$iso_ms", "type": "track", "userId": null, "version": 2}"#,
        unit: Unit::Millis,
        id: &["/messageId"],
        time: "/timestamp",
        domain: Domain::Constant("segment"),
        event_type: "/event",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/messageId", "/timestamp", "/event"],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::Stripe,
        around: Around::Nothing,
        record: r#"{"id": "evt_$id", "object": "event", "api_version": "2024-06-20", "created": $epoch_s, "data": {"object": $data}, "livemode": true, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": "bank.$type"}"#,
        unit: Unit::Seconds,
        id: &["/id"],
        time: "/created",
        domain: Domain::Constant("stripe"),
        event_type: "/type",
        fields: &["/api_version", "/livemode"],
        data: "/data/object",
        data_path: "data.object.",
        taken: &[],
        ignored: &["object", "pending_webhooks", "request"],
    },
    Preset {
        name: EnvelopeName::GithubArchive,
        around: Around::Nothing,
        record: r#"{"id": "$id", "type": "Bank-$type", "actor": {"id": 1001, "login": "datagen", "url": "https://api.github.com/users/datagen"}, "repo": {"id": 9007199254740993, "name": "bank/$domain", "url": "https://api.github.com/repos/bank/$domain"}, "payload": $data, "public": true, "created_at": "$iso_s"}"#,
        unit: Unit::Seconds,
        id: &["/id"],
        time: "/created_at",
        domain: Domain::Constant("github"),
        event_type: "/type",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/id", "/type", "/created_at"],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::CloudTrail,
        around: Around::File(r#"{"Records":["#, "]}"),
        record: r#"{"eventVersion": "1.10", "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/datagen", "accountId": "111122223333"}, "eventTime": "$iso_s", "eventSource": "$domain.amazonaws.com", "eventName": "$type", "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.3", "userAgent": "datagen", "requestParameters": $data, "responseElements": null, "eventID": "$id", "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333", "eventCategory": "Management"}"#,
        unit: Unit::Seconds,
        id: &["/eventID"],
        time: "/eventTime",
        domain: Domain::At("/eventSource"),
        event_type: "/eventName",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/eventID", "/eventTime", "/eventSource", "/eventName"],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::EventBridge,
        around: Around::Nothing,
        record: r#"{"version": "0", "id": "$id", "detail-type": "$type", "source": "$domain", "account": "111122223333", "time": "$iso_s", "region": "eu-west-1", "resources": ["arn:aws:events:eu-west-1:111122223333:event-bus/bank"], "detail": $data}"#,
        unit: Unit::Seconds,
        id: &["/id"],
        time: "/time",
        domain: Domain::At("/source"),
        event_type: "/detail-type",
        fields: &["/version", "/account", "/region", "/resources"],
        data: "/detail",
        data_path: "detail.",
        taken: &[],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::Debezium,
        around: Around::Line(
            r#"{"schema": {"type": "struct", "optional": false, "name": "bank.Envelope"}, "payload": "#,
            "}",
        ),
        record: r#"{"before": null, "after": {"id": "$id", "event": $data}, "source": {"version": "3.0.0.Final", "connector": "postgresql", "name": "bank", "ts_ms": $epoch_ms, "snapshot": "false", "db": "bank", "sequence": null, "schema": "$domain", "table": "$type", "txId": 571, "lsn": $epoch_us, "xmin": null}, "op": "c", "ts_ms": $epoch_ms, "transaction": null}"#,
        unit: Unit::Millis,
        id: &["/source/db", "/source/schema", "/source/table", "/after/id"],
        time: "/source/ts_ms",
        domain: Domain::At("/source/db"),
        event_type: "/source/table",
        fields: &["/op"],
        data: "/after",
        data_path: "after|before.",
        taken: &[],
        ignored: DEBEZIUM_IGNORED,
    },
    Preset {
        name: EnvelopeName::OtlpLogs,
        around: Around::Line(
            r#"{"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "bank"}}]}, "scopeLogs": [{"scope": {"name": "datagen", "version": "1.0"}, "logRecords": ["#,
            "]}]}]}",
        ),
        record: r#"{"timeUnixNano": "$epoch_ns", "observedTimeUnixNano": "$epoch_ns", "severityNumber": 9, "severityText": "INFO", "eventName": "bank.$type", "body": {"stringValue": "$quoted"}, "attributes": [{"key": "domain", "value": {"stringValue": "$domain"}}], "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}"#,
        unit: Unit::Nanos,
        id: &[],
        time: "/timeUnixNano",
        domain: Domain::Constant("otlp"),
        event_type: "/eventName",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/timeUnixNano", "/eventName"],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::KubernetesAudit,
        around: Around::Nothing,
        record: r#"{"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": "$id", "stage": "ResponseComplete", "requestURI": "/apis/bank/v1/$domain", "verb": "create", "user": {"username": "system:serviceaccount:bank:datagen", "groups": ["system:authenticated"]}, "sourceIPs": ["192.0.2.9"], "objectRef": {"resource": "bank-$type", "namespace": "bank", "apiVersion": "v1"}, "requestObject": $data, "requestReceivedTimestamp": "$iso_us", "stageTimestamp": "$iso_us"}"#,
        unit: Unit::Micros,
        id: &["/auditID", "/stage"],
        time: "/requestReceivedTimestamp",
        domain: Domain::Constant("k8s"),
        event_type: "/objectRef/resource",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/auditID", "/stage", "/requestReceivedTimestamp"],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::Kafka,
        around: Around::Nothing,
        record: r#"{"topic": "bank.$type", "partition": 0, "offset": $index, "timestamp": $epoch_ms, "timestampType": "CREATE_TIME", "key": "$id", "headers": {"domain": "$domain"}, "value": $data}"#,
        unit: Unit::Millis,
        id: &["/topic", "/partition", "/offset"],
        time: "/timestamp",
        domain: Domain::Constant("kafka"),
        event_type: "/topic",
        fields: &["/partition", "/offset", "/timestampType", "/key", "/headers"],
        data: "/value",
        data_path: "value.",
        taken: &[],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::Docker,
        around: Around::Nothing,
        record: r#"{"log": "$quoted\n", "stream": "stdout", "time": "$iso_ns"}"#,
        unit: Unit::Nanos,
        id: &[],
        time: "/time",
        domain: Domain::Constant("docker"),
        event_type: "/stream",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/stream", "/time"],
        ignored: &[],
    },
    Preset {
        name: EnvelopeName::Journald,
        around: Around::Nothing,
        record: r#"{"__CURSOR": "s=$id", "__REALTIME_TIMESTAMP": "$epoch_us", "__MONOTONIC_TIMESTAMP": "9000000", "_BOOT_ID": "a59f4fe30e3b13d433f0d8bcd061d1de", "PRIORITY": "6", "_SYSTEMD_UNIT": "$type.service", "_PID": "100", "MESSAGE": "$quoted", "_HOSTNAME": "bank"}"#,
        unit: Unit::Micros,
        id: &["/__CURSOR"],
        time: "/__REALTIME_TIMESTAMP",
        domain: Domain::Constant("journald"),
        event_type: "/_SYSTEMD_UNIT",
        fields: &[],
        data: "",
        data_path: "",
        taken: &["/__CURSOR", "/__REALTIME_TIMESTAMP", "/_SYSTEMD_UNIT"],
        ignored: &[],
    },
];
