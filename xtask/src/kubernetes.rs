//! The schemas for the Kubernetes manifests: those of Kubernetes's own kinds are in a Python package, and definitions of custom
//! resources are in Go modules of their projects. The program helm is a Go module, too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Result,
    proxies::python_packages,
    setup::{self, unless_installed},
    shell::{self, output, program, run as run_command},
};

const PACKAGES: [&str; 1] = ["kubernetes-validate==1.37.0"];

/// Go modules, each with a definition in it.
const DEFINITIONS: [(&str, &str); 9] = [
    ("sigs.k8s.io/gateway-api@v1.6.3", "config/crd/experimental/gateway.networking.k8s.io_httproutes.yaml"),
    ("istio.io/api@v1.32.0", "kubernetes/customresourcedefinitions.gen.yaml"),
    ("istio.io/api@v1.32.0", "mesh/v1alpha1/config.proto"),
    (
        "github.com/envoyproxy/gateway@v1.9.1",
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_clienttrafficpolicies.yaml",
    ),
    (
        "github.com/envoyproxy/gateway@v1.9.1",
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_securitypolicies.yaml",
    ),
    (
        "github.com/traefik/traefik/v3@v3.7.13",
        "docs/content/reference/dynamic-configuration/traefik.io_ingressroutes.yaml",
    ),
    (
        "github.com/traefik/traefik/v3@v3.7.13",
        "docs/content/reference/dynamic-configuration/traefik.io_middlewares.yaml",
    ),
    ("github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring@v0.95.2", "v1/servicemonitor_types.go"),
    ("github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring@v0.95.2", "v1/types.go"),
];

/// The Go module of the program helm.
const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.22.0";

/// The folder of the schemas, and of the Python environment that checks against them.
pub(crate) fn folder() -> PathBuf {
    shell::root().join("target/kubernetes")
}

/// The program helm.
pub(crate) fn helm() -> PathBuf {
    helm_folder().join("helm")
}

fn helm_folder() -> PathBuf {
    shell::root().join("target/helm")
}

/// Builds helm, if it is missing: four minutes of a processor, once.
pub(crate) fn set_up_helm() -> Result {
    setup::go()?;
    let folder = helm_folder();
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    unless_installed("helm", &folder.join(".installed"), HELM, || {
        println!("setup: installing {HELM} with go");
        // Without C and symbols the build is shorter. The version of Kubernetes is that of the schemas; it would be 1.20 otherwise.
        let kubernetes =
            "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37";
        let install = ["install", "-ldflags", &format!("-s -w {kubernetes}"), HELM];
        run_command(program("go").args(install).env("GOBIN", &folder).env("CGO_ENABLED", "0"))
    })
}

/// Installs helm and the missing schemas.
pub(crate) fn set_up() -> Result {
    set_up_helm()?;
    python_packages("the folder with the schemas of Kubernetes", &folder(), &PACKAGES)?;
    let wanted = DEFINITIONS.map(|(module, file)| format!("{module} {file}")).join("\n");
    unless_installed("the definitions of custom resources", &folder().join(".definitions"), &wanted, || {
        let definitions = folder().join("definitions");
        fs::create_dir_all(&definitions).map_err(|error| format!("{}: {error}", definitions.display()))?;
        DEFINITIONS.iter().try_for_each(|(module, file)| copy(module, file, &definitions))
    })
}

/// Copies a definition of a module.
fn copy(module: &str, file: &str, to: &Path) -> Result {
    println!("setup: downloading {module} with go");
    run_command(program("go").args(["mod", "download", module]).current_dir(to))?;
    let cache = output(program("go").args(["env", "GOMODCACHE"])).ok_or("go has no module cache")?;
    let from = Path::new(&cache).join(module).join(file);
    let name = from.file_name().unwrap_or_default();
    // The files of the cache are read-only, as a copy would be.
    let text = fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?;
    fs::write(to.join(name), text).map_err(|error| format!("{}: {error}", to.display()))
}
