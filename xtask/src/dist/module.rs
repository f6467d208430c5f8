//! `cargo xtask dist nginx`: the nginx module for Debian's nginx, in an archive and in a package of Debian.

use std::{fs, path::Path};

use super::{
    Purpose, cross, deb, inventory, machine,
    programs::{self, VERSION, compressed, copy, write},
};
use crate::{
    Result, nginx,
    setup::{self, AUDITABLE},
    shell::{program, root, run as run_command},
    steps::Steps,
};

/// The module, where Debian's nginx looks for modules.
const MODULE: &str = "usr/lib/nginx/modules/ngx_http_portcullis_module.so";

/// The line that loads the module, in the place where Debian's packages have theirs.
const LOADS: &str = "usr/share/nginx/modules-available/mod-http-portcullis.conf";

/// Runs the command. The files go beside those of the programs, and into their list of checksums.
pub(super) fn run() -> Result {
    let folder = programs::folder(Purpose::Release);
    let mut steps = Steps::new(false);
    let name = format!("portcullis-nginx-{VERSION}-debian-nginx{}-linux-x64", nginx::version()?);
    let tree = folder.join(&name);
    steps.run("setup", || {
        nginx::set_up()?;
        setup::install(&AUDITABLE)?;
        super::make(&folder)
    });
    steps.run("build", || {
        let built = nginx::build_for_dist(&cross::flags().join(" "), &root().join("target/cross/nginx"))?;
        let bytes = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
        let named = machine::named_in("the module", &bytes);
        crate::kept("binaries name no folder of this machine", &named)?;
        copy(&built, &tree.join("ngx_http_portcullis_module.so"), 0o644)
    });
    steps.run("licences and bills of materials", || inventory::write_once(&folder));
    steps.run("load it", || loads(&tree));
    steps.run("pack", || pack(&tree, &folder));
    steps.run("checksums", || super::write_sums(&folder));
    steps.finish()
}

/// Has Debian's nginx load the module, and test a configuration with one of its directives.
fn loads(tree: &Path) -> Result {
    let module = tree.join("ngx_http_portcullis_module.so");
    let folder = root().join("target/nginx");
    let configuration = folder.join("load.conf");
    let text = format!(
        "load_module {};\npid {}/load.pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; portcullis off; }}\n",
        module.display(),
        folder.display()
    );
    write(&configuration, text.as_bytes(), 0o644)?;
    run_command(program("nginx").args(["-t", "-e", "stderr", "-c"]).arg(&configuration))
}

fn pack(tree: &Path, folder: &Path) -> Result {
    for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&root().join(file), &tree.join(file), 0o644)?;
    }
    copy(&root().join("docs/nginx-module.md"), &tree.join("nginx-module.md"), 0o644)?;
    copy(&root().join("deploy/nginx/README.md"), &tree.join("README.md"), 0o644)?;
    copy(&folder.join(inventory::LICENCES), &tree.join(inventory::LICENCES), 0o644)?;
    compressed(tree, Purpose::Release)?;
    debian(tree, folder)?;
    fs::remove_dir_all(tree).map_err(|error| format!("{}: {error}", tree.display()))
}

/// Packs the package of Debian, which fits exactly the nginx that it was built for.
fn debian(tree: &Path, folder: &Path) -> Result {
    let place = folder.join("deb");
    super::empty(&place)?;
    copy(&tree.join("ngx_http_portcullis_module.so"), &place.join(MODULE), 0o644)?;
    write(&place.join(LOADS), b"load_module modules/ngx_http_portcullis_module.so;\n", 0o644)?;
    let documents = place.join("usr/share/doc/libnginx-mod-http-portcullis");
    copy(&tree.join("README.md"), &documents.join("README.md"), 0o644)?;
    deb::licences(tree, &documents)?;
    let control = deb::control(&deb::Control {
        package: "libnginx-mod-http-portcullis",
        architecture: "amd64",
        depends: &format!(
            "{}, libc6 (>= {}), ca-certificates",
            nginx::abi()?,
            cross::needed_glibc(&tree.join("ngx_http_portcullis_module.so"))?
        ),
        section: "httpd",
        description: "nginx module that judges OAuth 2.0 access tokens",
        more: "Guards locations of nginx in its own process: may this request pass?",
    });
    write(&place.join("DEBIAN/control"), control.as_bytes(), 0o644)?;
    for script in ["postinst", "prerm"] {
        copy(&root().join("deploy/nginx").join(script), &place.join("DEBIAN").join(script), 0o755)?;
    }
    deb::build(&place, &folder.join(format!("libnginx-mod-http-portcullis_{VERSION}_amd64.deb")), Purpose::Release)
}
