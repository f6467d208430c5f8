//! The challenge of one authentication scheme (RFC 9110 section 11.6.1).

use http::HeaderValue;

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

    /// The value of the field `WWW-Authenticate`.
    pub(super) fn field(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(format!("{}{}", self.scheme, self.parameters).as_bytes()).ok()
    }
}
