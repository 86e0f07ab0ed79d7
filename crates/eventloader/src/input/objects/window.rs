//! The memory of a run → how much of its objects is fetched ahead, in which parts, by how many requests.
//!
//! Invariant: parts that were fetched, are being fetched, or are being read take no more than the window, as
//! long as it has room for one of them.

/// A part that takes much longer to arrive than the answer to a request.
const PART_BYTES_MAX: usize = 8 << 20;
const PART_BYTES_MIN: usize = 256 << 10;
/// Sixteen such parts are under way at once: that is as much as a fast network delivers in a second or so.
const BYTES_MAX: usize = 16 * PART_BYTES_MAX;
const BYTES_MIN: usize = 4 * PART_BYTES_MIN;
/// So many small objects are under way at once: with 30 ms each, some thousand in a second.
const REQUESTS_MAX: usize = 32;
/// A request takes so much of the window at least, and so much memory beside it.
const REQUEST_BYTES: usize = 256 << 10;

/// How much is fetched ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The memory for parts.
    pub(super) bytes: usize,
    /// The length of a part.
    pub(super) part_bytes: usize,
    /// How many requests are under way at once.
    pub(super) requests: usize,
}

impl Window {
    /// That of a run with this much memory.
    pub(crate) fn of(memory_bytes: usize) -> Self {
        Self::with((memory_bytes / 16).min(BYTES_MAX))
    }

    /// For the beginning of an object.
    pub(crate) fn least() -> Self {
        Self { bytes: 2 * PART_BYTES_MIN, part_bytes: PART_BYTES_MIN, requests: 1 }
    }

    /// Its part, if as many windows share it.
    pub(crate) fn shared_by(self, windows: usize) -> Self {
        Self::with(self.bytes / windows.max(1))
    }

    fn with(bytes: usize) -> Self {
        let bytes = bytes.max(BYTES_MIN);
        Self {
            bytes,
            part_bytes: (bytes / 4).clamp(PART_BYTES_MIN, PART_BYTES_MAX),
            requests: (bytes / REQUEST_BYTES).min(REQUESTS_MAX),
        }
    }

    /// All that it takes to fetch objects; nothing, if none are read.
    pub(crate) fn memory_bytes(self, reads_objects: bool) -> usize {
        if reads_objects { self.bytes + self.requests * REQUEST_BYTES } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_share_of_the_memory() {
        let of = |mib: usize| {
            let Window { bytes, part_bytes, requests } = Window::of(mib << 20);
            (bytes >> 20, part_bytes >> 20, requests)
        };
        assert_eq!(of(4_096), (128, 8, 32));
        assert_eq!(of(512), (32, 8, 32));
        assert_eq!(of(64), (4, 1, 16));
        assert_eq!(Window::of(64 << 20).shared_by(64).bytes, BYTES_MIN);
    }
}
