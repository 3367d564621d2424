//! The mailbox against a real Redis: once, in order, fenced, bounded; and the small things beside it (memory, live events, leadership).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../support/postgres.rs"]
#[expect(dead_code, reason = "shared by several test binaries")]
mod postgres;
#[path = "../support/redis.rs"]
mod redis_server;
#[path = "../support/worker.rs"]
#[expect(dead_code, reason = "shared by several test binaries")]
mod worker;

mod accept;
mod archive;
mod beside;
mod turns;

use chrono::DateTime;
use frontdesk_core::inbound::{
    Alias, AliasKind, ChannelKey, Content, ConversationKey, CustomerMessage, DeliveryStatus, Happening, InboundEvent, Platform, Sender,
};
use frontdesk_core::mailbox::Mailbox;
use frontdesk_core::queue::Queue;
use redis_server::Redis;

async fn fresh() -> (Redis, Queue, Mailbox) {
    let redis = Redis::start().await;
    let queue = Queue::connect(&redis.url(), "test").await.unwrap();
    let mailbox = Mailbox::new(&queue);
    (redis, queue, mailbox)
}

fn channel() -> ChannelKey {
    ChannelKey { platform: Platform::Whatsapp, external_id: "204411225588002".to_owned() }
}

fn conversation(customer: &str) -> ConversationKey {
    ConversationKey(format!("whatsapp:204411225588002:{customer}"))
}

fn phone(value: &str) -> Alias {
    Alias { kind: AliasKind::Phone, value: value.to_owned() }
}

fn user_id(value: &str) -> Alias {
    Alias { kind: AliasKind::UserId, value: value.to_owned() }
}

fn event(dedupe_key: &str, aliases: Vec<Alias>, what: Happening) -> InboundEvent {
    InboundEvent {
        channel: channel(),
        dedupe_key: dedupe_key.to_owned(),
        occurred_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        customer: Some(Sender { aliases, name: Some("Zoë \"Z\" O'Neil\n".to_owned()), username: None }),
        what,
        raw: serde_json::json!({"id": dedupe_key}),
    }
}

fn message_of(aliases: Vec<Alias>, id: &str, text: &str) -> InboundEvent {
    let content = Content::Text { text: text.to_owned() };
    event(id, aliases, Happening::Message(CustomerMessage { message_id: id.to_owned(), content, reply_to: None }))
}

fn message(customer: &str, id: &str) -> InboundEvent {
    message_of(vec![phone(customer)], id, &format!("text of {id}"))
}

fn status(id: &str, state: &str) -> InboundEvent {
    let what = DeliveryStatus { message_id: id.to_owned(), status: state.to_owned(), callback_data: None, error_code: None };
    event(&format!("{id}:{state}"), Vec::new(), Happening::Status(what))
}
