//! Lets the owner try what the agent would say and do. Nothing of it stays but the models' cost, which counts towards the shop's budget.

use frontdesk_core::db::{DbError, TxKind, requests, shops, usage};
use frontdesk_core::jobs::{Answer, RefusalKind, TryAgent};
use serde_json::{Value, json};

use super::{Wrote, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::trial::{self, Tried, Untried};

impl Handle<App> for TryAgent {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope, key) = (&cx.app, cx.scope()?, self.request.key.clone());
        let answered = async move |mut tx| requests::find(&mut tx, &key).await.map_err(|error: DbError| error);
        if app.db.shop_tx(&scope, TxKind::Command, answered).await?.is_some() {
            // A repeat costs no second model call; `once` gives the answer that stands.
            return once(cx, self.request, |_| Box::pin(async { Ok(Wrote::answer(Answer::Empty)) })).await;
        }
        let (answer, cost) = match trial::run(app, scope, self.talk).await {
            Ok(tried) => (Answer::Done(told(&tried)), Some((tried.trace.tokens, tried.trace.cost))),
            Err(Untried::Failed(error)) => return Err(error),
            Err(Untried::Budget) => {
                let detail = "The day's budget for models is used up. Try again tomorrow, or raise it in the settings.";
                (refused(RefusalKind::Conflict, "model_budget", detail), None)
            }
            Err(Untried::Models(trace)) => {
                let refusal = refused(RefusalKind::Conflict, "no_model", "No model answered in time. Try again in a moment.");
                (refusal, Some((trace.tokens, trace.cost)))
            }
        };
        let now = app.clock.now();
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                if let Some((tokens, cost)) = cost {
                    let day = shops::profile(tx).await?.local_date(now);
                    usage::add_model_cost(tx, day, tokens.input, tokens.output, cost).await?;
                }
                Ok(Wrote::answer(answer))
            })
        })
        .await
    }
}

fn told(tried: &Tried) -> Value {
    let buttons = |content: &Value| -> Vec<Value> {
        content["buttons"].as_array().into_iter().flatten().map(|button| button["title"].clone()).collect()
    };
    let messages: Vec<Value> = tried
        .messages
        .iter()
        .map(|message| json!({"kind": message.kind, "text": message.body, "buttons": buttons(&message.content)}))
        .collect();
    let proposal: Vec<Value> = tried
        .proposal
        .iter()
        .filter(|proposal| proposal.kind == "order")
        .flat_map(|proposal| &proposal.lines)
        .map(|line| json!({"product_id": line.product_id, "quantity": line.quantity, "price": line.price}))
        .collect();
    let booking = tried.proposal.as_ref().filter(|proposal| proposal.kind == "booking").and_then(|proposal| proposal.booking.as_ref());
    let booking =
        booking.map(|booking| json!({"service_id": booking.service_id, "staff_id": booking.staff_id, "starts_at": booking.starts_at}));
    json!({"messages": messages, "proposal": proposal, "booking": booking, "trace": tried.trace.events, "model_cost": tried.trace.cost.to_string()})
}
