//! A flood of one shop's customers, and what it does to another shop's.

use std::time::Duration;

use tokio::time::Instant;

use crate::replies::{Arrival, Load, Outcome};
use crate::sandbox::{Kind, Model};
use crate::webhook::{PRODUCTS, SERVICES};

/// What the flooded shop's customers write.
pub(crate) const FLOOD_TEXT: &str = "hi, do you have red sneakers in 42?";
/// What the other shop's customers write.
pub(crate) const CALM_TEXT: &str = "Bonjour, vous ouvrez le samedi ?";
/// The flood has this start over the others.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long the calm shop's last customers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// A flood that brings no send for that long is over.
const SILENCE: Duration = Duration::from_secs(5);
/// How long the flood may take to drain.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);

/// Both runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flood {
    /// The calm shop's customers with nobody else about.
    pub(crate) alone: Outcome,
    /// The same during the flood.
    pub(crate) flooded: Outcome,
    /// Messages of the flood.
    pub(crate) messages: usize,
    /// Who wrote them.
    pub(crate) customers: usize,
    /// Over how long they came.
    pub(crate) within: Duration,
    /// Answers to the flood when the calm shop's last customer had theirs.
    pub(crate) answered_meanwhile: usize,
    /// Answers to the flood in all (several messages of a customer may get one).
    pub(crate) answered: usize,
    /// From the flood's first message to its last answer.
    pub(crate) drained_after: Duration,
}

/// The calm shop's arrivals twice, and the flood's.
pub(crate) struct Plan {
    pub(crate) alone: Vec<Arrival>,
    pub(crate) flooded: Vec<Arrival>,
    pub(crate) flood: Vec<Arrival>,
    pub(crate) flood_customers: usize,
    pub(crate) flood_within: Duration,
}

/// Measures the calm shop alone, then beside the flood, then lets the flood drain.
pub(crate) async fn measure(load: &Load, plan: Plan) -> anyhow::Result<Flood> {
    let well = (Model::Well, Model::Well);
    let alone = load.crowd(SERVICES, plan.alone, CALM_TEXT, well, Duration::ZERO, PATIENCE).await?;

    let (messages, before) = (plan.flood.len(), load.sandbox.last_send().await?);
    let begun = Instant::now();
    let flood = tokio::spawn({
        let load = load.clone();
        async move { load.send(PRODUCTS, plan.flood, FLOOD_TEXT).await }
    });
    tokio::time::sleep_until(begun + HEAD_START).await;
    let flooded = load.crowd(SERVICES, plan.flooded, CALM_TEXT, well, Duration::ZERO, PATIENCE).await?;

    let mut drain = Drain { load, after: before, answered: 0, last: begun };
    while drain.page().await? {}
    let answered_meanwhile = drain.answered;
    flood.await??;
    load.sandbox.models_at_once().await?;
    let deadline = Instant::now() + DRAINED_WITHIN;
    while Instant::now() < deadline && drain.last.elapsed() < SILENCE {
        drain.page().await?;
    }
    load.sandbox.models(Model::Well, Model::Well).await?;
    Ok(Flood {
        alone,
        flooded,
        messages,
        customers: plan.flood_customers,
        within: plan.flood_within,
        answered_meanwhile,
        answered: drain.answered,
        drained_after: drain.last - begun,
    })
}

struct Drain<'a> {
    load: &'a Load,
    after: u64,
    answered: usize,
    last: Instant,
}

impl Drain<'_> {
    /// Counts the next sends; `false` when there were none for a second.
    async fn page(&mut self) -> anyhow::Result<bool> {
        let page = self.load.sandbox.sends(PRODUCTS, self.after).await?;
        for send in &page {
            self.after = self.after.max(send.seq);
            if send.kind() == Kind::Answer {
                self.answered += 1;
                self.last = Instant::now();
            }
        }
        Ok(!page.is_empty())
    }
}
