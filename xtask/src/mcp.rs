//! The MCP examples: real servers with real clients, and the conformance suite against guarded and unguarded servers.

use std::{fs, path::PathBuf};

use crate::{
    Result, npm, proxies, setup,
    shell::{cargo, program, root, run as run_command},
    steps::Steps,
    test::{Counts, counted, workspace_tests},
};

/// Adds the step to `cargo xtask test`. It runs after those of the npm package, which build the addon.
pub(crate) fn add_to(steps: &mut Steps, counts: &mut Counts) {
    steps.run("MCP: real clients, conformance", || {
        let folder = rmcp();
        let mut build = cargo(["build", "--locked", "--target-dir"]);
        run_command(build.arg(&folder).current_dir(example("mcp-rmcp")))?;
        // The same build of the gateway as in other tests, so that nothing is built twice.
        run_command(workspace_tests()?.args(["--test", "proxies", "--no-run"]))?;
        let mut tests = program("npm");
        tests.args(["run", "test:tap"]).current_dir(example("mcp-tests"));
        tests.env("PORTCULLIS_MCP_RMCP", folder.join("debug")).env("PORTCULLIS_MCP_PYTHON", python().join("bin"));
        tests.env("PORTCULLIS_GATEWAY", root().join("target/debug")).env("PORTCULLIS_PROXIES", proxies::programs());
        if let Some(node) = npm::newest_node()? {
            tests.env("PORTCULLIS_NEWEST_NODE", node);
        }
        counted(&mut tests, counts, Counts::see_node)
    });
}

/// Installs the SDKs and the conformance suite.
pub(crate) fn set_up() -> Result {
    setup::npm_packages("the MCP SDKs in TypeScript", &example("mcp-typescript"))?;
    setup::npm_packages("the MCP conformance suite", &example("mcp-tests"))?;
    let list = example("mcp-python").join("requirements.txt");
    let packages = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let packages: Vec<_> = packages.lines().collect();
    proxies::python_packages("the folder with the MCP SDKs in Python", &python(), &packages)
}

fn example(name: &str) -> PathBuf {
    root().join("examples").join(name)
}

/// The folder of the builds of the example with rmcp, which is a package of its own.
fn rmcp() -> PathBuf {
    root().join("target/mcp-rmcp")
}

/// The folder of the MCP SDKs in Python.
fn python() -> PathBuf {
    root().join("target/mcp-python")
}
