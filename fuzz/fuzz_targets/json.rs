//! Bytes → `event_parser::fuzzing::json`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| event_parser::fuzzing::json(bytes));
