//! Bytes → `eventloader::fuzzing::line_to_row`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| eventloader::fuzzing::line_to_row(bytes));
