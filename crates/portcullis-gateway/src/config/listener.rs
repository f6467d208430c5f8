//! Sockets, limits and the log.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use http::uri::Authority;

use super::{
    Limits, Listener, Log, LogFormat, LoggedDecisions, Tls,
    bytes::bytes,
    certificate,
    duration::{duration, some_time},
    file::{Read, Table, Value},
    files,
};

/// The largest default of `connections_per_peer`.
const MOST_OF_ONE_PEER: usize = 256;

/// The smallest limit that hyper accepts.
const LEAST_HEADER_BYTES: usize = 8 << 10;

/// Reads the listeners for forward-auth, gRPC and administration, each with an address of its own.
pub(super) fn listeners(root: &Table<'_>) -> (Listener, Option<Listener>, Option<Listener>) {
    let forward_auth = listener(root, "listen", false);
    let grpc = listener(root, "grpc", true);
    let admin = listener(root, "admin", true);
    let places: Vec<_> = [&forward_auth, &grpc, &admin].into_iter().filter_map(Given::address).collect();
    for (index, (address, place)) in places.iter().enumerate() {
        if let Some((_, first)) = places.iter().take(index).find(|(first, _)| first == address && address.port() != 0) {
            let problem = place.problem(format!("expected an address of its own, got {address} again"));
            root.note(problem.and(first.place.clone(), "first here").help("give each listener its own port"));
        }
    }
    let default =
        |port: u16| Listener { address: SocketAddr::from(([127, 0, 0, 1], port)), tls: None, client_certificate: None };
    (
        forward_auth.listener().unwrap_or_else(|| default(9080)),
        grpc.listener(),
        match admin {
            Given::Absent => Some(default(9081)),
            admin => admin.listener(),
        },
    )
}

enum Given<'a> {
    Absent,
    Off,
    At(Listener, Value<'a>),
}

impl<'a> Given<'a> {
    fn address(&self) -> Option<(SocketAddr, Value<'a>)> {
        match self {
            Self::At(listener, value) => Some((listener.address, value.clone())),
            Self::Absent | Self::Off => None,
        }
    }

    fn listener(self) -> Option<Listener> {
        match self {
            Self::At(listener, _) => Some(listener),
            Self::Absent | Self::Off => None,
        }
    }
}

fn listener<'a>(root: &Table<'a>, key: &'static str, may_be_off: bool) -> Given<'a> {
    let Some(value) = root.value(key) else { return Given::Absent };
    if may_be_off && value.boolean() == Ok(false) {
        return Given::Off;
    }
    let listener = if value.is_table() { of_table(root, key) } else { root.get(key, address).map(plain) };
    listener.map_or(Given::Off, |listener| Given::At(listener, value))
}

fn plain(address: SocketAddr) -> Listener {
    Listener { address, tls: None, client_certificate: None }
}

fn of_table(root: &Table<'_>, key: &'static str) -> Option<Listener> {
    let table = root.table(key)?;
    let address = table.require("address", "write `address = \"127.0.0.1:9080\"`", address);
    let tls = table.table("tls").map(tls);
    // Nobody asks about clients at `admin`.
    let client_certificate = match key {
        "admin" => None,
        _ => certificate::client_certificate(&table, key == "grpc"),
    };
    table.finish();
    Some(Listener { address: address?, tls: tls.flatten(), client_certificate })
}

fn tls(table: Table<'_>) -> Option<Tls> {
    let certificate = table.require("certificate", "name a file of certificates in PEM", |value| {
        files::certificates(value, &table).and_then(|_| files::path(value, &table))
    });
    let key = table.require("key", "name the file of the private key in PEM", |value| {
        files::private_key(value, &table).and_then(|_| files::path(value, &table))
    });
    let client_ca: Option<PathBuf> =
        table.get("client_ca", |value| files::certificates(value, &table).and_then(|_| files::path(value, &table)));
    table.finish();
    Some(Tls { certificate: certificate?, key: key?, client_ca })
}

fn address(value: &Value<'_>) -> Read<SocketAddr> {
    let help = "write an IP address and a port, as in \"127.0.0.1:9080\", \"[::1]:9080\" or, for every interface, \"0.0.0.0:9080\"";
    if !value.is_text() {
        return Err(value.wrong("an address in quotes, or a table with `address` and `tls`").help(help));
    }
    let text = value.text()?;
    text.parse().map_err(|_| value.problem(format!("expected an address to listen on, got \"{text}\"")).help(help))
}

/// Reads the name of a host, without a port.
pub(super) fn host_name(value: &Value<'_>) -> Read<String> {
    let text = value.text()?;
    let parsed = text.parse::<Authority>().ok();
    match parsed.is_some_and(|authority| authority.host() == text && !text.starts_with('[')) {
        true => Ok(text.to_owned()),
        false => Err(value
            .problem(format!("expected the name of a host, got \"{text}\""))
            .help("write it without a port, as in \"gateway.internal\"; addresses and localhost need not be named")),
    }
}

/// `[limits]`.
pub(super) fn limits(root: &Table<'_>) -> Limits {
    let mut limits = Limits {
        connections: 10_000,
        connections_per_peer: 0,
        streams: 128,
        header_bytes: 64 << 10,
        check_bytes: 0,
        path_bytes: 8 << 10,
        header_time: Duration::from_secs(10),
        request_time: Duration::from_secs(15),
        // Beyond the hour for which Envoy keeps an idle connection.
        idle_time: Duration::from_secs(65 * 60),
        drain_time: Duration::from_secs(30),
    };
    let Some(table) = root.table("limits") else { return derived(limits) };
    set(&mut limits.connections, table.get("connections", |value| value.integer(1, 1_000_000)));
    set(&mut limits.connections_per_peer, table.get("connections_per_peer", |value| value.integer(1, 1_000_000)));
    let streams = table.get("streams", |value| value.integer(1, 10_000));
    set(&mut limits.streams, streams.and_then(|streams| u32::try_from(streams).ok()));
    set(&mut limits.check_bytes, table.get("check_bytes", |value| bytes(value, LEAST_HEADER_BYTES, 64 << 20)));
    set(&mut limits.header_bytes, table.get("header_bytes", |value| bytes(value, LEAST_HEADER_BYTES, 16 << 20)));
    set(&mut limits.path_bytes, table.get("path_bytes", |value| bytes(value, 1 << 10, 64 << 10)));
    set(&mut limits.idle_time, table.get("idle_time", some_time));
    set(&mut limits.header_time, table.get("header_time", some_time));
    set(&mut limits.request_time, table.get("request_time", some_time));
    set(&mut limits.drain_time, table.get("drain_time", duration));
    table.finish();
    derived(limits)
}

/// Fills in the limits that depend on others, if they are not given.
fn derived(mut limits: Limits) -> Limits {
    if limits.connections_per_peer == 0 {
        limits.connections_per_peer = (limits.connections / 4).clamp(1, MOST_OF_ONE_PEER);
    }
    if limits.check_bytes == 0 {
        // A check has the header section, the path once more, and perhaps certificates.
        limits.check_bytes = 2 * limits.header_bytes;
    }
    limits
}

/// `[log]`.
pub(super) fn log(root: &Table<'_>) -> Log {
    let mut log = Log { format: LogFormat::Human, decisions: LoggedDecisions::Refused, requests: false };
    let Some(table) = root.table("log") else { return log };
    let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
    set(&mut log.format, table.get("format", |value| value.word(&formats)));
    let decisions =
        [("all", LoggedDecisions::All), ("refused", LoggedDecisions::Refused), ("none", LoggedDecisions::None)];
    set(&mut log.decisions, table.get("decisions", |value| value.word(&decisions)));
    set(&mut log.requests, table.get("requests", |value| value.boolean()));
    table.finish();
    log
}

/// Replaces a default by a given value.
fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}
