//! Signs that a changed text was truncated: parts of the current text that it lacks.
//!
//! A file that was truncated between two lines is well-formed, and dangerous by what it lacks. So every missing part
//! counts: keys, tables, elements of arrays. So does a new part at the end, whose rest may be missing. Changed values
//! are no sign, except on a last line without an end: a number may have been truncated there.

mod end;

use toml::de::{DeArray, DeTable, DeValue};

/// The last line of a file that is known to be whole.
const MARK: &str = "# end";

/// The keys that name a table in an array.
const NAMES: [&str; 5] = ["path", "issuer", "trust_domain", "resource", "name"];

/// Returns the missing parts, in words; none if the new text ends with the mark, or lacks nothing.
pub(crate) fn gone(running: &str, new: &str) -> Vec<String> {
    if is_marked(new) && is_no_other_mark(running, new) {
        return Vec::new();
    }
    let mut gone = Vec::new();
    if is_marked(running) {
        gone.push(format!("the last line `{MARK}`"));
    }
    if !new.ends_with('\n') && (running.ends_with('\n') || running.lines().last() != new.lines().last()) {
        gone.push("the end of the last line".to_owned());
    }
    // Both were parsed before.
    if let (Ok(old), Ok(other)) = (DeTable::parse(running), DeTable::parse(new)) {
        of_table("", old.get_ref(), other.get_ref(), &mut gone);
        let is_new = end::of_what_is_new(old.get_ref(), other.get_ref());
        if let Some(path) = is_new.filter(|_| last_table(running) != last_table(new)) {
            gone.push(format!("what may follow {path}, which is new and stands last"));
        }
    }
    gone
}

fn is_marked(text: &str) -> bool {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()) == Some(MARK)
}

/// Returns true if the mark of the new text is that of its end: not one of several in the running text, nor the
/// beginning of another line.
fn is_no_other_mark(running: &str, new: &str) -> bool {
    let marks = |text: &str| text.lines().filter(|line| line.trim() == MARK).count();
    let is_longer = |line: &str| line.trim_start().starts_with(MARK) && line.trim() != MARK;
    let is_whole_line = new.ends_with('\n') || (is_marked(running) && !running.lines().any(is_longer));
    is_whole_line && marks(new) >= marks(running)
}

/// Returns the text from the last table header on.
fn last_table(text: &str) -> &str {
    text.rfind("\n[").and_then(|at| text.get(at..)).unwrap_or(text).trim()
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
        // A single text is read as an array of one.
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
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]
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

    /// Returns the running text with a replacement.
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
            // The rest of a new part at the end may be missing.
            (format!("{RUNNING}[cache]\nbytes = 1\n"), &["what may follow cache.bytes, which is new and stands last"]),
            (format!("{RUNNING}streams = 1\n"), &["what may follow limits.streams, which is new and stands last"]),
            (
                format!("{RUNNING}[[routes]]\npath = \"/new\"\n"),
                &["what may follow routes[3].path, which is new and stands last"],
            ),
            (
                format!("{RUNNING}[[headers]]\nname = \"a\"\n"),
                &["what may follow headers[1].name, which is new and stands last"],
            ),
            (with("[limits]", "[[routes]]\npath = \"/admin/*\"\n\n[limits]"), &[]),
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
    fn wherever_it_is_cut_after_something_was_added_it_waits() {
        let added = "[[routes]]\npath = \"/new/*\"\nscope = [\"new\"]\nclaims = [{ name = \"a\", value = 12 }]\n\n[[issuers]]\n\
                     issuer = \"https://b.example.com\"\naudience = \"b\"\n\n[issuers.introspection]\nkeep_for = \"1s\"\n";
        for running in [RUNNING, RUNNING.trim_end()] {
            let whole = format!("{running}\n{added}");
            for at in (2..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
                let cut = &whole[..at];
                let is_read = DeTable::parse(cut).is_ok();
                let lacks_nothing = DeTable::parse(cut).ok().map(|table| format!("{table:?}"))
                    == DeTable::parse(running).ok().map(|table| format!("{table:?}"));
                assert!(!is_read || lacks_nothing || !gone(running, cut).is_empty(), "{cut}");
            }
        }
    }

    #[test]
    fn a_number_that_is_cut_waits_whether_the_last_line_ended_before_or_not() {
        let running = RUNNING.trim_end();
        assert_eq!(gone(running, running), [] as [&str; 0]);
        assert_eq!(gone(running, running.strip_suffix('0').unwrap()), ["the end of the last line"]);
    }

    #[test]
    fn a_mark_that_is_not_the_end_marks_nothing() {
        let several = format!("{RUNNING}# end\n[cache]\nbytes = 1\n# end\n");
        let first = several.split_inclusive("# end\n").next().unwrap();
        assert_eq!(gone(&several, first), ["the last line `# end`", "cache"]);
        let commented = RUNNING.replacen("[limits]", "# end of the routes\n[limits]", 1);
        let cut = commented.split_inclusive("# end").next().unwrap();
        assert_eq!(gone(&commented, cut), ["the end of the last line", "limits"]);
        assert_eq!(gone(RUNNING, &format!("{RUNNING}# end")), ["the end of the last line"]);
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
