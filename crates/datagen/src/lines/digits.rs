//! Numbers → their digits, from tables that the compiler computes.
//!
//! Invariant: a table entry has a fixed size, so that copying one is a plain store.

/// `00` to `99`.
pub(crate) static TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        table[number] = [digit(number / 10), digit(number % 10)];
        number += 1;
    }
    table
};

/// `000` to `999`; the fourth byte makes a copy one store.
pub(crate) static THREE_DIGITS: [[u8; 4]; 1000] = {
    let mut table = [[0; 4]; 1000];
    let mut number = 0;
    while number < 1000 {
        table[number] = [digit(number / 100), digit(number / 10 % 10), digit(number % 10), 0];
        number += 1;
    }
    table
};

/// `0` to `999` without leading zeros; the last byte is the length of the text.
pub(crate) static LEADING_DIGITS: [[u8; 5]; 1000] = {
    let mut table = [[0; 5]; 1000];
    let mut number = 0;
    while number < 1000 {
        let [hundreds, tens, ones] = [digit(number / 100), digit(number / 10 % 10), digit(number % 10)];
        table[number] = match number {
            0..10 => [ones, 0, 0, 0, 1],
            10..100 => [tens, ones, 0, 0, 2],
            _ => [hundreds, tens, ones, 0, 3],
        };
        number += 1;
    }
    table
};

/// The decimals of an amount, with the point and without a trailing zero, but with at least one digit; the
/// last byte is the length of the text.
pub(crate) static CENTS: [[u8; 5]; 100] = {
    let mut table = [[0; 5]; 100];
    let mut cents = 0;
    while cents < 100 {
        let [tens, ones] = [digit(cents / 10), digit(cents % 10)];
        table[cents] = [b'.', tens, ones, 0, if ones == b'0' { 2 } else { 3 }];
        cents += 1;
    }
    table
};

/// A number as 16 hexadecimal digits.
#[inline]
pub(crate) fn hex_digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (digit, shift) in digits.iter_mut().zip((0..64).step_by(4).rev()) {
        *digit = b"0123456789abcdef"[(number >> shift & 15) as usize];
    }
    digits
}

#[expect(clippy::cast_possible_truncation, reason = "a digit is below 10")]
const fn digit(value: usize) -> u8 {
    b'0' + value as u8
}
