//! Two types → whether the values of one are values of the other, and the least type that has those of both.
//!
//! ```text
//! int32 → int64 → decimal        with digits enough before the point: 10 for int32, 19 for int64
//! int32 → float64
//! decimal → decimal              with as many digits before the point, and as many behind it
//! date → timestamp
//! any → string                   where a catalog says so
//! ```
//!
//! Objects, lists and maps follow their members, elements and values; an object may get members. What else a
//! catalog says of a member (its column, description, whether it is required) does not count.
//!
//! Invariant: widening is a partial order (of types; members of objects have no order here), no value changes
//! on the way but for its text in a `string`, and [`join`](ValueType::join) is the least upper bound, if that
//! is not the `string` that nobody asked for.

use std::collections::HashMap;

use super::{Field, FieldKind, ValueType};

/// The digits of the greatest int32 and int64.
const INT32_DIGITS: u8 = 10;
const INT64_DIGITS: u8 = 19;

/// The most digits of a decimal.
const DIGITS_MAX: u8 = 38;

impl ValueType {
    /// Whether each value of this type has its place in a column of the other, as what it is; in a `string`,
    /// as its text.
    #[must_use]
    pub fn widens_to(&self, other: &Self) -> bool {
        if self == other || *other == Self::String {
            return true;
        }
        match (*self, *other) {
            (Self::Int32, Self::Int64 | Self::Float64) | (Self::Date, Self::Timestamp) => true,
            (_, Self::Decimal { precision, scale }) => {
                self.digits().is_some_and(|(before, behind)| before <= precision - scale && behind <= scale)
            }
            _ => false,
        }
    }

    /// The least type that both widen to; `None` if only `string` is one, unless one of the two is it.
    #[must_use]
    pub fn join(&self, other: &Self) -> Option<Self> {
        if self.widens_to(other) {
            return Some(*other);
        }
        if other.widens_to(self) {
            return Some(*self);
        }
        let ((before, behind), (other_before, other_behind)) = (self.digits()?, other.digits()?);
        let scale = behind.max(other_behind);
        let precision = before.max(other_before) + scale;
        (precision <= DIGITS_MAX).then_some(Self::Decimal { precision, scale })
    }

    /// The digits before and behind the point that a decimal needs for all values of this type; `None` if it
    /// can't have them.
    #[must_use]
    pub fn digits(&self) -> Option<(u8, u8)> {
        match *self {
            Self::Int32 => Some((INT32_DIGITS, 0)),
            Self::Int64 => Some((INT64_DIGITS, 0)),
            Self::Decimal { precision, scale } => Some((precision - scale, scale)),
            _ => None,
        }
    }
}

impl FieldKind {
    /// Whether each value of this type has its place in the other, as what it is; in a `string`, as its text.
    #[must_use]
    pub fn widens_to(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Value(ValueType::String)) => true,
            (Self::Value(from), Self::Value(to)) => from.widens_to(to),
            (Self::List(from), Self::List(to)) | (Self::Map(from), Self::Map(to)) => from.widens_to(to),
            (Self::Object(from), Self::Object(to)) => {
                let to = by_name(to);
                let widens = |member: &Field, known: &Field| member.kind.widens_to(&known.kind);
                from.iter().all(|member| to.get(&*member.name).is_some_and(|known| widens(member, known)))
            }
            _ => false,
        }
    }

    /// The least type that both widen to; `None` if only `string` is one, here or for a member, an element or
    /// a value, unless one of the two is it. Members are as in `self`; those of the other alone follow.
    #[must_use]
    pub fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.join(other).map(Self::Value),
            (Self::List(one), Self::List(other)) => one.join(other).map(|kind| Self::List(Box::new(kind))),
            (Self::Map(one), Self::Map(other)) => one.join(other).map(|kind| Self::Map(Box::new(kind))),
            (Self::Object(one), Self::Object(other)) => join_members(one, other).map(Self::Object),
            (Self::Value(ValueType::String), _) | (_, Self::Value(ValueType::String)) => {
                Some(Self::Value(ValueType::String))
            }
            _ => None,
        }
    }
}

fn join_members(one: &[Field], other: &[Field]) -> Option<Vec<Field>> {
    let (of_one, of_other) = (by_name(one), by_name(other));
    let known = one.iter().map(|field| match of_other.get(&*field.name) {
        Some(other) => {
            let kind = field.kind.join(&other.kind)?;
            Some(Field { kind, ..field.clone() })
        }
        None => Some(field.clone()),
    });
    let new = other.iter().filter(|field| !of_one.contains_key(&*field.name)).cloned().map(Some);
    known.chain(new).collect()
}

/// Fields by their names.
pub(crate) fn by_name(fields: &[Field]) -> HashMap<&str, &Field> {
    fields.iter().map(|field| (field.name.as_str(), field)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::timestamp::EpochUnit;

    const STRING: FieldKind = FieldKind::Value(ValueType::String);

    fn decimal(precision: u8, scale: u8) -> ValueType {
        ValueType::Decimal { precision, scale }
    }

    /// All types of values but the decimals with other numbers of digits.
    fn value_types() -> Vec<ValueType> {
        let mut types = vec![
            ValueType::String,
            ValueType::Int32,
            ValueType::Int64,
            ValueType::Float64,
            ValueType::Boolean,
            ValueType::Date,
            ValueType::Timestamp,
            ValueType::Epoch(EpochUnit::Seconds),
            ValueType::Epoch(EpochUnit::Nanoseconds),
            ValueType::Json,
        ];
        let digits = [0, 1, 2, 9, 10, 11, 18, 19, 20, 28, 29, 37, 38];
        let pairs = digits.into_iter().flat_map(|before| digits.map(|behind| (before, behind)));
        let fits = pairs.filter(|(before, behind)| (1..=38).contains(&(before + behind)));
        types.extend(fits.map(|(before, behind)| decimal(before + behind, behind)));
        types
    }

    #[test]
    fn the_steps_are_the_contract_s() {
        use ValueType::{Boolean, Date, Float64, Int32, Int64, Json, String, Timestamp};
        let epoch = ValueType::Epoch(EpochUnit::Seconds);
        let steps = [
            (Int32, Int64),
            (Int32, decimal(10, 0)),
            (Int32, decimal(12, 2)),
            (Int32, Float64),
            (Int64, decimal(19, 0)),
            (decimal(10, 2), decimal(11, 2)),
            (decimal(10, 2), decimal(12, 4)),
            (Date, Timestamp),
        ];
        for (from, to) in steps {
            assert!(from.widens_to(&to) && !to.widens_to(&from), "{from} → {to}");
            assert_eq!((from.join(&to), to.join(&from)), (Some(to), Some(to)));
        }
        for (from, to) in [
            (Int32, decimal(9, 0)),
            (Int32, decimal(11, 2)),
            (Int64, decimal(18, 0)),
            (Int64, Float64),
            (decimal(10, 2), decimal(11, 4)),
            (decimal(10, 2), decimal(20, 1)),
            (decimal(3, 2), Float64),
            (Boolean, Int32),
            (Timestamp, epoch),
            (epoch, Timestamp),
            (Int64, epoch),
            (String, Json),
            (Int32, Json),
        ] {
            assert!(!from.widens_to(&to), "{from} → {to}");
        }
        for value_type in value_types() {
            assert!(value_type.widens_to(&String));
            assert_eq!(value_type.join(&String), Some(String));
        }
        assert_eq!(Int64.join(&decimal(10, 2)), Some(decimal(21, 2)));
        assert_eq!(decimal(5, 4).join(&decimal(5, 0)), Some(decimal(9, 4)));
        assert_eq!(Int64.join(&decimal(38, 20)), None);
        assert_eq!(Int64.join(&Float64), None);
    }

    #[test]
    fn values_have_a_partial_order_with_least_upper_bounds() {
        let types = value_types();
        for (one, other) in types.iter().flat_map(|one| types.iter().map(move |other| (one, other))) {
            assert!(one.widens_to(one));
            assert!(one == other || !(one.widens_to(other) && other.widens_to(one)), "{one}, {other}");
            let above = |kind: &&ValueType| one.widens_to(kind) && other.widens_to(kind);
            let join = one.join(other);
            assert_eq!(join, other.join(one));
            // The decimals that are not among these types are above one that is: with more digits.
            let least = join.unwrap_or(ValueType::String);
            assert!(above(&&least), "{one}, {other}: {least}");
            for kind in types.iter().filter(above) {
                assert!(least.widens_to(kind), "{one}, {other}: {least} is not below {kind}");
            }
            for above in types.iter().filter(|above| other.widens_to(above)) {
                assert!(!one.widens_to(other) || one.widens_to(above), "{one}, {other}, {above}");
            }
        }
    }

    fn kinds() -> impl Strategy<Value = FieldKind> {
        let values = prop_oneof![
            Just(ValueType::Int32),
            Just(ValueType::Int64),
            Just(ValueType::Float64),
            Just(ValueType::Date),
            Just(ValueType::Timestamp),
            Just(ValueType::String),
            (0_u8..=20, 0_u8..=18).prop_map(|(before, behind)| decimal((before + behind).max(1), behind)),
        ];
        values.prop_map(FieldKind::Value).prop_recursive(3, 12, 3, |inner| {
            let members = proptest::collection::btree_map("[a-c]", inner.clone(), 0..3);
            let field = |(name, kind)| Field { name, column: None, description: None, required: false, kind };
            prop_oneof![
                inner.clone().prop_map(|kind| FieldKind::List(Box::new(kind))),
                inner.prop_map(|kind| FieldKind::Map(Box::new(kind))),
                members.prop_map(move |members| FieldKind::Object(members.into_iter().map(field).collect())),
            ]
        })
    }

    /// The same type, with members in the order of their names.
    fn sorted(kind: &FieldKind) -> FieldKind {
        match kind {
            FieldKind::Value(value_type) => FieldKind::Value(*value_type),
            FieldKind::List(kind) => FieldKind::List(Box::new(sorted(kind))),
            FieldKind::Map(kind) => FieldKind::Map(Box::new(sorted(kind))),
            FieldKind::Object(members) => {
                let member = |field: &Field| Field { kind: sorted(&field.kind), ..field.clone() };
                let mut members: Vec<_> = members.iter().map(member).collect();
                members.sort_by(|one, other| one.name.cmp(&other.name));
                FieldKind::Object(members)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn fields_have_a_partial_order_with_least_upper_bounds(
            one in kinds(), other in kinds(), third in kinds()
        ) {
            prop_assert!(one.widens_to(&one) && one.widens_to(&STRING));
            prop_assert_eq!(one.join(&one), Some(one.clone()));
            if one.widens_to(&other) && other.widens_to(&one) {
                prop_assert_eq!(sorted(&one), sorted(&other));
            }
            let join = one.join(&other);
            prop_assert_eq!(join.as_ref().map(sorted), other.join(&one).as_ref().map(sorted));
            if let Some(join) = &join {
                prop_assert!(one.widens_to(join) && other.widens_to(join));
                let again = join.join(&one);
                prop_assert_eq!(again.as_ref(), Some(join));
                // What is above both is above their join; an upper bound of three is that of two of them.
                if let Some(above) = join.join(&third) {
                    prop_assert!(one.widens_to(&above) && other.widens_to(&above));
                }
                if one.widens_to(&third) && other.widens_to(&third) {
                    prop_assert!(join.widens_to(&third));
                }
            }
            let pairs = [(&one, &other), (&other, &one)];
            for (from, to) in pairs {
                if from.widens_to(to) {
                    prop_assert_eq!(from.join(to).as_ref().map(sorted), Some(sorted(to)));
                    prop_assert!(!to.widens_to(&third) || from.widens_to(&third));
                }
            }
        }

        #[test]
        fn the_order_of_joins_does_not_matter(one in kinds(), other in kinds(), third in kinds()) {
            let left = one.join(&other).and_then(|kind| kind.join(&third));
            let right = other.join(&third).and_then(|kind| one.join(&kind));
            // Where only string is above two of them, it depends on the order whether that is noticed.
            if let (Some(left), Some(right)) = (left, right) {
                prop_assert_eq!(sorted(&left), sorted(&right));
            }
        }
    }
}
