//! `/metrics` of a real run, compared with the list in docs/gateway.md; a unit test compares that with the program's
//! list.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use portcullis_testkit::{AuthorizationServer, Endpoint, Fault};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    ext_authz,
    robustness::{connect_from, is_answered},
    support::{Gateway, ROUTES, introspecting, text},
};

/// The metrics that this run does not show: two count DPoP proofs, one needs another's entry in Redis, and one is the
/// library's, in whose place the gateway counts `portcullis_gateway_would_refuse_total`.
const NOT_SHOWN: [&str; 4] = [
    "portcullis_dpop_proofs_total",
    "portcullis_replay_store_failures_total",
    "portcullis_token_store_forged_total",
    "portcullis_would_refuse_total",
];

/// Kind and labels of metrics, by name.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

fn documented() -> Metrics {
    let page = include_str!("../../../../docs/gateway.md");
    let rows = page.lines().filter(|line| line.starts_with("| `portcullis_"));
    let read = |row: &str| {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let labels = cells[3].split(", ").filter(|label| !label.is_empty()).map(str::to_owned).collect();
        (cells[1].clone(), (cells[2].clone(), labels))
    };
    rows.map(read).collect()
}

/// Reads the text of `/metrics`; buckets, sum and count belong to a histogram.
fn shown(text: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            metrics.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let whole = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let whole = whole.filter(|whole| metrics.get(*whole).is_some_and(|(kind, _)| kind == "histogram"));
            let (_, labels) = metrics.get_mut(whole.unwrap_or(name)).expect("each sample has a type before it");
            let pairs = line.split('{').nth(1).map_or("", |rest| rest.rsplit_once('}').unwrap().0);
            let keys = pairs.split("\",").filter_map(|pair| Some(pair.split_once("=\"")?.0.to_owned()));
            labels.extend(keys.filter(|key| key != "le"));
        }
    }
    metrics
}

/// Starts a gateway with everything to count: an absent store and collector, and low limits.
async fn gateway(server: &AuthorizationServer) -> Gateway {
    let reporting = "[[routes]]\npath = \"/reports/*\"\nreport_only = true\n";
    let gone = "[store]\nurl = \"redis://127.0.0.1:1\"\nsecret_file = \"store-secret\"\n\
                [traces]\nendpoint = \"http://127.0.0.1:1/v1/traces\"\n";
    let limits = "[limits]\nconnections = 8\nheader_time = \"300ms\"\nrequest_time = \"1s\"\ncheck_bytes = \"8KiB\"\n";
    let keys = "trusted_proxies = [\"127.0.0.1\"]";
    let exchange = format!(
        "[issuers.exchange]\nendpoint = \"{}/token\"\nclient_id = \"test-client\"\nclient_secret_file = \"secret\"\n\
         [[routes]]\npath = \"/stock/*\"\nexchange = {{ audience = \"inventory\" }}\n",
        server.issuer()
    );
    let tables = format!("{}{exchange}{reporting}{ROUTES}{gone}{limits}", introspecting(server, "json", ""));
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
    std::fs::write(folder.path().join("store-secret"), "a secret of 32 bytes or more, as stores want it").unwrap();
    std::fs::write(folder.path().join("portcullis.toml"), text(keys, &tables)).unwrap();
    Gateway::start_in(folder).await
}

/// Causes an event of each kind that is counted.
async fn keep_busy(server: &AuthorizationServer, gateway: &Gateway) {
    let (good, opaque) = (server.token().scope("read").sign(), server.issue_opaque(server.token().scope("read")));
    for token in [Some(&good), Some(&good), Some(&opaque), None] {
        gateway.ask("GET", "/orders/1", token.map(String::as_str)).await;
    }
    gateway.ask("GET", "/stock/1", Some(&good)).await;
    gateway.ask("GET", "/reports/1", None).await;
    gateway.ask("GET", "/nowhere", None).await;
    let mut client = ext_authz::connect(gateway).await;
    let large = "x".repeat(16 << 10);
    client.check(ext_authz::request("GET", "/open/1", &[("x-large", &large)])).await.unwrap_err();
    drop(client);
    let mut slow = TcpStream::connect(gateway.forward_auth).await.unwrap();
    slow.write_all(b"GET /auth HTTP/1.1\r\nHost:").await.unwrap();
    let mut strangers = Vec::new();
    for _ in 0..4 {
        let mut stranger = connect_from(2, gateway.forward_auth).await;
        is_answered(&mut stranger).await;
        strangers.push(stranger);
    }
    server.fault(Endpoint::Jwks, Fault::Hang);
    server.rotate();
    gateway.ask("GET", "/orders/1", Some(&server.token().scope("read").sign())).await;
    std::fs::write(gateway.file("portcullis.toml"), "nonsense").unwrap();
    gateway.signal("HUP");
}

#[tokio::test]
async fn each_metric_of_a_run_is_documented_and_the_other_way_about() {
    let server = AuthorizationServer::start().await;
    let gateway = gateway(&server).await;
    gateway.ready().await;
    keep_busy(&server, &gateway).await;
    let documented = documented();
    let deadline = Instant::now() + Duration::from_secs(20);
    let missing = loop {
        let shown = shown(&gateway.page("/metrics").await.body);
        for (name, metric) in &shown {
            assert_eq!(Some(metric), documented.get(name), "{name}");
        }
        let is_missing = |name: &&String| !shown.contains_key(*name) && !NOT_SHOWN.contains(&name.as_str());
        let missing: Vec<_> = documented.keys().filter(is_missing).collect();
        if missing.is_empty() || Instant::now() > deadline {
            break missing;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(missing.is_empty(), "{missing:?} are documented, and not in {}", gateway.page("/metrics").await.body);
}
