//! A reader of `WWW-Authenticate` (RFC 9110 section 11.6.1): the challenges of all fields of a response.

use http::{HeaderMap, header::WWW_AUTHENTICATE};

/// A challenge: its scheme, and its parameters with unquoted values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Returns the value of a parameter; names are compared without regard to case.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Tells whether the challenge asks for an access token: `Bearer` (RFC 6750) or `DPoP` (RFC 9449).
    pub(super) fn asks_for_token(&self) -> bool {
        ["Bearer", "DPoP"].iter().any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }
}

/// Reads the challenges of a response.
///
/// # Errors
///
/// The first mistake, in words.
pub(super) fn challenges(fields: &HeaderMap) -> Result<Vec<Challenge>, String> {
    let mut challenges = Vec::new();
    for field in fields.get_all(WWW_AUTHENTICATE) {
        challenges.extend(read(&String::from_utf8_lossy(field.as_bytes()))?);
    }
    Ok(challenges)
}

/// Reads the challenges of one field.
///
/// # Errors
///
/// The first mistake, in words.
pub(super) fn read(field: &str) -> Result<Vec<Challenge>, String> {
    let mut reader = Reader { rest: field };
    let mut challenges: Vec<Challenge> = Vec::new();
    // True if a parameter may follow: not after a token68, and not before the first scheme.
    let mut in_parameters = false;
    loop {
        reader.skip(&[' ', '\t', ',']);
        if reader.rest.is_empty() {
            return Ok(challenges);
        }
        let name = reader.token().ok_or_else(|| reader.expected("a scheme or a parameter"))?.to_owned();
        match challenges.last_mut().filter(|_| in_parameters && reader.is_assignment()) {
            Some(challenge) => {
                let value = reader.value(&name)?;
                if challenge.parameter(&name).is_some() {
                    return Err(format!("the parameter `{name}` stands twice in one challenge"));
                }
                challenge.parameters.push((name, value));
            }
            None => {
                if !reader.rest.is_empty() && !reader.rest.starts_with([' ', '\t', ',']) {
                    return Err(reader.expected(&format!("a space after the scheme `{name}`")));
                }
                challenges.push(Challenge { scheme: name, parameters: Vec::new() });
                in_parameters = !reader.skip_token68();
                // The first parameter follows a space; those after it follow commas.
                continue;
            }
        }
        if !reader.is_at_end_of_item() {
            return Err(reader.expected("a comma"));
        }
    }
}

/// The unread part of a field.
struct Reader<'f> {
    rest: &'f str,
}

impl<'f> Reader<'f> {
    fn skip(&mut self, characters: &[char]) {
        self.rest = self.rest.trim_start_matches(characters);
    }

    fn token(&mut self) -> Option<&'f str> {
        let end = self.rest.find(|character| !is_token(character)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end).filter(|(token, _)| !token.is_empty())?;
        self.rest = rest;
        Some(token)
    }

    fn is_assignment(&self) -> bool {
        self.rest.trim_start_matches([' ', '\t']).starts_with('=')
    }

    fn is_at_end_of_item(&self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with(',')
    }

    /// Reads `=` and a token or a quoted string.
    fn value(&mut self, name: &str) -> Result<String, String> {
        self.skip(&[' ', '\t']);
        self.rest = self.rest.strip_prefix('=').unwrap_or(self.rest);
        self.skip(&[' ', '\t']);
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            return self.quoted().ok_or_else(|| format!("the value of `{name}` has no closing quote"));
        }
        let value = self.token().ok_or_else(|| self.expected(&format!("a value of `{name}`")))?;
        if self.is_at_end_of_item() {
            return Ok(value.to_owned());
        }
        Err(format!("the value of `{name}` has to stand in quotes, because of the characters after `{name}={value}`"))
    }

    /// Reads to the closing quote.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                other => value.push(other),
            }
        }
        None
    }

    /// Skips a token68 (`Negotiate YII=`), unless the text is a parameter.
    fn skip_token68(&mut self) -> bool {
        let text = self.rest.trim_start_matches([' ', '\t']);
        let is_token68 = |character: char| character.is_ascii_alphanumeric() || "-._~+/".contains(character);
        let rest = text.trim_start_matches(is_token68).trim_start_matches('=');
        let is_whole = rest.is_empty() || rest.trim_start_matches([' ', '\t']).starts_with(',');
        if rest.len() == text.len() || !is_whole {
            return false;
        }
        self.rest = rest;
        true
    }

    /// Returns a mistake in words, with the text in its place.
    fn expected(&self, what: &str) -> String {
        let got: String = self.rest.chars().take(24).collect();
        let got = if got.is_empty() { "the end".to_owned() } else { format!("`{got}`") };
        format!("expected {what}, got {got}")
    }
}

/// Tells whether the character may stand in a token (RFC 9110 section 5.6.2).
fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Challenge { scheme: scheme.to_owned(), parameters }
    }

    #[test]
    fn several_schemes_stand_in_one_field() {
        let table = [
            ("Bearer", vec![challenge("Bearer", &[])]),
            ("Bearer realm=\"a\"", vec![challenge("Bearer", &[("realm", "a")])]),
            (
                "Bearer realm = \"a, b=\\\"c\\\"\" ,scope=read,, error=x",
                vec![challenge("Bearer", &[("realm", "a, b=\"c\""), ("scope", "read"), ("error", "x")])],
            ),
            (
                "Negotiate YII==, Basic realm=\"\", DPoP algs=\"ES256\",Bearer",
                vec![
                    challenge("Negotiate", &[]),
                    challenge("Basic", &[("realm", "")]),
                    challenge("DPoP", &[("algs", "ES256")]),
                    challenge("Bearer", &[]),
                ],
            ),
            ("Basic, Bearer scope=\"a b\"", vec![challenge("Basic", &[]), challenge("Bearer", &[("scope", "a b")])]),
            (" , ", vec![]),
            ("", vec![]),
        ];
        for (field, expected) in table {
            assert_eq!(read(field).unwrap(), expected, "{field}");
        }
    }

    #[test]
    fn mistakes_are_told_in_words() {
        let table = [
            ("Bearer resource_metadata=https://a.example/x", "has to stand in quotes"),
            ("Bearer scope=read write", "has to stand in quotes"),
            ("Bearer realm=\"a", "no closing quote"),
            ("Bearer realm=\"a\\", "no closing quote"),
            ("Bearer realm=\"a\" scope=\"b\"", "expected a comma"),
            ("Bearer realm=\"a\", realm=\"b\"", "stands twice"),
            ("Bearer a=\"b\", realm=", "expected a value of `realm`, got the end"),
            ("Bearer: realm=\"a\"", "expected a space after the scheme `Bearer`"),
            ("realm=\"a\"", "expected a space after the scheme `realm`"),
            ("\"Bearer\"", "expected a scheme or a parameter"),
            ("Bearer \u{1}", "expected a scheme or a parameter"),
        ];
        for (field, mistake) in table {
            let told = read(field).unwrap_err();
            assert!(told.contains(mistake), "{field}: {told}");
        }
    }

    proptest! {
        #[test]
        fn any_quoted_value_is_read_back(values in prop::collection::vec("[ -~é]{0,20}", 1..5)) {
            let quoted = |value: &String| value.replace('\\', "\\\\").replace('"', "\\\"");
            let written: Vec<_> =
                values.iter().enumerate().map(|(at, value)| format!("p{at}=\"{}\"", quoted(value))).collect();
            let read = read(&format!("Bearer {}, Basic", written.join(", "))).unwrap();
            prop_assert_eq!(read.len(), 2);
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(read[0].parameter(&format!("P{at}")), Some(value.as_str()));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(field in "[A-Za-z =,\"\\\\/é]{0,40}") {
            drop(read(&field));
        }
    }
}
