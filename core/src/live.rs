//! "Something changed", for open dashboards: one capped stream per shop, which readers resume by the id they saw last.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use redis::aio::ConnectionManager;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use serde_json::value::RawValue;

use crate::auth::Permission;
use crate::ids::ShopId;
use crate::queue::{Queue, QueueError};
use crate::tenancy::ShopScope;

/// About how many events a shop's stream keeps.
const KEPT: usize = 1000;
/// More than a stream of about [`KEPT`] ever holds.
const MOST: usize = 4 * KEPT;
/// A stream nobody wrote to for this long goes.
const IDLE_SECONDS: u64 = 8 * 24 * 3600;
/// How long one look waits for something to happen. A shop whose first dashboard opens meanwhile is followed after that.
const BLOCK: Duration = Duration::from_millis(250);
/// Events of one shop that one look takes.
const LOOK: usize = 100;

static AFTER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("live.lua")));

/// Where an event stands in its shop's stream: Redis's `<milliseconds>-<sequence>`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    ms: u64,
    seq: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl FromStr for EventId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        let (ms, seq) = text.split_once('-').ok_or("no event id")?;
        Ok(Self { ms: digits(ms).ok_or("no event id")?, seq: digits(seq).ok_or("no event id")? })
    }
}

/// Something that changed.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// By which a reader goes on.
    pub id: EventId,
    /// One word: `order`, `message`, `handoff`, …
    pub kind: String,
    /// What changed: ids, not rows.
    pub json: Box<RawValue>,
}

impl LiveEvent {
    /// `None` for an entry that is none of ours.
    fn read(entry: &StreamId) -> Option<Self> {
        let json = RawValue::from_string(entry.get::<String>("json")?).ok()?;
        Some(Self { id: entry.id.parse().ok()?, kind: entry.get("kind")?, json })
    }
}

/// What kinds of event there are, and what one must be allowed to see each.
const KINDS: &[(&str, Permission)] = &[
    ("order", Permission::OrdersRead),
    ("stock", Permission::ProductsRead),
    ("message", Permission::ConversationsRead),
    ("conversation", Permission::ConversationsRead),
    ("handoff", Permission::ConversationsRead),
    ("channel", Permission::ChannelsRead),
    ("appointment", Permission::AppointmentsRead),
    ("service", Permission::ServicesRead),
    ("shop", Permission::ShopRead),
    ("integration", Permission::ShopRead),
    ("subscription", Permission::Subscriptions),
    ("team", Permission::TeamRead),
];

/// What one must be allowed, to see events of this kind; `None` for a kind there is not, which nobody sees.
#[must_use]
pub fn permission(kind: &str) -> Option<Permission> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, permission)| *permission)
}

/// The stream of a shop.
#[must_use]
pub fn stream_key(scope: &ShopScope) -> String {
    key(scope.shop())
}

fn key(shop: ShopId) -> String {
    format!("fd:live:{shop}")
}

/// Appends an event and returns its id, by which a reader goes on. `kind` is one word (`order`, `message`, `handoff`), `json` holds ids, not rows.
///
/// # Errors
/// When Redis is away; the dashboard then learns of it by reading.
pub async fn append(queue: &Queue, scope: &ShopScope, kind: &str, json: &RawValue) -> Result<String, QueueError> {
    debug_assert!(permission(kind).is_some(), "`{kind}` is not in the table of kinds");
    let key = stream_key(scope);
    let mut both = redis::pipe();
    both.cmd("XADD").arg(&key).arg("MAXLEN").arg("~").arg(KEPT).arg("*").arg("kind").arg(kind).arg("json").arg(json.get());
    both.cmd("EXPIRE").arg(&key).arg(IDLE_SECONDS).ignore();
    let (id,): (String,) = both.query_async(&mut queue.connection()).await?;
    Ok(id)
}

/// The latest event's id; zero in an empty stream.
///
/// # Errors
/// When Redis is away.
pub async fn latest(queue: &Queue, scope: &ShopScope) -> Result<EventId, QueueError> {
    let mut ask = redis::cmd("XREVRANGE");
    ask.arg(stream_key(scope)).arg("+").arg("-").arg("COUNT").arg(1);
    let found: StreamRangeReply = ask.query_async(&mut queue.connection()).await?;
    Ok(found.ids.first().and_then(|entry| entry.id.parse().ok()).unwrap_or_default())
}

/// What happened after `seen`, all of it; `None` if some of it may be gone, and whoever asks must read everything anew.
///
/// # Errors
/// When Redis is away.
pub async fn after(queue: &Queue, scope: &ShopScope, seen: EventId) -> Result<Option<Vec<LiveEvent>>, QueueError> {
    let mut call = AFTER.prepare_invoke();
    call.key(stream_key(scope)).arg(seen.to_string()).arg(MOST);
    let found: Option<StreamRangeReply> = call.invoke_async(&mut queue.connection()).await?;
    Ok(found.map(|range| range.ids.iter().filter_map(LiveEvent::read).collect()))
}

/// Reads the streams of many shops over a connection of its own, since it waits on it.
pub struct Follower {
    conn: ConnectionManager,
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}

impl Follower {
    /// Opens the connection.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn connect(queue: &Queue) -> Result<Self, QueueError> {
        Ok(Self { conn: queue.own_connection().await? })
    }

    /// What happened in these shops after the events named; empty if nothing did for a quarter of a second. In order within a shop.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn look(&mut self, seen: &[(ShopId, EventId)]) -> Result<Vec<(ShopId, LiveEvent)>, QueueError> {
        let shops: HashMap<String, ShopId> = seen.iter().map(|(shop, _)| (key(*shop), *shop)).collect();
        let mut ask = redis::cmd("XREAD");
        ask.arg("COUNT").arg(LOOK).arg("BLOCK").arg(u64::try_from(BLOCK.as_millis()).unwrap_or(250)).arg("STREAMS");
        for (shop, _) in seen {
            ask.arg(key(*shop));
        }
        for (_, id) in seen {
            ask.arg(id.to_string());
        }
        let found: Option<StreamReadReply> = ask.query_async(&mut self.conn).await?;
        let streams = found.into_iter().flat_map(|reply| reply.keys);
        let events = streams.filter_map(|stream| Some((*shops.get(&stream.key)?, stream.ids)));
        Ok(events.flat_map(|(shop, ids)| ids.into_iter().filter_map(move |entry| Some((shop, LiveEvent::read(&entry)?)))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_redis_order_and_read_back() {
        let id = |text: &str| text.parse::<EventId>();
        assert!(id("9-5").unwrap() < id("10-0").unwrap());
        assert!(id("10-9").unwrap() < id("10-10").unwrap());
        assert_eq!(id("1764000000000-3").unwrap().to_string(), "1764000000000-3");
        for wrong in ["", "5", "-", "5-", "+5-1", "5-1-2", "$", "99999999999999999999-0"] {
            assert!(id(wrong).is_err(), "{wrong}");
        }
    }
}
