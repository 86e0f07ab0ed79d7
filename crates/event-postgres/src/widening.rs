//! A column's type, and a wider one → the expression that makes a value of the one a value of the other, with
//! the functions that it calls.
//!
//! A plain cast does it for numbers. Texts must be those of [`events_core::stored_text`], whatever the
//! settings of the server: floats and instants have a form of their own, and lists, maps and objects are JSON
//! without white space, with the members in the order of the schema. `USING` allows no subquery, so lists,
//! maps and objects are converted by functions, one for each pair of types. They are temporary: they go with
//! the session.
//!
//! Invariant: a widened value is the one that [`event_rows::widened`] makes of it.

use std::{collections::BTreeSet, fmt::Write};

use events_core::{
    catalog::{Field, FieldKind, ValueType},
    sql_text::double_quoted,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    names::quoted_literal,
    types::{is_array_of, kind_name},
};

/// The parameter of the functions.
const PARAMETER: &str = "v";

/// The functions that are needed, in the order in which they can be created.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    names: BTreeSet<String>,
    statements: String,
}

/// The text of a float that is not null. `float8out` writes the shortest text within the rounding interval,
/// with an exponent from 1e15 on.
///
/// - Where an end of the interval has fewer digits, as with 1e23, it does not take it, though that reads back
///   as the same float. Such an end is a multiple of powers of two and of five, so there are none above
///   2^53 × 10^23; and below 1e16, where it is an odd number or a fraction, it has no fewer digits. Between
///   these, the text with the most zeros at its end is looked for.
/// - A float may lie in the middle between two such texts, as 2^50 + 0.25 does. It takes the one with the
///   even last digit, and a load the greater one. The middle has one decimal more than the text, so it is a
///   float only if it is a whole number of parts of 2 to the power of its decimals. It has at most 18 digits,
///   so these are at most 26.
const FLOAT_TEXT: &str = "\
SELECT CASE WHEN v = 0 THEN v::text
    WHEN abs(v) < 1e-6 THEN mantissa || 'e-' || scale(n) - length(digits) + 1
    WHEN abs(v) >= 1e21 THEN mantissa || 'e' || length(abs(n)::text) - 1
    ELSE n::text END
  FROM (SELECT trim_scale(v::text::numeric) AS shortest) AS first,
    LATERAL (SELECT ('1e-' || scale(shortest))::numeric * sign(shortest) AS step) AS second,
    LATERAL (SELECT (shortest + step / 2) * (1 << (scale(shortest) + 1)) AS parts) AS third,
    LATERAL (SELECT CASE WHEN scale(shortest) BETWEEN 1 AND 25 AND parts = trunc(parts) AND abs(parts) < 9007199254740992
        AND (shortest + step)::double precision = v THEN shortest + step ELSE shortest END AS written) AS fourth,
    LATERAL (SELECT CASE WHEN abs(v) NOT BETWEEN 1e16 AND 1e40 OR length(rtrim(abs(written)::text, '0')) < 16 THEN written
      ELSE (SELECT candidate FROM generate_series(0, 40) AS zeros,
          LATERAL (VALUES (1, round(written, -zeros)), (2, trunc(written, -zeros)),
            (3, trunc(written, -zeros) + sign(written) * ('1e' || zeros)::numeric)) AS near(rank, candidate)
        WHERE candidate::double precision = v ORDER BY zeros DESC, rank LIMIT 1) END AS n) AS fifth,
    LATERAL (SELECT CASE WHEN abs(n) < 1 THEN ltrim(abs(n)::text, '0.') ELSE rtrim(abs(n)::text, '0') END AS digits) AS sixth,
    LATERAL (SELECT CASE WHEN n < 0 THEN '-' ELSE '' END || left(digits, 1)
      || CASE WHEN length(digits) > 1 THEN '.' || substr(digits, 2) ELSE '' END AS mantissa) AS seventh";

/// The text of an instant that is not null.
const INSTANT_TEXT: &str = "\
SELECT regexp_replace(to_char(v AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '[.]000000$|000$', '') || 'Z'";

impl Functions {
    /// The `CREATE FUNCTION` statements.
    pub(crate) fn statements(&self) -> &str {
        &self.statements
    }

    /// The expression that converts the column `value`; `None` if its values are those of the wider type
    /// already.
    pub(crate) fn converted(&mut self, from: &FieldKind, to: &FieldKind, value: &str) -> Option<String> {
        if from == to {
            return None;
        }
        let [from_name, to_name] = [from, to].map(kind_name);
        Some(match (from, to) {
            // A `json` is its text already.
            (FieldKind::Value(ValueType::String | ValueType::Json), FieldKind::Value(_)) => return None,
            (FieldKind::Value(from), FieldKind::Value(ValueType::String)) => self.text(*from, value),
            (FieldKind::Value(ValueType::Date), FieldKind::Value(_)) => instant(value),
            (FieldKind::Value(_), FieldKind::Value(_)) => format!("{value}::{to_name}"),
            (FieldKind::List(element), FieldKind::Value(_)) if is_array_of(element) => {
                let json = self.json_of(element, "e");
                self.call(&from_name, "text", value, &list_text(&unnested(), &json))
            }
            (_, FieldKind::Value(_)) => self.text_of_json(from, value),
            (FieldKind::List(from), FieldKind::List(to)) if is_array_of(from) => {
                let element = self.converted(from, to, "e")?;
                let body =
                    format!("SELECT coalesce(array_agg({element} ORDER BY n), '{{}}') FROM {}", unnested());
                self.call(&from_name, &to_name, value, &body)
            }
            // Lists and objects in a list that becomes one of texts.
            (FieldKind::List(from), FieldKind::List(to)) if is_array_of(to) => {
                let text = or_null("e", "NULL", &self.text_of_json(from, "e"));
                let body =
                    format!("SELECT coalesce(array_agg({text} ORDER BY n), '{{}}') FROM {}", elements("v"));
                self.call(&from_name, &to_name, value, &body)
            }
            _ => self.json_converted(from, to, value)?,
        })
    }

    /// The text of a value that is no list, map or object.
    fn text(&mut self, from: ValueType, value: &str) -> String {
        match from {
            ValueType::Float64 => self.call("double precision", "text", value, FLOAT_TEXT),
            ValueType::Timestamp | ValueType::Epoch(_) => {
                self.call("timestamp with time zone", "text", value, INSTANT_TEXT)
            }
            ValueType::Date => format!("to_char({value}, 'YYYY-MM-DD')"),
            ValueType::String | ValueType::Json => value.to_owned(),
            ValueType::Int32 | ValueType::Int64 | ValueType::Boolean | ValueType::Decimal { .. } => {
                format!("{value}::text")
            }
        }
    }

    /// The JSON of an array's element; `null` for a null.
    fn json_of(&mut self, element: &FieldKind, value: &str) -> String {
        let FieldKind::Value(element) = element else { unreachable!("arrays have values only") };
        let text = self.text(*element, value);
        let json = match element {
            ValueType::String | ValueType::Json => format!("to_json({text})::text"),
            ValueType::Date | ValueType::Timestamp | ValueType::Epoch(_) => format!("'\"' || {text} || '\"'"),
            _ => text,
        };
        format!("coalesce({json}, 'null')")
    }

    /// The JSON of a value in a `jsonb`, without white space and with members in the order of the schema.
    fn text_of_json(&mut self, kind: &FieldKind, value: &str) -> String {
        match kind {
            FieldKind::Value(ValueType::Float64) => {
                self.call("double precision", "text", &number(value, "double precision"), FLOAT_TEXT)
            }
            FieldKind::Value(_) => format!("{value}::text"),
            FieldKind::List(element) => {
                let element = or_null("e", "'null'", &self.text_of_json(element, "e"));
                self.call("jsonb", "text", value, &list_text(&elements(PARAMETER), &element))
            }
            FieldKind::Map(inner) => {
                let inner = or_null("e", "'null'", &self.text_of_json(inner, "e"));
                let body = format!(
                    "SELECT '{{' || coalesce(string_agg(to_json(k)::text || ':' || {inner}, ',' ORDER BY n), '') || '}}' FROM {}",
                    members()
                );
                self.call("jsonb", "text", value, &body)
            }
            FieldKind::Object(fields) => {
                let mut parts = Vec::new();
                for field in fields {
                    let member = format!("v -> {}", quoted_literal(&field.name));
                    let text = self.text_of_json(&field.kind, &format!("({member})"));
                    let key = quoted_literal(&format!("{}:", serde_json::Value::from(field.name.as_str())));
                    // A member that is not there is a null of SQL, and a null one is not written.
                    parts.push(format!("{key} || {}", or_null(&format!("({member})"), "NULL", &text)));
                }
                let body = format!("SELECT '{{' || concat_ws(',', {}) || '}}'", parts.join(", "));
                let body = if parts.is_empty() { "SELECT '{}'".to_owned() } else { body };
                self.call("jsonb", "text", value, &body)
            }
        }
    }

    /// The `jsonb` of the wider type; `None` if it is the same.
    fn json_converted(&mut self, from: &FieldKind, to: &FieldKind, value: &str) -> Option<String> {
        if from == to {
            return None;
        }
        Some(match (from, to) {
            (FieldKind::Value(ValueType::String | ValueType::Json), FieldKind::Value(_)) => return None,
            // In JSON these are the same digits.
            (FieldKind::Value(ValueType::Int32), FieldKind::Value(ValueType::Int64 | ValueType::Float64)) => {
                return None;
            }
            (FieldKind::Value(ValueType::Date | ValueType::Timestamp | ValueType::Epoch(_)), to) => {
                let is_text = *to == FieldKind::Value(ValueType::String);
                if is_text || *from != FieldKind::Value(ValueType::Date) {
                    return None;
                }
                format!("to_jsonb(({value} #>> '{{}}') || 'T00:00:00Z')")
            }
            (_, FieldKind::Value(ValueType::String)) => {
                format!("to_jsonb({})", self.text_of_json(from, value))
            }
            (FieldKind::Value(_), FieldKind::Value(_)) => {
                format!("to_jsonb({})", number(value, &kind_name(to)))
            }
            (FieldKind::List(from), FieldKind::List(to)) => {
                let element = or_null("e", "e", &self.json_converted(from, to, "e")?);
                let body = format!(
                    "SELECT coalesce(jsonb_agg({element} ORDER BY n), '[]') FROM {}",
                    elements(PARAMETER)
                );
                self.call("jsonb", "jsonb", value, &body)
            }
            (FieldKind::Map(from), FieldKind::Map(to)) => {
                let inner = or_null("e", "e", &self.json_converted(from, to, "e")?);
                let body =
                    format!("SELECT coalesce(jsonb_object_agg(k, {inner}), '{{}}') FROM {}", members());
                self.call("jsonb", "jsonb", value, &body)
            }
            (FieldKind::Object(from), FieldKind::Object(to)) => self.members_converted(from, to, value)?,
            (from, to) => unreachable!("{from} was found to widen to {to}"),
        })
    }

    /// The members that the wider type converts are put in the place of those that were there.
    fn members_converted(&mut self, from: &[Field], to: &[Field], value: &str) -> Option<String> {
        let mut parts = Vec::new();
        for field in from {
            let Some(wider) = to.iter().find(|wider| wider.name == field.name) else { continue };
            let name = quoted_literal(&field.name);
            let member = format!("(v -> {name})");
            if let Some(converted) = self.json_converted(&field.kind, &wider.kind, &member) {
                parts.push(format!(
                    "CASE WHEN jsonb_typeof({member}) <> 'null' THEN jsonb_build_object({name}, {converted}) \
                     ELSE '{{}}' END"
                ));
            }
        }
        let _ = parts.first()?;
        Some(self.call("jsonb", "jsonb", value, &format!("SELECT v || {}", parts.join(" || "))))
    }

    /// A call of a function, which is created if it was not yet. It returns null for null.
    fn call(&mut self, from: &str, to: &str, value: &str, body: &str) -> String {
        let hash = xxh3_64(format!("{from} {to} {body}").as_bytes());
        let name = format!("pg_temp.{}", double_quoted(&format!("eventloader_{hash:016x}")));
        if self.names.insert(name.clone()) {
            // Floats are written with all of their digits, whatever the server's default is.
            let _ = writeln!(
                self.statements,
                "CREATE OR REPLACE FUNCTION {name}({PARAMETER} {from}) RETURNS {to} LANGUAGE sql IMMUTABLE STRICT \
                 SET extra_float_digits = 1 AS {};",
                quoted_literal(body)
            );
        }
        format!("{name}({value})")
    }
}

/// Midnight in UTC, whatever the zone of the session.
fn instant(date: &str) -> String {
    format!("({date}::timestamp AT TIME ZONE 'UTC')")
}

/// A number in a `jsonb` as one of this type.
fn number(value: &str, type_name: &str) -> String {
    format!("({value} #>> '{{}}')::{type_name}")
}

/// Something else where a value in a `jsonb` is null.
fn or_null(value: &str, null: &str, converted: &str) -> String {
    format!("CASE WHEN jsonb_typeof({value}) = 'null' THEN {null} ELSE {converted} END")
}

/// The elements `e` of an array, with their numbers `n`.
fn unnested() -> String {
    format!("unnest({PARAMETER}) WITH ORDINALITY AS elements(e, n)")
}

/// The elements `e` of a list in a `jsonb`, with their numbers `n`.
fn elements(value: &str) -> String {
    format!("jsonb_array_elements({value}) WITH ORDINALITY AS elements(e, n)")
}

/// The keys `k` and values `e` of a map in a `jsonb`, with their numbers `n`.
fn members() -> String {
    format!("jsonb_each({PARAMETER}) WITH ORDINALITY AS members(k, e, n)")
}

/// The JSON of a list, given that of its elements.
fn list_text(elements: &str, element: &str) -> String {
    format!("SELECT '[' || coalesce(string_agg({element}, ',' ORDER BY n), '') || ']' FROM {elements}")
}
