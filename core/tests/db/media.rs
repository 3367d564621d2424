//! Files of messages: noted once, kept once, seen by their own shop alone, and forgotten with their key.

use crate::postgres::{TestDb, at, shop};
use frontdesk_core::db::media::{self, Kept};
use frontdesk_core::db::messages::{self, NewInbound};
use frontdesk_core::db::{DbError, TxKind, channels, conversations, customers};
use frontdesk_core::inbound::{Alias, AliasKind, Attached, ChannelKey, Platform, Sender};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_noted_once_kept_once_and_forgotten_with_its_key() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let (ours, theirs) = (shop(&app, "files").await, shop(&app, "others").await);
    let file = |kind: &str| Attached {
        kind: kind.to_owned(),
        reference: Some("1187".to_owned()),
        mime_type: Some("image/png".to_owned()),
        sha256: None,
        file_name: Some("../a.png".to_owned()),
    };
    let (files, kept) = (vec![file("image"), file("video")], Kept { mime_type: None, size: 3, sha256: "ab".repeat(32) });
    let (again, known) = (files.clone(), kept.clone());
    let (conversation, expected) = app
        .shop_tx(&ours.scope, TxKind::Turn, async move |mut tx| {
            let input = channels::ChannelInput {
                key: ChannelKey { platform: Platform::Whatsapp, external_id: "77".to_owned() },
                name: "Main".to_owned(),
                phone: None,
                instagram_login: false,
                sealed_token: None,
            };
            let channel = channels::save(&mut tx, &input).await?.0.id;
            let alias = Alias { kind: AliasKind::Phone, value: "4917000000".to_owned() };
            let customer = customers::resolve(&mut tx, channel, &Sender { aliases: vec![alias], name: None, username: None }).await?;
            let conversation = conversations::open(&mut tx, channel, customer, Some(at("2026-03-05T12:00:00Z")), false).await?.id();
            let message = NewInbound {
                provider_id: "wamid.1".to_owned(),
                kind: "image".to_owned(),
                body: String::new(),
                content: json!({}),
                occurred_at: at("2026-03-05T12:00:00Z"),
            };
            let message = messages::store_inbound(&mut tx, conversation, channel, &[message]).await?[0].id();
            let expected = media::expect(&mut tx, message, &files).await?;
            assert!(media::expect(&mut tx, message, &again).await?.is_empty(), "noted once");
            assert!(media::file(&mut tx, expected[0].id).await?.is_none(), "not kept yet");
            assert!(media::keep(&mut tx, expected[0].id, &kept).await?);
            let file = media::file(&mut tx, expected[0].id).await?.unwrap();
            assert_eq!((file.file_name.as_deref(), file.mime_type.as_deref()), (Some("a.png"), Some("image/png")));
            assert_eq!(media::unfetched(&mut tx, expected[1].id).await?.map(|file| file.part), Some(1));
            Ok::<_, DbError>((conversation, expected))
        })
        .await
        .unwrap();
    assert!(expected.iter().all(|file| file.storage_key.starts_with(&format!("shops/{}/", ours.scope.shop()))));
    let (first, noted) = (expected[0].id, known.clone());
    let seen =
        async move |mut tx| Ok::<_, DbError>((media::file(&mut tx, first).await?.is_some(), media::keep(&mut tx, first, &noted).await?));
    assert_eq!(app.shop_tx(&theirs.scope, TxKind::Command, seen).await.unwrap(), (false, false), "another shop's file is not there");
    let keys: Vec<String> = expected.iter().map(|file| file.storage_key.clone()).collect();
    let mut forgotten = app
        .shop_tx(&ours.scope, TxKind::Command, async move |mut tx| {
            let forgotten = media::forget_conversations(&mut tx, &[conversation]).await?;
            assert!(!media::keep(&mut tx, first, &known).await?, "what was forgotten is not kept again");
            Ok::<_, DbError>(forgotten)
        })
        .await
        .unwrap();
    forgotten.sort_by_key(|key| keys.iter().position(|known| known == key));
    assert_eq!(forgotten, keys);
}
