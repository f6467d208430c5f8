//! Variables of the environment in texts of the configuration: `"${NAME}"`.

use std::borrow::Cow;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{Problem, Problems};

/// Puts variables into all texts of a document: `${NAME}` is the value of that variable, `$${` the characters `${`.
///
/// A variable that is not set, or empty, is noted on its line.
pub(super) fn fill(document: &mut DeTable<'_>, variable: &impl Fn(&str) -> Option<String>, problems: &Problems) {
    document.iter_mut().for_each(|(_, value)| fill_value(value, variable, problems));
}

fn fill_value(value: &mut Spanned<DeValue<'_>>, variable: &impl Fn(&str) -> Option<String>, problems: &Problems) {
    let place = value.span();
    match value.get_mut() {
        DeValue::String(text) if text.contains("${") => match filled(text, variable) {
            Ok(whole) => *text = Cow::Owned(whole),
            Err(problem) => problems.note(problem.at(place)),
        },
        DeValue::Array(values) => values.iter_mut().for_each(|value| fill_value(value, variable, problems)),
        DeValue::Table(entries) => fill(entries, variable, problems),
        _ => {}
    }
}

fn filled(text: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<String, Problem> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            whole.extend([before, "${"]);
            rest = after;
            continue;
        }
        let Some((name, after)) = after.split_once('}').filter(|(name, _)| is_name(name)) else {
            let problem =
                "expected the name of a variable between `${` and `}`, of letters, digits and `_`, got other text";
            return Err(Problem::somewhere(problem).help("write it as in \"${ISSUER}\"; `$${` stands for `${` itself"));
        };
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else {
            let problem = format!("expected the variable `{name}` in the environment, got none, or an empty one");
            return Err(Problem::somewhere(problem).help(format!("set `{name}` for the gateway's process")));
        };
        whole.extend([before, &value]);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// Returns true for the name of a variable (POSIX, section 8.1).
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_and_nothing_else_is_changed() {
        let variable = |name: &str| match name {
            "HOST" => Some("as.example.com".to_owned()),
            "TRICKY" => Some("${HOST}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("https://${HOST}", Some("https://as.example.com")),
            ("${HOST}${HOST}", Some("as.example.comas.example.com")),
            ("${TRICKY}", Some("${HOST}")),
            ("$HOST costs $5", Some("$HOST costs $5")),
            ("$${HOST}", Some("${HOST}")),
            ("$$${HOST}", Some("$${HOST}")),
            ("a $${ b", Some("a ${ b")),
            ("${MISSING}", None),
            ("${EMPTY}", None),
            ("${HOST", None),
            ("${}", None),
            ("${1}", None),
            ("${HOST:-x}", None),
            ("${ HOST }", None),
        ] {
            assert_eq!(filled(text, &variable).ok().as_deref(), expected, "{text}");
        }
    }
}
