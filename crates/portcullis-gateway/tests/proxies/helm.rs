//! The chart in `deploy/helm`, rendered by helm with each of its files of values.
//!
//! `cargo xtask setup` installs helm, and puts its path in `PORTCULLIS_HELM`.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::{
    kubernetes::{accepted, mistakes, toml_in},
    scene::repository,
};

const CHART: &str = "deploy/helm/portcullis";

/// The files of values, by name.
const VALUES: [&str; 7] = ["envoy-gateway", "gateway-api", "ingress-nginx", "istio", "manifest", "redis", "traefik"];

/// The value without a default.
const IMAGE: &str = "image.repository=portcullis";

/// Runs helm in the repository, and returns its output or its complaint.
fn helm(command: &[&str], values: &str, set: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("PORTCULLIS_HELM").map(PathBuf::from);
    let program = program.expect("PORTCULLIS_HELM names no program: run `cargo xtask test`, which sets it up");
    let mut helm = Command::new(program);
    helm.args(command).args([CHART, "--values", &format!("deploy/helm/values/{values}.yaml")]);
    for value in set {
        // JSON is told from helm's own notation by its first character.
        let is_json = value.split_once('=').is_some_and(|(_, value)| value.starts_with(['[', '{', '"']));
        helm.args([if is_json { "--set-json" } else { "--set" }, value]);
    }
    let Output { status, stdout, stderr } = helm.current_dir(repository()).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if status.success() { Ok(stdout) } else { Err(stderr + &stdout) }
}

fn rendered(values: &str, set: &[&str]) -> Result<String, String> {
    helm(&["template", "portcullis"], values, set)
}

#[test]
fn helm_finds_no_fault_with_any_values() {
    for values in VALUES {
        helm(&["lint", "--strict"], values, &[IMAGE]).unwrap_or_else(|told| panic!("{values}: {told}"));
    }
    let folder = fs::read_dir(repository().join("deploy/helm/values")).unwrap();
    assert_eq!(folder.count(), VALUES.len(), "each file of values is tried");
}

/// All objects are rendered by some values: those with values beyond the files', too.
#[test]
fn renderings_meet_the_schemas_and_the_gateway_accepts_their_configuration() {
    let folder = TempDir::new().unwrap();
    let more = [
        IMAGE,
        r#"imagePullSecrets=["registry"]"#,
        r#"env=[{"name":"PORTCULLIS_LOG","value":"debug"},{"name":"ID","valueFrom":{"secretKeyRef":{"name":"a","key":"b"}}}]"#,
        r#"podAnnotations={"example.com/team":"api"}"#,
        r#"nodeSelector={"kubernetes.io/arch":"amd64"}"#,
        r#"tolerations=[{"key":"edge","operator":"Exists"}]"#,
        r#"affinity={"nodeAffinity":{}}"#,
        r#"serviceMonitor.labels={"release":"prometheus"}"#,
        "priorityClassName=system-cluster-critical",
        "serviceAccountName=gateway",
        "service.headless=false",
    ];
    let scoped = [IMAGE, r#"routes=[{"path":"/orders/*","scope":["orders:read"]},{"path":"/*"}]"#];
    let sets = VALUES.map(|values| (values, &[IMAGE][..]));
    let mut files = Vec::new();
    for (number, (values, set)) in sets.into_iter().chain([("redis", &more[..]), ("traefik", &scoped[..])]).enumerate()
    {
        let text = rendered(values, set).unwrap_or_else(|told| panic!("{values}: {told}"));
        accepted(&toml_in(&text), &["client-secret", "store-secret"]);
        let path = folder.path().join(format!("{number}-{values}.yaml"));
        fs::write(&path, text).unwrap();
        files.push(path);
    }
    assert_eq!(mistakes(&files), "");
}

#[test]
fn wrong_values_are_refused() {
    let no_store = r#"config="listen = \"0.0.0.0:9080\"\nadmin = \"0.0.0.0:9081\"\n[dpop]\nuse = \"required\"\n""#;
    let unreachable = r#"config="listen = \"0.0.0.0:9080\"\nadmin = \"127.0.0.1:9081\"\n""#;
    let swapped = r#"config="listen = \"0.0.0.0:9081\"\nadmin = \"0.0.0.0:9080\"\n""#;
    let secret =
        r#"config="listen = \"0.0.0.0:9080\"\nadmin = \"0.0.0.0:9081\"\n[[issuers]]\nclient_secret = \"demo\"\n""#;
    let password = r#"config="listen = \"0.0.0.0:9080\"\nadmin = \"0.0.0.0:9081\"\n[store]\nurl = \"redis://gateway:demo@redis:6379\"\n""#;
    for (values, set, told) in [
        ("traefik", &["replicas=3"][..], "expected image.repository, got none"),
        ("traefik", &["image.repository=portcullis:1.0"], "expected image.repository without a tag or digest"),
        (
            "traefik",
            &["image.repository=a.example:5000/portcullis@sha256:12"],
            "expected image.repository without a tag or digest",
        ),
        ("traefik", &[IMAGE, "image.digest=sha256:12"], "image/digest"),
        ("traefik", &[IMAGE, "replica=3"], "'replica'"),
        ("traefik", &[IMAGE, "replicas=0"], "replicas"),
        ("traefik", &[IMAGE, "replicas=two"], "replicas"),
        ("traefik", &[IMAGE, "issuer="], "expected issuer and audience"),
        ("traefik", &[IMAGE, "issuer=http://as.example.com"], "issuer"),
        ("traefik", &[IMAGE, "audience=[]"], "expected issuer and audience"),
        ("traefik", &[IMAGE, "trustedProxies=[]"], "expected networks in trustedProxies"),
        ("traefik", &[IMAGE, r#"trustedProxies=["0.0.0.0/0"]"#], "trustedProxies/0"),
        ("traefik", &[IMAGE, r#"routes=[{"path":"/","scopes":["a"]}]"#], "'scopes'"),
        ("traefik", &[IMAGE, r#"env=[{"name":"A","value":"a","valueFrom":{}}]"#], "env/0"),
        ("traefik", &[IMAGE, "networkPolicy.proxies=[]"], "expected the pods of your proxy"),
        ("traefik", &[IMAGE, "networkPolicy.proxies[0].podLabels=null"], "podLabels"),
        ("traefik", &[IMAGE, r#"networkPolicy.proxies[0].doors=[]"#], "doors"),
        ("traefik", &[IMAGE, r#"networkPolicy.proxies[0].doors=["admin"]"#], "doors/0"),
        ("traefik", &[IMAGE, "serviceMonitor.enabled=true"], "expected the pods of your Prometheus"),
        ("redis", &[IMAGE, "autoscaling.minReplicas=9"], "at most maxReplicas, got 9 and 6"),
        ("redis", &[IMAGE, "issuer=https://as.example.com"], "expected either config or issuer"),
        ("redis", &[IMAGE, "secrets=[]"], "expected the name of a Secret in secrets"),
        ("redis", &[IMAGE, r#"secrets=[{"name":"a"}]"#], "secrets/0"),
        ("redis", &[IMAGE, r#"config="listen = \"0.0.0.0:80\"""#], "expected config to listen on port 90"),
        ("redis", &[IMAGE, unreachable], "expected config to listen on port 9081"),
        ("redis", &[IMAGE, swapped], "expected config to listen on port 9081"),
        ("redis", &[IMAGE, secret], "expected no secret in config"),
        ("redis", &[IMAGE, password], "expected no secret in config"),
        ("traefik", &[IMAGE, r#"podLabels={"app.kubernetes.io/name":"a"}"#], "invalid propertyName"),
        ("redis", &[IMAGE, no_store], "expected [store] in config, got DPoP with several replicas"),
    ] {
        let complaint = rendered(values, set).expect_err(&format!("{set:?}"));
        assert!(complaint.contains(told), "{set:?}: expected {told}, got: {complaint}");
    }
    // A first line with spaces before it stays one.
    let indented = r#"config="  listen = \"0.0.0.0:9080\"\nadmin = \"[::]:9081\"\n""#;
    let text = rendered("redis", &[IMAGE, indented]).unwrap();
    assert!(toml_in(&text).starts_with("  listen = \"0.0.0.0:9080\"\nadmin"), "{text}");
    // One replica alone needs no store.
    rendered("redis", &[IMAGE, no_store, "autoscaling.enabled=false", "replicas=1"]).unwrap();
}

/// Each file of values lets in the pods that the page names, by the door that it names.
#[test]
fn values_are_those_of_the_page() {
    let page = fs::read_to_string(repository().join("docs/kubernetes.md")).unwrap();
    for values in ["envoy-gateway", "ingress-nginx", "istio", "traefik"] {
        let text = fs::read_to_string(repository().join(format!("deploy/helm/values/{values}.yaml"))).unwrap();
        let (_, label) = text.split_once("podLabels: { ").unwrap();
        let (label, _) = label.split_once(" }").unwrap();
        let row = page.lines().find(|line| line.contains(label) && line.contains(&format!("values/{values}.yaml")));
        assert!(row.is_some(), "expected a row of {values} with `{label}` in docs/kubernetes.md, got none");
    }
}
