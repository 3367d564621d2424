//! How often somebody may try: counted in Redis, so that replicas count together, and before the password is looked at.

use std::net::IpAddr;
use std::time::Duration;

use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use sha2::{Digest, Sha256};

use crate::ids::ShopId;

/// Guesses at one account from one address.
const PER_PAIR: Limit = Limit { tries: 10, seconds: 15 * 60 };
/// Guesses at one account from anywhere: wide enough that a stranger cannot lightly lock an owner out, who has a pair of their own and is let in from
/// where they have none spent.
const PER_ACCOUNT: Limit = Limit { tries: 60, seconds: 60 * 60 };
/// Guesses from one address at anybody: an office behind one address has many people.
const PER_ADDRESS: Limit = Limit { tries: 100, seconds: 15 * 60 };
/// New shops from one address.
const REGISTRATIONS: Limit = Limit { tries: 20, seconds: 60 * 60 };
/// Links mailed to one account: nobody's mailbox is flooded.
const LINKS: Limit = Limit { tries: 5, seconds: 60 * 60 };
/// Links asked for, or used, from one address.
const LINKS_PER_ADDRESS: Limit = Limit { tries: 40, seconds: 60 * 60 };
/// A request waits no longer for Redis than this.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
struct Limit {
    tries: u64,
    seconds: u64,
}

/// Why a try is not allowed.
#[derive(Debug, thiserror::Error)]
pub enum Throttled {
    /// Too many: come back later.
    #[error("too many attempts")]
    TooMany {
        /// When it makes sense to come back.
        retry_after: Duration,
    },
    /// Redis is away: nobody is let try, or guessing would be free.
    #[error("attempts cannot be counted")]
    Unavailable(#[source] Option<redis::RedisError>),
}

/// What a shop may still ask in this window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests per window.
    pub limit: u32,
    /// Those that are left; `None` once one was too many.
    pub remaining: Option<u32>,
    /// When the next window may begin.
    pub resets_in: Duration,
}

/// Counts tries.
#[derive(Clone)]
pub struct Throttle {
    redis: ConnectionManager,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttle")
    }
}

impl Throttle {
    /// On the process's connection.
    #[must_use]
    pub fn new(redis: ConnectionManager) -> Self {
        Self { redis }
    }

    /// Counts a log-in that is about to be tried. E-mails are kept as hashes: who tried to log in is nobody's business.
    ///
    /// # Errors
    /// When it is one too many, or Redis is away.
    pub async fn login(&self, email: &str, address: IpAddr) -> Result<(), Throttled> {
        let (account, address) = (digest(email), network(address));
        self.count(&[
            (format!("fd:throttle:{{auth}}:pair:{account}:{address}"), PER_PAIR),
            (format!("fd:throttle:{{auth}}:account:{account}"), PER_ACCOUNT),
            (format!("fd:throttle:{{auth}}:address:{address}"), PER_ADDRESS),
        ])
        .await
    }

    /// A log-in succeeded: the person's own slips are forgotten; what the address did to others is not.
    pub async fn login_succeeded(&self, email: &str, address: IpAddr) {
        let key = format!("fd:throttle:{{auth}}:pair:{}:{}", digest(email), network(address));
        let mut redis = self.redis.clone();
        // Lost forgiveness is no harm: the window ends by itself.
        let _ = tokio::time::timeout(PATIENCE, redis.del::<_, ()>(key)).await;
    }

    /// Counts a registration that is about to be tried.
    ///
    /// # Errors
    /// When it is one too many, or Redis is away.
    pub async fn registration(&self, address: IpAddr) -> Result<(), Throttled> {
        self.count(&[(format!("fd:throttle:{{auth}}:register:{}", network(address)), REGISTRATIONS)]).await
    }

    /// Counts a link that is about to be mailed.
    ///
    /// # Errors
    /// When it is one too many, or Redis is away.
    pub async fn link(&self, email: &str, address: IpAddr) -> Result<(), Throttled> {
        let (account, address) = (digest(email), network(address));
        self.count(&[
            (format!("fd:throttle:{{auth}}:link:{account}"), LINKS),
            (format!("fd:throttle:{{auth}}:links:{address}"), LINKS_PER_ADDRESS),
        ])
        .await
    }

    /// Counts the use of a link that is about to be tried.
    ///
    /// # Errors
    /// When it is one too many, or Redis is away.
    pub async fn link_use(&self, address: IpAddr) -> Result<(), Throttled> {
        self.count(&[(format!("fd:throttle:{{auth}}:link-use:{}", network(address)), LINKS_PER_ADDRESS)]).await
    }

    /// Counts a request of a shop's people and programs, all together: one shop's script must not slow the others.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn request(&self, shop: ShopId, limit: u32) -> Result<Allowance, Throttled> {
        let key = format!("fd:throttle:{{api:{shop}}}");
        let counts = self.spend(&[(key, Limit { tries: limit.into(), seconds: 60 })]).await?;
        let (spent, seconds) = counts.first().copied().unwrap_or_default();
        let remaining = u64::from(limit).checked_sub(spent).and_then(|left| u32::try_from(left).ok());
        Ok(Allowance { limit, remaining, resets_in: Duration::from_secs(seconds) })
    }

    async fn count(&self, limits: &[(String, Limit)]) -> Result<(), Throttled> {
        let counts = self.spend(limits).await?;
        let spent = counts.iter().zip(limits).filter(|((count, _), (_, limit))| *count > limit.tries);
        match spent.map(|((_, seconds), _)| *seconds).max() {
            Some(seconds) => Err(Throttled::TooMany { retry_after: Duration::from_secs(seconds) }),
            None => Ok(()),
        }
    }

    /// One round trip for all the limits: how many were spent, and in how many seconds the window ends, which begins with its first try.
    async fn spend(&self, limits: &[(String, Limit)]) -> Result<Vec<(u64, u64)>, Throttled> {
        let mut pipe = redis::pipe();
        pipe.atomic();
        for (key, limit) in limits {
            pipe.cmd("SET").arg(key).arg(0).arg("EX").arg(limit.seconds).arg("NX").ignore();
            pipe.incr(key, 1).ttl(key);
        }
        let mut redis = self.redis.clone();
        let answer = tokio::time::timeout(PATIENCE, pipe.query_async::<Vec<i64>>(&mut redis)).await;
        let counts = answer.map_err(|_| Throttled::Unavailable(None))?.map_err(|error| Throttled::Unavailable(Some(error)))?;
        Ok(counts.chunks_exact(2).map(|pair| (u64::try_from(pair[0]).unwrap_or(0), u64::try_from(pair[1]).unwrap_or(1).max(1))).collect())
    }
}

fn digest(email: &str) -> String {
    hex::encode(&Sha256::digest(email.as_bytes())[..16])
}

/// An IPv6 customer holds a /64: counted as one.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_ipv6_network_count_together() {
        assert_eq!(network("2001:db8:1:2::1".parse().unwrap()), network("2001:db8:1:2:ffff::9".parse().unwrap()));
        assert_ne!(network("2001:db8:1:2::1".parse().unwrap()), network("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}
