//! The value of a number's text, which a float may only be near to.

/// The value of a JSON number: its sign, its digits without zeros at the ends, and the power of ten of the last digit.
#[derive(Debug, PartialEq)]
pub(crate) struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads the text of a JSON number; none if its exponent is beyond all reason.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), exponent: 0 });
        }
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        Some(Self { is_negative, digits: digits.to_owned(), exponent: exponent.checked_add(zeros)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_if_their_values_are() {
        for (one, other, equal) in [
            ("1", "1.0", true),
            ("1000", "1e3", true),
            ("1000", "0.1E+4", true),
            ("-1.50", "-15e-1", true),
            ("0", "-0.0e9", true),
            ("0", "0e99999999999999999999", true),
            ("1", "-1", false),
            ("10", "1", false),
            ("12345678901234567890123", "12345678901234567890124", false),
            ("12345678901234567890123", "1.2345678901234568e+22", false),
            ("9007199254740993.0", "9007199254740992", false),
            ("1e-400", "0", false),
        ] {
            let (one, other) = (Decimal::of(one).unwrap(), Decimal::of(other).unwrap());
            assert_eq!(one == other, equal, "{one:?} {other:?}");
        }
        assert_eq!(Decimal::of("1e99999999999999999999"), None);
    }
}
