//! Answers kept under their keys, the outbox, registration, log-ins, usage and the log.

use std::time::Duration;

use crate::postgres::{TestDb, at, registration, shop};
use frontdesk_core::auth::Role;
use frontdesk_core::db::system::LoginWho;
use frontdesk_core::db::{DbError, TxKind, logs, outbox, requests, sales, shops, usage, users};
use frontdesk_core::inbound::{ChannelKey, Happening, InboundEvent, Platform};
use frontdesk_core::jobs::{Answer, JobName, Notice, NotifyStaff, RequestKey};
use futures_util::future::join_all;
use rust_decimal::Decimal;
use serde_json::json;

fn key(key: &str, fingerprint: &str) -> RequestKey {
    RequestKey { key: key.to_owned(), fingerprint: fingerprint.to_owned(), user: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_once_and_its_repeats_get_the_same() {
    let db = TestDb::new().await;
    let app = db.app(8).await;
    let shop = shop(&app, "requests").await;
    // Twenty at once under one key: one does the work, the others find its answer.
    let tries = (0..20).map(|n| {
        let app = app.clone();
        tokio::spawn(async move {
            app.shop_tx(&shop.scope, TxKind::Command, async move |mut tx| {
                if let Some(stored) = requests::find(&mut tx, "k1").await? {
                    return Ok((false, stored));
                }
                let answer = Answer::Created(json!({"n": n}));
                requests::store(&mut tx, &key("k1", "body"), "job-1", &answer).await?;
                Ok::<_, DbError>((true, requests::find(&mut tx, "k1").await?.unwrap()))
            })
            .await
            .unwrap()
        })
    });
    let answers: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|(worked, _)| *worked).count(), 1);
    assert!(answers.iter().all(|(_, stored)| *stored == answers[0].1));
    assert_eq!(answers[0].1.fingerprint, "body");
    // By the job's id, and in its own shop alone.
    let of_job =
        async |scope| app.shop_tx(&scope, TxKind::Read, async move |mut tx| requests::of_job(&mut tx, "job-1").await).await.unwrap();
    assert_eq!(of_job(shop.scope).await, Some(answers[0].1.clone()));
    let other = crate::postgres::shop(&app, "other").await;
    assert_eq!(of_job(other.scope).await, None);
    // Forgotten after 48 hours.
    assert_eq!(app.drop_old_requests(at("2026-01-01T00:00:00Z")).await.unwrap(), 0);
    assert_eq!(app.drop_old_requests(at("2100-01-01T00:00:00Z")).await.unwrap(), 1);
    assert_eq!(of_job(shop.scope).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_row_lives_and_dies_with_its_transaction_and_is_claimed_by_one_relay() {
    let db = TestDb::new().await;
    let app = db.app(8).await;
    let (one, two) = (shop(&app, "one").await, shop(&app, "two").await);
    let job = NotifyStaff { notice_key: "n".to_owned(), notice: Notice::QuotaReached };
    let undone = job.clone();
    let refused: Result<(), DbError> = app
        .shop_tx(&one.scope, TxKind::Command, async move |mut tx| {
            outbox::add(&mut tx, &undone, "gone").await?;
            Err(DbError::NotFound)
        })
        .await;
    assert!(refused.is_err());
    for (shop, name) in [(one, "a"), (two, "b")] {
        let job = job.clone();
        let pending = app.shop_tx(&shop.scope, TxKind::Command, async move |mut tx| outbox::add(&mut tx, &job, name).await).await.unwrap();
        assert_eq!((pending.scope(), pending.job, pending.key.as_str()), (shop.scope, JobName::NotifyStaff, name));
    }
    let (now, minute) = (Duration::ZERO, Duration::from_secs(60));
    assert!(app.claim_outbox(10, minute, minute).await.unwrap().is_empty(), "their own process may still push them");
    let claims = join_all((0..8).map(|_| app.claim_outbox(10, now, minute))).await;
    let mut claimed: Vec<_> = claims.into_iter().flat_map(Result::unwrap).collect();
    claimed.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(claimed.iter().map(|row| (row.key.as_str(), row.scope())).collect::<Vec<_>>(), [("a", one.scope), ("b", two.scope)]);
    assert_eq!(claimed[0].payload, serde_json::to_value(&job).unwrap());
    // A relay that died without deleting: another takes them later.
    assert_eq!(app.claim_outbox(1, now, now).await.unwrap().len(), 1);
    app.delete_outbox(&claimed).await.unwrap();
    assert!(app.claim_outbox(10, now, now).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_registered_once_with_its_owner() {
    let db = TestDb::new().await;
    let (app, ingress) = (db.app(8).await, db.ingress().await);
    let wanted = registration("northwind");
    let tries = join_all((0..10).map(|_| app.register_shop(&wanted, 14, at("2026-03-01T08:00:00Z")))).await;
    let shops: Vec<_> = tries.into_iter().map(Result::unwrap).collect();
    assert_eq!(shops.iter().filter(|shop| shop.is_new).count(), 1);
    assert!(shops.iter().all(|other| other.scope == shops[0].scope && other.owner == shops[0].owner));
    // Another request for the same address, in other capitals.
    let mut rival = registration("rival");
    rival.email = "OWNER@northwind.example".to_owned();
    assert!(app.register_shop(&rival, 14, at("2026-03-01T08:00:00Z")).await.unwrap_err().is_unique("users_email"));
    assert_eq!(ingress.list_shops(None, 50).await.unwrap().len(), 1, "nothing is left of the refused one");
    // The same key with another body is not a repeat.
    let mut reused = registration("northwind");
    reused.request.fingerprint = "other".to_owned();
    assert!(app.register_shop(&reused, 14, at("2026-03-01T08:00:00Z")).await.unwrap_err().is_unique("users_email"));

    let login = ingress.find_login("Owner@Northwind.example").await.unwrap().unwrap();
    assert_eq!(login.who, LoginWho::User { user: shops[0].owner, shop: shops[0].scope.shop(), role: Role::Owner });
    assert!(login.active && login.password_hash == wanted.password_hash);
    assert!(ingress.find_login("nobody@northwind.example").await.unwrap().is_none());
    assert!(ingress.find_login("\0").await.unwrap().is_none());
    let scope = shops[0].scope;
    let taken = app
        .shop_tx(&scope, TxKind::Command, async move |mut tx| {
            users::insert(&mut tx, "orders@northwind.example", "Jonas", Role::OrderManager, "$2b$").await?;
            let taken = users::insert(&mut tx, "Orders@northwind.example", "Jonas", Role::OrderManager, "$2b$").await;
            // The transaction stays usable.
            Ok::<_, DbError>((taken.unwrap_err(), users::list(&mut tx).await?.len(), users::owner_email(&mut tx).await?))
        })
        .await
        .unwrap();
    assert!(taken.0.is_unique("users_email"));
    assert_eq!((taken.1, taken.2.as_deref()), (2, Some("owner@northwind.example")));
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_are_kept_per_day_and_the_owner_is_told_once_a_month() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "usage").await;
    app.shop_tx(&shop.scope, TxKind::Command, async move |mut tx| {
        // 23:30 UTC is the next day in Berlin.
        let (evening, late) = (at("2026-03-31T20:00:00Z"), at("2026-03-31T23:30:00Z"));
        let shop = shops::profile(&mut tx).await?;
        let (march, april) = (shop.local_date(evening), shop.local_date(late));
        usage::add_model_cost(&mut tx, march, 1_000, 200, Decimal::new(1_234, 6)).await?;
        usage::add_model_cost(&mut tx, march, 1_000, 200, Decimal::new(1, 6)).await?;
        let used = |cost| usage::Used { replies_this_month: 0, model_cost_today: cost };
        assert_eq!(usage::as_of(&mut tx, march).await?, used(Decimal::new(1_235, 6)));
        assert_eq!(usage::as_of(&mut tx, april).await?, used(Decimal::ZERO));
        assert!(usage::tell_quota_once(&mut tx, march, evening).await? && !usage::tell_quota_once(&mut tx, march, evening).await?);
        assert!(usage::tell_quota_once(&mut tx, april, late).await?, "April in Berlin");
        assert!(sales::wrong_days(&mut tx).await?.is_empty());
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_two_parts_counts_once() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "count").await;
    let raw = db.raw(&db.superuser_url()).await;
    let id = shop.scope.shop();
    raw.batch_execute(&format!(
        "INSERT INTO channels (shop_id, platform, external_id) VALUES ({id}, 'whatsapp', '1'); \
         INSERT INTO customers (shop_id, channel_id) SELECT {id}, id FROM channels; \
         INSERT INTO conversations (shop_id, channel_id, customer_id) SELECT {id}, channel_id, id FROM customers; \
         INSERT INTO turns (shop_id, conversation_id, fence, accepted_at, human_epoch) SELECT {id}, id, 1, now(), 0 FROM conversations; \
         INSERT INTO messages (shop_id, conversation_id, channel_id, direction, author, status, turn_id, occurred_at) \
         SELECT {id}, t.conversation_id, c.id, 'out', 'ai', 'sent', t.id, now() FROM turns t, channels c, generate_series(1, 2)"
    ))
    .await
    .unwrap();
    let ids: Vec<i64> = raw.query("SELECT id FROM messages", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let counted = app
        .shop_tx(&shop.scope, TxKind::Turn, async move |mut tx| {
            let shop = shops::profile(&mut tx).await?;
            let day = |when| shop.local_date(at(when));
            for id in ids.iter().chain(&ids) {
                usage::count_reply(&mut tx, day("2026-03-31T23:30:00Z"), frontdesk_core::ids::MessageId(*id)).await?;
            }
            Ok::<_, DbError>((
                usage::as_of(&mut tx, day("2026-04-10T00:00:00Z")).await?.replies_this_month,
                usage::as_of(&mut tx, day("2026-03-10T00:00:00Z")).await?.replies_this_month,
            ))
        })
        .await
        .unwrap();
    assert_eq!(counted, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_kept_by_month_and_dropped_by_month() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let shop = shop(&app, "logs").await;
    let event = InboundEvent {
        channel: ChannelKey { platform: Platform::Whatsapp, external_id: "2044".to_owned() },
        dedupe_key: "wamid.1".to_owned(),
        occurred_at: at("2026-03-01T08:00:00Z"),
        customer: None,
        what: Happening::Other { kind: "odd".to_owned() },
        raw: json!({"text": "nul \u{0} inside"}),
    };
    app.log_unknown_channel(&[&event]).await.unwrap();
    let logged = event.clone();
    let before_and_after = app
        .shop_tx(&shop.scope, TxKind::Command, async move |mut tx| {
            let before = logs::is_logged(&mut tx, "wamid.1").await?;
            logs::insert_inbound(&mut tx, &[&logged, &logged]).await?;
            Ok::<_, DbError>((before, logs::is_logged(&mut tx, "wamid.1").await?, logs::latest(&mut tx, 10).await?.len()))
        })
        .await
        .unwrap();
    assert_eq!(before_and_after, (false, true, 2), "what has no shop is no shop's");
    let raw = db.raw(&db.superuser_url()).await;
    raw.batch_execute("INSERT INTO logs (created_at, shop_id, direction, platform, external_id, kind, payload) VALUES (now() - interval '200 days', NULL, 'in', 'whatsapp', '1', 'old', '{}')").await.unwrap();
    for _ in 0..2 {
        app.keep_logs(90).await.unwrap();
    }
    let partitions: i64 = raw.query_one("SELECT count(*) FROM pg_inherits WHERE inhparent = 'logs'::regclass", &[]).await.unwrap().get(0);
    assert_eq!(partitions, 3, "this month, the next, and the default");
    let spread =
        raw.query_one("SELECT count(*) FILTER (WHERE tableoid <> 'logs_default'::regclass), count(*) FROM logs", &[]).await.unwrap();
    assert_eq!((spread.get::<_, i64>(0), spread.get::<_, i64>(1)), (3, 3), "rows moved to their month, and the old one is gone");
    let dropped: Vec<String> = raw.query_one("SELECT system.drop_old_logs(now() + interval '200 days', 90)", &[]).await.unwrap().get(0);
    assert_eq!(dropped.len(), 2);
    let forced: bool = raw.query_one("SELECT bool_and(c.relforcerowsecurity) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'logs'::regclass", &[]).await.unwrap().get(0);
    assert!(forced);
}
