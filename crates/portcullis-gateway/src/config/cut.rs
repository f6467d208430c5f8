//! Whether a changed text may have been cut: what the text in force has and this one lacks.
//!
//! A file that was cut between two lines is well-formed, and may say the most dangerous things by what it no longer says. So
//! whatever is gone counts: keys, tables, elements of arrays. Other values are no sign of it, but for a last line that does not
//! end, since a number may have been cut there.

use toml::de::{DeArray, DeTable, DeValue};

/// The last line of a file that is known to be whole.
const MARK: &str = "# end";

/// What names a table among those of an array.
const NAMES: [&str; 4] = ["path", "issuer", "trust_domain", "name"];

/// What is gone, each in words; nothing if the new text ends with the mark, or lacks nothing.
pub(crate) fn gone(running: &str, new: &str) -> Vec<String> {
    if is_marked(new) {
        return Vec::new();
    }
    let mut gone = Vec::new();
    if is_marked(running) {
        gone.push(format!("the last line `{MARK}`"));
    }
    if running.ends_with('\n') && !new.ends_with('\n') {
        gone.push("the end of the last line".to_owned());
    }
    // Both were read before.
    if let (Ok(running), Ok(new)) = (DeTable::parse(running), DeTable::parse(new)) {
        of_table("", running.get_ref(), new.get_ref(), &mut gone);
    }
    gone
}

fn is_marked(text: &str) -> bool {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()) == Some(MARK)
}

fn of_table(path: &str, running: &DeTable<'_>, new: &DeTable<'_>, gone: &mut Vec<String>) {
    for (key, value) in running {
        let key = key.get_ref().as_ref();
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match new.get(key) {
            Some(other) => of_value(&path, value.get_ref(), other.get_ref(), gone),
            None => gone.push(path),
        }
    }
}

fn of_value(path: &str, running: &DeValue<'_>, new: &DeValue<'_>, gone: &mut Vec<String>) {
    match (running, new) {
        (DeValue::Table(running), DeValue::Table(new)) => of_table(path, running, new, gone),
        (DeValue::Table(running), _) => of_table(path, running, &DeTable::new(), gone),
        (DeValue::Array(running), DeValue::Array(new)) => of_array(path, running, new, gone),
        // One text in place of an array is an array of one.
        (DeValue::Array(running), _) if running.len() > 1 => gone.push(format!("elements of {path}")),
        _ => {}
    }
}

fn of_array(path: &str, running: &DeArray<'_>, new: &DeArray<'_>, gone: &mut Vec<String>) {
    let (old, mut left) = (tables(running), tables(new));
    if old.len() != running.len() {
        if new.len() < running.len() {
            gone.push(format!("elements of {path}"));
        }
        return;
    }
    // First those of the same name, in order; then the others, which may have been renamed.
    let mut renamed = Vec::new();
    for (number, table) in (1..).zip(old) {
        match left.iter().position(|other| name(table).is_some() && name(other) == name(table)) {
            Some(at) => of_table(&shown(path, number, table), table, left.remove(at), gone),
            None => renamed.push((number, table)),
        }
    }
    let mut left = left.into_iter();
    for (number, table) in renamed {
        match left.next() {
            Some(other) => of_table(&shown(path, number, table), table, other, gone),
            None => gone.push(shown(path, number, table)),
        }
    }
}

fn tables<'a, 'text>(array: &'a DeArray<'text>) -> Vec<&'a DeTable<'text>> {
    array.iter().filter_map(|value| value.get_ref().as_table()).collect()
}

fn name<'a>(table: &'a DeTable<'_>) -> Option<&'a str> {
    NAMES.iter().find_map(|name| table.get(*name)?.get_ref().as_str())
}

fn shown(path: &str, number: usize, table: &DeTable<'_>) -> String {
    match name(table) {
        Some(name) => format!("{path}[{number}] ({})", super::without_secrets(name)),
        None => format!("{path}[{number}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = r#"
listen = "127.0.0.1:9080"
trusted_proxies = ["10.0.0.1", "10.0.0.2"]

[[issuers]]
issuer = "https://as.example.com"
audience = ["a", "b"]
introspection = { endpoint = "https://as.example.com/introspect", client_id = "c" }

[[routes]]
path = "/admin/*"
scope = ["admin"]

[[routes]]
path = "/*"
claims = [{ name = "level", value = 12 }]

[limits]
connections = 10000
"#;

    /// The running text with something in place of something.
    fn with(old: &str, new: &str) -> String {
        assert!(RUNNING.contains(old), "{old}");
        RUNNING.replacen(old, new, 1)
    }

    #[test]
    fn what_is_gone_is_named() {
        let table: &[(String, &[&str])] = &[
            (RUNNING.to_owned(), &[]),
            (with("[limits]\nconnections = 10000\n", ""), &["limits"]),
            (with("connections = 10000\n", ""), &["limits.connections"]),
            (with("10000\n", "10"), &["the end of the last line"]),
            (with("audience = [\"a\", \"b\"]\n", ""), &["issuers[1] (https://as.example.com).audience"]),
            (with("[\"a\", \"b\"]", "[\"a\"]"), &["elements of issuers[1] (https://as.example.com).audience"]),
            (with("[\"a\", \"b\"]", "\"a\""), &["elements of issuers[1] (https://as.example.com).audience"]),
            (with(", client_id = \"c\"", ""), &["issuers[1] (https://as.example.com).introspection.client_id"]),
            (with("scope = [\"admin\"]\n", ""), &["routes[1] (/admin/*).scope"]),
            (with("[[routes]]\npath = \"/admin/*\"\nscope = [\"admin\"]\n", ""), &["routes[1] (/admin/*)"]),
            (with(", value = 12", ""), &["routes[2] (/*).claims[1] (level).value"]),
            // Other values, more of them, other names and another order are no sign.
            (with("12", "13"), &[]),
            (with("\"a\", \"b\"", "\"c\", \"d\", \"e\""), &[]),
            (with("/admin/*", "/administration/*"), &[]),
            (with("[[routes]]", "[[routes]]\npath = \"/new\"\npublic = true\n\n[[routes]]"), &[]),
            (with("listen", "admin = false\nlisten"), &[]),
            (with("\"a\", \"b\"", "\"b\", \"a\""), &[]),
        ];
        for (text, expected) in table {
            assert_eq!(gone(RUNNING, text), *expected, "{text}");
        }
    }

    #[test]
    fn wherever_it_is_cut_something_is_gone() {
        let running = RUNNING.trim_start();
        for at in running.char_indices().map(|(at, _)| at).skip(1) {
            let Some(cut) = running.get(..at) else { continue };
            let is_read = DeTable::parse(cut).is_ok();
            assert!(!is_read || !gone(running, cut).is_empty(), "{cut}");
        }
    }

    #[test]
    fn a_file_with_the_mark_is_whole_and_is_missed_without_it() {
        let marked = format!("{RUNNING}# end\n");
        let short = "listen = \"127.0.0.1:9080\"\n";
        assert_eq!(gone(&marked, &format!("{short}\n# end")), [] as [&str; 0]);
        assert_eq!(gone(RUNNING, &format!("{short}  # end \n\n")), [] as [&str; 0]);
        assert_eq!(gone(&marked, RUNNING), ["the last line `# end`"]);
        for cut in ["# en\n", "# end of the list\n", "x = \"# end\"\n", "# end\nx = 1\n"] {
            assert!(!gone(&marked, &format!("{RUNNING}{cut}")).is_empty(), "{cut}");
        }
    }
}
