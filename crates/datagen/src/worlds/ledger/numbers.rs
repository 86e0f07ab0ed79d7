//! The ordinal of an account or a payment → its number, which does not reveal the ordinal.
//!
//! Invariant: different accounts have different numbers, and so have different payments.

use crate::stream::random::{Stream, StreamKey, mix};

/// The maximum number of accounts.
pub(super) const ACCOUNTS_MAX: u32 = 1 << (2 * HALF_BITS);

/// The smallest account number: all have ten digits and fit into a signed 32-bit integer.
const ACCOUNT_NUMBER_MIN: u32 = 1_000_000_000;

const HALF_BITS: u32 = 15;
const HALF_MASK: u32 = (1 << HALF_BITS) - 1;

/// The numbers of one seed.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    account_keys: [u64; 4],
    payment_keys: [u64; 2],
}

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        let (accounts, payments) =
            (StreamKey::new(seed, Stream::AccountNumber), StreamKey::new(seed, Stream::PaymentNumber));
        Self {
            account_keys: [0, 1, 2, 3].map(|round| accounts.number(round)),
            payment_keys: [0, 1].map(|round| payments.number(round)),
        }
    }

    /// The number of an account: a Feistel network over the 30 bits of its ordinal, as in `event_id.rs`.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to 15 bits")]
    pub(super) fn account(&self, ordinal: u32) -> u32 {
        let (mut left, mut right) = (ordinal >> HALF_BITS & HALF_MASK, ordinal & HALF_MASK);
        for key in self.account_keys {
            (left, right) = (right, left ^ (mix(u64::from(right) ^ key) as u32 & HALF_MASK));
        }
        ACCOUNT_NUMBER_MIN + (left << HALF_BITS | right)
    }

    /// The number of a payment: both steps are invertible.
    #[inline]
    pub(super) fn payment(&self, ordinal: u64) -> u64 {
        self.payment_keys.into_iter().fold(ordinal, |number, key| mix(number ^ key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_are_distinct_and_have_their_form() {
        let numbers = Numbers::new(42);
        let edges = (0..200_000).chain(ACCOUNTS_MAX - 200_000..ACCOUNTS_MAX);
        let accounts: HashSet<u32> = edges.map(|ordinal| numbers.account(ordinal)).collect();
        assert_eq!(accounts.len(), 400_000);
        assert!(accounts.iter().all(|number| (1_000_000_000..=2_073_741_823).contains(number)));
        let payments: HashSet<u64> = (0..200_000).map(|ordinal| numbers.payment(ordinal)).collect();
        assert_eq!(payments.len(), 200_000);
    }

    #[test]
    fn numbers_are_pinned() {
        let numbers = Numbers::new(0);
        assert_eq!(
            [0, 1, 2].map(|ordinal| numbers.account(ordinal)),
            [1_200_875_084, 1_346_404_286, 1_934_607_106]
        );
        assert_eq!(numbers.payment(0), 0x0140_7110_a483_7ed6);
        assert_eq!(numbers.payment(1), 0xd817_d317_6f5f_5bb3);
    }
}
