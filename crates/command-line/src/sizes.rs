//! `512MiB`, `5GB`, `1000000` → bytes.
//!
//! Invariant: a size is exact, or it is an error.

/// Parses a number of bytes: digits alone, or with a unit of 1,000 (kB, MB, GB, TB) or 1,024 (KiB, MiB, GiB,
/// TiB; k, m, g, t).
///
/// # Errors
///
/// A message that shows valid sizes.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let expected = || format!("expected a size like 512MiB, 2GiB or 1000000000, found {text:?}");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| expected())?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(expected()),
    };
    number.checked_mul(unit).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1000", 1_000),
            ("12B", 12),
            ("64MiB", 64 << 20),
            ("2 GiB", 2 << 30),
            ("5GB", 5_000_000_000),
            ("100m", 100 << 20),
            ("1TB", 1_000_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "x", "GB", "1.5GiB", "-1GiB", "1TiBs", "99999999999999999999GiB", "99999999999TiB"] {
            assert!(parse_bytes(text).is_err_and(|said| said.contains("512MiB")), "{text}");
        }
    }
}
