//! Sizes: `65536`, `"64KiB"`, `"32MiB"`.

use portcullis::units::parse_size;

use super::file::{Read, Value};

/// Reads a size within bounds.
pub(super) fn bytes(value: &Value<'_>, least: usize, most: usize) -> Read<usize> {
    let size = match value.as_integer() {
        Some(integer) => usize::try_from(integer).ok(),
        None if value.is_text() => parse_size(value.text()?),
        None => None,
    };
    size.filter(|size| (least..=most).contains(size)).ok_or_else(|| {
        value
            .wrong(&format!("a size from {} to {}", shown(least), shown(most)))
            .help("write bytes as an integer, or a number and its unit, as in \"64KiB\" or \"32MiB\" (B, kB, KiB, MB, MiB, GB, GiB)")
    })
}

/// Returns the size in the largest unit that divides it.
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
    fn a_bound_is_shown_in_the_largest_unit_that_divides_it() {
        assert_eq!([shown(0), shown(8192), shown(3 << 30), shown(1025)], ["0 bytes", "8 KiB", "3 GiB", "1025 bytes"]);
        assert_eq!(shown(1), "1 byte");
    }
}
