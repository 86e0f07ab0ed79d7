//! The currencies of the ledger: how finely they divide, how far an account may be overdrawn, how common they are.
//!
//! Minor digits are those of ISO 4217. The rest is this world's.

use crate::streams::Engine;

/// A currency, by its place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Currency(u8);

/// What is fixed about a currency.
#[derive(Debug)]
pub(super) struct Terms {
    /// Of ISO 4217.
    pub(super) code: [u8; 3],
    /// How many digits stand behind the point.
    pub(super) minor_digits: u8,
    /// The lowest balance, in minor units.
    pub(super) balance_min: i64,
    /// How many of a hundred accounts and payments have it.
    share: u32,
}

const fn terms(code: [u8; 3], minor_digits: u8, balance_min: i64, share: u32) -> Terms {
    Terms { code, minor_digits, balance_min, share }
}

/// How many there are.
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
    /// Draws one by its share.
    #[inline]
    pub(super) fn draw(engine: &mut Engine) -> Self {
        static OF_HUNDRED: [u8; 100] = of_hundred();
        Self(OF_HUNDRED[engine.below(100) as usize])
    }

    pub(super) fn terms(self) -> &'static Terms {
        &TERMS[self.index()]
    }

    /// Its place in tables of all.
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
