//! Bytes → `eventloader::fuzzing::documents`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| eventloader::fuzzing::documents(bytes));
