//! Bytes → `eventloader::fuzzing::quarantine_round_trip`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| eventloader::fuzzing::quarantine_round_trip(bytes));
