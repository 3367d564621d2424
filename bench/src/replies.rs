//! Open-loop arrivals at the ingress, and what reaches the sandbox for each of them.

use std::collections::HashMap;
use std::time::Duration;

use rand::RngExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock;
use crate::figures::Sample;
use crate::sandbox::{Kind, Message, Model, Sandbox, Sent};
use crate::webhook::{Account, Signer};
use crate::wire::Pool;

/// A moment for further sends to come, so that a poll does not fetch them one by one.
const GATHER: Duration = Duration::from_millis(20);

/// A message and when it comes, counted from the start.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    message: Message,
    at: Duration,
}

/// As strangers arrive: at independent moments within `time`.
pub(crate) fn at_random(messages: Vec<Message>, time: Duration) -> Vec<Arrival> {
    let mut rng = rand::rng();
    messages.into_iter().map(|message| Arrival { message, at: time.mul_f64(rng.random::<f64>()) }).collect()
}

/// One after the other, evenly over `time`.
pub(crate) fn evenly(messages: Vec<Message>, time: Duration) -> Vec<Arrival> {
    let gap = time.div_f64((messages.len().max(1)) as f64);
    messages.into_iter().zip(0_u32..).map(|(message, n)| Arrival { message, at: gap * n }).collect()
}

/// What is needed to write to the ingress and to see what comes of it.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) pool: Pool,
    pub(crate) signer: Signer,
    pub(crate) sandbox: Sandbox,
}

/// When each customer's message left, Unix ms, by phone.
pub(crate) type SentAt = HashMap<String, f64>;

/// What a crowd of customers got. Latencies run from the first byte sent to the ingress to the sandbox's receipt of the send, ms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Customers who wrote.
    pub(crate) customers: usize,
    /// To whatever came first.
    pub(crate) first_ms: Sample,
    /// To the agent's answer.
    pub(crate) answer_ms: Sample,
    /// Holding replies.
    pub(crate) holding: usize,
    /// Customers who got another fixed text instead of an answer.
    pub(crate) other: usize,
    /// Model calls of both providers in that time.
    pub(crate) model_calls: u64,
}

impl Load {
    /// Delivers every message at its time, whatever has become of the others.
    pub(crate) async fn send(&self, account: Account, arrivals: Vec<Arrival>, text: &'static str) -> anyhow::Result<SentAt> {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for arrival in arrivals {
            let load = self.clone();
            tasks.spawn(async move {
                tokio::time::sleep_until(begun + arrival.at).await;
                let Message { customer, id } = arrival.message;
                let webhook = load.signer.text(account, &customer, &id, clock::now().timestamp(), text)?;
                let sent_at = load.pool.deliver(webhook).await?;
                Ok::<_, anyhow::Error>((customer.phone, sent_at))
            });
        }
        let mut sent = SentAt::new();
        while let Some(done) = tasks.join_next().await {
            let (phone, at) = done??;
            sent.entry(phone).and_modify(|first| *first = first.min(at)).or_insert(at);
        }
        Ok(sent)
    }

    /// Reads the sends after number `after` until every customer has an answer, or patience is at its end.
    pub(crate) async fn collect(&self, account: Account, mut after: u64, sent: &SentAt, patience: Duration) -> anyhow::Result<Outcome> {
        let deadline = Instant::now() + patience;
        let mut ledger = Ledger::new(sent);
        while !ledger.is_settled() && Instant::now() < deadline {
            let page = self.sandbox.sends(account, after).await?;
            for send in &page {
                after = after.max(send.seq);
                ledger.book(send);
            }
            tokio::time::sleep(GATHER).await;
        }
        Ok(ledger.outcome())
    }

    /// One crowd under one behaviour of the models. Where neither answers they come back after `outage`.
    pub(crate) async fn crowd(
        &self,
        account: Account,
        arrivals: Vec<Arrival>,
        text: &'static str,
        models: (Model, Model),
        outage: Duration,
        patience: Duration,
    ) -> anyhow::Result<Outcome> {
        self.sandbox.models(models.0, models.1).await?;
        let (after, calls) = (self.sandbox.last_send().await?, self.sandbox.model_calls().await?);
        let begun = Instant::now();
        let sent = self.send(account, arrivals, text).await?;
        if models.0 != Model::Well && models.1 != Model::Well {
            tokio::time::sleep_until(begun + outage).await;
            self.sandbox.models(Model::Well, Model::Well).await?;
        }
        let mut outcome = self.collect(account, after, &sent, patience).await?;
        outcome.model_calls = self.sandbox.model_calls().await?.saturating_sub(calls);
        self.sandbox.models(Model::Well, Model::Well).await?;
        Ok(outcome)
    }
}

impl Outcome {
    /// Several crowds as one.
    pub(crate) fn join(parts: Vec<Self>) -> Self {
        let all = |pick: fn(&Self) -> &Sample| Sample::new(parts.iter().flat_map(|part| pick(part).values()).copied().collect());
        Self {
            customers: parts.iter().map(|part| part.customers).sum(),
            first_ms: all(|part| &part.first_ms),
            answer_ms: all(|part| &part.answer_ms),
            holding: parts.iter().map(|part| part.holding).sum(),
            other: parts.iter().map(|part| part.other).sum(),
            model_calls: parts.iter().map(|part| part.model_calls).sum(),
        }
    }
}

#[derive(Debug, Default, Clone)]
struct Entry {
    sent_at: f64,
    first: Option<f64>,
    answer: Option<f64>,
    other: bool,
}

/// What each customer got so far.
struct Ledger {
    entries: HashMap<String, Entry>,
    holding: usize,
    unsettled: usize,
}

impl Ledger {
    fn new(sent: &SentAt) -> Self {
        let entries = sent.iter().map(|(phone, at)| (phone.clone(), Entry { sent_at: *at, ..Entry::default() })).collect();
        Self { entries, holding: 0, unsettled: sent.len() }
    }

    fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// Sends to strangers (of another crowd) and further parts of an answer change nothing.
    fn book(&mut self, send: &Sent) {
        let Some(entry) = send.customer.as_ref().and_then(|phone| self.entries.get_mut(phone)) else { return };
        let was_settled = entry.answer.is_some() || entry.other;
        entry.first.get_or_insert(send.received_at_ms);
        match send.kind() {
            Kind::Holding => self.holding += 1,
            Kind::Answer => drop(entry.answer.get_or_insert(send.received_at_ms)),
            Kind::Other => entry.other = true,
        }
        if !was_settled && (entry.answer.is_some() || entry.other) {
            self.unsettled -= 1;
        }
    }

    fn outcome(&self) -> Outcome {
        let took = |pick: fn(&Entry) -> Option<f64>| {
            // The receipt is stamped in whole ms, so it can seem to precede a send within the same one.
            Sample::new(self.entries.values().filter_map(|entry| Some((pick(entry)? - entry.sent_at).max(0.0))).collect())
        };
        Outcome {
            customers: self.entries.len(),
            first_ms: took(|entry| entry.first),
            answer_ms: took(|entry| entry.answer),
            holding: self.holding,
            other: self.entries.values().filter(|entry| entry.other && entry.answer.is_none()).count(),
            model_calls: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn send(phone: &str, kind: &str, at: u32) -> Sent {
        let send = json!({ "seq": at, "received_at_ms": at, "customer": phone, "callback_data": format!("t1:{kind}:0") });
        serde_json::from_value(send).unwrap()
    }

    #[test]
    fn the_answer_counts_from_the_customers_own_message_and_once() {
        let mut ledger = Ledger::new(&SentAt::from([("1".to_owned(), 1_000.0), ("2".to_owned(), 1_500.0)]));
        ledger.book(&send("1", "holding", 3_000));
        assert!(!ledger.is_settled());
        ledger.book(&send("1", "reply", 4_000));
        ledger.book(&send("1", "reply", 9_000));
        ledger.book(&send("3", "reply", 9_000));
        ledger.book(&send("2", "proposal", 2_000));
        assert!(ledger.is_settled());
        let outcome = ledger.outcome();
        assert_eq!((outcome.customers, outcome.holding, outcome.other), (2, 1, 0));
        assert_eq!((outcome.first_ms.min(), outcome.first_ms.max()), (Some(500.0), Some(2_000.0)));
        assert_eq!((outcome.answer_ms.min(), outcome.answer_ms.max()), (Some(500.0), Some(3_000.0)));
    }

    #[test]
    fn another_fixed_text_is_no_answer() {
        let mut ledger = Ledger::new(&SentAt::from([("1".to_owned(), 0.0)]));
        ledger.book(&send("1", "handoff", 5));
        assert!(ledger.is_settled());
        let outcome = ledger.outcome();
        assert_eq!((outcome.other, outcome.answer_ms.len(), outcome.first_ms.len()), (1, 0, 1));
    }
}
