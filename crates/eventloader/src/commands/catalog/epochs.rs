//! The range of integers → the unit in which they could count time since 1970.
//!
//! Invariant: no number has two units: the years 2000 to 2099 are other numbers in each of them.

use events_core::timestamp::EpochUnit;

/// 2000-01-01 and 2100-01-01, in seconds since 1970.
const YEARS: (f64, f64) = (946_684_800.0, 4_102_444_800.0);

/// The unit in which all numbers from `least` to `greatest` are instants of the years 2000 to 2099.
pub(super) fn unit_of(least: f64, greatest: f64) -> Option<EpochUnit> {
    let units = [
        (EpochUnit::Seconds, 1.0),
        (EpochUnit::Milliseconds, 1e3),
        (EpochUnit::Microseconds, 1e6),
        (EpochUnit::Nanoseconds, 1e9),
    ];
    let holds = |factor: f64| least >= YEARS.0 * factor && greatest < YEARS.1 * factor;
    units.into_iter().find(|(_, factor)| holds(*factor)).map(|(unit, _)| unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_one_unit_or_none() {
        for (least, greatest, expected) in [
            (1_728_518_447.0, 1_731_117_814.0, Some(EpochUnit::Seconds)),
            (1_728_518_864_137.0, 1_728_518_864_137.0, Some(EpochUnit::Milliseconds)),
            (1.728_518_579_123_456e15, 1.8e15, Some(EpochUnit::Microseconds)),
            (1.728_518_612e18, 1.8e18, Some(EpochUnit::Nanoseconds)),
            (0.0, 1_728_518_447.0, None),
            (1_728_518_447.0, 1_728_518_864_137.0, None),
            (24_023_187.0, 24_035_633.0, None),
            (4_102_444_800.0, 4_102_444_800.0, None),
        ] {
            assert_eq!(unit_of(least, greatest), expected, "{least} to {greatest}");
        }
    }
}
