//! How we connect to Redis, and what we demand of it.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, IntoConnectionInfo};

use super::QueueError;

/// How long one command may take; a Redis that stands still for longer is away.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long connecting may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A client whose sockets notice that the other side is gone.
pub(super) fn client(redis_url: &str) -> Result<Client, QueueError> {
    let info = redis_url.into_connection_info()?;
    let keepalive = redis::io::tcp::socket2::TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(5));
    let tcp = info.tcp_settings().clone().set_nodelay(true).set_keepalive(keepalive);
    Ok(Client::open(info.set_tcp_settings(tcp))?)
}

/// One multiplexed connection that connects again by itself.
pub(super) async fn manager(client: &Client) -> Result<ConnectionManager, QueueError> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_min_delay(Duration::from_millis(50))
        .set_max_delay(Duration::from_secs(1))
        .set_number_of_retries(8);
    Ok(ConnectionManager::new_with_config(client.clone(), config).await?)
}

/// Refuses a Redis that would lose jobs.
pub(super) async fn check(conn: &mut ConnectionManager) -> Result<(), QueueError> {
    async fn setting(conn: &mut ConnectionManager, name: &str) -> Option<String> {
        let pair: Vec<String> = redis::cmd("CONFIG").arg("GET").arg(name).query_async(conn).await.ok()?;
        pair.into_iter().nth(1)
    }
    redis::cmd("PING").query_async::<()>(conn).await?;
    let policy = setting(conn, "maxmemory-policy").await;
    let append = setting(conn, "appendonly").await;
    let fsync = setting(conn, "appendfsync").await;
    let (Some(policy), Some(append)) = (policy, append) else {
        tracing::warn!(
            "this Redis hides its configuration: make sure that it runs with `maxmemory-policy noeviction` and `appendonly yes`"
        );
        return Ok(());
    };
    if policy != "noeviction" {
        let remedy = format!(
            "this Redis may evict jobs (maxmemory-policy {policy}): run `redis-cli CONFIG SET maxmemory-policy noeviction` and put `maxmemory-policy noeviction` into redis.conf"
        );
        return Err(QueueError::Unsafe(remedy));
    }
    if append != "yes" {
        let remedy = "this Redis keeps jobs in memory only (appendonly no): run `redis-cli CONFIG SET appendonly yes` and put `appendonly yes` into redis.conf";
        return Err(QueueError::Unsafe(remedy.to_owned()));
    }
    if fsync.as_deref() != Some("always") {
        tracing::warn!(
            appendfsync = fsync,
            "a crash of Redis's machine may lose the last second; set `appendfsync always` to lose nothing"
        );
    }
    Ok(())
}

/// Role, host, pid and a random part: two processes under one host name and pid (containers) are still two.
pub(super) fn process_name(role: &str) -> String {
    let host = ["/proc/sys/kernel/hostname", "/etc/hostname"].iter().find_map(|path| std::fs::read_to_string(path).ok());
    let random = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("{role}@{}:{}:{}", host.as_deref().map_or("host", str::trim), std::process::id(), &random[..12]);
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "@:._-".contains(c) { c } else { '-' }).collect()
}
