//! The one subscription of a process: wake-ups, results, and "your conversation has more".

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::envelope::JobId;
use super::lock;
use super::scripts::prefix;
use crate::jobs::JobName;

/// How often the subscription is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Signals {
    wakes: Vec<Notify>,
    replies: Mutex<HashMap<JobId, Vec<oneshot::Sender<String>>>>,
    mail: Mutex<HashMap<String, Arc<Notify>>>,
    subscribe: mpsc::UnboundedSender<String>,
}

impl Signals {
    /// Starts the subscription; it lives until `end`.
    pub(crate) fn start(client: redis::Client, process: &str, end: CancellationToken) -> Arc<Self> {
        let (subscribe, wanted) = mpsc::unbounded_channel();
        let signals = Arc::new(Self {
            wakes: JobName::ALL.iter().map(|_| Notify::new()).collect(),
            replies: Mutex::default(),
            mail: Mutex::default(),
            subscribe,
        });
        let channels = HashSet::from([format!("fd:reply:{process}"), format!("fd:more:{process}")]);
        let listening = Arc::clone(&signals);
        tokio::spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = listening.listen(client, channels, wanted) => {}
            }
        });
        signals
    }

    /// What [`super::Queue`] waits on for `queue`: one waiter, and a wake-up is kept until it is asked for.
    pub(crate) fn wake(&self, queue: JobName) -> &Notify {
        &self.wakes[queue as usize]
    }

    /// Also listen for wake-ups of `queue`.
    pub(crate) fn listen_to(&self, queue: JobName) {
        let _ = self.subscribe.send(format!("{}wake", prefix(queue)));
    }

    /// The result of `job`, when it is published.
    pub(crate) fn reply(self: &Arc<Self>, job: JobId) -> Reply {
        let (sender, receiver) = oneshot::channel();
        lock(&self.replies).entry(job).or_default().push(sender);
        Reply { signals: Arc::clone(self), job, receiver }
    }

    /// Notified when a conversation that this process answers has got more messages.
    pub(crate) fn more(self: &Arc<Self>, conversation: &str) -> More {
        let notify = Arc::clone(lock(&self.mail).entry(conversation.to_owned()).or_default());
        More { signals: Arc::clone(self), conversation: conversation.to_owned(), notify }
    }

    async fn listen(&self, client: redis::Client, mut channels: HashSet<String>, mut wanted: mpsc::UnboundedReceiver<String>) {
        let mut wait = Duration::from_millis(50);
        loop {
            match self.session(&client, &mut channels, &mut wanted).await {
                Ok(()) => wait = Duration::from_millis(50),
                Err(error) => {
                    tracing::warn!(%error, "the subscription to Redis broke; subscribing again");
                    wait = (wait * 2).min(Duration::from_secs(1));
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn session(
        &self,
        client: &redis::Client,
        channels: &mut HashSet<String>,
        wanted: &mut mpsc::UnboundedReceiver<String>,
    ) -> redis::RedisResult<()> {
        let within = Duration::from_secs(5);
        let timed_out = |_| redis::RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        let pubsub = tokio::time::timeout(within, client.get_async_pubsub()).await.map_err(timed_out)??;
        let (mut sink, mut messages) = pubsub.split();
        while let Ok(channel) = wanted.try_recv() {
            channels.insert(channel);
        }
        let all: Vec<_> = channels.iter().cloned().collect();
        tokio::time::timeout(within, sink.subscribe(all)).await.map_err(timed_out)??;
        self.catch_up();
        let mut ping = tokio::time::interval(PING_EVERY);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.heard(message.get_channel_name(), message.get_payload_bytes()),
                    None => return Ok(()),
                },
                Some(channel) = wanted.recv() => {
                    channels.insert(channel.clone());
                    tokio::time::timeout(within, sink.subscribe(channel)).await.map_err(timed_out)??;
                    self.catch_up();
                }
                _ = ping.tick() => { tokio::time::timeout(within, sink.ping::<redis::Value>()).await.map_err(timed_out)??; }
            }
        }
    }

    /// Whatever was published while nobody listened: everyone looks for themselves.
    fn catch_up(&self) {
        self.wakes.iter().for_each(Notify::notify_one);
        lock(&self.mail).values().for_each(|notify| notify.notify_waiters());
    }

    fn heard(&self, channel: &str, payload: &[u8]) {
        if let Some(queue) = channel.strip_prefix("fd:{").and_then(|rest| rest.strip_suffix("}:wake")) {
            if let Ok(queue) = queue.parse() {
                self.wake(queue).notify_one();
            }
        } else if channel.starts_with("fd:reply:") {
            let text = String::from_utf8_lossy(payload);
            if let Some((id, outcome)) = text.split_once('\n')
                && let Ok(id) = id.parse()
            {
                for waiter in lock(&self.replies).remove(&id).unwrap_or_default() {
                    let _ = waiter.send(outcome.to_owned());
                }
            }
        } else if let Some(notify) = lock(&self.mail).get(String::from_utf8_lossy(payload).as_ref()) {
            notify.notify_waiters();
        }
    }
}

/// Waits for one job's result.
pub(crate) struct Reply {
    signals: Arc<Signals>,
    job: JobId,
    receiver: oneshot::Receiver<String>,
}

impl Reply {
    pub(crate) async fn received(&mut self) -> Option<String> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.receiver.close();
        let mut replies = lock(&self.signals.replies);
        if let Some(waiters) = replies.get_mut(&self.job) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                replies.remove(&self.job);
            }
        }
    }
}

/// Waits for news of one conversation.
pub(crate) struct More {
    signals: Arc<Signals>,
    conversation: String,
    pub(crate) notify: Arc<Notify>,
}

impl Drop for More {
    fn drop(&mut self) {
        let mut mail = lock(&self.signals.mail);
        // Ours and the map's: nobody else waits.
        if Arc::strong_count(&self.notify) == 2 {
            mail.remove(&self.conversation);
        }
    }
}
