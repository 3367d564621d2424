//! Sends what no turn says: a person's answer, a reminder, what became of an appointment. Safe to repeat: the message is claimed before it is sent, and one whose fate is unknown is left to settle (status webhooks
//! and echoes carry its key) before it is sent again.

use std::time::Duration;

use frontdesk_core::db::appointments::reminders;
use frontdesk_core::db::channels::{self, ChannelRef};
use frontdesk_core::db::conversations::{self, WINDOW};
use frontdesk_core::db::messages::{self, OutboundRow};
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::{DbError, ShopTx, TxKind, customers, logs};
use frontdesk_core::ids::{ConversationId, MessageId};
use frontdesk_core::inbound::Alias;
use frontdesk_core::jobs::{DeliverMessage, Notice, Template};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::clients::meta::{Action, Button, Outgoing, Sent};
use crate::crash::{self, Point};
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::{Outcome, SETTLE, message_event, tell, undeliverable, unsettled};

/// How soon an answer looks again whether the one before it is out.
const TURN: Duration = Duration::from_millis(150);

impl Handle<App> for DeliverMessage {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let (app, scope, id) = (&cx.app, cx.scope()?, self.message);
        let now = app.clock.now();
        let claimed = app.db.shop_tx(&scope, TxKind::Turn, async move |mut tx| claim(&mut tx, id, now).await).await?;
        let letter = match claimed {
            Claim::Settled => return Ok(()),
            Claim::Later(wait) => return Err(JobError::snooze(wait)),
            Claim::Ours(letter) => *letter,
        };
        crash::at(Point::AfterClaim);
        let outcome = transmit(app, &letter).await;
        crash::at(Point::AfterSend);
        record(cx, &scope, &letter, outcome).await
    }
}

/// All that a send needs.
struct Letter {
    message: OutboundRow,
    conversation: ConversationId,
    channel: ChannelRef,
    to: Vec<Alias>,
    /// The 24-hour window is over.
    late: bool,
}

enum Claim {
    Ours(Box<Letter>),
    /// A status or an echo has settled it, or it is out.
    Settled,
    /// It is not its turn yet.
    Later(Duration),
}

async fn claim(tx: &mut ShopTx, id: MessageId, now: chrono::DateTime<chrono::Utc>) -> Result<Claim, DbError> {
    let Some((message, conversation)) = messages::unsent(tx, id).await? else { return Ok(Claim::Settled) };
    if message.status == "sending" {
        // Its worker died: what settles it has its time from now on.
        messages::doubt(tx, id, now).await?;
        return Ok(Claim::Later(Duration::from_secs(1)));
    }
    if let Some(wait) = unsettled(&message, now) {
        return Ok(Claim::Later(wait));
    }
    if messages::waits_for_another(tx, conversation, id).await? {
        return Ok(Claim::Later(TURN));
    }
    if message.kind == "reminder" && message.status == "pending" && !reminders::holds(tx, id, now).await? {
        // Moved, cancelled or begun meanwhile: it would only confuse.
        messages::mark(tx, id, "superseded", None).await?;
        return Ok(Claim::Settled);
    }
    let standing = conversations::find(tx, conversation).await?.ok_or(DbError::NotFound)?;
    let channel = channels::find(tx, standing.channel()).await?.ok_or(DbError::NotFound)?;
    let to = customers::aliases(tx, standing.customer()).await?;
    if !messages::claim(tx, id, now - SETTLE, now).await? {
        return Ok(Claim::Settled);
    }
    let late = standing.last_customer_at.is_none_or(|wrote| now >= wrote + WINDOW);
    Ok(Claim::Ours(Box::new(Letter { message, conversation, channel, to, late })))
}

async fn transmit(app: &App, letter: &Letter) -> Outcome {
    let Letter { message, to, .. } = letter;
    let Some(account) = app.account(&letter.channel) else {
        return Outcome::Refused { code: 190, action: Action::Disconnected };
    };
    let sent = match serde_json::from_value::<Template>(message.content["template"].clone()) {
        Ok(template) => app.meta.send_template(&account, to, &template, &message.send_key).await,
        Err(_) => {
            let buttons: Vec<Button> = serde_json::from_value(message.content["buttons"].clone()).unwrap_or_default();
            // Meta allows the tag to people alone.
            let human_agent = letter.late && message.author == "human";
            let outgoing = Outgoing { to, text: &message.body, buttons: &buttons, human_agent, send_key: &message.send_key };
            app.meta.send(&account, &outgoing).await
        }
    };
    match sent {
        // A try counts: who never answers is not asked for ever.
        Sent::Unknown => {
            Outcome::Again { status: "unknown", code: None, error: JobError::retry_after("meta_silent", Duration::from_secs(1)) }
        }
        sent => sent.into(),
    }
}

async fn record(cx: &JobContext<App>, scope: &ShopScope, letter: &Letter, outcome: Outcome) -> Result<(), JobError> {
    let (app, id, conversation, channel) = (&cx.app, letter.message.id(), letter.conversation, letter.channel.clone());
    let (kind, body) = (letter.message.kind.clone(), letter.message.body.clone());
    let last = cx.is_last_attempt();
    let (pending, again) = app
        .db
        .shop_tx(scope, TxKind::Turn, async move |mut tx| match outcome {
            Outcome::Sent(provider_id) => {
                messages::mark_sent(&mut tx, id, &provider_id).await?;
                logs::insert_outbound(&mut tx, &channel, &kind, &provider_id, &body).await?;
                Ok((Vec::new(), None))
            }
            Outcome::Again { status, code, error } => {
                // Whoever wrote it must learn that it did not go out; one that may have arrived stays `unknown`.
                let given_up = last && status == "pending";
                messages::mark(&mut tx, id, if given_up { "failed" } else { status }, code).await?;
                let pending = if last { vec![give_up(&mut tx, conversation, id, code).await?] } else { Vec::new() };
                Ok::<_, DbError>((pending, Some(error)))
            }
            Outcome::Refused { code, action } => {
                messages::mark(&mut tx, id, "failed", Some(code)).await?;
                tracing::warn!(code, ?action, "a message was not delivered");
                Ok((undeliverable(&mut tx, channel.id(), conversation, id, code, action).await?, None))
            }
        })
        .await?;
    crash::at(Point::AfterRecord);
    if !pending.is_empty() {
        app.push_outbox(scope, pending).await;
        app.channels.forget(letter.channel.key()).await;
    }
    app.announce(scope, "message", &message_event(conversation, id)).await;
    again.map_or(Ok(()), Err)
}

async fn give_up(tx: &mut ShopTx, conversation: ConversationId, message: MessageId, code: Option<i64>) -> Result<Pending, DbError> {
    conversations::recount_answers(tx, conversation).await?;
    tell(tx, format!("undeliverable:{message}"), Notice::Undeliverable { conversation, code }).await
}
