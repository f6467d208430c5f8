//! The address of the store, and the connection to it.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError,
    RedisResult, TlsCertificates, cluster::ClusterClient, io::tcp::TcpSettings,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::time::timeout;
use tokio_rustls::rustls;

use super::{RESPONSE_TIME, StoreError, connection::Connection};
use crate::config;

/// The time limit of a connection: to one server with TLS and password; to a cluster with all of its nodes.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// The number of redirects that a cluster may answer to one command.
const REDIRECTS: u32 = 2;

/// A server or a cluster that the configuration names.
pub(super) struct Endpoint {
    client: AnyClient,
    address: String,
}

enum AnyClient {
    One(Box<Client>),
    Cluster(Box<ClusterClient>),
}

impl Endpoint {
    pub(super) fn new(config: &config::Store) -> Result<Self, StoreError> {
        let servers = servers(config)?;
        let certificates = certificates(config, &servers)?;
        let address = servers.iter().map(|server| server.addr().to_string()).collect::<Vec<_>>().join(", ");
        let client = match <[ConnectionInfo; 1]>::try_from(servers) {
            Ok([server]) if !config.cluster => AnyClient::One(one(server, certificates)?.into()),
            Ok(server) => AnyClient::Cluster(cluster(config, server.into(), certificates)?.into()),
            Err(servers) => AnyClient::Cluster(cluster(config, servers, certificates)?.into()),
        };
        Ok(Self { client, address })
    }

    /// Returns host and port of each server, without passwords.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Returns a connection, logged in but not tried.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        let connecting = async {
            match &self.client {
                AnyClient::One(client) => {
                    let config = AsyncConnectionConfig::new()
                        .set_connection_timeout(Some(CONNECT_TIME))
                        .set_response_timeout(Some(RESPONSE_TIME));
                    client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One)
                }
                AnyClient::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
            }
        };
        timeout(CONNECT_TIME, connecting).await.unwrap_or_else(|_| Err(too_slow()))
    }
}

fn too_slow() -> RedisError {
    (ErrorKind::Io, "expected an answer in time, got none").into()
}

fn servers(config: &config::Store) -> Result<Vec<ConnectionInfo>, StoreError> {
    if config.urls.is_empty() {
        return Err(StoreError::NoUrl);
    }
    (1..).zip(&config.urls).map(|(number, url)| server(config, number, url)).collect()
}

fn server(config: &config::Store, number: usize, url: &str) -> Result<ConnectionInfo, StoreError> {
    let server = url
        .into_connection_info()
        .map_err(|error| StoreError::Url { number, reason: error.to_string() })?
        // TCP_NODELAY: a command does not wait to be sent with later ones.
        .set_tcp_settings(TcpSettings::default().set_nodelay(true));
    if matches!(server.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(StoreError::Insecure { number });
    }
    let mut login = server.redis_settings().clone();
    if let Some(username) = &config.username {
        login = login.set_username(username);
    }
    if let Some(password) = &config.password {
        login = login.set_password(password.reveal());
    }
    Ok(server.set_redis_settings(login))
}

/// Returns the authority that replaces the public ones. It enables TLS, too, if a server needs it.
fn certificates(config: &config::Store, servers: &[ConnectionInfo]) -> Result<Option<TlsCertificates>, StoreError> {
    if servers.iter().any(|server| matches!(server.addr(), ConnectionAddr::TcpTls { .. })) {
        choose_cryptography();
    } else if config.ca_pem.is_some() {
        return Err(StoreError::AuthorityWithoutTls);
    }
    let Some(pem) = &config.ca_pem else { return Ok(None) };
    // The crate ignores a file without a certificate, and then trusts no server without saying why.
    let read = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(read) if read.is_empty() => Err(StoreError::Authority("expected certificates in PEM, got none".into())),
        Err(error) => Err(StoreError::Authority(error.to_string())),
        Ok(_) => Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(pem.clone().into_bytes()) })),
    }
}

/// Chooses the cryptography of the crate `redis`, which takes the process' choice, or the only one that is compiled in.
/// With two compiled in, by the features of any crate, and no choice, rustls would panic.
fn choose_cryptography() {
    // It fails if there is a choice already, which then holds.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn one(server: ConnectionInfo, certificates: Option<TlsCertificates>) -> Result<Client, StoreError> {
    match certificates {
        Some(certificates) => {
            Client::build_with_tls(server, certificates).map_err(|error| StoreError::Authority(error.to_string()))
        }
        None => Client::open(server).map_err(|error| StoreError::Url { number: 1, reason: error.to_string() }),
    }
}

fn cluster(
    config: &config::Store,
    servers: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
) -> Result<ClusterClient, StoreError> {
    let mut cluster = ClusterClient::builder(servers)
        .connection_timeout(CONNECT_TIME)
        .response_timeout(RESPONSE_TIME)
        .retries(REDIRECTS)
        .tcp_settings(TcpSettings::default().set_nodelay(true));
    // Discovered nodes, which are not named here, need them too.
    if let Some(username) = &config.username {
        cluster = cluster.username(username);
    }
    if let Some(password) = &config.password {
        cluster = cluster.password(password.reveal());
    }
    if let Some(certificates) = certificates {
        cluster = cluster.certs(certificates);
    }
    cluster.build().map_err(|error| StoreError::Cluster(error.to_string()))
}
