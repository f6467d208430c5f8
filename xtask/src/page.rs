//! The demo's page, in a real browser: Debian's Chromium, driven by puppeteer-core.

use std::{env, path::PathBuf};

use crate::{
    Result, setup,
    shell::{self, output, program, run as run_command},
    steps::Steps,
    test::{Counts, counted, workspace_tests},
};

/// Paths of Chromium; `PORTCULLIS_CHROMIUM` comes first if it is set.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// Adds the step to `cargo xtask test`.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("the demo's page", || {
        // The same build of the demo as in other tests, so that nothing is built twice.
        run_command(workspace_tests()?.args(["--test", "curl_lines", "--no-run"]))?;
        let mut npm = program("npm");
        npm.args(["run", "test:tap"]).current_dir(folder());
        counted(&mut npm, counts, Counts::see_node)
    });
}

/// Installs the missing programs and packages of the step.
pub(crate) fn set_up() -> Result {
    chromium()?;
    setup::npm_packages("the browser's driver", &folder())
}

fn folder() -> PathBuf {
    shell::root().join("demo/tests/page")
}

fn chromium() -> Result {
    let named = env::var("PORTCULLIS_CHROMIUM").ok();
    let mut paths = named.as_deref().into_iter().chain(CHROMIUM);
    // `--version` works without a screen and for every user.
    if paths.any(|path| output(program(path).arg("--version")).is_some()) {
        return setup::present("chromium");
    }
    setup::apt_install(&["chromium", "fonts-dejavu-core"])
}
