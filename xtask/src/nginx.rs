//! The nginx module: built for Debian's nginx, and with an nginx of its own ("vendored"), which is newer.
//!
//! `ngx` makes its bindings from nginx's headers, as `configure` left them. Both builds share the target folder: `vendored` is a
//! feature of `ngx`, so that cargo keeps the bindings of both, and compiles only the module again when the other one is built.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    manifest::NGINX,
    proxies,
    setup::{self, unless_done},
    shell::{self, cargo, output, program, run as run_command, run_reading},
    steps::{OK, Steps},
    test::{Counts, run_tests, whole_workspace_tests, workspace_tests},
};

/// The file name of the module, which nginx loads.
const MODULE: &str = "ngx_http_portcullis_module.so";

/// The folder of nginx's headers in Debian's package `nginx-dev`. Its `configure` writes into the folder that it is started in.
const DEBIAN: &str = "/usr/share/nginx/src";

/// Flags for the vendored nginx that Debian's has among its own: tests load these modules, too.
const VENDORED_FLAGS: &str =
    "--with-http_auth_request_module --with-http_stub_status_module --with-http_addition_module";

/// Runs the command.
pub(crate) fn run(release: bool, vendored: bool) -> Result {
    set_up()?;
    let module = if vendored {
        let Vendored { program, module } = build_vendored(release)?;
        println!("nginx: {}", program.display());
        module
    } else {
        build(release)?
    };
    println!("module: {}\nin nginx.conf, at the top:\n\nload_module {};", module.display(), module.display());
    Ok(())
}

/// Adds the tests of the module in a newer nginx than Debian's to `cargo xtask test`. Those in Debian's run with all others.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("nginx module: newer nginx", || {
        let tests = || {
            let mut test = whole_workspace_tests()?;
            for_vendored(test.args(["--features", "portcullis-nginx/vendored", "--test", "nginx"]));
            Ok::<_, String>(test)
        };
        let messages = run_reading(tests()?.args(["--no-run", "--message-format=json-render-diagnostics"]))?;
        let program = keep(&built_nginx(&messages)?, &folder().join("vendored-nginx"))?;
        run_tests(tests()?.env("PORTCULLIS_NGINX", program), counts)
    });
}

/// Builds the module with the features of the other tests, so that no library is built anew for it, and returns its path.
pub(crate) fn built_with_tests() -> Result<PathBuf> {
    let mut build = workspace_tests()?;
    build.args(["--test", "nginx", "--no-run", "--message-format=json-render-diagnostics"]);
    built_module(&run_reading(&mut build)?)
}

/// Configures nginx's headers, so that lints and documentation take the module in; returns the word for the table of checks.
pub(crate) fn headers_for_checks() -> Result<&'static str> {
    match missing() {
        Some(missing) => Ok(missing),
        None => configured().map(|()| OK),
    }
}

/// Installs nginx, its headers and the library that reads them, and configures the headers as Debian does.
pub(crate) fn set_up() -> Result {
    proxies::debian(&["nginx"])?;
    if has_headers() {
        setup::present("nginx-dev")?;
    } else {
        setup::apt_install(&["nginx-dev"])?;
    }
    if has_libclang() {
        setup::present("libclang")?;
    } else {
        setup::apt_install(&["libclang-dev"])?;
    }
    configured()
}

/// Builds the module for Debian's nginx, and returns its path.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let messages = run_reading(for_debian(&mut cargo_build(release)))?;
    keep(&built_module(&messages)?, &folder().join(MODULE))
}

/// The command that builds the module for Debian's nginx in release mode, for a caller that chooses checkout and target folder.
pub(crate) fn release_build() -> Command {
    let mut build = cargo(["build", "--release", "--package", NGINX]);
    for_debian(&mut build);
    build
}

/// Has a command for the whole workspace take the module in, or leave it out where the headers are not set up.
pub(crate) fn within(command: &mut Command) {
    match is_configured() {
        true => for_debian(command),
        false => command.args(["--exclude", NGINX]),
    };
}

/// Adds the module to the packages that a command names, where the headers are set up.
pub(crate) fn beside(command: &mut Command) {
    if is_configured() {
        for_debian(command.args(["--package", NGINX]));
    }
}

fn is_configured() -> bool {
    folder().join("debian/.configured").exists()
}

/// An nginx that was built from source, and the module for it.
pub(crate) struct Vendored {
    pub(crate) program: PathBuf,
    pub(crate) module: PathBuf,
}

/// Builds an nginx from source, and the module for it.
pub(crate) fn build_vendored(release: bool) -> Result<Vendored> {
    let messages = run_reading(for_vendored(cargo_build(release).args(["--features", "vendored"])))?;
    let module = keep(&built_module(&messages)?, &folder().join("vendored").join(MODULE))?;
    let program = keep(&built_nginx(&messages)?, &folder().join("vendored-nginx"))?;
    Ok(Vendored { program, module })
}

/// The reason why the module cannot be built here, for the table of checks.
fn missing() -> Option<&'static str> {
    if !has_headers() {
        Some("module not checked: no nginx-dev")
    } else if !has_libclang() {
        Some("module not checked: no libclang-dev")
    } else {
        None
    }
}

fn has_headers() -> bool {
    Path::new(DEBIAN).join("configure").exists()
}

fn has_libclang() -> bool {
    // The variable tells where a libclang is that no package brought.
    env::var_os("LIBCLANG_PATH").is_some() || version_of("libclang-dev").is_some()
}

/// The version of an installed package of Debian.
fn version_of(package: &str) -> Option<String> {
    let mut query = program("dpkg-query");
    let answer = output(query.args(["--show", "--showformat=${db:Status-Status} ${Version}", package]))?;
    answer.strip_prefix("installed ").map(str::to_owned)
}

/// Copies Debian's headers and configures the copy, unless that was done for the installed version.
fn configured() -> Result {
    let (source, copy) = (Path::new(DEBIAN), folder().join("debian"));
    let flags = flags(&source.join("conf_flags"))?;
    let wanted = format!("{}\n{}", version_of("nginx-dev").unwrap_or_default(), flags.join("\n"));
    unless_done("the configured copy of nginx's headers", &copy.join(".configured"), &wanted, || {
        println!("setup: configuring the headers of nginx");
        if copy.exists() {
            fs::remove_dir_all(&copy).map_err(|error| format!("cannot delete {}: {error}", copy.display()))?;
        }
        make_folder(&folder())?;
        run_command(program("cp").arg("-R").arg(source).arg(&copy))?;
        run_command(program("./configure").args(flags).current_dir(&copy))
    })
}

/// The flags with which Debian configures nginx, from a file with an array of bash.
fn flags(file: &Path) -> Result<Vec<String>> {
    let mut bash = program("bash");
    bash.args(["-c", r#". "$0" && printf '%s\n' "${NGX_CONF_FLAGS[@]}""#]).arg(file);
    let flags: Vec<_> = output(&mut bash).unwrap_or_default().lines().map(str::to_owned).collect();
    if flags.iter().all(String::is_empty) {
        return Err(format!(
            "expected the array NGX_CONF_FLAGS in {}, got none: install nginx-dev anew",
            file.display()
        ));
    }
    Ok(flags)
}

/// A build that tells where its results are, in lines of JSON.
fn cargo_build(release: bool) -> Command {
    let mut build = cargo(["build", "--package", NGINX, "--message-format=json-render-diagnostics"]);
    build.args(release.then_some("--release"));
    build
}

fn for_debian(command: &mut Command) -> &mut Command {
    command.env("NGINX_BUILD_DIR", folder().join("debian/objs")).env_remove("NGINX_SOURCE_DIR")
}

fn for_vendored(command: &mut Command) -> &mut Command {
    command.env("NGX_CONFIGURE_ARGS", VENDORED_FLAGS);
    // The last is set by the `cargo run` of this program, and would let nginx be built again in a terminal, where it is not set.
    for name in ["NGINX_BUILD_DIR", "NGINX_SOURCE_DIR", "CARGO_MANIFEST_DIR"] {
        command.env_remove(name);
    }
    command
}

/// The path of the module, by the messages of its build.
fn built_module(messages: &str) -> Result<PathBuf> {
    let name = format!("lib{MODULE}");
    let artifacts = messages.lines().filter(|line| line.contains(r#""reason":"compiler-artifact""#));
    let files = artifacts.flat_map(|line| line.split('"').filter(|text| text.rsplit('/').next() == Some(&name)));
    files.last().map(PathBuf::from).ok_or_else(|| format!("expected {name} among the results of cargo, got none"))
}

/// The path of the program `nginx`, by the messages of the build.
fn built_nginx(messages: &str) -> Result<PathBuf> {
    let scripts = messages.lines().filter(|line| line.contains(r#""reason":"build-script-executed""#));
    let mut sys = scripts.filter(|line| text_of(line, "package_id").is_some_and(|id| id.contains("nginx-sys@")));
    let folder = sys.find_map(|line| text_of(line, "out_dir"));
    let folder = folder.ok_or("expected the folder of nginx-sys among the results of cargo, got none")?;
    Ok(Path::new(folder).join("objs/nginx"))
}

/// The text of a member in a line of JSON, up to the first quotation mark.
fn text_of<'a>(line: &'a str, member: &str) -> Option<&'a str> {
    line.split_once(&format!(r#""{member}":""#))?.1.split('"').next()
}

/// Copies a file and returns the path of the copy.
///
/// The old copy is replaced, not written to: a running nginx may have it open.
fn keep(file: &Path, copy: &Path) -> Result<PathBuf> {
    let unfinished = copy.with_extension("new");
    make_folder(copy.parent().unwrap_or(copy))?;
    fs::copy(file, &unfinished)
        .and_then(|_| fs::rename(&unfinished, copy))
        .map_err(|error| format!("cannot copy {} to {}: {error}", file.display(), copy.display()))?;
    Ok(copy.to_path_buf())
}

fn make_folder(folder: &Path) -> Result {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

/// The folder of the results and of Debian's configured headers.
fn folder() -> PathBuf {
    shell::root().join("target/nginx")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the flags from a file with this text.
    fn flags_of(name: &str, text: &str) -> Result<Vec<String>> {
        let file = env::temp_dir().join(format!("portcullis-xtask-{}-{name}", std::process::id()));
        fs::write(&file, text).unwrap();
        let flags = flags(&file);
        fs::remove_file(&file).unwrap();
        flags
    }

    #[test]
    fn flags_are_read_as_bash_reads_them() {
        for (name, text, expected) in [
            ("plain", "NGX_CONF_FLAGS=( --prefix=/usr --with-compat )\n", vec!["--prefix=/usr", "--with-compat"]),
            (
                "quoted",
                "NGX_CONF_FLAGS=( --with-cc-opt='-g -O2' \"--a=b c\" )",
                vec!["--with-cc-opt=-g -O2", "--a=b c"],
            ),
            ("lines", "# Flags\nNGX_CONF_FLAGS=(\n --a\n\n --b # c\n)\n", vec!["--a", "--b"]),
        ] {
            assert_eq!(flags_of(name, text).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_file_without_flags_is_told() {
        for (name, text) in [("empty", ""), ("none", "NGX_CONF_FLAGS=( )"), ("broken", "NGX_CONF_FLAGS=(")] {
            let error = flags_of(name, text).unwrap_err();
            assert!(error.starts_with("expected the array NGX_CONF_FLAGS in "), "{name}: {error}");
        }
        assert!(flags(Path::new("/no/such/file")).is_err());
    }

    const MESSAGES: &str = r#"
{"reason":"build-script-executed","package_id":"registry+x#libc@0.2.1","linked_libs":[],"env":[],"out_dir":"/t/build/libc-1/out"}
{"reason":"build-script-executed","package_id":"registry+x#nginx-sys@0.5.0","linked_libs":[],"env":[],"out_dir":"/t/build/nginx-sys-2/out"}
{"reason":"compiler-artifact","package_id":"registry+x#ngx@0.5.1","target":{"name":"ngx"},"filenames":["/t/deps/libngx.rlib"]}
{"reason":"compiler-artifact","package_id":"path+x","filenames":["/t/libngx_http_portcullis_module.so"],"executable":null}
{"reason":"build-finished","success":true}
"#;

    #[test]
    fn results_are_found_in_the_messages_of_cargo() {
        assert_eq!(built_module(MESSAGES).unwrap(), Path::new("/t/libngx_http_portcullis_module.so"));
        assert_eq!(built_nginx(MESSAGES).unwrap(), Path::new("/t/build/nginx-sys-2/out/objs/nginx"));
        let finished = r#"{"reason":"build-finished","success":true}"#;
        assert!(built_module(finished).is_err_and(|error| error.contains("libngx_http_portcullis_module.so")));
        assert!(built_nginx(finished).is_err_and(|error| error.contains("nginx-sys")));
    }
}
