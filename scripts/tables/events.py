"""Events of a shop, with values that tables' schemas and statistics get wrong first, and three catalogs that grow."""

import json

# Each catalog has what the one before it has.
GROWTH = [
    """
[domain.shop.fields]
pieces = "int32"
price  = "float64"
note   = "string"

[domain.shop.events.sale.fields]
amount  = "decimal(12,2)"
shipped = "timestamp"
where   = { fields = { city = "string", at = { fields = { lat = "float64" } } } }

[domain.shop.events."order placed/EU".fields]
on   = "date"
paid = "boolean"
tags = "list(string)"
""",
    """
[domain.shop.fields]
pieces = "int64"
price  = "float64"
note   = "string"

[domain.shop.events.sale.fields]
amount  = "decimal(12,2)"
shipped = "timestamp"
where   = { fields = { city = "string", at = { fields = { lat = "float64" } } } }
counts  = "list(int32)"

[domain.shop.events."order placed/EU".fields]
on    = "date"
paid  = "boolean"
tags  = "list(string)"
total = "decimal(30,2)"
""",
    """
[domain.shop.fields]
pieces = "int64"
price  = "float64"
note   = "string"

[domain.shop.events.sale.fields]
amount  = "decimal(12,2)"
shipped = "timestamp"
where   = { fields = { city = "string", at = { fields = { lat = "float64" } } } }
counts  = "list(int32)"
notes   = "map(string)"

[domain.shop.events."order placed/EU".fields]
on    = "date"
paid  = "boolean"
tags  = "list(string)"
total = "decimal(30,2)"

[domain.shop.events.visit.fields]
raw = "json"
""",
]
TYPES = "sale", "order placed/EU", "visit"
TEXTS = ["", "a", "Grüße", "\U0010FFFF" * 9, "z" * 31 + "é", "x" * 32, "x" * 33, "x" * 200, "\u007f", "\ud7ff" * 40, "'\"\\\n\t", "null"]
NUMBERS = [0, 1, -1, 2**31 - 1, -(2**31)]
FLOATS = [0.0, -0.0, 1 / 3, 1e308, -1e308, 5e-324, 0.1]


def lines(dice, first, count, day_of):
    """`count` events from number `first` on, some again, some corrected to another day, some bad."""
    for number in range(first, first + count):
        event = event_of(dice, number, day_of())
        yield json.dumps(event)
        roll = dice.random()
        if roll < 0.03:
            yield json.dumps(event)
        elif roll < 0.10:
            # Later by some weeks, so that it wins wherever it comes.
            later = f"2024-11-{1 + number % 5:02}{event['timestamp'][10:]}"
            yield json.dumps({**event, "timestamp": later, "data": event_of(dice, number, "2024-11-01")["data"]})
        elif roll < 0.12:
            yield json.dumps(event)[:-dice.randrange(1, 30)]


def event_of(dice, number, day):
    kind = TYPES[number % 3]
    time = f"{day}T{dice.choice([0, 7, 23]):02}:{dice.randrange(60):02}:{dice.randrange(60):02}.{dice.choice([0, 1, 999, 1000, 999_999, dice.randrange(10**6)]):06}Z"
    maybe = lambda value: value if dice.random() < 0.85 else None
    data = {"pieces": maybe(dice.choice([*NUMBERS, number])), "price": maybe(dice.choice([*FLOATS, number / 7])), "note": maybe(dice.choice([*TEXTS, f"note {number}"]))}
    if kind == "sale":
        data |= {
            "amount": maybe(f"{dice.randrange(-10**10, 10**10) / 100:.2f}"),
            "shipped": maybe(dice.choice(["1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", time])),
            "where": maybe({"city": maybe(dice.choice(TEXTS)), "at": maybe({"lat": dice.choice(FLOATS)})}),
        }
    elif kind != "visit":
        data |= {"on": maybe(dice.choice(["0001-01-01", "9999-12-31", "1970-01-01", day])), "paid": maybe(dice.random() < 0.5),
                 "tags": maybe([maybe(dice.choice(TEXTS)) for _ in range(dice.randrange(4))])}
    else:
        data = {"raw": maybe({"a": [1, None, {"b": dice.choice(TEXTS)}]})}
    return {"event_id": f"{number:08x}-0000-4000-8000-{dice.randrange(10**12):012}", "timestamp": time, "domain": "shop", "event_type": kind, "data": data}


def grown(dice, line):
    """The event with fields of later catalogs, where it is a whole one."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if event["event_type"] == "sale":
        event["data"] |= {"counts": [dice.choice([None, *NUMBERS]) for _ in range(dice.randrange(3))],
                          "notes": {key: dice.choice([None, *TEXTS]) for key in dice.sample(["z", "a", "ü"], dice.randrange(4))}}
        event["data"]["pieces"] = dice.choice([None, 2**31, -(2**63), 2**63 - 1, 5])
    elif event["event_type"] != "visit":
        event["data"]["total"] = dice.choice([None, "1234567890123456789012345678.12", "-0.25"])
    return json.dumps(event)
