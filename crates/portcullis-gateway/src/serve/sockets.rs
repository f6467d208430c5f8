//! The listeners of a configuration, and their services.

use std::io::ErrorKind;

use hyper_util::service::TowerToHyperService;
use miette::{Report, miette};
use tokio::task::JoinSet;

use crate::{
    admin::Admin,
    config::{self, Config},
    decision::Decider,
    ext_authz::ExtAuthz,
    forward_auth::ForwardAuth,
    listener::{BindError, Drain, Listener},
};

use super::certificates::Certificate;

/// The bound listeners of a configuration.
pub(super) struct Sockets {
    forward_auth: Listener,
    grpc: Option<Listener>,
    admin: Option<Listener>,
    check_bytes: usize,
}

/// The running services; each task ends once drained.
pub(super) struct Serving {
    pub(super) doors: JoinSet<()>,
    pub(super) admin: JoinSet<()>,
}

impl Sockets {
    /// # Errors
    ///
    /// The address that cannot be bound, or the certificate that cannot be used.
    pub(super) async fn bind(config: &Config) -> Result<Self, Report> {
        Ok(Self {
            forward_auth: bind("listen", &config.forward_auth, config).await?,
            grpc: match &config.grpc {
                Some(listener) => Some(bind("grpc", listener, config).await?),
                None => None,
            },
            admin: match &config.admin {
                Some(listener) => Some(bind("admin", listener, config).await?),
                None => None,
            },
            check_bytes: config.limits.check_bytes,
        })
    }

    /// Returns the certificates of all listeners that have one.
    pub(super) fn certificates(&self, config: &Config) -> Vec<Certificate> {
        let bound = [Some(&self.forward_auth), self.grpc.as_ref(), self.admin.as_ref()];
        let asked = [Some(&config.forward_auth), config.grpc.as_ref(), config.admin.as_ref()];
        let pairs =
            bound.into_iter().zip(asked).filter_map(|(bound, asked)| Some((bound?.tls()?, asked?.tls.as_ref()?)));
        pairs.map(|(handle, files)| Certificate::new(handle, files)).collect()
    }

    pub(super) fn serve(
        self,
        [forward_auth, ext_authz]: [Decider; 2],
        admin: Admin,
        draining: &Drain,
        ending: &Drain,
    ) -> Serving {
        let mut doors = JoinSet::new();
        let [for_grpc, for_admin] = [ext_authz.clone(), ext_authz.clone()];
        let proxies = forward_auth.clone();
        let answer = move |peer| ForwardAuth::new(forward_auth.clone(), peer);
        let forward_auth = self.forward_auth.trusting(move |peer| proxies.gateway().trusts(peer));
        doors.spawn(forward_auth.serve(answer, draining.clone()));
        if let Some(grpc) = self.grpc {
            let grpc = grpc.trusting(move |peer| for_grpc.gateway().trusts(peer));
            let check_bytes = self.check_bytes;
            let answer = move |peer| TowerToHyperService::new(ExtAuthz::new(ext_authz.clone(), peer, check_bytes));
            doors.spawn(grpc.serve(answer, draining.clone()));
        }
        let mut last = JoinSet::new();
        if let Some(listener) = self.admin {
            let listener = listener.trusting(move |peer| for_admin.gateway().trusts(peer));
            last.spawn(listener.serve(move |_| admin.clone(), ending.clone()));
        }
        Serving { doors, admin: last }
    }
}

async fn bind(key: &'static str, listener: &config::Listener, config: &Config) -> Result<Listener, Report> {
    let bound = Listener::bind(listener, &config.limits).await.map_err(|error| refused(key, listener, error))?;
    tracing::info!(listener = key, address = %bound.address(), tls = listener.tls.is_some(), "listening");
    Ok(bound.named(key))
}

/// Tells why a listener cannot be bound, and what to do.
fn refused(key: &str, listener: &config::Listener, error: BindError) -> Report {
    let told = format!("cannot listen on {}, the address of `{key}`", listener.address);
    let error = match error {
        BindError::Address(_, error) => error,
        error @ BindError::Tls(_) => return Report::from_err(error).wrap_err(told),
    };
    let help = match error.kind() {
        ErrorKind::AddrInUse => {
            format!(
                "another program listens there, perhaps a gateway that still runs: stop it, or give `{key}` another port"
            )
        }
        ErrorKind::PermissionDenied => {
            format!("ports below 1024 are for privileged users: give `{key}` a higher one")
        }
        ErrorKind::AddrNotAvailable => {
            format!("this machine does not have that address: give `{key}` one of its own, or 0.0.0.0 for all")
        }
        _ => format!("give `{key}` another address"),
    };
    miette!(help = help, "{told}: {error}")
}
