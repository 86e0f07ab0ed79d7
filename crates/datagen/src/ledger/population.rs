//! The accounts that live, by currency: who is open, how active each is, who waits.
//!
//! An account's activity is its rank among the open accounts of its currency: [`Population::draw_active`] prefers low ranks so
//! that the first of them do most. Memory is bounded: places of closed accounts are taken again.
//!
//! Invariant: an open account is in the list of its currency at the place of its rank, and in no other; a pending or suspended
//! one waits in its queue.

use std::collections::VecDeque;

use super::Status;
use super::currency::{CURRENCIES, Currency};
use crate::streams::Engine;

/// How many accounts live at most; each takes about 40 bytes.
pub(super) const LIVING_MAX: usize = 1 << 18;

/// An account that lives, by its place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

/// What is known of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// When it came: 0 is the first of all.
    pub(super) ordinal: u32,
    pub(super) status: Status,
    pub(super) currency: Currency,
    /// How many payments it sent or expects whose second side is still to come.
    pub(super) in_flight: u16,
    /// Its place among the open accounts of its currency, while it is open.
    rank: u32,
    /// In minor units.
    pub(super) balance: i64,
}

/// All accounts that live.
#[derive(Clone, Debug, Default)]
pub(super) struct Population {
    accounts: Vec<Account>,
    free: Vec<Place>,
    markets: [Market; CURRENCIES],
    /// How many there were so far.
    pub(super) opened: u32,
}

/// The accounts of one currency.
#[derive(Clone, Debug, Default)]
struct Market {
    /// By rank.
    open: Vec<Place>,
    /// Pending and suspended, the longest first.
    waiting: VecDeque<Place>,
}

impl Population {
    pub(super) fn living(&self) -> usize {
        self.accounts.len() - self.free.len()
    }

    pub(super) fn account(&self, place: Place) -> &Account {
        &self.accounts[place.0 as usize]
    }

    pub(super) fn account_mut(&mut self, place: Place) -> &mut Account {
        &mut self.accounts[place.0 as usize]
    }

    /// How many accounts of a currency are open.
    pub(super) fn open_accounts(&self, currency: Currency) -> usize {
        self.markets[currency.index()].open.len()
    }

    /// A new account, pending.
    pub(super) fn add(&mut self, currency: Currency) -> Place {
        let account = Account {
            ordinal: self.opened,
            status: Status::Pending,
            currency,
            in_flight: 0,
            rank: 0,
            balance: 0,
        };
        self.opened += 1;
        let place = if let Some(place) = self.free.pop() {
            *self.account_mut(place) = account;
            place
        } else {
            self.accounts.push(account);
            Place(u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX))
        };
        self.markets[currency.index()].waiting.push_back(place);
        place
    }

    /// The one that waits longest becomes open, at any rank; what it was before.
    pub(super) fn admit(&mut self, currency: Currency, engine: &mut Engine) -> Option<Account> {
        let place = self.markets[currency.index()].waiting.pop_front()?;
        let open = &mut self.markets[currency.index()].open;
        open.push(place);
        let last = open.len() - 1;
        let rank = engine.index_below(open.len());
        open.swap(rank, last);
        let moved = open[last];
        self.set_rank(moved, last);
        self.set_rank(place, rank);
        let account = self.account_mut(place);
        let before = *account;
        account.status = Status::Open;
        Some(before)
    }

    /// An open account is suspended.
    pub(super) fn suspend(&mut self, place: Place) {
        self.leave_open(place);
        let account = self.account_mut(place);
        account.status = Status::Suspended;
        let currency = account.currency;
        self.markets[currency.index()].waiting.push_back(place);
    }

    /// The one that waits longest leaves, if `may_leave`.
    pub(super) fn remove_waiting(
        &mut self,
        currency: Currency,
        may_leave: impl FnOnce(&Account) -> bool,
    ) -> Option<Account> {
        let &place = self.markets[currency.index()].waiting.front()?;
        let account = *self.account(place);
        may_leave(&account).then(|| {
            self.markets[currency.index()].waiting.pop_front();
            self.free.push(place);
            account
        })
    }

    /// An open account leaves.
    pub(super) fn remove_open(&mut self, place: Place) {
        self.leave_open(place);
        self.free.push(place);
    }

    /// An open account, each as likely as the others; there must be one.
    #[inline]
    pub(super) fn draw_any(&self, currency: Currency, engine: &mut Engine) -> Place {
        let open = &self.markets[currency.index()].open;
        open[engine.index_below(open.len())]
    }

    /// An open account by its activity; there must be one. The rank is even between powers of two and these are as likely as
    /// each other: of n accounts, that of rank r is drawn about as often as 1/r says (Zipf's law), by integers alone.
    #[inline]
    pub(super) fn draw_active(&self, currency: Currency, engine: &mut Engine) -> Place {
        let open = &self.markets[currency.index()].open;
        let powers = open.len().ilog2() as usize + 1;
        let power = 1 << engine.index_below(powers);
        let rank = power - 1 + engine.index_below(power);
        open.get(rank).copied().unwrap_or_else(|| open[engine.index_below(open.len())])
    }

    /// The open account behind another in rank; the first behind the last.
    pub(super) fn next_open(&self, place: Place) -> Place {
        let Account { currency, rank, .. } = *self.account(place);
        let open = &self.markets[currency.index()].open;
        open[(rank as usize + 1) % open.len()]
    }

    fn leave_open(&mut self, place: Place) {
        let Account { currency, rank, .. } = *self.account(place);
        let open = &mut self.markets[currency.index()].open;
        open.swap_remove(rank as usize);
        if let Some(&moved) = open.get(rank as usize) {
            self.set_rank(moved, rank as usize);
        }
    }

    fn set_rank(&mut self, place: Place, rank: usize) {
        self.account_mut(place).rank = u32::try_from(rank).unwrap_or(u32::MAX);
    }
}
