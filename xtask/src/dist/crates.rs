//! `cargo xtask dist crates`: the `.crate` files, as a registry would hand them out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Purpose;
use crate::{
    Result,
    manifest::all_packages,
    shell::{cargo, program, root, run as run_command, run_reading},
};

/// Packs the publishable packages, and writes their checksums.
pub(super) fn run(purpose: Purpose) -> Result {
    let folder = folder(purpose);
    let packed = pack(purpose)?;
    super::empty(&folder)?;
    for file in &packed {
        let name = file.file_name().unwrap_or_default();
        fs::copy(file, folder.join(name)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    super::write_sums(&folder)
}

/// The folder with the `.crate` files.
pub(super) fn folder(purpose: Purpose) -> PathBuf {
    purpose.folder().join("crates")
}

/// Packs the publishable packages, and returns their files. `home.rs` builds a project with them: cargo would build each alone.
fn pack(purpose: Purpose) -> Result<Vec<PathBuf>> {
    let packages: Vec<_> = all_packages()?.into_iter().filter(|package| package.is_published).collect();
    let mut pack = cargo(["package", "--no-verify", "--locked"]);
    if purpose == Purpose::Trial {
        pack.arg("--allow-dirty");
    }
    packages.iter().for_each(|package| {
        pack.args(["--package", &package.name]);
    });
    run_command(&mut pack)?;
    let version = env!("CARGO_PKG_VERSION");
    let built = root().join("target/package");
    Ok(packages.iter().map(|package| built.join(format!("{}-{version}.crate", package.name))).collect())
}

/// Makes a directory source in this folder: our `.crate` files, unpacked, and all that they depend on.
pub(super) fn directory_source(purpose: Purpose, to: &Path) -> Result {
    let packed = folder(purpose);
    // Its settings for cargo are printed; those of `home.rs` name the folder in its place.
    run_reading(cargo(["vendor", "--quiet", "--locked", "--versioned-dirs"]).arg(to))?;
    let files = fs::read_dir(&packed).map_err(|error| format!("{}: {error}", packed.display()))?;
    for file in files.filter_map(|entry| Some(entry.ok()?.path())) {
        if file.extension().is_none_or(|extension| extension != "crate") {
            continue;
        }
        run_command(program("tar").arg("-xzf").arg(&file).arg("-C").arg(to))?;
        let sum = super::sha256(&file)?;
        let unpacked = to.join(file.file_stem().unwrap_or_default()).join(".cargo-checksum.json");
        fs::write(&unpacked, format!("{{\"files\":{{}},\"package\":\"{sum}\"}}"))
            .map_err(|error| format!("{}: {error}", unpacked.display()))?;
    }
    Ok(())
}
