//! Values on the command line, and their form in portcullis.toml.

use serde_json::{Value, json};

use crate::config::Kind;

/// The form of an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// The value as it is.
    Whole,
    /// Several values, separated by this character.
    Split(char),
    /// An array of several values, separated by this character.
    Group(char),
    /// A rule for a claim: its name, its name and its value, or the whole rule as JSON.
    Claim,
}

impl Written {
    /// Reads the value of an option. Valid JSON is read as such if the field may be something else than text.
    pub(super) fn read(self, given: &str, kind: Kind) -> Vec<Value> {
        let split = |separator| given.split(separator).filter(|part: &&str| !part.is_empty()).map(Value::from);
        match self {
            Self::Whole if kind == Kind::Other => vec![json_or_text(given)],
            Self::Whole => vec![given.into()],
            Self::Split(separator) => split(separator).collect(),
            Self::Group(separator) => vec![split(separator).collect()],
            Self::Claim => vec![claim(given)],
        }
    }
}

fn claim(given: &str) -> Value {
    match (serde_json::from_str::<Value>(given), given.split_once('=')) {
        (Ok(rule), _) if rule.is_object() => rule,
        (_, Some((name, value))) => json!({ "name": name, "value": json_or_text(value) }),
        (_, None) => json!({ "name": given }),
    }
}

fn json_or_text(given: &str) -> Value {
    serde_json::from_str(given).unwrap_or_else(|_| given.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_name_and_perhaps_a_value_or_a_rule() {
        let table = [
            ("sub", json!({ "name": "sub" })),
            ("role=admin", json!({ "name": "role", "value": "admin" })),
            ("level=3", json!({ "name": "level", "value": 3 })),
            ("level=\"3\"", json!({ "name": "level", "value": "3" })),
            ("/a/b=", json!({ "name": "/a/b", "value": "" })),
            ("a=b=c", json!({ "name": "a", "value": "b=c" })),
            ("=x", json!({ "name": "", "value": "x" })),
            ("{\"name\": \"sub\", \"matches\": \"a=*\"}", json!({ "name": "sub", "matches": "a=*" })),
            ("{", json!({ "name": "{" })),
        ];
        for (given, rule) in table {
            assert_eq!(Written::Claim.read(given, Kind::List), [rule], "{given}");
        }
    }
}
