//! The commands of the store, for one server or a cluster.

use std::time::Duration;

use bytes::Bytes;
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisResult, aio::MultiplexedConnection, cluster_async::ClusterConnection, cmd,
};

use super::PREFIX;

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
        // Zero is an error to Redis.
        let milliseconds = ttl.min(MAX_TTL).as_millis().max(1);
        let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        self.ask(cmd("SET").arg(name).arg(entry).arg("PX").arg(milliseconds)).await
    }

    /// Tries the connection. It writes, since a replica, or a server that is full or still loading, answers a PING.
    pub(super) async fn try_out(&mut self) -> RedisResult<()> {
        if let Self::Cluster(_) = self {
            // To all primaries. If one is gone, so are the entries of its slots; by default Redis itself then refuses
            // all.
            self.ask::<()>(&cmd("PING")).await?;
        }
        self.set(&[PREFIX, "trial"].concat(), b"1", TRIAL_TTL).await
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}
