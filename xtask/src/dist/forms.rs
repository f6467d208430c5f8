//! The forms that the gateway comes in, unpacked and ready to start on this machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Purpose, chart, platform::Platform, programs, runtimes};
use crate::{
    Result, kubernetes,
    shell::{program, root, run as run_command},
};

/// The line that ends a process.
const STOP: &str = "kill -TERM $PID";

/// One form of the gateway: lines of the shell, which find the folder with the configuration in `$FOLDER`, and the process of
/// `start` in `$PID`.
#[derive(Serialize)]
pub(super) struct Form {
    name: String,
    /// Starts the gateway, whose log is on standard error.
    start: String,
    reload: String,
    stop: String,
}

impl Form {
    /// A form that is a plain process.
    fn process(name: impl Into<String>, start: String) -> Self {
        Self { name: name.into(), start, reload: "kill -HUP $PID".to_owned(), stop: STOP.to_owned() }
    }
}

/// The forms that were built, unpacked into this folder; and lines about those that cannot be tried here. The package of Debian is
/// installed, upgraded, removed and purged, too.
pub(super) fn unpacked(purpose: Purpose, folder: &Path) -> Result<(Vec<Form>, Vec<String>)> {
    super::empty(folder)?;
    let mut forms = archives(purpose, folder)?;
    let mut left_out = Vec::new();
    if let Some(package) = package(purpose) {
        forms.push(package_by_itself(&package, folder)?);
        match guest(folder, &["true"]) {
            Ok(()) => {
                guest(folder, &["sh", &script("package.sh").display().to_string(), &package.display().to_string()])?;
                forms.push(package_with_systemd(&package));
            }
            Err(error) => {
                left_out.push(format!("the package of Debian installed, and with systemd, which needs root: {error}"));
            }
        }
    }
    if let Some(form) = image(purpose, folder)? {
        match run_command(program("bwrap").args(["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"])) {
            Ok(()) => forms.push(form),
            Err(error) => left_out.push(format!("the image, for which bubblewrap needs namespaces: {error}")),
        }
    }
    let chart = chart::packed(purpose);
    if let (Some(program), true) = (unpacked_program(folder), chart.exists()) {
        let line = |verb: &str| {
            format!("sh {} {verb} {} {}", script("chart.sh").display(), kubernetes::helm().display(), chart.display())
        };
        forms.push(Form {
            name: "the chart".to_owned(),
            start: format!("{} {}", line("start"), program.display()),
            reload: line("reload"),
            stop: STOP.to_owned(),
        });
    }
    Ok((forms, left_out))
}

/// Runs a command on a machine of its own.
fn guest(folder: &Path, command: &[&str]) -> Result {
    run_command(program("sh").arg(script("guest.sh")).args(command).env("FOLDER", folder))
}

/// The archives of all platforms: an emulator runs those of the other processor.
fn archives(purpose: Purpose, folder: &Path) -> Result<Vec<Form>> {
    let mut forms = Vec::new();
    for platform in Platform::ALL {
        let name = format!("portcullis-{}-{platform}", programs::VERSION);
        let archive = programs::folder(purpose).join(format!("{name}.tar.gz"));
        if archive.exists() {
            run_command(program("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder))?;
            let start = runtimes::starter(platform)? + &serve(&folder.join(&name).join("portcullis"));
            forms.push(Form::process(format!("{name}.tar.gz"), start));
        }
    }
    Ok(forms)
}

/// The package's files, as any package manager would unpack them.
fn package_by_itself(package: &Path, folder: &Path) -> Result<Form> {
    let unpacked = folder.join("deb");
    run_command(program("dpkg-deb").arg("-x").arg(package).arg(&unpacked))?;
    Ok(Form::process("the package of Debian, unpacked", serve(&unpacked.join("usr/bin/portcullis"))))
}

fn package_with_systemd(package: &Path) -> Form {
    let script = script("systemd.sh");
    let line = |verb: &str| format!("sh {} {verb}", script.display());
    Form {
        name: "the package of Debian, with systemd".to_owned(),
        start: format!("{} {}", line("start"), package.display()),
        reload: line("reload"),
        stop: line("stop"),
    }
}

/// The part that is read of an unpacked image's configuration for runtimes.
#[derive(Deserialize)]
struct Bundle {
    process: Process,
}

#[derive(Deserialize)]
struct Process {
    args: Vec<String>,
}

/// The image, with a root that nobody can write to, and without rights.
fn image(purpose: Purpose, folder: &Path) -> Result<Option<Form>> {
    let layout = purpose.folder().join("image/layout");
    if !layout.exists() {
        return Ok(None);
    }
    let bundle = folder.join("image");
    let image = format!("{}:{}-amd64", layout.display(), programs::VERSION);
    run_command(program("umoci").args(["unpack", "--rootless", "--image", &image]).arg(&bundle))?;
    let file = bundle.join("config.json");
    let config = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let of_runtime: Bundle = serde_json::from_str(&config).map_err(|error| format!("{}: {error}", file.display()))?;
    let arguments = of_runtime.process.args.join(" ");
    let root = bundle.join("rootfs");
    let signal =
        |name: &str| format!(r#"kill -{name} "$(sed -n 's/.*"child-pid": \([0-9]*\).*/\1/p' "$FOLDER/bwrap.json")""#);
    Ok(Some(Form {
        name: "the image".to_owned(),
        start: format!(
            "bwrap --unshare-user --unshare-pid --as-pid-1 --unshare-ipc --uid 65532 --gid 65532 --cap-drop ALL --clearenv \
             --ro-bind {} / --ro-bind \"$FOLDER\" /etc/portcullis --die-with-parent --info-fd 3 {arguments} \
             3> \"$FOLDER/bwrap.json\"",
            root.display()
        ),
        reload: signal("HUP"),
        stop: signal("TERM"),
    }))
}

/// The line that starts a program.
fn serve(program: &Path) -> String {
    format!("{} serve --config \"$FOLDER/portcullis.toml\"", program.display())
}

/// The program of an unpacked archive.
fn unpacked_program(folder: &Path) -> Option<PathBuf> {
    let unpacked = |platform| folder.join(format!("portcullis-{}-{platform}/portcullis", programs::VERSION));
    [Platform::X64Gnu, Platform::X64Musl].map(unpacked).into_iter().find(|program| program.exists())
}

/// The package of Debian for this machine, if it was built.
fn package(purpose: Purpose) -> Option<PathBuf> {
    let package = programs::folder(purpose).join(format!("portcullis_{}_amd64.deb", programs::VERSION));
    package.exists().then_some(package)
}

fn script(name: &str) -> PathBuf {
    root().join("xtask/src/dist/home").join(name)
}
