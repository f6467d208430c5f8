//! The public API of the published libraries, held against a list in each: a change of the API is a change of its list.

use std::{collections::HashSet, fs};

use public_api::Builder;

use crate::{
    Result, kept,
    manifest::{Package, all_features, libraries, selected},
    setup,
    shell::{cargo, output, program, root, run as run_command},
};

/// Compares each API with its list; with `write`, writes the lists.
pub(crate) fn check(write: bool) -> Result {
    let libraries = libraries()?;
    describe(&libraries)?;
    let mut changes = Vec::new();
    for library in libraries.iter().map(|library| library.name.as_str()) {
        let file = root().join("crates").join(library).join("api.txt");
        let now = api(library)?;
        if write {
            fs::write(&file, &now).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let listed = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        changes.extend(differences(&listed, &now).map(|change| format!("{library}: {change}")));
    }
    kept(
        "the public API is the one in api.txt: `cargo xtask api --write` writes it anew, for the change's review",
        &changes,
    )
}

/// Judges whether the version in the manifests fits the changes of each API since a revision, or else since the newest tag of a release.
pub(crate) fn judge(revision: &str) -> Result {
    let mut newest = program("git");
    let newest = output(newest.args(["describe", "--tags", "--abbrev=0", "--match=v[0-9]*"]));
    let revision = match (revision, newest) {
        ("", Some(tag)) => tag,
        ("", None) => {
            println!("no tag v*: there is no release to compare with");
            return Ok(());
        }
        (revision, _) => revision.to_owned(),
    };
    setup::install(&setup::SEMVER_CHECKS)?;
    libraries()?.iter().try_for_each(|library| {
        let mut judge = cargo(["semver-checks", "--baseline-rev", &revision, "--package", &library.name]);
        judge.arg("--only-explicit-features");
        library.features.iter().for_each(|feature| {
            judge.args(["--features", feature]);
        });
        run_command(&mut judge)
    })
}

/// Has rustdoc describe the libraries in JSON, which it does under an unstable flag, with the dependencies of the documentation.
fn describe(packages: &[Package]) -> Result {
    // For rustdoc alone: in the environment of cargo, the variable would have dependencies built again.
    let rustdoc = root().join("target/rustdoc-of-this-rust");
    let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    fs::write(&rustdoc, script).map_err(|error| format!("{}: {error}", rustdoc.display()))?;
    run_command(program("chmod").arg("+x").arg(&rustdoc))?;
    let mut doc = cargo(["doc", "--no-deps", "--lib"]);
    doc.args(selected(packages)).arg(all_features(packages)).env("RUSTDOC", &rustdoc);
    run_command(doc.env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json"))
}

fn api(library: &str) -> Result<String> {
    let file = root().join("target/doc").join(format!("{}.json", library.replace('-', "_")));
    let builder = Builder::from_rustdoc_json(&file).omit_blanket_impls(true).omit_auto_derived_impls(true);
    let api = builder.omit_auto_trait_impls(true).build();
    Ok(api.map_err(|error| format!("{}: {error}", file.display()))?.to_string())
}

/// The lines of one text alone.
fn differences<'a>(listed: &'a str, now: &'a str) -> impl Iterator<Item = String> + use<'a> {
    let only = |one: &'a str, other: &'a str, what: &'static str| {
        let other: HashSet<_> = other.lines().collect();
        one.lines().filter(move |line| !other.contains(line)).map(move |line| format!("{what} {line}"))
    };
    only(listed, now, "taken away:").chain(only(now, listed, "added:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_and_taken_away_is_told() {
        let changes: Vec<_> = differences("pub fn a()\npub fn b()", "pub fn b()\npub fn c()").collect();
        assert_eq!(changes, ["taken away: pub fn a()", "added: pub fn c()"]);
        assert_eq!(differences("pub fn a()", "pub fn a()").count(), 0);
    }
}
