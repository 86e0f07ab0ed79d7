//! Objects, in the order in which they will be read → their bytes, fetched before they are asked for.
//!
//! Parts of objects are fetched by several threads, each with a connection of its own: several parts of a
//! large object, or several small objects, at once. They are handed out in their order.
//!
//! Invariant: no more parts are in memory than the window has room for, but one at least. All parts of an
//! object are of the object that was listed, or its reader fails.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind, Read},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use storage::Replaced;

use super::{StoredObject, Window};
use crate::input::{defect::Defect, sources::Source};

/// Over a slow line, parts that are fetched together would all take too long: there are fewer or more at a
/// time by how long they take.
const UNDER_WAY_AT_FIRST: usize = 4;
const QUICK: Duration = Duration::from_secs(5);
const SLOW: Duration = Duration::from_secs(30);

/// Fetches the objects among some sources.
pub(in crate::input) struct ReadAhead {
    shared: Arc<Shared>,
    /// Whether there is any thread that fetches; a system may start no more.
    has_threads: bool,
}

struct Shared {
    objects: Vec<StoredObject>,
    window: Window,
    state: Mutex<State>,
    /// A part was fetched.
    arrived: Condvar,
    /// The window has more room, or nothing is wanted any more.
    room: Condvar,
}

/// The place of a part: the index of its object, and its offset in that.
type Place = (usize, u64);

#[derive(Default)]
struct State {
    /// The next part to be fetched.
    next: Place,
    /// The next object to be opened.
    opened: usize,
    /// The part that is read; those before it are not wanted any more.
    read: Place,
    /// How many parts are being fetched, and may be at most.
    under_way: usize,
    under_way_max: usize,
    /// What was fetched and not read yet.
    parts: BTreeMap<Place, io::Result<Vec<u8>>>,
    /// The memory of parts that are being fetched, were fetched, or are being read.
    taken_bytes: usize,
    /// Memory of whole parts, to be used again.
    spare: Vec<Vec<u8>>,
    is_closed: bool,
}

impl ReadAhead {
    /// Begins to fetch, unless there is no object.
    pub(in crate::input) fn of<'s>(sources: impl IntoIterator<Item = &'s Source>, window: Window) -> Self {
        let objects: Vec<_> = sources.into_iter().filter_map(Source::object).cloned().collect();
        let part_bytes = window.part_bytes as u64;
        let parts = objects.iter().map(|object| object.bytes().div_ceil(part_bytes)).sum::<u64>();
        let threads = usize::try_from(parts).unwrap_or(usize::MAX).min(window.requests);
        let state = Mutex::new(State { under_way_max: UNDER_WAY_AT_FIRST, ..State::default() });
        let (arrived, room) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { objects, window, state, arrived, room });
        let start = |_| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("fetching".to_owned()).spawn(move || shared.fetch_all()).ok()
        };
        let has_threads = (0..threads).map_while(start).count() > 0;
        Self { shared, has_threads }
    }

    /// A reader of the object, which is one of them, behind all that were opened before.
    pub(in crate::input) fn reader(&self, object: &StoredObject) -> io::Result<ObjectReader> {
        let mut state = self.shared.locked();
        let is_it = |other: &StoredObject| Arc::ptr_eq(&other.found, &object.found);
        let behind = &self.shared.objects[state.opened..];
        let index = state.opened + behind.iter().position(is_it).ok_or(ErrorKind::NotFound)?;
        state.opened = index + 1;
        Ok(ObjectReader {
            shared: Arc::clone(&self.shared),
            has_threads: self.has_threads,
            next: (index, 0),
            length: object.bytes(),
            part: Vec::new(),
            used: 0,
            has_failed: false,
        })
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.shared.locked().is_closed = true;
        self.shared.room.notify_all();
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The length of the part at a place; 0 at the end of its object.
    fn length_at(&self, (object, offset): Place) -> usize {
        let left = self.objects[object].bytes() - offset;
        usize::try_from(left).unwrap_or(usize::MAX).min(self.window.part_bytes)
    }

    /// The work of a thread: one part after the other.
    fn fetch_all(&self) {
        while let Some((place, memory)) = self.take_next() {
            let (length, started) = (memory.len(), Instant::now());
            // A panic is a bug. Where it doesn't end the process, who waits for the part must hear of it.
            let part = catch_unwind(AssertUnwindSafe(|| self.fetch(place, memory)))
                .unwrap_or_else(|_| Err(io::Error::other("the thread that fetched it has panicked")));
            let mut state = self.locked();
            state.under_way -= 1;
            match started.elapsed() {
                took if took < QUICK => {
                    state.under_way_max = (state.under_way_max + 1).min(self.window.requests);
                }
                took if took > SLOW => state.under_way_max = (state.under_way_max / 2).max(1),
                _ => {}
            }
            if place >= state.read {
                state.parts.insert(place, part);
            } else {
                state.taken_bytes -= length;
            }
            drop(state);
            self.arrived.notify_all();
            self.room.notify_one();
        }
    }

    /// The next part to fetch, with memory for it, once the window has room; `None` behind the last one.
    fn take_next(&self) -> Option<(Place, Vec<u8>)> {
        let mut state = self.locked();
        loop {
            while state.next.0 < self.objects.len() && self.length_at(state.next) == 0 {
                state.next = (state.next.0 + 1, 0);
            }
            if state.is_closed || state.next.0 == self.objects.len() {
                return None;
            }
            let (place, length) = (state.next, self.length_at(state.next));
            let is_room = state.taken_bytes == 0 || state.taken_bytes + length <= self.window.bytes;
            if is_room && state.under_way < state.under_way_max {
                state.under_way += 1;
                state.next.1 += length as u64;
                state.taken_bytes += length;
                // Perhaps there is room for another one.
                self.room.notify_one();
                return Some((place, state.memory(length, self.window)));
            }
            state = waited(&self.room, state);
        }
    }

    fn fetch(&self, (object, offset): Place, mut memory: Vec<u8>) -> io::Result<Vec<u8>> {
        let object = &self.objects[object];
        let read = object.open().and_then(|open| open.read_exact_at(&mut memory, object.start() + offset));
        match read {
            Ok(()) => Ok(memory),
            Err(error) if Replaced::is(&error) => Err(Defect::Changed.into()),
            Err(error) => Err(error),
        }
    }

    /// The part at a place, when it is there. What is before it will not be read.
    fn part_at(&self, place: Place, has_threads: bool) -> io::Result<Vec<u8>> {
        if !has_threads {
            return self.fetch(place, vec![0; self.length_at(place)]);
        }
        let mut state = self.locked();
        state.read = place;
        state.next = state.next.max(place);
        let wanted = state.parts.split_off(&place);
        let unwanted = mem::replace(&mut state.parts, wanted);
        state.taken_bytes -= unwanted.keys().map(|place| self.length_at(*place)).sum::<usize>();
        self.room.notify_one();
        loop {
            match state.parts.remove(&place) {
                Some(part) => return part,
                None => state = waited(&self.arrived, state),
            }
        }
    }

    /// Takes back the memory of a part that was read.
    fn take_back(&self, memory: Vec<u8>) {
        if memory.is_empty() {
            return;
        }
        let mut state = self.locked();
        state.taken_bytes -= memory.len();
        if memory.len() == self.window.part_bytes {
            state.spare.push(memory);
        }
        drop(state);
        self.room.notify_one();
    }
}

fn waited<'s>(condition: &Condvar, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Memory for a part of this length, which is counted already.
    fn memory(&mut self, length: usize, window: Window) -> Vec<u8> {
        let spare = if length == window.part_bytes { self.spare.pop() } else { None };
        while self.taken_bytes + self.spare.len() * window.part_bytes > window.bytes {
            if self.spare.pop().is_none() {
                break;
            }
        }
        spare.unwrap_or_else(|| vec![0; length])
    }
}

/// The bytes of an object.
pub(in crate::input) struct ObjectReader {
    shared: Arc<Shared>,
    has_threads: bool,
    /// The part behind the one that is being read.
    next: Place,
    length: u64,
    part: Vec<u8>,
    used: usize,
    /// A part is handed out once, and so is its error.
    has_failed: bool,
}

impl Read for ObjectReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.used == self.part.len() && self.next.1 < self.length {
            if self.has_failed {
                return Err(io::Error::other("a part of it could not be read"));
            }
            self.give_back();
            let part = self.shared.part_at(self.next, self.has_threads);
            self.part = part.inspect_err(|_| self.has_failed = true)?;
            self.next.1 += self.part.len() as u64;
        }
        let read = (&self.part[self.used..]).read(bytes)?;
        self.used += read;
        Ok(read)
    }
}

impl ObjectReader {
    fn give_back(&mut self) {
        self.used = 0;
        let part = mem::take(&mut self.part);
        if self.has_threads {
            self.shared.take_back(part);
        }
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        self.give_back();
    }
}
