//! `cargo xtask docs`: the site, made by mdBook from the pages of the repository, and the checks of these pages.
//!
//! The site has the paths of the repository, so that each link of a page means the same in both. A file beside the pages, such as
//! a configuration in `examples/`, becomes a page with its text, and a folder one with its files: no link needs the address of a
//! repository. The API of Rust is `cargo doc`'s, in the site's folder `api/rust`.

mod blocks;
mod links;
mod page;
mod site;
mod stage;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Result,
    manifest::{all_features, libraries, selected},
    setup,
    shell::{self, cargo, program, run as run_command},
    steps::Steps,
};

/// Fails with a line for each link that leads nowhere, and for each code block without a test or a reason.
pub(crate) fn check() -> Result {
    links::check()?;
    blocks::check()
}

/// Runs the command; without the API of Rust if `pages` alone are wanted.
pub(crate) fn run(pages: bool) -> Result {
    check()?;
    setup::mdbook()?;
    let (book, site) = (stage::write()?, folder());
    run_command(program("mdbook").arg("build").arg(&book).arg("--dest-dir").arg(&site))?;
    if !pages {
        document_libraries()?;
        copy(&shell::root().join("target/doc"), &site.join(links::API).join("rust"))?;
    }
    let count = site::check(&site)?;
    println!("docs: {count} pages, each link in them followed; begin at {}", site.join("index.html").display());
    Ok(())
}

/// Adds the step to `cargo xtask test`: the site without the API of Rust, which the checks build.
pub(crate) fn add_to(steps: &mut Steps) {
    steps.run("site of the documentation", || run(true));
}

/// The folder of the site.
fn folder() -> PathBuf {
    shell::root().join("target/site")
}

fn document_libraries() -> Result {
    let libraries = libraries()?;
    let mut doc = cargo(["doc", "--no-deps"]);
    doc.args(selected(&libraries)).arg(all_features(&libraries));
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) -> Result {
    let failed = |error| format!("cannot copy {} to {}: {error}", from.display(), to.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}
