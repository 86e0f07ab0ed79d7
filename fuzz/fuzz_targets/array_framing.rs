//! Bytes → `eventloader::fuzzing::array_framing`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| eventloader::fuzzing::array_framing(bytes));
