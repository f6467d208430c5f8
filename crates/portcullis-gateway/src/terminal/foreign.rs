//! Foreign text, made safe for the terminal that shows it.

use crate::characters::is_invisible;

/// Escapes the characters of JSON that steer or hide, by JSON's own escapes: it stays the same JSON.
pub(crate) fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_dangerous(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// Returns a line in which such characters are replaced.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|character| if is_dangerous(character) { '\u{fffd}' } else { character }).collect()
}

/// Returns lines in which such characters are replaced.
pub(crate) fn safe(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Like [`safe`], except that the plain colours (and bold, dim, italic) of our own log lines stay.
pub(crate) fn coloured(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut shown = safe(parts.next().unwrap_or_default());
    for part in parts {
        let code = part.split_once('m').filter(|(code, _)| COLOURS.contains(code));
        match code {
            Some((code, rest)) => shown.push_str(&format!("\x1b[{code}m{}", safe(rest))),
            None => shown.push_str(&format!("\u{fffd}[{}", safe(part))),
        }
    }
    shown
}

const COLOURS: [&str; 9] = ["0", "1", "2", "3", "31", "32", "33", "34", "35"];

/// Returns true for control characters, and those that turn the direction of text, join or are invisible.
pub(crate) fn is_dangerous(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_escaped_and_the_json_stays_the_same() {
        let value = serde_json::json!({ "a": "\x1b[31m\u{9b}\u{202e}\u{e0041}é\n" });
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.contains("\\u001b[31m\\u009b\\u202e\\udb40\\udc41é\\n"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert_eq!(
            coloured("\x1b[2ma\x1b[0m\n\x1b[8mb\x1b]0;c\x1b[2Jd"),
            "\x1b[2ma\x1b[0m\n\u{fffd}[8mb\u{fffd}]0;c\u{fffd}[2Jd"
        );
        assert_eq!(visible("a\x1b\u{202e}b\n"), "a\u{fffd}\u{fffd}b\u{fffd}");
    }
}
