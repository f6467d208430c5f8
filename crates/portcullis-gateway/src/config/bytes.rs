//! Sizes as people write them: `65536`, `"64KiB"`, `"32MiB"`.

use super::file::{Read, Value};

const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// A size within bounds.
pub(super) fn bytes(value: &Value<'_>, least: usize, most: usize) -> Read<usize> {
    let size = match value.as_integer() {
        Some(integer) => usize::try_from(integer).ok(),
        None if value.is_text() => parse(value.text()?),
        None => None,
    };
    size.filter(|size| (least..=most).contains(size)).ok_or_else(|| {
        value
            .problem(format!("expected a size from {} to {}", shown(least), shown(most)))
            .help("write bytes as an integer, or a number and its unit, as in \"64KiB\" or \"32MiB\" (B, kB, KiB, MB, MiB, GB, GiB)")
    })
}

fn parse(text: &str) -> Option<usize> {
    let (number, unit) = text.split_at_checked(text.find(|character: char| !character.is_ascii_digit())?)?;
    let unit = unit.trim_start_matches(' ');
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    usize::try_from(number.parse::<u64>().ok()?.checked_mul(*factor)?).ok()
}

/// In the largest unit that divides it.
fn shown(size: usize) -> String {
    let binary = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = binary.iter().find(|(shift, _)| size > 0 && size.trailing_zeros() >= *shift);
    unit.map_or_else(
        || format!("{size} byte{}", if size == 1 { "" } else { "s" }),
        |(shift, unit)| format!("{} {unit}", size >> shift),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_its_unit() {
        for (text, size) in [("0B", 0), ("64KiB", 65_536), ("32MiB", 33_554_432), ("1 GiB", 1 << 30), ("5kB", 5_000)] {
            assert_eq!(parse(text), Some(size), "{text}");
        }
        for text in
            ["", "5", "MiB", "-1B", "1.5MiB", "1mib", "1TiB", "99999999999999999999B", "18446744073709551615GiB"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!([shown(0), shown(8192), shown(3 << 30), shown(1025)], ["0 bytes", "8 KiB", "3 GiB", "1025 bytes"]);
        assert_eq!(shown(1), "1 byte");
    }
}
