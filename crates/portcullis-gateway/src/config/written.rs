//! Values as portcullis.toml has them.

use serde_json::Value;

/// Writes a key and its value in TOML.
pub(crate) fn line(key: &str, value: &Value) -> String {
    format!("{key} = {}\n", toml(value))
}

/// Writes a value in TOML, which has no `null`: it is written all the same, and reported as a mistake.
fn toml(value: &Value) -> String {
    let joined = |values: Vec<String>| values.join(", ");
    match value {
        Value::Array(values) => format!("[{}]", joined(values.iter().map(toml).collect())),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| format!("{} = {}", written_key(key), toml(value));
            format!("{{ {} }}", joined(members.iter().map(member).collect()))
        }
        Value::String(text) => Value::from(text.replace('\u{7f}', "\u{fffd}")).to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Writes a key, quoted if necessary.
fn written_key(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(is_bare) { key.to_owned() } else { toml(&key.into()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_value_is_written_as_in_toml() {
        let table = [
            (json!("a \"b\" \\ \n\u{1}\u{1f980}"), "x = \"a \\\"b\\\" \\\\ \\n\\u0001\u{1f980}\"\n"),
            (json!(["a", 3, true, 1.5, 1e300]), "x = [\"a\", 3, true, 1.5, 1e+300]\n"),
            (json!({ "a b": { "c": ["d"] } }), "x = { \"a b\" = { c = [\"d\"] } }\n"),
        ];
        for (value, expected) in table {
            let written = line("x", &value);
            assert_eq!(written, expected);
            assert!(toml::de::DeTable::parse(&written).is_ok(), "{written}");
        }
        assert!(toml::de::DeTable::parse(&line("x", &Value::Null)).is_err());
    }
}
