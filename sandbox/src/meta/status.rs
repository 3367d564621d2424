//! What follows an accepted send: statuses (WhatsApp), receipts (Messenger, Instagram) and echoes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::errors::title;
use super::inbound::{change, contact};
use super::send::Sent;
use super::webhooks::{Update, push, push_and_wait};
use crate::accounts::Platform;
use crate::book::{Change, Receipt};
use crate::state::State;

/// Sends everything that follows, each at its time.
pub(crate) fn all_receipts(state: &Arc<State>, sent: Sent, skip_delivered: bool) {
    let shared = state.clone();
    state.spawn(async move {
        sleep(Duration::from_millis(shared.config.speed.sent_ms)).await;
        first_receipt(&shared, &sent, false).await;
        rest(&shared, &sent, skip_delivered).await;
    });
}

/// Sends what follows the first receipt, each at its time.
pub(crate) fn later_receipts(state: &Arc<State>, sent: Sent, skip_delivered: bool) {
    let shared = state.clone();
    state.spawn(async move { rest(&shared, &sent, skip_delivered).await });
}

/// The `sent` status, or the echo; `wait` until it was delivered.
pub(crate) async fn first_receipt(state: &Arc<State>, sent: &Sent, wait: bool) {
    let item = match sent.account.platform {
        Platform::Whatsapp => whatsapp_status(state, sent, "sent", None),
        Platform::Messenger | Platform::Instagram => echo(state, sent),
    };
    note(state, sent, Receipt::Sent);
    let update = Update { account: sent.account.clone(), item };
    if wait {
        push_and_wait(state, update).await;
    } else {
        push(state, update);
    }
}

async fn rest(state: &Arc<State>, sent: &Sent, skip_delivered: bool) {
    let speed = &state.config.speed;
    sleep(Duration::from_millis(speed.delivered_ms.saturating_sub(speed.sent_ms))).await;
    if !skip_delivered {
        note(state, sent, Receipt::Delivered);
        let item = match sent.account.platform {
            Platform::Whatsapp => Some(whatsapp_status(state, sent, "delivered", None)),
            Platform::Messenger => {
                let delivery = json!({ "mids": [sent.id], "watermark": state.wire_ms() });
                Some(json!({
                    "sender": { "id": sent.conversation.customer },
                    "recipient": { "id": sent.account.id },
                    "delivery": delivery,
                }))
            }
            // Instagram has no delivery receipts.
            Platform::Instagram => None,
        };
        if let Some(item) = item {
            push(state, Update { account: sent.account.clone(), item });
        }
    }
    sleep(Duration::from_millis(speed.read_ms.saturating_sub(speed.delivered_ms))).await;
    note(state, sent, Receipt::Read);
    let item = match sent.account.platform {
        Platform::Whatsapp => whatsapp_status(state, sent, "read", None),
        Platform::Messenger => receipt_item(state, sent, json!({ "watermark": sent.at_ms })),
        Platform::Instagram => receipt_item(state, sent, json!({ "mid": sent.id })),
    };
    push(state, Update { account: sent.account.clone(), item });
}

/// Accepted, but then it fails.
pub(crate) fn fail_later(state: &Arc<State>, sent: Sent, code: i64) {
    let shared = state.clone();
    state.spawn(async move {
        sleep(Duration::from_millis(shared.config.speed.delivered_ms)).await;
        note(&shared, &sent, Receipt::Failed);
        if sent.account.platform == Platform::Whatsapp {
            let item = whatsapp_status(&shared, &sent, "failed", Some(code));
            push(&shared, Update { account: sent.account.clone(), item });
        }
    });
}

fn note(state: &State, sent: &Sent, receipt: Receipt) {
    if state.book.receipt(&sent.conversation, &sent.id, receipt) {
        state.tell(&sent.conversation, || Change::Receipt { id: sent.id.clone(), receipt });
    }
}

fn whatsapp_status(state: &State, sent: &Sent, status: &str, error: Option<i64>) -> Value {
    let who = state.book.identity(&sent.conversation);
    let mut item = json!({ "id": sent.id, "status": status, "timestamp": (state.wire_ms() / 1000).to_string() });
    if let Some(phone) = who.as_ref().and_then(|w| w.phone.clone()) {
        item["recipient_id"] = phone.into();
    }
    if let Some(bsuid) = who.as_ref().and_then(|w| w.bsuid.clone()) {
        item["recipient_user_id"] = bsuid.into();
    }
    if let Some(data) = &sent.callback_data {
        item["biz_opaque_callback_data"] = data.clone().into();
    }
    if matches!(status, "sent" | "delivered") {
        item["pricing"] = json!({
            "billable": false,
            "pricing_model": "PMP",
            "type": "free_customer_service",
            "category": "service",
        });
    }
    let mut content = json!({ "statuses": [item] });
    match (error, &who) {
        (Some(code), _) => {
            content["statuses"][0]["errors"] = json!([{
                "code": code,
                "title": title(code),
                "message": title(code),
                "error_data": { "details": title(code) },
                "href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
            }]);
        }
        // `contacts` is absent for failed statuses.
        (None, Some(who)) => content["contacts"] = json!([contact(who)]),
        (None, None) => {}
    }
    change(&sent.account, "messages", content)
}

/// The echo of the product's own send: with `app_id` on Messenger, without on Instagram.
fn echo(state: &State, sent: &Sent) -> Value {
    let mut message = json!({ "mid": sent.id, "is_echo": true });
    if let Some(text) = &sent.text {
        message["text"] = text.clone().into();
    }
    if sent.account.platform == Platform::Messenger {
        message["app_id"] = state.config.app_id.parse::<u64>().map_or(Value::Null, Value::from);
        if let Some(metadata) = &sent.callback_data {
            message["metadata"] = metadata.clone().into();
        }
    }
    json!({
        "sender": { "id": sent.account.id },
        "recipient": { "id": sent.conversation.customer },
        "timestamp": state.wire_ms(),
        "message": message,
    })
}

fn receipt_item(state: &State, sent: &Sent, read: Value) -> Value {
    json!({
        "sender": { "id": sent.conversation.customer },
        "recipient": { "id": sent.account.id },
        "timestamp": state.wire_ms(),
        "read": read,
    })
}
