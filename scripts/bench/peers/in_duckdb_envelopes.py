"""The same job in DuckDB for the raw files of other producers: one statement reads the file, one takes the latest version of each event,
and one per set of columns writes it. The explicit types are those of the catalog that `datagen catalog --envelope` prints.

The job (`load(…)` of the other peers) is named by the kind.
"""

import dataclasses

from bench.peers.in_duckdb import opened

# The payload of all types of the ledger; `id` is a number in one domain, and a text in the other.
PAYLOAD = """STRUCT(id VARCHAR, old_status VARCHAR, new_status VARCHAR, reason VARCHAR, channel VARCHAR, currency VARCHAR,
             holder STRUCT(name VARCHAR, country VARCHAR), "to" INTEGER, "from" INTEGER, amount DECIMAL(18,3), balance DECIMAL(18,3),
             merchant STRUCT(name VARCHAR, category INTEGER, city VARCHAR, country VARCHAR))"""
ACCOUNT = ["id::INTEGER", "old_status", "new_status", "reason", "channel"]
OPEN = [*ACCOUNT, "currency", "holder.name", "holder.country"]
PAYMENT = ["id", '"to"', '"from"', "amount", "currency", "balance", "channel", "merchant.name", "merchant.category", "merchant.city", "merchant.country"]
TABLES = {"account-open": OPEN, "account-close": ACCOUNT, "status-change": ACCOUNT, "payment-to": PAYMENT, "payment-from": PAYMENT}


@dataclasses.dataclass(frozen=True)
class Kind:
    """columns: what is read of a record. The others are expressions over these; `payload` is where the ledger's own payload is."""

    columns: str
    event_id: str
    timestamp: str
    domain: str
    event_type: str
    prefix: str
    payload: str
    others: str
    records: str = ""


KINDS = {
    "stripe": Kind(
        columns=f"{{id: 'VARCHAR', api_version: 'VARCHAR', created: 'BIGINT', data: 'STRUCT(object {PAYLOAD})', livemode: 'BOOLEAN', type: 'VARCHAR'}}",
        event_id="id", timestamp="make_timestamp(created * 1000000)", domain="'stripe'", event_type="type",
        prefix="data_", payload="data.object", others="api_version, livemode"),
    "segment": Kind(
        columns=f"""{{anonymousId: 'VARCHAR', context: 'STRUCT(ip VARCHAR, library STRUCT(name VARCHAR, version VARCHAR))', event: 'VARCHAR',
                     integrations: 'STRUCT("All" BOOLEAN)', messageId: 'VARCHAR', originalTimestamp: 'VARCHAR', properties: '{PAYLOAD}',
                     receivedAt: 'VARCHAR', sentAt: 'VARCHAR', timestamp: 'TIMESTAMP', type: 'VARCHAR', userId: 'VARCHAR', version: 'BIGINT'}}""",
        event_id="messageId", timestamp="timestamp", domain="'segment'", event_type="coalesce(event, type)",
        prefix="data_properties_", payload="properties",
        others="""anonymousId AS data_anonymousId, context.ip AS data_context_ip, context.library.name AS data_context_library_name,
                  context.library.version AS data_context_library_version, integrations."All" AS data_integrations_All,
                  originalTimestamp AS data_originalTimestamp, receivedAt AS data_receivedAt, sentAt AS data_sentAt, type AS data_type,
                  userId AS data_userId, version AS data_version"""),
    "github-archive": Kind(
        columns=f"""{{id: 'VARCHAR', type: 'VARCHAR', actor: 'STRUCT(id BIGINT, login VARCHAR, url VARCHAR)', repo: 'STRUCT(id BIGINT, name VARCHAR, url VARCHAR)',
                     payload: '{PAYLOAD}', public: 'BOOLEAN', created_at: 'TIMESTAMP'}}""",
        event_id="id", timestamp="created_at", domain="'github'", event_type="type", prefix="data_payload_", payload="payload",
        others="""actor.id AS data_actor_id, actor.login AS data_actor_login, actor.url AS data_actor_url, public AS data_public,
                  repo.id AS data_repo_id, repo.name AS data_repo_name, repo.url AS data_repo_url"""),
    "cloudtrail": Kind(
        columns=f"""{{Records: 'STRUCT(eventVersion VARCHAR, userIdentity STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR),
                     eventTime TIMESTAMP, eventSource VARCHAR, eventName VARCHAR, awsRegion VARCHAR, sourceIPAddress VARCHAR, userAgent VARCHAR,
                     requestParameters {PAYLOAD}, responseElements VARCHAR, eventID VARCHAR, readOnly BOOLEAN, eventType VARCHAR,
                     managementEvent BOOLEAN, recipientAccountId VARCHAR, eventCategory VARCHAR)[]'}}""",
        event_id="eventID", timestamp="eventTime", domain="eventSource", event_type="eventName",
        prefix="data_requestParameters_", payload="requestParameters", records="Records",
        others="""awsRegion AS data_awsRegion, eventCategory AS data_eventCategory, eventType AS data_eventType, eventVersion AS data_eventVersion,
                  managementEvent AS data_managementEvent, readOnly AS data_readOnly, recipientAccountId AS data_recipientAccountId,
                  responseElements AS data_responseElements, sourceIPAddress AS data_sourceIPAddress, userAgent AS data_userAgent,
                  userIdentity.accountId AS data_userIdentity_accountId, userIdentity.arn AS data_userIdentity_arn,
                  userIdentity.principalId AS data_userIdentity_principalId, userIdentity.type AS data_userIdentity_type"""),
}


def load(kind: str, source: str, target: str, threads: int) -> None:
    this = KINDS[kind]
    run = opened(threads).execute
    # A whole file may be one object; the default is 16 MiB.
    form = "format = 'unstructured', maximum_object_size = 2000000000" if this.records else "format = 'newline_delimited'"
    read = f"read_json('{source}', {form}, columns = {this.columns})"
    records = f"(SELECT unnest({this.records}, max_depth := 2) FROM {read})" if this.records else read
    run(f"""CREATE TEMP TABLE events AS
            SELECT {this.event_id} AS event_id, {this.timestamp} AS instant, {this.domain} AS domain, {this.event_type} AS event_type,
                   {this.payload} AS payload, {this.others}
            FROM {records}""")
    run("CREATE TEMP TABLE lines AS SELECT max({instant: instant, line: rowid}).line AS line FROM events GROUP BY event_type, event_id")
    run("CREATE TEMP VIEW latest AS SELECT * FROM events WHERE rowid IN (FROM lines)")
    run("SET preserve_insertion_order = false")
    for name, fields in TABLES.items():
        own = ", ".join(f"{value(field)} AS {column(this.prefix, field)}" for field in fields)
        run(f"""COPY (SELECT event_id, instant AT TIME ZONE 'UTC' AS timestamp, domain, {own}, * EXCLUDE (event_id, instant, domain, payload),
                             year(instant) AS year, month(instant) AS month, day(instant) AS day
                      FROM latest WHERE ends_with(event_type, '{name}'))
                TO '{target}/{name}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (year, month, day, event_type))""")


def value(field: str) -> str:
    name, _, number = field.partition("::")
    # The other types' ids are no numbers, and a cast may be done before the rows are chosen.
    return f"TRY_CAST(payload.{name} AS {number})" if number else f"payload.{name}"


def column(prefix: str, field: str) -> str:
    """`data_merchant_name` of `merchant.name`."""
    return prefix + field.partition("::")[0].replace('"', "").replace(".", "_")
