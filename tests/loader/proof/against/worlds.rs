//! Kinds of events: their tables, written down from their catalogs, and some of their lines.

use self::Text::{AsIs, Decimal, Instant, Summed};

/// Events of a kind, and what their tables are.
pub(super) struct World {
    /// None if they are built in.
    pub(super) catalog: Option<&'static str>,
    pub(super) tables: &'static [Table],
    /// Its own lines, if it has some.
    pub(super) lines: &'static str,
}

/// A table that some event types have.
pub(super) struct Table {
    pub(super) domain: &'static str,
    pub(super) event_types: &'static [&'static str],
    /// By their paths in `data`, with the kinds of their texts.
    pub(super) fields: &'static [(&'static str, Text)],
}

/// How the canonical text of a value comes from its JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// A string, or else the JSON text without white space.
    AsIs,
    /// An integer that is added up.
    Summed,
    /// A number with this many digits after the point; it is added up.
    Decimal(usize),
    /// Microseconds.
    Instant,
}

pub(super) const SIMPLE: World = World {
    catalog: None,
    tables: &[
        Table {
            domain: "account",
            event_types: &["account-open", "account-close", "status-change"],
            fields: &[("id", AsIs), ("old_status", AsIs), ("new_status", AsIs), ("reason", AsIs)],
        },
        Table {
            domain: "transaction",
            event_types: &["payment-to", "payment-from"],
            fields: &[("id", AsIs), ("to", AsIs), ("from", AsIs), ("amount", Decimal(2))],
        },
    ],
    lines: "",
};

pub(super) const LEDGER: World = World {
    catalog: Some(events_core::catalog::LEDGER),
    tables: &[
        Table {
            domain: "account",
            event_types: &["account-open"],
            fields: &[
                ("id", AsIs),
                ("old_status", AsIs),
                ("new_status", AsIs),
                ("reason", AsIs),
                ("channel", AsIs),
                ("currency", AsIs),
                ("holder.name", AsIs),
                ("holder.country", AsIs),
            ],
        },
        Table {
            domain: "account",
            event_types: &["account-close", "status-change"],
            fields: &[
                ("id", AsIs),
                ("old_status", AsIs),
                ("new_status", AsIs),
                ("reason", AsIs),
                ("channel", AsIs),
            ],
        },
        Table {
            domain: "transaction",
            event_types: &["payment-to", "payment-from"],
            fields: &[
                ("id", AsIs),
                ("to", AsIs),
                ("from", AsIs),
                ("amount", Decimal(3)),
                ("currency", AsIs),
                ("balance", Decimal(3)),
                ("channel", AsIs),
                ("merchant.name", AsIs),
                ("merchant.category", AsIs),
                ("merchant.city", AsIs),
                ("merchant.country", AsIs),
            ],
        },
    ],
    lines: r#"
{"event_id": "e01", "timestamp": "2024-10-10T00:00:00.000000", "domain": "account", "event_type": "account-open", "data": {"id": 1234567890, "old_status": null, "new_status": "PENDING", "reason": "Bring your own \"lamp\".", "channel": "branch", "currency": "EUR", "holder": {"name": "Ada Baker", "country": "DE"}}}
{"event_id": "e02", "timestamp": "2024-10-10T09:15:00.000001", "domain": "account", "event_type": "account-open", "data": {"id": 1987654321, "old_status": null, "new_status": "PENDING", "reason": "Zoë said so.", "channel": "online", "currency": "KWD", "holder": {"name": "Zoë Ünal", "country": "KW"}}}
{"event_id": "e03", "timestamp": "2024-10-10T12:00:00.123456", "domain": "account", "event_type": "status-change", "data": {"id": 1234567890, "old_status": "PENDING", "new_status": "OPEN", "reason": "Fine.", "channel": "phone"}}
{"event_id": "e04", "timestamp": "2024-10-10T23:59:59.999999", "domain": "transaction", "event_type": "payment-from", "data": {"id": "9f86d081884c7d65", "to": 1234567890, "from": 1987654321, "amount": 12.30, "currency": "EUR", "balance": -4.05, "channel": "card", "merchant": {"name": "Velvet Bakery", "category": 5411, "city": "Lyon", "country": "FR"}}}
{"event_id": "e05", "timestamp": "2024-10-10T23:59:59.999999", "domain": "transaction", "event_type": "payment-from", "data": {"id": "0000000000000001", "to": 1234567890, "from": 1987654321, "amount": 1230, "currency": "JPY", "balance": -150000, "channel": "transfer", "merchant": null}}
{"event_id": "e06", "timestamp": "2024-10-11T00:00:00.000000", "domain": "transaction", "event_type": "payment-to", "data": {"id": "9f86d081884c7d65", "to": 1234567890, "from": 1987654321, "amount": 12.30, "currency": "EUR", "balance": 0.00, "channel": "card", "merchant": {"name": "Velvet Bakery", "category": 5411, "city": "Lyon", "country": "FR"}}}
{"event_id": "e07", "timestamp": "2024-10-11T01:00:00.000000", "domain": "transaction", "event_type": "payment-to", "data": {"id": "0000000000000002", "to": 1234567890, "from": 1987654321, "amount": 0.001, "currency": "KWD", "balance": 12.300, "channel": "debit", "merchant": null}}
{"event_id": "e08", "timestamp": "2024-10-11T02:00:00.000000", "domain": "account", "event_type": "account-close", "data": {"id": 1234567890, "old_status": "OPEN", "new_status": "CLOSED", "reason": "", "channel": "branch"}}
{"event_id": "e09", "timestamp": "2024-10-11T02:00:00.000001", "domain": "account", "event_type": "account-open", "data": {"id": 1000000000, "old_status": null, "new_status": "PENDING", "reason": "New.", "channel": "mobile", "currency": "CHF", "holder": {"name": "Ida Holm", "country": "CH"}}}
"#,
};

/// Types that no catalog names.
pub(super) const OPEN: World = World {
    catalog: Some("[domain.'*'.fields]\nn = 'int64'\ntext = 'json'\n[domain.shop.events.named]"),
    tables: &[Table {
        domain: "found",
        event_types: &["sale", "order placed/EU"],
        fields: &[("n", Summed), ("text", AsIs)],
    }],
    lines: r#"
{"event_id": "e1", "timestamp": "2024-10-10T00:00:00.000000", "domain": "found", "event_type": "sale", "data": {"n": 5, "text": {"a":1}}}
{"event_id": "e2", "timestamp": "2024-10-10T01:00:00.000000", "domain": "found", "event_type": "sale", "data": {"n": -7, "text": null}}
{"event_id": "e1", "timestamp": "2024-10-11T00:00:00.000000", "domain": "found", "event_type": "order placed/EU", "data": {"n": 1, "text": [1.50]}}
"#,
};

pub(super) const OWN: World = World {
    catalog: Some(
        "[domain.own.events.all.fields]\nbig = 'int64'\n\
         inner = { fields = { yes = 'boolean', day = 'date', deep = { fields = { at = 'timestamp', any = 'json' } } } }\n\
         [domain.own.events.none]",
    ),
    tables: &[
        Table {
            domain: "own",
            event_types: &["all"],
            fields: &[
                ("big", Summed),
                ("inner.yes", AsIs),
                ("inner.day", AsIs),
                ("inner.deep.at", Instant),
                ("inner.deep.any", AsIs),
            ],
        },
        Table { domain: "own", event_types: &["none"], fields: &[] },
    ],
    lines: r#"
{"event_id": "1", "timestamp": "2024-10-10T00:00:00", "domain": "own", "event_type": "all", "data": {"big": -9223372036854775808, "inner": {"yes": true, "day": "1969-12-31", "deep": {"at": "1969-12-31T23:59:59.5", "any": [1,"a",null]}}}}
{"event_id": "2", "timestamp": "2024-10-10T07:00:00", "domain": "own", "event_type": "all", "data": {"big": -9223372036854775808, "inner": {"yes": false, "day": null, "deep": null}}}
{"event_id": "3", "timestamp": "2024-10-10T07:00:01", "domain": "own", "event_type": "all", "data": {"big": null, "inner": null}}
{"event_id": "4", "timestamp": "2024-10-11T07:00:01", "domain": "own", "event_type": "all", "data": {}}
{"event_id": "5", "timestamp": "2024-10-11T07:00:01", "domain": "own", "event_type": "none", "data": {}}
"#,
};

impl World {
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.trim().lines().map(str::to_owned).collect()
    }
}
