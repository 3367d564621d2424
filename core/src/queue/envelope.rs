//! What surrounds a payload: which job it is, for which shop, in which run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::ShopId;
use crate::inbound::ChannelKey;
use crate::jobs::JobName;
use crate::tenancy::ShopScope;

/// A job's id: `/jobs/{id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A new id; later ones sort after earlier ones.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The fence of one run: larger than that of every run that began before it in the same queue. Whoever holds a smaller one has lost the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunToken(pub i64);

impl fmt::Display for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who enqueues. It decides the envelope's scope, and whose turn it is when many wait.
#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    /// A shop; the job acts within it.
    Shop(&'a ShopScope),
    /// A channel whose shop is not known yet; the job has no scope.
    Channel(&'a ChannelKey),
    /// Frontdesk itself; the job has no scope.
    System,
}

impl From<'_> {
    pub(crate) fn group(&self) -> String {
        match self {
            Self::Shop(scope) => format!("shop:{}", scope.shop()),
            Self::Channel(channel) => format!("channel:{channel}"),
            Self::System => "system".to_owned(),
        }
    }

    pub(crate) fn shop(&self) -> String {
        match self {
            Self::Shop(scope) => scope.shop().to_string(),
            Self::Channel(_) | Self::System => String::new(),
        }
    }
}

/// What a handler knows of its job besides the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The job.
    pub job: JobId,
    /// Its queue.
    pub queue: JobName,
    /// Which run this is, counted from one; a death or a snooze does not count.
    pub attempt: u32,
    /// How many processes died while they ran it.
    pub deaths: u32,
    /// The fence of this run.
    pub run: RunToken,
    /// When it was enqueued, Unix milliseconds by Redis's clock.
    pub enqueued_at_ms: i64,
    /// Its idempotency key.
    pub key: Option<String>,
    /// The W3C `traceparent` of whoever enqueued it.
    pub trace: Option<String>,
    shop: Option<ShopId>,
}

impl Envelope {
    /// The shop whose scope the enqueuer had; [`ShopScope::from_envelope`] is the door.
    pub(crate) const fn shop(&self) -> Option<ShopId> {
        self.shop
    }
}

/// A job as the fetch script hands it out.
pub(crate) struct Fetched {
    pub(crate) envelope: Envelope,
    pub(crate) payload: Vec<u8>,
}

/// The fetch script's row: id, fence, shop, attempts, deaths, enqueued at, key, trace, payload.
pub(crate) type Row = (String, i64, String, u32, u32, i64, String, String, Vec<u8>);

impl Fetched {
    /// `None` for a row that is not ours: it stays held, and is reconciled away.
    pub(crate) fn read(queue: JobName, row: Row) -> Option<Self> {
        let (id, run, shop, attempts, deaths, enqueued_at_ms, key, trace, payload) = row;
        let filled = |text: String| (!text.is_empty()).then_some(text);
        let shop = if shop.is_empty() { None } else { Some(ShopId(shop.parse().ok()?)) };
        let envelope = Envelope {
            job: id.parse().ok()?,
            queue,
            attempt: attempts.saturating_add(1),
            deaths,
            run: RunToken(run),
            enqueued_at_ms,
            key: filled(key),
            trace: filled(trace),
            shop,
        };
        Some(Self { envelope, payload })
    }
}
