//! The messages of a conversation that wait for a turn: accept, take, acknowledge, park.
//!
//! A conversation with messages has exactly one `answer_customer` job; while that runs, the conversation is held by its run, and every change
//! of the mailbox but the accepting of more is fenced by the run's token. What leads to no turn goes to `record_events`, in order per channel.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::inbound::{ChannelKey, ConversationKey, Happening, InboundEvent};
use crate::jobs::JobName;
use crate::queue::{ACCEPT, ACKNOWLEDGE, Envelope, From, JobId, More, PARK, Queue, QueueError, RECORD, SWEEP_BOXES, TAKE, on, prefix};

/// Messages that may wait in one conversation; more are recorded without a turn.
pub const BOUND: usize = 100;
/// How long an alias leads to its conversation without being used; Postgres knows it for ever.
const ALIAS_FOR: Duration = Duration::from_hours(60 * 24);
/// Messages per round trip.
const ACCEPT_CHUNK: usize = 200;
/// Events per `record_events` job.
const RECORD_CHUNK: usize = 100;
/// How often a run that waits for more messages looks itself.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What came of accepting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Events seen for the first time.
    pub new: usize,
    /// Events seen before.
    pub duplicates: usize,
}

/// One message that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// When it was accepted, Unix milliseconds by Redis's clock.
    pub accepted_at_ms: i64,
    /// The message.
    pub event: InboundEvent,
}

/// What waits in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The messages, in the order of arrival, at most [`BOUND`].
    pub mail: Vec<Mail>,
    /// Now, Unix milliseconds by Redis's clock: the clock of `accepted_at_ms`.
    pub now_ms: i64,
}

/// Why a run could not touch its mailbox.
#[derive(Debug, thiserror::Error)]
pub enum LostOrError {
    /// The run no longer holds the conversation: stop, another one has it.
    #[error("the run was lost to another")]
    Lost,
    /// Redis could not be asked.
    #[error(transparent)]
    Error(#[from] QueueError),
}

impl std::convert::From<redis::RedisError> for LostOrError {
    fn from(error: redis::RedisError) -> Self {
        Self::Error(error.into())
    }
}

/// The mailboxes, as one process sees them.
#[derive(Debug, Clone)]
pub struct Mailbox {
    queue: Queue,
}

impl Mailbox {
    /// The mailboxes of this Redis.
    #[must_use]
    pub fn new(queue: &Queue) -> Self {
        Self { queue: queue.clone() }
    }

    /// Takes in all events of one delivery: messages into their conversations, each once; the rest to `record_events`, in order per channel.
    /// When it returns, Redis has them. A message beyond [`BOUND`] is recorded too: a [`Happening::Message`] there is one that gets no turn.
    ///
    /// # Errors
    /// When Redis is away or a part of it could not be written: answer 503, the sender delivers again, and what was taken in counts as duplicate.
    pub async fn accept(&self, events: Vec<InboundEvent>) -> Result<Accepted, QueueError> {
        let (messages, others): (Vec<_>, Vec<_>) = events.into_iter().partition(is_for_a_turn);
        let mut accepted = Accepted::default();
        let mut overflow = Vec::new();
        for chunk in messages.chunks(ACCEPT_CHUNK) {
            for (event, outcome) in chunk.iter().zip(self.accept_messages(chunk).await?) {
                match outcome {
                    0 => accepted.duplicates += 1,
                    1 => accepted.new += 1,
                    _ => overflow.push(event.clone()),
                }
            }
        }
        let mut by_channel: HashMap<ChannelKey, Vec<InboundEvent>> = HashMap::new();
        for event in others.into_iter().chain(overflow.iter().cloned()) {
            by_channel.entry(event.channel.clone()).or_default().push(event);
        }
        let chunks: Vec<_> =
            by_channel.iter().flat_map(|(channel, events)| events.chunks(RECORD_CHUNK).map(move |chunk| (channel, chunk))).collect();
        for ((_, chunk), fresh) in chunks.iter().zip(join_all(chunks.iter().map(|(channel, chunk)| self.record(channel, chunk))).await) {
            let fresh = fresh?;
            accepted.new += fresh;
            accepted.duplicates += chunk.len().saturating_sub(fresh);
        }
        // Only now: had the recording failed, the next delivery must find the message unseen.
        if !overflow.is_empty() {
            metrics::counter!("frontdesk_mailbox_overflow_total").increment(overflow.len() as u64);
            let mut seen = redis::pipe();
            for event in &overflow {
                let key = format!("{}seen:{}", prefix(JobName::AnswerCustomer), event.dedupe_key);
                seen.cmd("SET").arg(key).arg("1").arg("PX").arg(86_400_000).ignore();
            }
            seen.query_async::<()>(&mut self.queue.connection()).await?;
        }
        self.queue.inner.replicas.have_it().await?;
        Ok(accepted)
    }

    /// One round trip, in order: a script call for each message.
    async fn accept_messages(&self, messages: &[InboundEvent]) -> Result<Vec<u8>, QueueError> {
        let (prefix, mut calls) = (prefix(JobName::AnswerCustomer), redis::pipe());
        for event in messages {
            let call = calls.cmd("EVALSHA").arg(ACCEPT.get_hash()).arg(1).arg(&prefix).arg("0");
            call.arg(&event.dedupe_key).arg(serde_json::to_vec(event)?);
            call.arg(From::Channel(&event.channel).group()).arg(event.channel.to_string());
            call.arg(BOUND).arg(JobId::fresh().to_string()).arg(ALIAS_FOR.as_millis() as u64);
            for alias in event.customer.iter().flat_map(|sender| &sender.aliases) {
                call.arg(format!("{}:{}", alias.kind.as_str(), alias.value));
            }
        }
        let mut conn = self.queue.connection();
        let outcomes: Vec<(u8, String)> = match calls.query_async(&mut conn).await {
            Err(error) if error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript) => {
                ACCEPT.load_async(&mut conn).await?;
                calls.query_async(&mut conn).await?
            }
            outcomes => outcomes?,
        };
        Ok(outcomes.into_iter().map(|(outcome, _)| outcome).collect())
    }

    async fn record(&self, channel: &ChannelKey, events: &[InboundEvent]) -> Result<usize, QueueError> {
        let mut call = on(&RECORD, JobName::RecordEvents);
        call.arg(From::Channel(channel).group()).arg(JobId::fresh().to_string());
        for event in events {
            call.arg(&event.dedupe_key).arg(serde_json::to_vec(event)?);
        }
        Ok(call.invoke_async(&mut self.queue.connection()).await?)
    }

    /// Reads what waits, without removing it.
    ///
    /// # Errors
    /// [`LostOrError::Lost`] when another run holds the conversation.
    pub async fn take(&self, envelope: &Envelope, conversation: &ConversationKey) -> Result<Taken, LostOrError> {
        let mut call = on(&TAKE, JobName::AnswerCustomer);
        call.arg(&conversation.0).arg(envelope.job.to_string()).arg(envelope.run.0).arg(BOUND);
        let (ours, now_ms, raw): (u8, i64, Vec<Vec<u8>>) = call.invoke_async(&mut self.queue.connection()).await?;
        if ours == 0 {
            return Err(LostOrError::Lost);
        }
        let mail = raw.iter().map(|entry| serde_json::from_slice(entry)).collect::<Result<_, _>>().map_err(QueueError::from)?;
        Ok(Taken { mail, now_ms })
    }

    /// Removes the first `handled` messages; says how many are left.
    ///
    /// # Errors
    /// [`LostOrError::Lost`] when another run holds the conversation.
    pub async fn acknowledge(&self, envelope: &Envelope, conversation: &ConversationKey, handled: usize) -> Result<usize, LostOrError> {
        let mut call = on(&ACKNOWLEDGE, JobName::AnswerCustomer);
        call.arg(&conversation.0).arg(envelope.job.to_string()).arg(envelope.run.0).arg(handled).arg(JobId::fresh().to_string());
        self.twice(&call).await
    }

    /// Moves the first `n` messages to the dead letters of `answer_customer`; the conversation goes on with the rest. Says how many are left.
    ///
    /// # Errors
    /// [`LostOrError::Lost`] when another run holds the conversation.
    pub async fn park(&self, envelope: &Envelope, conversation: &ConversationKey, n: usize, code: &str) -> Result<usize, LostOrError> {
        let mut call = on(&PARK, JobName::AnswerCustomer);
        call.arg(&conversation.0).arg(envelope.job.to_string()).arg(envelope.run.0).arg(n).arg(code).arg(JobId::fresh().to_string());
        self.twice(&call).await
    }

    /// The call carries its own name, so that a second try after a lost answer does nothing twice.
    async fn twice(&self, call: &redis::ScriptInvocation<'_>) -> Result<usize, LostOrError> {
        let left: i64 = match call.invoke_async(&mut self.queue.connection()).await {
            Ok(left) => left,
            Err(_) => call.invoke_async(&mut self.queue.connection()).await?,
        };
        usize::try_from(left).map_err(|_| LostOrError::Lost)
    }

    /// Resolves when more than `seen` messages wait in the conversation that `envelope`'s run holds. Safe to drop; trouble with Redis only delays it.
    pub async fn more(&self, _envelope: &Envelope, conversation: &ConversationKey, seen: usize) {
        let news: More = self.queue.inner.signals.more(&conversation.0);
        let key = format!("{}mail:{}", prefix(JobName::AnswerCustomer), conversation.0);
        loop {
            let notified = news.notify.notified();
            let waiting = redis::cmd("LLEN").arg(&key).query_async::<usize>(&mut self.queue.connection()).await;
            if waiting.is_ok_and(|waiting| waiting > seen) {
                return;
            }
            tokio::select! {
                () = notified => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Readies mailboxes that have messages but no job; says how many.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn sweep(&self) -> Result<u64, QueueError> {
        const CHUNK: usize = 200;
        let (mut from, mut readied) = (0, 0);
        loop {
            let mut call = on(&SWEEP_BOXES, JobName::AnswerCustomer);
            call.arg(from).arg(CHUNK);
            for _ in 0..CHUNK {
                call.arg(JobId::fresh().to_string());
            }
            let (looked, some): (usize, u64) = call.invoke_async(&mut self.queue.connection()).await?;
            readied += some;
            from += looked;
            if looked < CHUNK {
                return Ok(readied);
            }
        }
    }
}

/// Whether an event leads to a turn: a message of somebody we can name.
fn is_for_a_turn(event: &InboundEvent) -> bool {
    matches!(event.what, Happening::Message(_)) && event.customer.as_ref().is_some_and(|sender| !sender.aliases.is_empty())
}
