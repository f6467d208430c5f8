//! The few DER values that the test kit writes and reads (ITU-T X.690).

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// Writes one value: tag, length, content.
pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend(length(content.len()));
    out.extend_from_slice(content);
    out
}

/// Writes a SEQUENCE of encoded values.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, &parts.concat())
}

/// Writes a non-negative INTEGER from its big-endian bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
    let needs_zero = digits.first().is_none_or(|first| first & 0x80 != 0);
    let sign: &[u8] = if needs_zero { &[0] } else { &[] };
    value(INTEGER, &[sign, &digits].concat())
}

/// Writes a BIT STRING of whole bytes.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    value(0x03, &[&[0], bytes].concat())
}

/// Rewrites an ECDSA signature of fixed length, r and s side by side, as DER (RFC 3279 section 2.2.3).
pub(crate) fn ecdsa_signature(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    sequence(&[&unsigned(r), &unsigned(s)])
}

/// Reads a SEQUENCE of non-negative INTEGERs into their big-endian bytes.
pub(crate) fn read_unsigned_sequence(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut rest, _) = read(SEQUENCE, der)?;
    let mut numbers = Vec::new();
    while !rest.is_empty() {
        let (number, after) = read(INTEGER, rest)?;
        numbers.push(number.iter().copied().skip_while(|b| *b == 0).collect());
        rest = after;
    }
    Some(numbers)
}

fn length(len: usize) -> Vec<u8> {
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => vec![short],
        _ => {
            let digits: Vec<u8> = len.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
            let count = u8::try_from(digits.len()).unwrap_or_default();
            [vec![0x80 | count], digits].concat()
        }
    }
}

/// Splits `der` after its first value: (content, rest).
fn read(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (len, rest) = read_length(first, rest)?;
    rest.split_at_checked(len)
}

fn read_length(first: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let len = digits.iter().fold(0_usize, |len, digit| (len << 8) | usize::from(*digit));
    Some((len, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_positive() {
        let table: &[(&[u8], &[u8])] = &[(&[0, 0], &[2, 1, 0]), (&[0, 5], &[2, 1, 5]), (&[0x80], &[2, 2, 0, 0x80])];
        for (bytes, der) in table {
            assert_eq!(unsigned(bytes), *der);
        }
    }

    #[test]
    fn long_values_read_back() {
        let number = vec![0x91; 300];
        let der = sequence(&[&unsigned(&number), &unsigned(&[1, 0, 1])]);
        assert_eq!(read_unsigned_sequence(&der), Some(vec![number, vec![1, 0, 1]]));
    }

    #[test]
    fn other_shapes_are_no_sequence_of_integers() {
        for der in [&[][..], &[0x30, 5, 2], &[0x31, 0], &[0x30, 3, 4, 1, 0]] {
            assert_eq!(read_unsigned_sequence(der), None);
        }
    }
}
