//! Bytes → `eventloader::fuzzing::number`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| eventloader::fuzzing::number(bytes));
