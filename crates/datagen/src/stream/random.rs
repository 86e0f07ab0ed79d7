//! (stream version, seed, stream, index) → a random engine.
//!
//! Every random decision of the generator comes from an engine made here, so it depends on nothing else: not
//! on the number of threads, the clock or the order of work. Each group of fields has its own [`Stream`], so
//! a field that is added later draws from its own stream and leaves the others unchanged.
//!
//! `rand` supplies the engine, by name, because an algorithm's name fixes its output. Everything on top of it
//! is implemented here: `rand`'s own bounded integers change their values between releases.
//!
//! Invariant: nothing in this file may change without a new [`STREAM_VERSION`]; the tests pin its values.

use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::STREAM_VERSION;

/// One independent sequence of random numbers. The numbers are part of the stream version: never reuse one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// The seconds from one event to the next.
    Gap = 1,
    /// Domain and event type.
    Kind = 2,
    /// `data.id`.
    Entity = 3,
    /// `data.old_status` and `data.new_status` of a status change.
    Statuses = 4,
    /// `data.reason`.
    Reason = 5,
    /// `data.to` and `data.from`.
    Parties = 6,
    /// `data.amount`.
    Amount = 7,
    /// `event_id`: the round keys of its permutation.
    EventId = 8,
    /// Ledger: what happens to which account.
    Life = 9,
    /// Ledger: the time from one event to the next.
    Pace = 10,
    /// Ledger: the keys of the account numbers.
    AccountNumber = 11,
    /// Ledger: the keys of `data.id` of payments.
    PaymentNumber = 12,
    /// Ledger: `data.holder`.
    Holder = 13,
    /// Ledger: `data.merchant`.
    Merchant = 14,
    /// Ledger: `data.channel`.
    Channel = 15,
    /// Ledger: `data.reason`.
    LedgerReason = 16,
    /// The selection of events for faults: the round keys of its permutation.
    FaultHosts = 20,
    /// The details of each fault.
    FaultDetails = 21,
    /// The events at which something changes.
    ChangeHosts = 30,
    /// What changes there.
    ChangeDetails = 31,
    /// The values of fields that change: their keys.
    ChangeValues = 32,
}

/// Identifies one [`Stream`] of one seed; an index selects an engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamKey(u64);

impl StreamKey {
    /// The key of a stream of the current stream version.
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        Self([u64::from(STREAM_VERSION), seed, stream as u64].into_iter().fold(0, absorb))
    }

    /// The engine for the `index`-th part of the stream.
    pub(crate) fn engine(self, index: u64) -> Engine {
        let part = absorb(self.0, index);
        let mut state = [0; 32];
        for (word, lane) in state.chunks_exact_mut(8).zip(0..) {
            word.copy_from_slice(&absorb(part, lane).to_le_bytes());
        }
        Engine(Xoshiro256PlusPlus::from_seed(state))
    }

    /// One number of the stream without an engine, for keys.
    pub(crate) fn number(self, index: u64) -> u64 {
        absorb(self.0, index)
    }
}

/// A source of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Engine(Xoshiro256PlusPlus);

impl Engine {
    /// A number in `0..bound`, by multiply and shift: no branch and no rejection, so every decision costs
    /// exactly one draw. Its bias is below `bound / 2^64`, too small to observe.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the result is below `bound`, a u32")]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u32
    }

    /// A number in `0..bound`, like [`Self::below`].
    #[inline]
    pub(crate) fn below_u64(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into a slice of this length, which is below 2^32.
    #[inline]
    pub(crate) fn index_below(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// A number in `first..=last`.
    #[inline]
    pub(crate) fn between(&mut self, first: u32, last: u32) -> u32 {
        first + self.below(last - first + 1)
    }

    /// Eight independent numbers in `0..=255`.
    #[inline]
    pub(crate) fn bytes(&mut self) -> [u8; 8] {
        self.0.next_u64().to_le_bytes()
    }
}

/// Mixes one more number into a key. Both steps are bijections of `input`, so keys that differ in one part
/// differ, and no arithmetic on the parts makes two keys collide (as with `seed + chunk`, where seed 1, chunk
/// 2 is seed 2, chunk 1).
fn absorb(key: u64, input: u64) -> u64 {
    const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
    mix(key.rotate_left(23) ^ mix(input.wrapping_add(GOLDEN_RATIO)))
}

/// The finalizer of `SplitMix64`: each input bit changes each output bit with probability one half.
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn values_are_pinned() {
        // Produced by this code at stream version 1. If one of them changes, every file that users made from
        // a seed changes.
        let mut engine = StreamKey::new(42, Stream::Gap).engine(7);
        let drawn: Vec<u64> = (0..4).map(|_| u64::from_le_bytes(engine.bytes())).collect();
        assert_eq!(
            drawn,
            [
                14_972_930_097_541_123_971,
                9_820_647_263_319_451_620,
                8_989_826_288_425_016_707,
                5_789_622_517_194_964_965
            ]
        );
        let picks: Vec<u32> = (0..12).map(|_| engine.below(10)).collect();
        assert_eq!(picks, [9, 8, 8, 7, 4, 4, 9, 2, 0, 7, 2, 9]);
        assert_eq!(StreamKey::new(0, Stream::EventId).number(0), 1_053_003_693_932_419_459);
        assert_eq!(mix(1), 0x5692_161d_100b_05e5);
    }

    #[test]
    fn neighbouring_keys_give_different_engines() {
        let mut first_draws = HashSet::new();
        for seed in 0..40 {
            for stream in [Stream::Gap, Stream::Kind, Stream::Entity, Stream::Amount] {
                for index in 0..40 {
                    assert!(first_draws.insert(StreamKey::new(seed, stream).engine(index).bytes()));
                }
            }
        }
    }

    #[test]
    fn bounded_numbers_reach_both_ends_evenly() {
        let mut engine = StreamKey::new(1, Stream::Kind).engine(0);
        let mut counts = [0_u32; 12];
        for _ in 0..120_000 {
            counts[engine.below(12) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert!((0..1000).all(|_| (5..=6).contains(&engine.between(5, 6))));
    }
}
