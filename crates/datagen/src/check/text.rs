//! A line's text, parsed from left to right in the one form that it may have.
//!
//! Invariant: nothing is skipped: what is not parsed as a value is compared.

/// Where a text differs from what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// The offset in the line.
    pub(super) at: usize,
    pub(super) expected: String,
}

/// The rest of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'l> {
    line: &'l str,
    at: usize,
}

type Parsed<T> = Result<T, Mismatch>;

impl<'l> Text<'l> {
    pub(super) fn new(line: &'l str) -> Self {
        Self { line, at: 0 }
    }

    fn rest(&self) -> &'l str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn mismatch<T>(&self, expected: impl Into<String>) -> Parsed<T> {
        Err(Mismatch { at: self.at, expected: expected.into() })
    }

    /// Consumes this text.
    pub(super) fn literal(&mut self, literal: &str) -> Parsed<()> {
        if !self.rest().starts_with(literal) {
            return self.mismatch(format!("`{literal}`"));
        }
        self.at += literal.len();
        Ok(())
    }

    /// Consumes this text if it is there.
    pub(super) fn has(&mut self, literal: &str) -> bool {
        self.literal(literal).is_ok()
    }

    /// A string in quotes. No string of a stream needs an escape.
    pub(super) fn string(&mut self) -> Parsed<&'l str> {
        self.literal("\"")?;
        let rest = self.rest();
        let end = rest.find(['"', '\\']).filter(|end| rest.as_bytes()[*end] == b'"');
        match end.filter(|end| !rest[..*end].chars().any(char::is_control)) {
            Some(end) => {
                self.at += end + 1;
                Ok(&rest[..end])
            }
            None => self.mismatch("a string without escapes"),
        }
    }

    /// A string, or null.
    pub(super) fn string_or_null(&mut self) -> Parsed<Option<&'l str>> {
        if self.has("null") { Ok(None) } else { self.string().map(Some) }
    }

    /// A number, as it is written.
    pub(super) fn number(&mut self) -> Parsed<&'l str> {
        let rest = self.rest();
        let is_of_number =
            |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'+' | b'e' | b'E');
        let length = rest.bytes().take_while(|byte| is_of_number(byte)).count();
        if length == 0 {
            return self.mismatch("a number");
        }
        self.at += length;
        Ok(&rest[..length])
    }

    pub(super) fn end(&self) -> Parsed<()> {
        if self.rest().is_empty() { Ok(()) } else { self.mismatch("the end of the line") }
    }
}

/// A decimal number in its one form: its digits as a number, and how many of them are decimals.
pub(super) fn decimal(text: &str) -> Option<(i128, usize)> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = are_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    if !is_plain || (digits.contains('.') && !are_digits(fraction)) || text.len() > 30 {
        return None;
    }
    let value: i128 = format!("{whole}{fraction}").parse().ok()?;
    (sign > 0 || value > 0).then_some((sign * value, fraction.len()))
}

/// A non-negative whole number in its one form.
pub(super) fn whole(text: &str) -> Option<u64> {
    decimal(text).filter(|(_, digits)| *digits == 0)?.0.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(decimal("12.30"), Some((1230, 2)));
        assert_eq!(decimal("-0.05"), Some((-5, 2)));
        assert_eq!(decimal("0"), Some((0, 0)));
        for other in ["", "-", ".5", "5.", "05", "00", "-0", "-0.00", "1e2", "+1", "1.2.3", "--1"] {
            assert_eq!(decimal(other), None, "{other}");
        }
        assert_eq!((whole("7"), whole("7.0"), whole("-7")), (Some(7), None, None));
    }
}
