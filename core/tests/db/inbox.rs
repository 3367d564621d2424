//! The inbox: what is kept with a conversation says what its messages say; pauses end when they should; colleagues see their own shop alone.

use crate::postgres::{TestDb, at, shop};
use chrono::TimeDelta;
use frontdesk_core::auth::Role;
use frontdesk_core::clock::{Clock as _, SystemClock};
use frontdesk_core::db::conversations::{self, PauseEnd, Paused, PausedBy};
use frontdesk_core::db::inbox::{self, After, Assigned, Conversation, Counts, InboxFilter, NoteDeletion};
use frontdesk_core::db::messages::{self, NewInbound, NewOutbound};
use frontdesk_core::db::{Db, DbError, TxKind, channels, customers, users};
use frontdesk_core::ids::{ChannelId, ConversationId, MessageId, UserId};
use frontdesk_core::inbound::{Alias, AliasKind, ChannelKey, Platform, Sender};
use frontdesk_core::tenancy::ShopScope;
use serde_json::json;

/// A conversation with a customer of this name and number.
async fn conversation(db: &Db, scope: &ShopScope, platform: Platform, name: &str, number: &str) -> (ConversationId, ChannelId) {
    let input = channels::ChannelInput {
        key: ChannelKey { platform, external_id: format!("{}{}", scope.shop(), platform.as_str().len()) },
        name: "Main".to_owned(),
        phone: None,
        instagram_login: false,
        sealed_token: Some("v1.k.x".to_owned()),
    };
    let sender = Sender {
        aliases: vec![Alias { kind: AliasKind::Phone, value: number.to_owned() }],
        name: Some(name.to_owned()),
        username: Some(format!("@{}", name.to_lowercase())),
    };
    db.shop_tx(scope, TxKind::Command, async move |mut tx| {
        let channel = channels::save(&mut tx, &input).await?.0.id;
        let customer = customers::resolve(&mut tx, channel, &sender).await?;
        let row = conversations::open(&mut tx, channel, customer, Some(at("2026-03-05T12:00:00Z")), false).await?;
        Ok::<_, DbError>((row.id(), channel))
    })
    .await
    .unwrap()
}

async fn says(db: &Db, scope: &ShopScope, (conversation, channel): (ConversationId, ChannelId), id: &str, text: &str) -> MessageId {
    let message = NewInbound {
        provider_id: id.to_owned(),
        kind: "text".to_owned(),
        body: text.to_owned(),
        content: json!({}),
        occurred_at: at("2026-03-05T12:00:00Z"),
    };
    let stored = async move |mut tx| messages::store_inbound(&mut tx, conversation, channel, &[message]).await;
    db.shop_tx(scope, TxKind::Turn, stored).await.unwrap()[0].id()
}

async fn answers(db: &Db, scope: &ShopScope, (conversation, channel): (ConversationId, ChannelId), key: &str) -> MessageId {
    let message = NewOutbound { send_key: key.to_owned(), kind: "reply", author: "ai", body: "an answer".to_owned(), content: json!({}) };
    db.shop_tx(scope, TxKind::Turn, async move |mut tx| {
        let row = messages::store_outbound(&mut tx, conversation, channel, None, &message, None).await?;
        conversations::note_answer(&mut tx, conversation, row.id()).await?;
        Ok::<_, DbError>(row.id())
    })
    .await
    .unwrap()
}

async fn look(db: &Db, scope: &ShopScope, conversation: ConversationId) -> Conversation {
    db.shop_tx(scope, TxKind::Read, async move |mut tx| inbox::find(&mut tx, conversation).await).await.unwrap().unwrap()
}

async fn listed(db: &Db, scope: &ShopScope, filter: InboxFilter) -> Vec<ConversationId> {
    let rows = db.shop_tx(scope, TxKind::Read, async move |mut tx| inbox::list(&mut tx, &filter, 50).await).await.unwrap();
    rows.iter().map(|row| row.id).collect()
}

async fn pause(db: &Db, scope: &ShopScope, id: ConversationId, by: PausedBy, minutes: Option<i64>) -> Paused {
    let until = minutes.map(|minutes| SystemClock.now() + TimeDelta::minutes(minutes));
    db.shop_tx(scope, TxKind::Command, async move |mut tx| conversations::pause(&mut tx, id, by, until).await).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_knows_what_is_unread_and_what_waits() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let scope = shop(&app, "unread").await.scope;
    let talk = conversation(&app, &scope, Platform::Whatsapp, "Kim", "491700000001").await;
    let standing = async || {
        let row = look(&app, &scope, talk.0).await;
        (row.unread, row.unanswered)
    };
    assert_eq!(standing().await, (0, false));
    let first = says(&app, &scope, talk, "wamid.1", "hello").await;
    says(&app, &scope, talk, "wamid.2", "anybody?").await;
    says(&app, &scope, talk, "wamid.2", "delivered twice").await;
    assert_eq!(standing().await, (2, true));
    let answer = answers(&app, &scope, talk, "t1:reply:0").await;
    assert_eq!(standing().await, (2, false), "the AI answers what staff have not read");
    let fails = async move |mut tx| {
        messages::mark(&mut tx, answer, "failed", Some(131_026)).await?;
        conversations::recount_answers(&mut tx, talk.0).await
    };
    app.shop_tx(&scope, TxKind::Turn, fails).await.unwrap();
    assert_eq!(standing().await, (2, true), "an answer that failed is none");
    for (up_to, unread) in [(first, 1), (MessageId(i64::MAX), 0), (first, 0)] {
        let seen = async move |mut tx| conversations::mark_seen(&mut tx, talk.0, up_to).await;
        assert!(app.shop_tx(&scope, TxKind::Command, seen).await.unwrap());
        assert_eq!(standing().await.0, unread);
    }
    says(&app, &scope, talk, "wamid.3", "one more").await;
    assert_eq!(standing().await, (1, true), "reading all reads nothing that comes later");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_paged_and_searched_within_one_shop() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let (scope, other) = (shop(&app, "list").await.scope, shop(&app, "other").await.scope);
    let theirs = conversation(&app, &other, Platform::Whatsapp, "Kim", "491700000001").await;
    says(&app, &other, theirs, "wamid.1", "a secret of theirs").await;
    let mut talks = Vec::new();
    for (name, number, platform) in [
        ("Zoë Müller", "491700000001", Platform::Whatsapp),
        ("Kim 100%", "491700000002", Platform::Whatsapp),
        ("kim_lee", "4915550003", Platform::Instagram),
    ] {
        talks.push(conversation(&app, &scope, platform, name, number).await);
    }
    says(&app, &scope, talks[1], "wamid.2", "Do you have them in BLUE?").await;
    let raw = db.raw(&db.superuser_url()).await;
    // All at one moment, so that pages are parted by the id.
    raw.batch_execute("UPDATE conversations SET last_activity_at = '2026-03-05T12:00:00.123456Z'").await.unwrap();
    let [zoe, kim, lee] = [talks[0].0, talks[1].0, talks[2].0];
    assert_eq!(listed(&app, &scope, InboxFilter::default()).await, [lee, kim, zoe]);
    let mut after = None;
    let mut paged = Vec::new();
    loop {
        let filter = InboxFilter { after, ..InboxFilter::default() };
        let page = app.shop_tx(&scope, TxKind::Read, async move |mut tx| inbox::list(&mut tx, &filter, 1).await).await.unwrap();
        let Some(last) = page.last() else { break };
        paged.push(last.id);
        after = Some(After { at: last.last_activity_at, id: last.id });
    }
    assert_eq!(paged, [lee, kim, zoe]);
    for (text, found) in [
        ("zoe muller", vec![zoe]),
        ("MÜLLER", vec![zoe]),
        ("kim", vec![lee, kim]),
        ("100%", vec![kim]),
        ("%", vec![kim]),
        ("kim_", vec![lee]),
        ("0171 0000", vec![]),
        ("+49 (170) 000", vec![kim, zoe]),
        ("in blue", vec![kim]),
        ("secret", vec![]),
        ("\\", vec![]),
    ] {
        let filter = InboxFilter { text: Some(text.to_owned()), ..InboxFilter::default() };
        assert_eq!(listed(&app, &scope, filter).await, found, "{text}");
    }
    let instagram = InboxFilter { platform: Some(Platform::Instagram), ..InboxFilter::default() };
    assert_eq!(listed(&app, &scope, instagram).await, [lee]);
    let unread = |unread| InboxFilter { unread: Some(unread), ..InboxFilter::default() };
    assert_eq!((listed(&app, &scope, unread(true)).await, listed(&app, &scope, unread(false)).await), (vec![kim], vec![lee, zoe]));
    let found = app.shop_tx(&scope, TxKind::Read, async move |mut tx| inbox::find(&mut tx, theirs.0).await).await.unwrap();
    assert!(found.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_lasts_as_long_as_somebody_said_or_the_shop_has_set() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let scope = shop(&app, "pause").await.scope;
    let (id, _) = conversation(&app, &scope, Platform::Whatsapp, "Kim", "491700000001").await;
    let raw = db.raw(&db.superuser_url()).await;
    let minutes_left = async || {
        let row = raw.query_one("SELECT round(extract(epoch FROM resume_at - now()) / 60)::bigint FROM conversations", &[]).await.unwrap();
        row.get::<_, Option<i64>>(0)
    };
    let end = async |epoch| {
        let end = async move |mut tx| conversations::end_pause(&mut tx, id, epoch).await;
        app.shop_tx(&scope, TxKind::Command, end).await.unwrap()
    };
    let resume = async || app.shop_tx(&scope, TxKind::Command, async move |mut tx| conversations::resume(&mut tx, id).await).await.unwrap();

    let first = pause(&app, &scope, id, PausedBy::Staff, None).await;
    assert!(first.ends.is_none() && minutes_left().await.is_none() && look(&app, &scope, id).await.paused);
    assert_eq!(end(first.human_epoch).await, PauseEnd::None, "it has no end");
    let second = pause(&app, &scope, id, PausedBy::Staff, Some(30)).await;
    assert_eq!((second.human_epoch, minutes_left().await), (first.human_epoch + 1, Some(30)));
    assert!(second.ends.unwrap().key.ends_with(&format!(":{}", second.human_epoch)));
    assert!(matches!(end(second.human_epoch).await, PauseEnd::Later(left) if left > TimeDelta::minutes(29)));
    assert_eq!(end(first.human_epoch).await, PauseEnd::None, "another has begun since");
    // Answering meanwhile neither shortens it nor takes its end away.
    pause(&app, &scope, id, PausedBy::Echo, None).await;
    assert_eq!(minutes_left().await, Some(30));

    raw.batch_execute("UPDATE shops SET pause_minutes = 60").await.unwrap();
    pause(&app, &scope, id, PausedBy::Staff, None).await;
    assert_eq!(minutes_left().await, Some(60), "the shop's own time is later");
    // Over, whether or not anybody has noted it.
    raw.batch_execute("UPDATE conversations SET resume_at = now() - interval '1 second', paused_at = now() - interval '1 day'")
        .await
        .unwrap();
    let over = look(&app, &scope, id).await;
    assert_eq!((over.paused, over.paused_by, over.resume_at), (false, None, None));
    let filter = |paused| InboxFilter { paused: Some(paused), ..InboxFilter::default() };
    assert_eq!((listed(&app, &scope, filter(true)).await.len(), listed(&app, &scope, filter(false)).await.len()), (0, 1));
    let anew = pause(&app, &scope, id, PausedBy::Customer, None).await;
    assert!(anew.ends.is_some());
    let epoch = anew.human_epoch;
    let anew = look(&app, &scope, id).await;
    assert_eq!((anew.paused_by.as_deref(), minutes_left().await), (Some("customer"), Some(60)));
    let since = raw.query_one("SELECT paused_at > now() - interval '1 minute' FROM conversations", &[]).await.unwrap();
    assert!(since.get::<_, bool>(0), "a new pause, not the old one");
    raw.batch_execute("UPDATE conversations SET resume_at = now() - interval '1 second'").await.unwrap();
    assert_eq!((end(epoch).await, end(epoch).await), (PauseEnd::Ended, PauseEnd::None));
    // Two machines that talk are not let loose again by the clock.
    pause(&app, &scope, id, PausedBy::Loop, None).await;
    assert_eq!(minutes_left().await, None);
    // Until somebody resumes it: then answering does not give it an end.
    pause(&app, &scope, id, PausedBy::Staff, None).await;
    assert_eq!(minutes_left().await, None);
    assert!(resume().await && !look(&app, &scope, id).await.paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_assignments_are_of_the_shops_own_people() {
    let db = TestDb::new().await;
    let app = db.app(4).await;
    let (mine, theirs) = (shop(&app, "mine").await, shop(&app, "theirs").await);
    let scope = mine.scope;
    let (id, _) = conversation(&app, &scope, Platform::Whatsapp, "Kim", "491700000001").await;
    let (owner, stranger) = (mine.owner, theirs.owner);
    let add = async move |mut tx| users::insert(&mut tx, "jonas@mine.example", "Jonas", Role::OrderManager, "$2b$").await;
    let jonas = app.shop_tx(&scope, TxKind::Command, add).await.unwrap().id;
    let note = async |user: UserId, text: &'static str| {
        let add = async move |mut tx| inbox::add_note(&mut tx, id, Some(user), text).await;
        app.shop_tx(&scope, TxKind::Command, add).await
    };
    let (first, second) = (note(owner, "call back").await.unwrap(), note(jonas, "done").await.unwrap());
    assert_eq!(second.user.as_ref().map(|user| user.name.as_str()), Some("Jonas"));
    assert!(note(stranger, "not ours").await.is_err(), "the foreign key holds within the shop");
    let delete = async |scope: ShopScope, note, user: UserId| {
        let delete = async move |mut tx| inbox::delete_note(&mut tx, id, note, Some(user)).await;
        app.shop_tx(&scope, TxKind::Command, delete).await.unwrap()
    };
    assert_eq!(delete(scope, first.id, jonas).await, NoteDeletion::NotOwn);
    assert_eq!(delete(theirs.scope, first.id, stranger).await, NoteDeletion::Missing);
    assert_eq!(delete(scope, first.id, owner).await, NoteDeletion::Deleted);

    let assign = async |user: UserId| {
        let assign = async move |mut tx| conversations::assign(&mut tx, id, Some(user)).await;
        app.shop_tx(&scope, TxKind::Command, assign).await
    };
    assert!(assign(jonas).await.unwrap() && assign(stranger).await.is_err());
    let of = |assigned| InboxFilter { assigned: Some(assigned), ..InboxFilter::default() };
    assert_eq!(listed(&app, &scope, of(Assigned::To(jonas))).await, [id]);
    let counts = async |user| app.shop_tx(&scope, TxKind::Read, async move |mut tx| inbox::counts(&mut tx, user).await).await.unwrap();
    assert_eq!(counts(jonas).await, Counts { unread: 0, unanswered: 0, paused: 0, mine: 1 });
    assert_eq!(counts(owner).await.mine, 0);
    assert_eq!(listed(&app, &scope, of(Assigned::Anyone)).await, [id]);
    assert!(listed(&app, &scope, of(Assigned::Nobody)).await.is_empty() && listed(&app, &scope, of(Assigned::To(owner))).await.is_empty());
    // A colleague who leaves leaves the work behind.
    let raw = db.raw(&db.superuser_url()).await;
    raw.execute("DELETE FROM users WHERE id = $1", &[&jonas.0]).await.unwrap();
    assert_eq!(listed(&app, &scope, of(Assigned::Nobody)).await, [id]);
    let left = app.shop_tx(&scope, TxKind::Read, async move |mut tx| inbox::notes(&mut tx, id, None, 10).await).await.unwrap();
    assert_eq!(left.iter().map(|note| (note.text.as_str(), note.user.is_some())).collect::<Vec<_>>(), [("done", false)]);
}
