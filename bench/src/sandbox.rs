//! The sandbox's control API: prepares customers, sets how the models behave, reads what was sent and when.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::webhook::{Account, Customer};

/// Control calls under way at once.
const AT_ONCE: usize = 32;
/// Customers introduced at a time; the sandbox lists at most 1,000 records.
const CHUNK: usize = 500;
/// Records asked for at a time.
const PAGE: usize = 1_000;

/// What a customer is going to write; the sandbox knows it, the ingress does not yet.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) customer: Customer,
    pub(crate) id: String,
}

/// A message that the product sent to a customer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sent {
    pub(crate) seq: u64,
    /// When the whole request was there, Unix ms.
    pub(crate) received_at_ms: f64,
    /// Digits of the customer's phone.
    pub(crate) customer: Option<String>,
    /// The product's key of the send: turn, kind and part.
    callback_data: Option<String>,
}

/// What a send is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// "One moment please."
    Holding,
    /// What the agent said.
    Answer,
    /// Any other fixed text.
    Other,
}

impl Sent {
    /// By the send's key, `t<turn>:<kind>:<part>`.
    pub(crate) fn kind(&self) -> Kind {
        match self.callback_data.as_deref().and_then(|key| key.split(':').nth(1)) {
            Some("holding") => Kind::Holding,
            Some("reply" | "proposal" | "order") => Kind::Answer,
            _ => Kind::Other,
        }
    }
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    last: u64,
}

/// How a model behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// It answers.
    Well,
    /// 500, after the time that an answer takes.
    Fails,
    /// It never answers.
    Hangs,
}

/// A running sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    base: String,
    http: reqwest::Client,
}

impl Sandbox {
    pub(crate) fn new(base: String, http: reqwest::Client) -> Self {
        Self { base, http }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<T> {
        let answer = self.http.get(format!("{}/control{path}", self.base)).query(query).send().await?;
        Ok(answer.error_for_status().with_context(|| format!("the sandbox's {path}"))?.json().await?)
    }

    async fn put(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let answer = self.http.put(format!("{}/control{path}", self.base)).json(body).send().await?;
        answer.error_for_status().with_context(|| format!("the sandbox's {path}"))?;
        Ok(())
    }

    /// Lets the customers write, each of them once per mention, and loses the webhooks on the way: the sandbox then takes replies to them, and
    /// the load generator delivers the webhooks itself when their time comes.
    pub(crate) async fn prepare(&self, account: Account, customers: Vec<Customer>, text: &str) -> anyhow::Result<Vec<Message>> {
        self.put("/faults/webhooks", &json!({ "drop": true })).await?;
        let mut messages = Vec::with_capacity(customers.len());
        for chunk in customers.chunks(CHUNK) {
            let before: Page<Value> = self.get("/deliveries", &[("limit", "1".to_owned())]).await?;
            let written = stream::iter(chunk.to_vec()).map(|customer| self.write(account, customer, text)).buffered(AT_ONCE);
            messages.extend(written.try_collect::<Vec<_>>().await?);
            let query = [
                ("after", before.last.to_string()),
                ("count", chunk.len().to_string()),
                ("limit", chunk.len().to_string()),
                ("wait_ms", "20000".to_owned()),
            ];
            let lost: Page<Value> = self.get("/deliveries", &query).await?;
            anyhow::ensure!(lost.items.len() == chunk.len(), "the sandbox lost {} of {} webhooks", lost.items.len(), chunk.len());
        }
        self.put("/faults/webhooks", &json!({})).await?;
        Ok(messages)
    }

    async fn write(&self, account: Account, customer: Customer, text: &str) -> anyhow::Result<Message> {
        #[derive(Deserialize)]
        struct Written {
            id: String,
        }
        let message = json!({
            "account": account.id,
            "customer": customer.for_sandbox(),
            "message": { "type": "text", "text": text },
        });
        let answer = self.http.post(format!("{}/control/messages", self.base)).json(&message).send().await?;
        let written: Written = answer.error_for_status().context("let a customer write")?.json().await?;
        Ok(Message { customer, id: written.id })
    }

    /// How both models behave from now on.
    pub(crate) async fn models(&self, gemini: Model, openai: Model) -> anyhow::Result<()> {
        for (target, model) in [("/faults/gemini", gemini), ("/faults/openai", openai)] {
            let faults = match model {
                Model::Well => json!({}),
                Model::Fails => json!({ "failure": { "kind": "internal" } }),
                Model::Hangs => json!({ "failure": { "kind": "hang" } }),
            };
            self.put(target, &faults).await?;
        }
        Ok(())
    }

    /// Both models answer at once from now on.
    pub(crate) async fn models_at_once(&self) -> anyhow::Result<()> {
        for target in ["/faults/gemini", "/faults/openai"] {
            self.put(target, &json!({ "latency_ms": 0, "jitter_ms": 0 })).await?;
        }
        Ok(())
    }

    /// How many model calls there were so far.
    pub(crate) async fn model_calls(&self) -> anyhow::Result<u64> {
        #[derive(Deserialize)]
        struct Summary {
            last_model_call: u64,
        }
        Ok(self.get::<Summary>("", &[]).await?.last_model_call)
    }

    /// The number of the latest send.
    pub(crate) async fn last_send(&self) -> anyhow::Result<u64> {
        #[derive(Deserialize)]
        struct Summary {
            last_send: u64,
        }
        Ok(self.get::<Summary>("", &[]).await?.last_send)
    }

    /// Accepted messages from this account after number `after`; waits a second for the first.
    pub(crate) async fn sends(&self, account: Account, after: u64) -> anyhow::Result<Vec<Sent>> {
        let query = [
            ("account", account.id.to_owned()),
            ("after", after.to_string()),
            ("limit", PAGE.to_string()),
            ("wait_ms", Duration::from_secs(1).as_millis().to_string()),
        ];
        Ok(self.get::<Page<Sent>>("/sends", &query).await?.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_is_told_by_its_key() {
        let kind = |key: Option<&str>| {
            let sent = json!({ "seq": 1, "received_at_ms": 5, "customer": null, "callback_data": key, "more": true });
            serde_json::from_value::<Sent>(sent).unwrap().kind()
        };
        assert_eq!(kind(Some("t12:holding:0")), Kind::Holding);
        assert_eq!(kind(Some("t12:reply:0")), Kind::Answer);
        assert_eq!(kind(Some("t12:proposal:1")), Kind::Answer);
        assert_eq!(kind(Some("t12:handoff:0")), Kind::Other);
        assert_eq!(kind(None), Kind::Other);
    }
}
