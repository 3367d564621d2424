//! A silent session: written to Postgres, then removed from Redis as it was written; whatever happens in between.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::archives;
use frontdesk_core::db::personal_data;
use frontdesk_core::db::{Db, DbError, TxKind, channels, conversations, customers};
use frontdesk_core::ids::{ConversationId, CustomerId};
use frontdesk_core::inbound::{Alias, AliasKind, ChannelKey, Platform, Sender};
use frontdesk_core::memory::{Exchange, Memory};
use frontdesk_core::tenancy::ShopScope;

use crate::fresh;
use crate::postgres::{self, TestDb};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn said(words: &str, at: DateTime<Utc>) -> Exchange {
    Exchange { customer: words.to_owned(), reply: format!("{words}!"), at_ms: at.timestamp_millis() }
}

/// A shop with a conversation.
async fn talk(app: &Db) -> (ShopScope, CustomerId, ConversationId) {
    let scope = postgres::shop(app, "silent").await.scope;
    let (customer, conversation) = app
        .shop_tx(&scope, TxKind::Command, async move |mut tx| {
            let input = channels::ChannelInput {
                key: ChannelKey { platform: Platform::Whatsapp, external_id: "100".to_owned() },
                name: "Shop".to_owned(),
                phone: None,
                instagram_login: false,
                sealed_token: None,
            };
            let channel = channels::save(&mut tx, &input).await?.0.id;
            let alias = Alias { kind: AliasKind::Phone, value: "491750000001".to_owned() };
            let sender = Sender { aliases: vec![alias], name: None, username: None };
            let customer = customers::resolve(&mut tx, channel, &sender).await?;
            let row = conversations::open(&mut tx, channel, customer, Some(at("2026-05-01T10:00:00Z")), true).await?;
            Ok::<_, DbError>((customer, row.id()))
        })
        .await
        .unwrap();
    (scope, customer, conversation)
}

async fn store(app: &Db, scope: &ShopScope, conversation: ConversationId, exchanges: Vec<Exchange>) -> bool {
    app.shop_tx(scope, TxKind::Command, async move |mut tx| archives::store(&mut tx, conversation, &exchanges).await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_archived_once_and_removed_only_as_it_was_written() {
    let ((_redis, queue, _), db) = (fresh().await, TestDb::new().await);
    let (app, memory) = (db.app(2).await, Memory::new(&queue));
    let (scope, customer, conversation) = talk(&app).await;
    let (begun, day) = (at("2026-05-01T10:00:00Z"), TimeDelta::hours(24));
    memory.replace(&scope, conversation, &[said("one", begun)]).await.unwrap();
    memory.append(&scope, conversation, &said("two", begun + TimeDelta::minutes(1))).await.unwrap();
    let ended = begun + TimeDelta::minutes(1);
    assert!(memory.silent_since(&scope, ended - TimeDelta::milliseconds(1), 10).await.unwrap().is_empty(), "not silent yet");

    // Killed in between, the same is written again: one row.
    let silent = memory.silent_since(&scope, ended, 10).await.unwrap().remove(0);
    let exchanges = silent.exchanges.clone().unwrap();
    assert_eq!(exchanges.len(), 2);
    assert!(store(&app, &scope, conversation, exchanges.clone()).await);
    assert!(!store(&app, &scope, conversation, exchanges).await);

    // A word in between keeps the session; what is archived then is that word alone.
    memory.append(&scope, conversation, &said("three", begun + day)).await.unwrap();
    assert!(!memory.remove(&scope, &silent).await.unwrap());
    assert_eq!(memory.load(&scope, conversation).await.unwrap().unwrap().len(), 3);
    let silent = memory.silent_since(&scope, begun + day, 10).await.unwrap().remove(0);
    assert!(store(&app, &scope, conversation, silent.exchanges.clone().unwrap()).await);
    assert!(memory.remove(&scope, &silent).await.unwrap());
    assert!(!memory.remove(&scope, &silent).await.unwrap());
    assert_eq!(memory.load(&scope, conversation).await.unwrap(), None);
    assert!(memory.silent_since(&scope, begun + day + day, 10).await.unwrap().is_empty());
    let returning = async move |mut tx| archives::returning(&mut tx, conversation, customer, 4).await;
    let returning = app.shop_tx(&scope, TxKind::Turn, returning).await.unwrap().unwrap();
    assert_eq!((returning.last_here_at, returning.exchanges), (begun + day, vec![said("three", begun + day)]));

    // One whose memory was forgotten (people have spoken) leaves the index all the same.
    memory.replace(&scope, conversation, &[said("four", begun + day + day)]).await.unwrap();
    memory.forget(&scope, conversation).await.unwrap();
    let silent = memory.silent_since(&scope, begun + day + day, 10).await.unwrap().remove(0);
    assert_eq!(silent.exchanges, None);
    assert!(memory.remove(&scope, &silent).await.unwrap());

    // Old ones go; with the customer erased, all go and none comes.
    let expire = async move |mut tx| archives::expire(&mut tx, begun + day).await;
    assert_eq!(app.shop_tx(&scope, TxKind::Command, expire).await.unwrap(), 1);
    app.shop_tx(&scope, TxKind::Command, async move |mut tx| personal_data::erase(&mut tx, customer).await).await.unwrap();
    assert!(!store(&app, &scope, conversation, vec![said("five", begun + day + day)]).await);
    assert!(!store(&app, &scope, ConversationId(999), vec![said("five", begun + day + day)]).await, "a conversation that is gone");
    let returning = async move |mut tx| archives::returning(&mut tx, conversation, customer, 4).await;
    assert_eq!(app.shop_tx(&scope, TxKind::Turn, returning).await.unwrap(), None);
}
