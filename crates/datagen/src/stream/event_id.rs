//! The index of an event ↔ its `event_id`: a version 4 UUID that no other event of the stream has.
//!
//! A version 4 UUID has 122 free bits. A Feistel network permutes the numbers of 122 bits. It is a bijection
//! whatever its round function is, so different indexes give different ids by construction, not by luck. The
//! round keys come from the seed, so other seeds give other ids, and the ids look random.
//!
//! Invariant: [`EventIds::index`] is the inverse of [`EventIds::id`].

use uuid::Uuid;

use super::random::{Stream, StreamKey, mix};

const HALF_BITS: u32 = 61;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
/// Four rounds of a good round function are indistinguishable from a random permutation (Luby and Rackoff,
/// 1988).
const ROUNDS: usize = 4;

/// The ids of all events of one seed.
#[derive(Debug, Clone)]
pub(crate) struct EventIds {
    round_keys: [u64; ROUNDS],
}

impl EventIds {
    pub(crate) fn new(seed: u64) -> Self {
        let key = StreamKey::new(seed, Stream::EventId);
        Self { round_keys: [0, 1, 2, 3].map(|round| key.number(round)) }
    }

    /// The id of the event at `index`.
    #[inline]
    pub(crate) fn id(&self, index: u64) -> Uuid {
        let (mut left, mut right) = (index >> HALF_BITS, index & HALF_MASK);
        for key in self.round_keys {
            (left, right) = (right, left ^ round(key, right));
        }
        uuid_from_halves(left, right)
    }

    /// The index of the event with `id`; `None` if no event of this seed has it.
    pub(crate) fn index(&self, id: Uuid) -> Option<u64> {
        let (mut left, mut right) = halves_from_uuid(id);
        for key in self.round_keys.into_iter().rev() {
            (left, right) = (right ^ round(key, left), left);
        }
        let index = (left << HALF_BITS) | right;
        // An id of another seed gives a number that is too large; one of another version gives the id of
        // another event.
        (left >> (u64::BITS - HALF_BITS) == 0 && self.id(index) == id).then_some(index)
    }
}

#[inline]
fn round(key: u64, half: u64) -> u64 {
    mix(half ^ key) & HALF_MASK
}

/// Puts 122 bits around the six fixed ones: version 4 in bits 76 to 79, the variant `10` in bits 62 and 63.
#[inline]
fn uuid_from_halves(left: u64, right: u64) -> Uuid {
    let upper_60 = left >> 1;
    let high = ((upper_60 >> 12) << 16) | (4 << 12) | (upper_60 & 0xfff);
    let low = (0b10 << 62) | ((left & 1) << HALF_BITS) | right;
    Uuid::from_u64_pair(high, low)
}

fn halves_from_uuid(id: Uuid) -> (u64, u64) {
    let (high, low) = id.as_u64_pair();
    let upper_60 = ((high >> 16) << 12) | (high & 0xfff);
    ((upper_60 << 1) | ((low >> HALF_BITS) & 1), low & HALF_MASK)
}

#[cfg(test)]
mod tests {
    use uuid::{Variant, Version};

    use super::*;

    #[test]
    fn ids_are_a_bijection_of_the_index() {
        let edges = [HALF_MASK - 1, HALF_MASK, HALF_MASK + 1, u64::MAX - 1, u64::MAX];
        for seed in [0, 1, 42, u64::MAX] {
            let ids = EventIds::new(seed);
            for index in (0..20_000).chain((0..64).map(|bit| 1 << bit)).chain(edges) {
                assert_eq!(ids.index(ids.id(index)), Some(index));
            }
        }
    }

    #[test]
    fn ids_of_another_seed_and_other_uuids_have_no_index() {
        let (ids, other_seed) = (EventIds::new(7), EventIds::new(8));
        for index in 0..1000 {
            assert_eq!(ids.index(other_seed.id(index)), None);
            // A version 5 UUID and one of another variant, with the free bits of an event.
            assert_eq!(ids.index(Uuid::from_u128(ids.id(index).as_u128() ^ (1 << 76))), None);
            assert_eq!(ids.index(Uuid::from_u128(ids.id(index).as_u128() ^ (1 << 62))), None);
        }
    }

    #[test]
    fn all_122_bits_pass_through_the_uuid() {
        for bit in 0..122 {
            let halves = if bit < 61 { (0, 1 << bit) } else { (1 << (bit - 61), 0) };
            assert_eq!(halves_from_uuid(uuid_from_halves(halves.0, halves.1)), halves);
        }
    }

    #[test]
    fn ids_are_version_4() {
        let ids = EventIds::new(3);
        for index in 0..1000 {
            let id = ids.id(index);
            assert_eq!(id.get_version(), Some(Version::Random));
            assert_eq!(id.get_variant(), Variant::RFC4122);
        }
    }

    #[test]
    fn ids_are_pinned() {
        assert_eq!(EventIds::new(0).id(0).to_string(), "c07bbad8-2549-4b56-9328-d7180e2f906e");
        assert_eq!(EventIds::new(42).id(1_000_000).to_string(), "9b31eda1-c6d6-442c-8cef-4d9edeacc5a1");
    }

    /// Neighbouring indexes and neighbouring seeds change each free bit in about half of the cases.
    #[test]
    fn ids_look_random() {
        let (ids, other_seed) = (EventIds::new(7), EventIds::new(8));
        let (mut set, mut by_index, mut by_seed) = ([0_u32; 128], [0_u32; 128], [0_u32; 128]);
        for index in 0..20_000 {
            let id = ids.id(index).as_u128();
            for (counts, bits) in [
                (&mut set, id),
                (&mut by_index, id ^ ids.id(index + 1).as_u128()),
                (&mut by_seed, id ^ other_seed.id(index).as_u128()),
            ] {
                for (bit, count) in counts.iter_mut().enumerate() {
                    *count += u32::from((bits >> bit) & 1 == 1);
                }
            }
        }
        let free_bits = (0..128).filter(|bit| !(62..64).contains(bit) && !(76..80).contains(bit));
        for bit in free_bits {
            for counts in [&set, &by_index, &by_seed] {
                // Six standard deviations around one half of 20,000.
                assert!((9_576..10_424).contains(&counts[bit]), "bit {bit}: {}", counts[bit]);
            }
        }
    }
}
