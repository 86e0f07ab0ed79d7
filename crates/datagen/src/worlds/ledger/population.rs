//! The live accounts, by currency: which are open, how active each is, which are waiting.
//!
//! An account's activity is its rank among the open accounts of its currency: [`Population::draw_active`]
//! prefers low ranks, so a few accounts do most. Memory is bounded, since the slots of closed accounts are
//! reused.
//!
//! Invariant: an open account is in the list of its currency at the index of its rank, and in no other; a
//! pending or suspended one is in the queue of its currency.

use std::collections::VecDeque;

use super::{
    Status,
    currency::{CURRENCIES, Currency},
};
use crate::stream::random::Engine;

/// The maximum number of live accounts; each takes about 40 bytes.
pub(super) const LIVE_ACCOUNTS_MAX: usize = 1 << 18;

/// The slot in memory of a live account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// The state of an account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// Its number in the order of opening, from 0.
    pub(super) ordinal: u32,
    pub(super) status: Status,
    pub(super) currency: Currency,
    /// How many of its payments still lack their second side.
    pub(super) in_flight: u16,
    /// Its index in the open accounts of its currency, while it is open.
    rank: u32,
    /// In minor units.
    pub(super) balance: i64,
}

/// All live accounts.
#[derive(Debug, Clone, Default)]
pub(super) struct Population {
    accounts: Vec<Account>,
    free: Vec<Slot>,
    markets: [Market; CURRENCIES],
    /// How many accounts were opened so far.
    pub(super) opened: u32,
}

/// The accounts of one currency.
#[derive(Debug, Clone, Default)]
struct Market {
    /// By rank.
    open: Vec<Slot>,
    /// Pending and suspended, the longest waiting first.
    waiting: VecDeque<Slot>,
}

impl Population {
    pub(super) fn live_accounts(&self) -> usize {
        self.accounts.len() - self.free.len()
    }

    pub(super) fn account(&self, slot: Slot) -> &Account {
        &self.accounts[slot.0 as usize]
    }

    pub(super) fn account_mut(&mut self, slot: Slot) -> &mut Account {
        &mut self.accounts[slot.0 as usize]
    }

    /// The number of open accounts of a currency.
    pub(super) fn open_accounts(&self, currency: Currency) -> usize {
        self.markets[currency.index()].open.len()
    }

    /// Opens an account, which is pending.
    pub(super) fn add(&mut self, currency: Currency) -> Slot {
        let account = Account {
            ordinal: self.opened,
            status: Status::Pending,
            currency,
            in_flight: 0,
            rank: 0,
            balance: 0,
        };
        self.opened += 1;
        let slot = if let Some(slot) = self.free.pop() {
            *self.account_mut(slot) = account;
            slot
        } else {
            self.accounts.push(account);
            Slot(u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX))
        };
        self.markets[currency.index()].waiting.push_back(slot);
        slot
    }

    /// Makes the longest waiting account open, at a random rank; returns its state before.
    pub(super) fn admit(&mut self, currency: Currency, engine: &mut Engine) -> Option<Account> {
        let slot = self.markets[currency.index()].waiting.pop_front()?;
        let open = &mut self.markets[currency.index()].open;
        open.push(slot);
        let last = open.len() - 1;
        let rank = engine.index_below(open.len());
        open.swap(rank, last);
        let moved = open[last];
        self.set_rank(moved, last);
        self.set_rank(slot, rank);
        let account = self.account_mut(slot);
        let before = *account;
        account.status = Status::Open;
        Some(before)
    }

    /// Suspends an open account.
    pub(super) fn suspend(&mut self, slot: Slot) {
        self.leave_open(slot);
        let account = self.account_mut(slot);
        account.status = Status::Suspended;
        let currency = account.currency;
        self.markets[currency.index()].waiting.push_back(slot);
    }

    /// Removes the longest waiting account if `may_leave` allows it.
    pub(super) fn remove_waiting(
        &mut self,
        currency: Currency,
        may_leave: impl FnOnce(&Account) -> bool,
    ) -> Option<Account> {
        let &slot = self.markets[currency.index()].waiting.front()?;
        let account = *self.account(slot);
        may_leave(&account).then(|| {
            self.markets[currency.index()].waiting.pop_front();
            self.free.push(slot);
            account
        })
    }

    /// Removes an open account.
    pub(super) fn remove_open(&mut self, slot: Slot) {
        self.leave_open(slot);
        self.free.push(slot);
    }

    /// Draws an open account, all equally likely; there must be one.
    #[inline]
    pub(super) fn draw_any(&self, currency: Currency, engine: &mut Engine) -> Slot {
        let open = &self.markets[currency.index()].open;
        open[engine.index_below(open.len())]
    }

    /// Draws an open account by its activity; there must be one. All powers of two are equally likely, and so
    /// are the ranks between two of them. So the account of rank r is drawn about in proportion to 1/r
    /// (Zipf's law), with integers alone.
    #[inline]
    pub(super) fn draw_active(&self, currency: Currency, engine: &mut Engine) -> Slot {
        let open = &self.markets[currency.index()].open;
        let powers = open.len().ilog2() as usize + 1;
        let power = 1 << engine.index_below(powers);
        let rank = power - 1 + engine.index_below(power);
        open.get(rank).copied().unwrap_or_else(|| open[engine.index_below(open.len())])
    }

    /// The open account of the next rank; after the last comes the first.
    pub(super) fn next_open(&self, slot: Slot) -> Slot {
        let Account { currency, rank, .. } = *self.account(slot);
        let open = &self.markets[currency.index()].open;
        open[(rank as usize + 1) % open.len()]
    }

    fn leave_open(&mut self, slot: Slot) {
        let Account { currency, rank, .. } = *self.account(slot);
        let open = &mut self.markets[currency.index()].open;
        open.swap_remove(rank as usize);
        if let Some(&moved) = open.get(rank as usize) {
            self.set_rank(moved, rank as usize);
        }
    }

    fn set_rank(&mut self, slot: Slot, rank: usize) {
        self.account_mut(slot).rank = u32::try_from(rank).unwrap_or(u32::MAX);
    }
}
