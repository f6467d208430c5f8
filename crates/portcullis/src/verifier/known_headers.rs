//! Headers of tokens that verified before: most tokens of a key have the same header bytes.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::token::Header;

/// The number of places. Each header belongs to one, and a newer header there displaces it.
const PLACES: usize = 64;

/// Remembers decoded headers, so that each is decoded once and not for every token.
///
/// Only headers of tokens with a verified signature are remembered: forged tokens displace none.
pub(super) struct KnownHeaders(Box<[ArcSwapOption<Header>]>);

impl KnownHeaders {
    pub(super) fn new() -> Self {
        Self((0..PLACES).map(|_| ArcSwapOption::empty()).collect())
    }

    /// The decoded header for the first part of a token, if it is known.
    pub(super) fn find(&self, part: &[u8]) -> Option<Arc<Header>> {
        let known = self.0.get(place(part))?.load();
        known.as_ref().filter(|header| *header.part == *part).map(Arc::clone)
    }

    pub(super) fn remember(&self, header: &Arc<Header>) {
        if Arc::strong_count(header) > 1 {
            // It was found here: one that was just decoded has no other owner.
            return;
        }
        let Some(place) = self.0.get(place(&header.part)) else { return };
        place.store(Some(Arc::clone(header)));
    }
}

/// The place of a header, by a sum over words of eight bytes: most headers differ in their `kid`.
fn place(part: &[u8]) -> usize {
    let (chunks, rest) = part.as_chunks::<8>();
    let sum = chunks.iter().fold(part.len() as u64, |sum, chunk| sum.rotate_left(5) ^ u64::from_le_bytes(*chunk));
    let sum = rest.iter().fold(sum, |sum, byte| sum.rotate_left(5) ^ u64::from(*byte));
    // The high bits of the product depend on all bits of the sum.
    (sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json;

    fn header(kid: &str) -> Arc<Header> {
        let text = json!({ "alg": "ES256", "kid": kid }).to_string();
        Arc::new(Header::from_object(text.as_bytes(), &json::object(text.clone().into_bytes()).unwrap()).unwrap())
    }

    #[test]
    fn a_header_is_known_by_all_of_its_bytes() {
        let (known, one) = (KnownHeaders::new(), header("one"));
        assert!(known.find(&one.part).is_none());
        known.remember(&one);
        assert_eq!(known.find(&one.part).unwrap().kid.as_deref(), Some("one"));
        for at in 0..one.part.len() {
            let mut other = one.part.to_vec();
            other[at] ^= 1;
            assert!(known.find(&other).is_none(), "byte {at}");
        }
        assert!(known.find(&one.part[1..]).is_none() && known.find(b"").is_none());
    }

    #[test]
    fn many_headers_take_turns() {
        let known = KnownHeaders::new();
        let headers: Vec<_> = (0..1_000).map(|number| header(&format!("key-{number}"))).collect();
        for header in &headers {
            known.remember(header);
            assert!(known.find(&header.part).is_some(), "the last one is known");
        }
        let still = headers.iter().filter(|header| known.find(&header.part).is_some()).count();
        assert!((PLACES / 2..=PLACES).contains(&still), "{still} of {PLACES} places are taken");
    }
}
