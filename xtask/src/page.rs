//! The demo's page, in a real browser: Debian's Chromium, driven by puppeteer-core.

use std::{env, path::PathBuf};

use crate::{
    Result, setup,
    shell::{self, output, program, run as run_command},
    steps::Steps,
    test::{Counts, counted, workspace_tests},
};

/// Where Chromium is, unless `PORTCULLIS_CHROMIUM` says something else.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// The step of `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("the demo's page", || {
        // The demo as the other tests have it, so that nothing is built twice.
        run_command(workspace_tests()?.args(["--test", "curl_lines", "--no-run"]))?;
        let mut npm = program("npm");
        npm.args(["run", "test:tap"]).current_dir(folder());
        counted(&mut npm, counts, Counts::see_node)
    });
}

/// Installs what the step needs, where it is missing.
pub(crate) fn set_up() -> Result {
    chromium()?;
    setup::npm_packages("what drives the browser", &folder())
}

fn folder() -> PathBuf {
    shell::root().join("demo/tests/page")
}

fn chromium() -> Result {
    let named = env::var("PORTCULLIS_CHROMIUM").ok();
    let mut paths = named.as_deref().into_iter().chain(CHROMIUM);
    // It tells its version without a screen, and without being root.
    if paths.any(|path| output(program(path).arg("--version")).is_some()) {
        return setup::present("chromium");
    }
    setup::apt_install(&["chromium", "fonts-dejavu-core"])
}
