//! The directions of imports: doors -> services -> core, and never upward.
//!
//! 1. The core names neither services nor doors, services name no doors.
//! 2. Doors stand side by side; only `axum` names another, `tower`.
//! 3. The core is pure: no async, no runtime, no logging, no metrics, no I/O, no environment;
//!    `clock` alone reads the time.
//! 4. `crypto` alone names the cryptographic libraries.
//! 5. The testkit depends on nothing of ours, and the library on the testkit for its tests only.
//!
//! What is named through `lib.rs` counts as naming the module that it comes from. Tests may name
//! anything.

mod scan;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use self::scan::{Found, Name};
use crate::{Result, manifest, shell};

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Layer {
    Core,
    Service,
    Door,
}

/// Every module of the library and its layer.
const LAYERS: [(&str, Layer); 26] = [
    ("configuration_error", Layer::Core),
    ("algorithm", Layer::Core),
    ("base64url", Layer::Core),
    ("forged_evidence", Layer::Core),
    ("fuzzing", Layer::Core),
    ("refusal", Layer::Core),
    ("clock", Layer::Core),
    ("bearer", Layer::Core),
    ("token", Layer::Core),
    ("json", Layer::Core),
    ("keys", Layer::Core),
    ("names", Layer::Core),
    ("crypto", Layer::Core),
    ("claims", Layer::Core),
    ("policy", Layer::Core),
    ("challenge", Layer::Core),
    ("verifier", Layer::Service),
    ("jwks", Layer::Service),
    ("introspection", Layer::Service),
    ("token_cache", Layer::Service),
    ("transport", Layer::Service),
    ("telemetry", Layer::Service),
    ("stages", Layer::Service),
    ("tower", Layer::Door),
    ("axum", Layer::Door),
    ("actix", Layer::Door),
];

/// Crates that the core does not use, each with what it stands for.
const IMPURE: [(&str, &str); 4] = [
    ("tokio", "the core has no async and no I/O"),
    ("reqwest", "the core has no I/O"),
    ("tracing", "the core does not log"),
    ("metrics", "the core does not measure"),
];

/// Modules of the standard library that the core does not use.
const IMPURE_STD: [&str; 5] = ["fs", "net", "env", "process", "thread"];

/// A line that breaks a rule.
#[derive(Debug)]
struct Violation {
    file: PathBuf,
    line: usize,
    what: String,
    why: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what, why } = self;
        write!(f, "{}:{line}: {what}: {why}", file.display())
    }
}

/// Checks the workspace; prints each violation.
pub(crate) fn check() -> Result {
    let crates = shell::root().join("crates");
    let library = crates.join("portcullis");
    let mut violations = sources(&library.join("src"))?;
    for package in ["portcullis", "portcullis-testkit"] {
        let file = crates.join(package).join("Cargo.toml");
        violations.extend(manifest_violations(package, &read(&file)?));
    }
    for violation in &violations {
        eprintln!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err("1 import in the wrong direction".to_owned()),
        many => Err(format!("{many} imports in the wrong direction")),
    }
}

fn sources(src: &Path) -> Result<Vec<Violation>> {
    let exports = Exports::of(&read(&src.join("lib.rs"))?);
    let mut files = Vec::new();
    rust_files(src, &mut files)?;
    files.sort();
    let mut violations = Vec::new();
    for file in files {
        let inside = file.strip_prefix(src).unwrap_or(&file);
        violations.extend(source_violations(inside, &read(&file)?, &exports));
    }
    Ok(violations)
}

/// All files of code below `folder`; those of tests are left out.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

/// The names in `lib.rs`, each with the module that it comes from.
#[derive(Default)]
struct Exports(HashMap<String, String>);

impl Exports {
    fn of(lib: &str) -> Self {
        let imports = scan::names(lib).into_iter().filter(|name| name.imported);
        let exports = imports.filter_map(|name| {
            let inside = match name.segments.as_slice() {
                [root, inside @ ..] if root == "crate" || root == "self" => inside,
                all => all,
            };
            let (module, visible) = (inside.first()?, name.visible()?);
            layer(module).map(|_| (visible.to_owned(), module.clone()))
        });
        Self(exports.collect())
    }

    /// The module that `crate::name` leads to.
    fn module<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }
}

fn layer(module: &str) -> Option<Layer> {
    let mut layers = LAYERS.iter();
    layers.find(|(name, _)| *name == module).map(|&(_, layer)| layer)
}

/// What breaks a rule in one file; `file` is its path below `src`.
fn source_violations(file: &Path, text: &str, exports: &Exports) -> Vec<Violation> {
    let steps: Vec<_> = file.iter().filter_map(|step| step.to_str()).collect();
    let [module, ..] = steps.as_slice() else {
        return Vec::new();
    };
    let module = module.trim_end_matches(".rs");
    if module == "lib" {
        return Vec::new();
    }
    let violation =
        |line, what: String, why| Violation { file: Path::new("crates/portcullis/src").join(file), line, what, why };
    let Some(layer) = layer(module) else {
        let what = format!("{module} has no layer");
        return vec![violation(1, what, "give it one in xtask/src/imports/mod.rs")];
    };
    let place = Place { module, layer, depth: steps.len() - usize::from(steps.last() == Some(&"mod.rs")), exports };
    let names = scan::names(text).into_iter().filter_map(|name| {
        let why = place.forbids(&name)?;
        Some(violation(name.line, format!("{module} names {name}"), why))
    });
    let keywords = scan::keywords(text).into_iter().filter_map(|Found { line, what }| {
        let why = "the core has no async";
        (layer == Layer::Core).then(|| violation(line, format!("{module} has `{what}`"), why))
    });
    let mut violations: Vec<_> = names.chain(keywords).collect();
    violations.sort_by_key(|violation| violation.line);
    violations
}

/// Where a name stands.
struct Place<'a> {
    module: &'a str,
    layer: Layer,
    /// How many `super` lead to the root of the crate.
    depth: usize,
    exports: &'a Exports,
}

impl Place<'_> {
    /// Why this name may not stand here.
    fn forbids(&self, name: &Name) -> Option<&'static str> {
        let segments: Vec<_> = name.segments.iter().map(String::as_str).collect();
        if let Some(own) = self.inside_crate(&segments) {
            return self.forbids_module(self.exports.module(own));
        }
        if let Some(&("aws_lc_rs" | "ed25519_dalek")) = segments.first()
            && self.module != "crypto"
        {
            return Some("crypto.rs alone names the cryptographic libraries");
        }
        if self.layer != Layer::Core {
            return None;
        }
        if let ["std", module, ..] = segments.as_slice()
            && IMPURE_STD.contains(module)
        {
            return Some("the core has no I/O and no environment");
        }
        if let [.., "SystemTime" | "Instant", "now"] = segments.as_slice()
            && self.module != "clock"
        {
            return Some("the core takes the time as an argument; clock.rs alone reads it");
        }
        let is_path = segments.len() > 1 || name.imported;
        let mut impure = IMPURE.iter().filter(|_| is_path);
        let found = impure.find(|(root, _)| segments.first() == Some(root));
        found.map(|&(_, why)| why)
    }

    /// The name's first step below the root of the crate, where it starts from there.
    fn inside_crate<'n>(&self, segments: &[&'n str]) -> Option<&'n str> {
        let supers = segments.iter().take_while(|&&step| step == "super").count();
        match *segments.first()? {
            "crate" => segments.get(1).copied(),
            "super" if supers == self.depth => segments.get(supers).copied(),
            _ => None,
        }
    }

    fn forbids_module(&self, named: &str) -> Option<&'static str> {
        let theirs = layer(named)?;
        if theirs > self.layer {
            return Some("imports go from doors to services to the core, never upward");
        }
        let beside = theirs == Layer::Door && named != self.module;
        if beside && (self.module, named) != ("axum", "tower") {
            return Some("doors stand side by side; only axum names another, tower");
        }
        None
    }
}

/// What breaks a rule in the manifest of `package`.
fn manifest_violations(package: &str, text: &str) -> Vec<Violation> {
    let entries = manifest::entries(text).into_iter();
    let dependencies = entries.filter(|entry| entry.table.ends_with("dependencies"));
    let violations = dependencies.filter_map(|entry| {
        let for_tests = entry.table.ends_with("dev-dependencies");
        let why = match (package, entry.key) {
            ("portcullis-testkit", key) if key.starts_with("portcullis") => "the testkit depends on nothing of ours",
            ("portcullis", "portcullis-testkit") if !for_tests => "the library uses the testkit in its tests only",
            _ => return None,
        };
        Some(Violation {
            file: Path::new("crates").join(package).join("Cargo.toml"),
            line: entry.line,
            what: format!("{package} depends on {}", entry.key),
            why,
        })
    });
    violations.collect()
}
