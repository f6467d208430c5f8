//! Promises in SECURITY.md: each names its tests, and each named test exists.
//!
//! A promise is an item of a list under any heading but those of [`NO_PROMISES`]. It ends with `(tests: …)`: names of
//! test functions in Rust, or titles of tests in JavaScript, each in backticks.

use std::{collections::HashSet, fs};

use crate::{Result, kept, shell};

const PAGE: &str = "SECURITY.md";

/// Headings whose items are not promises.
const NO_PROMISES: [&str; 2] = ["Reporting", "What it does not do"];

/// Reads the page and searches for each test.
pub(crate) fn check() -> Result {
    let page = fs::read_to_string(shell::root().join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let faults = faults(&page, &tests()?);
    kept("each promise in SECURITY.md names its tests", &faults)
}

/// A line for each promise without a test, and for each missing test.
fn faults(page: &str, tests: &HashSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for promise in promises(page) {
        let start: String = promise.chars().take(70).collect();
        let named = named_tests(&promise);
        if named.is_empty() {
            faults.push(format!("- expected `(tests: …)` at the end of: {start}…"));
        }
        let missing = named.into_iter().filter(|name| !tests.contains(*name));
        faults.extend(missing.map(|name| format!("- expected a test called `{name}`, got none, named by: {start}…")));
    }
    faults
}

/// The promises, each on one line.
fn promises(page: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut counts, mut within) = (false, false);
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            (counts, within) = (!NO_PROMISES.contains(&heading.trim()), false);
        } else if let Some(item) = line.strip_prefix("- ").filter(|_| counts) {
            found.push(item.to_owned());
            within = true;
        } else if let Some(last) = found.last_mut().filter(|_| within && line.starts_with(' ')) {
            last.push(' ');
            last.push_str(line.trim());
        } else {
            within = false;
        }
    }
    found
}

/// The texts in backticks within `(tests: …)` at the end.
fn named_tests(promise: &str) -> Vec<&str> {
    let Some((_, names)) =
        promise.trim_end().trim_end_matches('.').strip_suffix(')').and_then(|rest| rest.rsplit_once("(tests: "))
    else {
        return Vec::new();
    };
    names.split('`').skip(1).step_by(2).collect()
}

/// The name of every test of the project.
fn tests() -> Result<HashSet<String>> {
    let mut tests = HashSet::new();
    for file in shell::files(["*.rs", "*.js"])? {
        let text = fs::read_to_string(shell::root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
        tests.extend(if file.ends_with(".rs") { rust_tests(&text) } else { javascript_tests(&text) });
    }
    Ok(tests)
}

/// The macro that makes a test for each proxy from each function in its list.
const BEHIND_EACH_PROXY: &str = "behind_each_proxy!(";

/// The functions after any kind of `#[test]`, those of `proptest!`, and those of [`BEHIND_EACH_PROXY`].
fn rust_tests(text: &str) -> Vec<String> {
    let lists = text.split(BEHIND_EACH_PROXY).skip(1).filter_map(|rest| rest.split(')').next());
    let mut names: Vec<_> = lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).collect();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
            names.extend(name.split(['(', '<']).next().map(str::to_owned));
            is_test = false;
        }
    }
    names
}

/// The titles of `test('…', …)`.
fn javascript_tests(text: &str) -> Vec<String> {
    let titles = text.lines().filter_map(|line| line.trim_start().strip_prefix("test("));
    titles
        .filter_map(|title| {
            let quote = title.chars().next().filter(|&quote| "'\"`".contains(quote))?;
            title.get(1..)?.split(quote).next().map(str::to_owned)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
## Reporting
- Write to us.
## What it promises
- Nobody passes
  without a token (tests: `nobody_passes`, `a title`).
- No more than that. (tests: `it_ends`)
- Nothing else.
- Everything (tests: `missing`)

| a | table |
## What it does not do
- Wonders.
";

    #[test]
    fn a_promise_without_a_test_is_told() {
        let tests = ["nobody_passes", "it_ends", "a title"].map(str::to_owned).into();
        let faults = faults(PAGE, &tests);
        assert_eq!(
            faults,
            [
                "- expected `(tests: …)` at the end of: Nothing else.…",
                "- expected a test called `missing`, got none, named by: Everything (tests: `missing`)…"
            ]
        );
        assert_eq!(promises(PAGE).len(), 4);
    }

    #[test]
    fn tests_are_found_in_both_languages() {
        let rust = "#[tokio::test(start_paused = true)]\n#[allow(unused)]\nasync fn one() {}\nfn no_test() {}\n    #[test]\n    fn two(a in b) {}\nbehind_each_proxy!(three, four);";
        assert_eq!(rust_tests(rust), ["three", "four", "one", "two"]);
        assert_eq!(
            javascript_tests("test('a title', async () => {\n  test(`other`, x)\nrun('no')"),
            ["a title", "other"]
        );
    }
}
