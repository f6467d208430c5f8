//! The challenges of a refusal, in a form that each proxy hands on.

use http::{HeaderValue, Response, header::WWW_AUTHENTICATE};

/// Returns the response with all of its challenges in one field.
///
/// nginx before 1.23 hands only one field on, and Envoy's gRPC service replaces a field by the next one of its name. A list is the
/// same to clients (RFC 9110 section 11.6.1; RFC 9449 section 7.2 has an example).
pub(super) fn with_challenges_in_one_field<B>(mut response: Response<B>) -> Response<B> {
    let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes).collect();
    if challenges.len() > 1
        && let Ok(all) = HeaderValue::from_bytes(&challenges.join(&b", "[..]))
    {
        response.headers_mut().insert(WWW_AUTHENTICATE, all);
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn clients_get_every_challenge_in_their_order() {
        for (fields, expected) in [
            (&[][..], &[][..]),
            (&["Bearer realm=\"a\""], &["Bearer realm=\"a\""]),
            (&["Bearer", "DPoP algs=\"ES256 PS256\""], &["Bearer, DPoP algs=\"ES256 PS256\""]),
        ] {
            let mut response = Response::new(());
            for field in fields {
                response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(field));
            }
            let response = with_challenges_in_one_field(response);
            let found: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
            assert_eq!(found, expected, "{fields:?}");
        }
    }
}
