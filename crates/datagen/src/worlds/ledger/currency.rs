//! The currencies of the ledger: their minor digits, how far an account may be overdrawn, how frequent they
//! are.
//!
//! Invariant: minor digits are those of ISO 4217; the other terms belong to this world and never change
//! within a stream version.

use crate::stream::random::Engine;

/// A currency, as its index in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Currency(u8);

/// The fixed terms of a currency.
#[derive(Debug)]
pub(super) struct Terms {
    /// The ISO 4217 code.
    pub(super) code: [u8; 3],
    /// The number of decimals.
    pub(super) minor_digits: u8,
    /// The lowest balance, in minor units.
    pub(super) balance_min: i64,
    /// The percentage of accounts and payments that have it.
    share: u32,
}

const fn terms(code: [u8; 3], minor_digits: u8, balance_min: i64, share: u32) -> Terms {
    Terms { code, minor_digits, balance_min, share }
}

/// The number of currencies.
pub(super) const CURRENCIES: usize = 7;

static TERMS: [Terms; CURRENCIES] = [
    terms(*b"EUR", 2, -100_000, 42),
    terms(*b"USD", 2, -100_000, 24),
    terms(*b"GBP", 2, -100_000, 11),
    terms(*b"JPY", 0, -150_000, 9),
    terms(*b"BRL", 2, -500_000, 6),
    terms(*b"CHF", 2, -100_000, 5),
    terms(*b"KWD", 3, -300_000, 3),
];

impl Currency {
    /// Draws a currency according to the shares.
    #[inline]
    pub(super) fn draw(engine: &mut Engine) -> Self {
        static OF_HUNDRED: [u8; 100] = of_hundred();
        Self(OF_HUNDRED[engine.below(100) as usize])
    }

    pub(super) fn terms(self) -> &'static Terms {
        &TERMS[self.index()]
    }

    /// Its index in tables of all currencies.
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

const fn of_hundred() -> [u8; 100] {
    let mut table = [0; 100];
    let (mut currency, mut at) = (0_u8, 0);
    while at < 100 {
        let mut left = TERMS[currency as usize].share;
        while left > 0 {
            table[at] = currency;
            (at, left) = (at + 1, left - 1);
        }
        currency += 1;
    }
    table
}
