//! The challenge of one authentication scheme (RFC 9110 section 11.6.1).

use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};

/// `Bearer name="value", …`, the values as quoted strings (RFC 9110 sections 5.6.4 and 11.2).
pub(super) struct SchemeChallenge {
    scheme: &'static str,
    parameters: String,
}

impl SchemeChallenge {
    pub(super) fn new(scheme: &'static str) -> Self {
        Self { scheme, parameters: String::new() }
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        let parameters = &mut self.parameters;
        parameters.push_str(if parameters.is_empty() { " " } else { ", " });
        parameters.push_str(name);
        parameters.push_str("=\"");
        for character in value.chars() {
            match character {
                '"' | '\\' => parameters.extend(['\\', character]),
                // A field value cannot carry these; a space keeps the rest readable.
                control if control.is_control() => parameters.push(' '),
                other => parameters.push(other),
            }
        }
        parameters.push('"');
    }

    fn field(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(format!("{}{}", self.scheme, self.parameters).as_bytes()).ok()
    }
}

/// Adds a `WWW-Authenticate` field for each challenge: some clients cannot tell two challenges in one field apart.
pub(super) fn add_fields(headers: &mut HeaderMap, challenges: &[SchemeChallenge]) {
    for field in challenges.iter().filter_map(SchemeChallenge::field) {
        headers.append(WWW_AUTHENTICATE, field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_a_field_of_its_own() {
        let (mut dpop, mut bearer) = (SchemeChallenge::new("DPoP"), SchemeChallenge::new("Bearer"));
        dpop.add("algs", "ES256 EdDSA");
        bearer.add("realm", "a \"b\", DPoP c=\"d\\");
        bearer.add("scope", "read write");
        let mut headers = HeaderMap::new();
        add_fields(&mut headers, &[dpop, bearer, SchemeChallenge::new("Negotiate")]);
        let fields: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().collect();
        let expected =
            [r#"DPoP algs="ES256 EdDSA""#, r#"Bearer realm="a \"b\", DPoP c=\"d\\", scope="read write""#, "Negotiate"];
        assert_eq!(fields, expected);
    }
}
