//! The end of a new text, compared with another text.

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::name;

/// Returns the path of the last key of the new text, if the running text lacks it or its parent.
pub(super) fn of_what_is_new(running: &DeTable<'_>, new: &DeTable<'_>) -> Option<String> {
    of_table(Some(running), new)
}

fn of_table(running: Option<&DeTable<'_>>, new: &DeTable<'_>) -> Option<String> {
    let Some((key, value)) = new.iter().max_by_key(|(key, value)| last(value).max(key.span().start)) else {
        return running.is_none().then(String::new);
    };
    let key = key.get_ref();
    let old = running.and_then(|running| running.get(key.as_ref())).map(Spanned::get_ref);
    match value.get_ref() {
        DeValue::Table(table) if !table.is_empty() => {
            of_table(old.and_then(DeValue::as_table), table).map(|rest| joined(key, &rest))
        }
        DeValue::Array(array) => match last_table(array) {
            Some(table) => {
                let counterpart = old.and_then(DeValue::as_array).and_then(|old| counterpart(old, array, table));
                of_table(counterpart, table).map(|rest| joined(&format!("{key}[{}]", array.len()), &rest))
            }
            None => old.is_none().then(|| key.to_string()),
        },
        _ => old.is_none().then(|| key.to_string()),
    }
}

fn joined(path: &str, rest: &str) -> String {
    if rest.is_empty() { path.to_owned() } else { format!("{path}.{rest}") }
}

/// Returns the start of the last key within a value, or of the value itself.
fn last(value: &Spanned<DeValue<'_>>) -> usize {
    let within = match value.get_ref() {
        DeValue::Table(table) => table.iter().map(|(key, value)| last(value).max(key.span().start)).max(),
        DeValue::Array(array) => array.iter().map(last).max(),
        _ => None,
    };
    within.unwrap_or(0).max(value.span().start)
}

fn last_table<'a, 'text>(array: &'a DeArray<'text>) -> Option<&'a DeTable<'text>> {
    array.iter().next_back()?.get_ref().as_table()
}

/// Returns the table of the running text that corresponds to the last one of an array, if there is one: by the same
/// name, or one that may have been renamed.
fn counterpart<'a, 'text>(
    running: &'a DeArray<'text>,
    new: &DeArray<'_>,
    table: &DeTable<'_>,
) -> Option<&'a DeTable<'text>> {
    let named =
        |array: &DeArray<'_>| super::tables(array).into_iter().filter(|other| name(other) == name(table)).count();
    let (before, now) = (named(running), named(new));
    match before {
        0 if new.len() <= running.len() => last_table(running),
        _ if before >= now => super::tables(running).into_iter().rfind(|other| name(other) == name(table)),
        _ => None,
    }
}
