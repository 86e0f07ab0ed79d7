//! The requested domains, event types and days → which events are selected.
//!
//! Invariant: an empty list of domains or types means all of them; days are whole, in UTC, both ends
//! included.

use std::fmt;

use events_core::{
    catalog::{Catalog, EventType},
    partition::Day,
};

/// Which events are selected; by default all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these domains; all where empty.
    pub domains: Vec<String>,
    /// Only these event types; all where empty.
    pub event_types: Vec<String>,
    /// Only these days; all where `None`.
    pub days: Option<DayRange>,
    /// Not these event types, by domain and name. The lines of what is not selected are noted then.
    pub left_out: Vec<(String, String)>,
}

/// A range of days, both ends included; an open end where `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    /// First day.
    pub first: Option<Day>,
    /// Last day.
    pub last: Option<Day>,
}

/// The position of an instant relative to the selected days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    Before,
    Within,
    After,
}

impl Selection {
    /// Refuses names that no event of the catalog can have, and an empty range of days.
    ///
    /// # Errors
    /// The unknown name, with the nearest known one.
    pub fn check(&self, catalog: &Catalog) -> Result<(), SelectionError> {
        if let Some(DayRange { first: Some(first), last: Some(last) }) = self.days
            && first > last
        {
            return Err(SelectionError::Days { first, last });
        }
        let domains = catalog.domains();
        let has_domain = |domain: &str| domains.contains(&domain) || catalog.open_type_of(domain).is_some();
        for domain in &self.domains {
            if !has_domain(domain) {
                return Err(SelectionError::Domain(UnknownName::new(domain, &domains)));
            }
        }
        // Any name may be that of an event type there.
        let is_open = self.domains.iter().any(|domain| catalog.open_type_of(domain).is_some());
        if is_open || self.domains.is_empty() && !catalog.open_types().is_empty() {
            return Ok(());
        }
        let of_domains = |event_type: &&EventType| self.wants_domain(event_type.domain.as_bytes());
        let known: Vec<&str> = catalog
            .event_types()
            .iter()
            .filter(of_domains)
            .map(|event_type| event_type.name.as_str())
            .collect();
        for event_type in &self.event_types {
            if !known.contains(&event_type.as_str()) {
                let domains = self.domains.join(", ");
                return Err(SelectionError::EventType {
                    domains,
                    unknown: UnknownName::new(event_type, &known),
                });
            }
        }
        Ok(())
    }

    pub(crate) fn wants(&self, domain: &[u8], event_type: &[u8]) -> bool {
        self.wants_domain(domain)
            && (self.event_types.is_empty() || self.event_types.iter().any(|t| t.as_bytes() == event_type))
            && !self.leaves_out(domain, event_type)
    }

    fn leaves_out(&self, domain: &[u8], event_type: &[u8]) -> bool {
        self.left_out.iter().any(|(of, name)| (of.as_bytes(), name.as_bytes()) == (domain, event_type))
    }

    /// Whether events of this type are selected.
    #[must_use]
    pub fn wants_type(&self, event_type: &EventType) -> bool {
        self.wants(event_type.domain.as_bytes(), event_type.name.as_bytes())
    }

    fn wants_domain(&self, domain: &[u8]) -> bool {
        self.domains.is_empty() || self.domains.iter().any(|wanted| wanted.as_bytes() == domain)
    }

    pub(crate) fn timing(&self, micros: i64) -> Timing {
        let Some(days) = self.days else { return Timing::Within };
        if days.first.is_some_and(|first| micros < first.start_micros()) {
            Timing::Before
        } else if days.last.is_some_and(|last| micros >= last.end_micros()) {
            Timing::After
        } else {
            Timing::Within
        }
    }
}

/// A selection that can't select any event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The first day is later than the last.
    #[error("the first day {first} is later than the last day {last}")]
    Days {
        /// The first day.
        first: Day,
        /// The last day.
        last: Day,
    },
    /// The catalog has no such domain.
    #[error("the catalog has no domain {0}")]
    Domain(UnknownName),
    /// The catalog, or the selected domains, have no such event type.
    #[error("{}the catalog has no event type {unknown}", if domains.is_empty() { String::new() } else { format!("in {domains} ") })]
    EventType {
        /// The selected domains, separated by commas; empty where all are.
        domains: String,
        /// The event type.
        unknown: UnknownName,
    },
}

/// A name that the catalog does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    name: String,
    nearest: Option<String>,
    known: String,
}

impl UnknownName {
    fn new(name: &str, known: &[&str]) -> Self {
        let likeness = |known: &str| strsim::jaro_winkler(known, name);
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|nearest| likeness(nearest) > 0.7);
        Self {
            name: name.to_owned(),
            nearest: nearest.map(|&nearest| nearest.to_owned()),
            known: known.join(", "),
        }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest:?}?")?,
            None => f.write_str(".")?,
        }
        write!(f, " Known: {}", self.known)
    }
}

#[cfg(test)]
mod tests {
    use events_core::catalog::BUILT_IN;

    use super::*;

    fn selection(domains: &[&str], event_types: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Selection { domains: owned(domains), event_types: owned(event_types), ..Selection::default() }
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        let message = |domains: &[&str], event_types: &[&str]| {
            selection(domains, event_types).check(&BUILT_IN).unwrap_err().to_string()
        };
        assert_eq!(
            message(&["acount"], &[]),
            "the catalog has no domain \"acount\"; did you mean \"account\"? Known: account, transaction"
        );
        assert_eq!(
            message(&["account"], &["payment-to"]),
            "in account the catalog has no event type \"payment-to\". Known: account-open, account-close, status-change"
        );
        assert!(selection(&["account"], &["account-open"]).check(&BUILT_IN).is_ok());
    }

    #[test]
    fn where_a_catalog_is_open_any_name_may_be_an_event_type_s() {
        let catalog = |text| BUILT_IN.extended(&[("x.toml", text)]).unwrap();
        let check = |text, domains: &[&str], event_types: &[&str]| {
            selection(domains, event_types).check(&catalog(text)).is_ok()
        };
        let of_shop = "[domain.shop.events.'*']";
        assert!(check(of_shop, &[], &["any"]) && check(of_shop, &["shop"], &["any"]));
        assert!(check(of_shop, &["shop", "account"], &["any"]));
        assert!(!check(of_shop, &["account"], &["any"]) && !check(of_shop, &["any"], &[]));
        let of_all = "[domain.'*']\n[domain.card.events.sale]";
        assert!(check(of_all, &["any"], &["any"]) && check(of_all, &["account"], &["any"]));
        assert!(!check(of_all, &["card"], &["any"]), "a domain that a file names is closed");
    }

    #[test]
    fn days_are_whole_and_include_both_ends() {
        let day = Day::parse("2024-10-10");
        let selection = Selection { days: Some(DayRange { first: day, last: day }), ..selection(&[], &[]) };
        let start = day.unwrap().start_micros();
        assert_eq!(selection.timing(start - 1), Timing::Before);
        assert_eq!(selection.timing(start), Timing::Within);
        assert_eq!(selection.timing(start + 86_400_000_000 - 1), Timing::Within);
        assert_eq!(selection.timing(start + 86_400_000_000), Timing::After);
    }
}
