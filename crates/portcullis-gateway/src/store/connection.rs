//! The commands of the store, for one server or a cluster.

use std::time::Duration;

use bytes::Bytes;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisResult, Value, aio::MultiplexedConnection, cluster_async::ClusterConnection,
    cmd,
};

use super::TRIAL;

/// The longest time to live of an entry. The library's times are far shorter.
const MAX_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

/// The time to live of a trial's entry.
const TRIAL_TTL: Duration = Duration::from_secs(1);

/// A connection, shared by its clones.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Returns the value under this name, if there is one, of `longest` bytes at most; no value is ever empty.
    pub(super) async fn get(&mut self, name: &str, longest: usize) -> RedisResult<Option<Bytes>> {
        let entry: Vec<u8> = self.ask(cmd("GETRANGE").arg(name).arg(0).arg(longest)).await?;
        if entry.len() > longest {
            return Err((ErrorKind::UnexpectedReturnType, "expected an entry of this gateway, got a longer one").into());
        }
        Ok((!entry.is_empty()).then(|| entry.into()))
    }

    pub(super) async fn set(&mut self, name: &str, entry: &[u8], ttl: Duration) -> RedisResult<()> {
        self.ask(cmd("SET").arg(name).arg(entry).arg("PX").arg(milliseconds(ttl))).await
    }

    /// Keeps a name that is not kept already; returns true if it is new. Redis does that in one step.
    ///
    /// In a cluster whose node fails at that moment, a name may count as kept by the attempt before.
    pub(super) async fn keep_new(&mut self, name: &str, ttl: Duration) -> RedisResult<bool> {
        match self.ask(cmd("SET").arg(name).arg("").arg("NX").arg("PX").arg(milliseconds(ttl))).await? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err((ErrorKind::UnexpectedReturnType, "expected OK or nil from the store, got another reply").into()),
        }
    }

    /// Tries the connection. It writes, since a replica, or a server that is full or still loading, answers a PING.
    pub(super) async fn try_out(&mut self) -> RedisResult<()> {
        if let Self::Cluster(_) = self {
            // To all primaries. If one is gone, so are the entries of its slots; by default Redis itself then refuses
            // all.
            self.ask::<()>(&cmd("PING")).await?;
        }
        self.set(TRIAL, b"1", TRIAL_TTL).await
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// Returns a time to live as Redis takes it; zero is an error to it.
fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(MAX_TTL).as_millis().max(1)).unwrap_or(u64::MAX)
}
