//! From Meta's form to ours: every fixture of the contract, the odd cases it names, and that no input whatsoever breaks the reader.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use chrono::{DateTime, Utc};
use frontdesk_core::inbound::{AliasKind, Content, Happening, InboundEvent, Platform};
use frontdesk_ingress::webhook::{Unreadable, read};
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_500_000, 0).unwrap()
}

fn events(body: &Value) -> Vec<InboundEvent> {
    read(body.to_string().as_bytes(), now()).unwrap()
}

fn fixture(name: &str) -> Vec<InboundEvent> {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    read(&std::fs::read(path).unwrap(), now()).unwrap()
}

fn content(event: &InboundEvent) -> &Content {
    match &event.what {
        Happening::Message(message) => &message.content,
        other => panic!("not a message: {other:?}"),
    }
}

fn aliases(event: &InboundEvent) -> Vec<(AliasKind, &str)> {
    event.customer.as_ref().unwrap().aliases.iter().map(|alias| (alias.kind, alias.value.as_str())).collect()
}

/// One WhatsApp message in its envelope.
fn whatsapp(message: Value) -> Value {
    whatsapp_value(json!({"metadata": {"phone_number_id": "204411225588001"}, "messages": [message]}))
}

fn whatsapp_value(value: Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "39", "changes": [{"field": "messages", "value": value}]}]})
}

fn page(item: Value) -> Value {
    json!({"object": "page", "entry": [{"id": "1020", "time": 1, "messaging": [item]}]})
}

fn text(id: &str) -> Value {
    json!({"id": id, "from": "16505550199", "timestamp": "1795341601", "type": "text", "text": {"body": "hi"}})
}

#[test]
fn a_text_message_carries_every_id_and_the_name_of_its_sender() {
    let events = fixture("whatsapp_inbound_text");
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.channel.platform, event.channel.external_id.as_str()), (Platform::Whatsapp, "204411225588001"));
    assert_eq!(event.occurred_at.timestamp(), 1_795_341_601);
    assert_eq!(aliases(event), [(AliasKind::Phone, "16505550199"), (AliasKind::UserId, "US.24810937755120344")]);
    assert_eq!(event.customer.as_ref().unwrap().name.as_deref(), Some("Élodie Marchand"));
    assert_eq!(content(event).text(), Some("Bonjour ! Avez-vous une place samedi à 15h pour une coupe ? ✂️"));
    assert_eq!(event.raw["type"], "text");
}

#[test]
fn a_customer_without_a_phone_number_is_known_by_the_business_scoped_id() {
    let events = fixture("whatsapp_inbound_text_username_only");
    assert_eq!(aliases(&events[0]), [(AliasKind::UserId, "US.90117422350081")]);
    assert_eq!(events[0].customer.as_ref().unwrap().username.as_deref(), Some("noor.h"));
}

#[test]
fn a_batch_over_two_shops_is_taken_apart_by_number() {
    let events = fixture("whatsapp_inbound_interactive_batch");
    let channels: Vec<&str> = events.iter().map(|event| event.channel.external_id.as_str()).collect();
    assert_eq!(channels, ["204411225588001", "204411225588001", "204411225588002"]);
    let tap = |event| match content(event) {
        Content::Button { payload, title } => (payload.as_str(), title.as_str()),
        other => panic!("{other:?}"),
    };
    let taps: Vec<_> = events.iter().map(tap).collect();
    assert_eq!(taps, [("slot:2026-11-28T15:00", "Sat 15:00"), ("svc:color", "Colour"), ("CONFIRM:bk_7Q2", "Confirm")]);
}

#[test]
fn media_places_and_unsupported_kinds_keep_what_can_be_told_of_them() {
    let events = fixture("whatsapp_inbound_media_location_unsupported");
    assert!(matches!(content(&events[0]), Content::Media { kind, reference: Some(id), caption: Some(caption), .. }
        if kind == "image" && id == "1187400021234567" && caption == "like this please"));
    assert!(
        matches!(content(&events[1]), Content::Media { kind, mime_type: Some(mime), .. } if kind == "voice" && mime.starts_with("audio/ogg"))
    );
    assert!(matches!(content(&events[2]), Content::Location { latitude, longitude, .. } if latitude == "48.8566" && longitude == "2.3522"));
    assert!(matches!(content(&events[3]), Content::Unreadable { kind } if kind == "poll"));
}

#[test]
fn statuses_keep_what_our_send_put_into_them() {
    let events = fixture("whatsapp_status_lifecycle");
    let states: Vec<_> = events
        .iter()
        .map(|event| match &event.what {
            Happening::Status(status) => (status.status.clone(), status.callback_data.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let data = Some("out_01JDB3V7Y6".to_owned());
    assert_eq!(states, [("read".to_owned(), data.clone()), ("sent".to_owned(), data.clone()), ("delivered".to_owned(), data)]);
    let keys: std::collections::BTreeSet<_> = events.iter().map(|event| &event.dedupe_key).collect();
    assert_eq!(keys.len(), 3, "a message's id alone is not the key of a status");
    let failed = fixture("whatsapp_status_failed");
    assert!(matches!(&failed[0].what, Happening::Status(status) if status.status == "failed" && status.error_code == Some(131_047)));
}

#[test]
fn messenger_messages_taps_and_attachments_are_read() {
    let events = fixture("messenger_inbound_mixed");
    assert_eq!(content(&events[0]).text(), Some("Hello, are you open on Sunday?"));
    assert_eq!(aliases(&events[0]), [(AliasKind::ScopedId, "7400112233445566")]);
    assert_eq!(events[0].occurred_at.timestamp_millis(), 1_795_342_000_101);
    assert!(matches!(content(&events[1]), Content::Button { payload, .. } if payload == "slot:2026-11-28T15:00"));
    assert!(matches!(content(&events[2]), Content::Button { payload, title } if payload == "GET_STARTED" && title == "Get Started"));
    let Happening::Message(message) = &events[3].what else { panic!("{:?}", events[3]) };
    assert_eq!(message.reply_to.as_deref(), Some("m_Zz9-earlier"));
    assert!(
        matches!(&message.content, Content::Media { kind, reference: Some(url), .. } if kind == "image" && url.starts_with("https://"))
    );
}

#[test]
fn receipts_and_echoes_are_told_apart_from_messages() {
    let events = fixture("messenger_receipts_and_echo");
    assert!(
        matches!(&events[0].what, Happening::Echo { app_id: Some(app), metadata: Some(data), .. } if app == "880011223344556" && data == "out_01JDB3XMSG")
    );
    assert_eq!(aliases(&events[0]), [(AliasKind::ScopedId, "7400112233445566")], "an echo's customer is its recipient");
    assert!(
        matches!(&events[1].what, Happening::Receipt { read: false, message_ids, watermark_ms: Some(1_795_342_016_000) } if message_ids.len() == 1)
    );
    assert_eq!(events[1].occurred_at, now(), "a delivery has no time of its own");
    assert!(matches!(&events[2].what, Happening::Receipt { read: true, watermark_ms: Some(1_795_342_018_400), .. }));
    assert!(matches!(&events[3].what, Happening::Echo { app_id: Some(app), .. } if app == "26390203743090"));
}

#[test]
fn instagram_deletions_share_an_id_with_their_message_and_not_a_key() {
    let events = fixture("instagram_inbound_mixed");
    assert_eq!(events.len(), 5);
    assert!(matches!(&events[2].what, Happening::Echo { app_id: None, .. }));
    assert!(matches!(content(&events[3]), Content::Unreadable { kind } if kind == "unsupported"));
    let (Happening::Message(message), Happening::Deleted { message_id }) = (&events[0].what, &events[4].what) else { panic!("{events:?}") };
    assert_eq!(&message.message_id, message_id);
    assert_ne!(events[0].dedupe_key, events[4].dedupe_key);
}

#[test]
fn the_same_event_has_the_same_key_in_any_batch() {
    let alone = events(&whatsapp(text("wamid.A")));
    let together = events(&whatsapp_value(
        json!({"metadata": {"phone_number_id": "204411225588001"}, "messages": [text("wamid.B"), text("wamid.A")]}),
    ));
    assert_eq!(alone[0].dedupe_key, together[1].dedupe_key);
    assert_ne!(alone[0].dedupe_key, together[0].dedupe_key);
    let elsewhere = events(&whatsapp_value(json!({"metadata": {"phone_number_id": "9"}, "messages": [text("wamid.A")]})));
    assert_ne!(alone[0].dedupe_key, elsewhere[0].dedupe_key, "two numbers may be sent the same id");
}

#[test]
fn a_bad_entry_never_blocks_the_others() {
    let good = whatsapp(text("wamid.A"))["entry"][0].to_string();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for bad in [
        r#""a string""#,
        "null",
        "7",
        "[]",
        "{}",
        r#"{"changes": 7}"#,
        r#"{"changes": [null, {"value": []}]}"#,
        r#"{"id":"\ud83d"}"#,
        deep.as_str(),
    ] {
        let body = format!(r#"{{"object":"whatsapp_business_account","entry":[{bad},{good},{bad}]}}"#);
        let events = read(body.as_bytes(), now()).unwrap();
        let messages = events.iter().filter(|event| matches!(event.what, Happening::Message(_))).count();
        assert_eq!(messages, 1, "{}", &bad[..bad.len().min(60)]);
    }
}

#[test]
fn a_name_cut_in_the_middle_of_an_emoji_loses_no_message() {
    let body =
        whatsapp_value(json!({"metadata": {"phone_number_id": "2"}, "contacts": [{"wa_id": "16505550199", "profile": {"name": "HALF"}}],
        "messages": [text("wamid.A")]}));
    let body = body.to_string().replace("HALF", r"Sam \ud83d");
    let events = read(body.as_bytes(), now()).unwrap();
    assert_eq!(events[0].customer.as_ref().unwrap().name.as_deref(), Some("Sam \u{fffd}"));
}

#[test]
fn no_nul_reaches_the_database() {
    let mut message = text("wamid.A");
    message["text"]["body"] = json!("a\0b");
    message["te\0xt"] = json!(1);
    let events = events(&whatsapp(message));
    assert_eq!(content(&events[0]).text(), Some("a\u{fffd}b"));
    assert!(!serde_json::to_string(&events).unwrap().contains("\\u0000"));
}

#[test]
fn who_cannot_be_answered_gets_no_turn() {
    let mut group = text("wamid.A");
    group["group_id"] = json!("g1");
    let mut nobody = text("wamid.B");
    nobody.as_object_mut().unwrap().remove("from");
    let mut nameless = text("wamid.C");
    nameless.as_object_mut().unwrap().remove("id");
    let opened = json!({"id": "wamid.D", "from": "16505550199", "timestamp": "1", "type": "request_welcome"});
    for message in [group, nobody, nameless, opened] {
        let events = events(&whatsapp(message));
        assert!(matches!(&events[..], [InboundEvent { what: Happening::Other { .. }, .. }]), "{events:?}");
    }
    let standby = json!({"object": "page", "entry": [{"id": "1020", "standby": [{"sender": {"id": "7"}, "recipient": {"id": "1020"}, "message": {"mid": "m", "text": "x"}}]}]});
    assert!(matches!(&events(&standby)[0].what, Happening::Other { kind } if kind == "standby"));
}

#[test]
fn a_business_scoped_id_is_known_wherever_it_stands() {
    let mut message = text("wamid.A");
    message["from"] = json!("US.13491208655302741918");
    message["from_parent_user_id"] = json!("US.ENT.11815799212886844830");
    let body = whatsapp_value(json!({"metadata": {"phone_number_id": "2"}, "messages": [message],
        "contacts": [{"wa_id": "447700900123", "profile": {"name": "Other"}}, {"wa_id": "US.13491208655302741918", "profile": {"name": "Own"}}]}));
    let events = events(&body);
    assert_eq!(
        aliases(&events[0]),
        [(AliasKind::UserId, "US.13491208655302741918"), (AliasKind::ParentUserId, "US.ENT.11815799212886844830")]
    );
    assert_eq!(events[0].customer.as_ref().unwrap().name.as_deref(), Some("Own"), "contacts are matched by id, not by place");
}

#[test]
fn reactions_edits_and_revocations_name_their_message() {
    let from = |mut message: Value| {
        message["from"] = json!("16505550199");
        message["timestamp"] = json!("1795341601");
        events(&whatsapp(message)).remove(0)
    };
    let given = from(json!({"id": "r1", "type": "reaction", "reaction": {"message_id": "m1", "emoji": "👍"}}));
    assert!(matches!(&given.what, Happening::Reaction { message_id, emoji: Some(_) } if message_id == "m1"));
    let taken = from(json!({"id": "r2", "type": "reaction", "reaction": {"message_id": "m1", "emoji": ""}}));
    assert!(matches!(&taken.what, Happening::Reaction { emoji: None, .. }));
    let revoked = from(json!({"id": "v1", "type": "revoke", "revoke": {"original_message_id": "m1"}}));
    assert!(matches!(&revoked.what, Happening::Deleted { message_id } if message_id == "m1"));
    let edited = from(
        json!({"id": "e1", "type": "edit", "edit": {"original_message_id": "m1", "message": {"type": "text", "text": {"body": "three"}}}}),
    );
    assert_eq!(content(&edited).text(), Some("three"));
    let changed =
        from(json!({"id": "s1", "type": "system", "system": {"type": "user_changed_number", "wa_id": "16505550111", "body": "…"}}));
    assert!(matches!(&changed.what, Happening::Other { kind } if kind == "user_changed_number"));
    assert_eq!(aliases(&changed), [(AliasKind::Phone, "16505550199"), (AliasKind::Phone, "16505550111")]);
}

#[test]
fn an_answer_from_the_shops_own_phone_is_an_echo() {
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "39", "changes": [{"field": "smb_message_echoes", "value": {
        "metadata": {"phone_number_id": "2"},
        "message_echoes": [{"from": "15550100011", "to": "16505550199", "id": "wamid.E", "timestamp": "1795341601", "type": "text", "text": {"body": "on my way"}}]}}]}]});
    let events = events(&body);
    assert!(matches!(&events[0].what, Happening::Echo { text: Some(text), app_id: None, .. } if text == "on my way"));
    assert_eq!(aliases(&events[0]), [(AliasKind::Phone, "16505550199")]);
}

#[test]
fn what_is_meant_for_another_account_is_dropped() {
    let item = |sender: &str, recipient: &str, echo: bool| {
        page(
            json!({"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": 1_795_342_000_000_i64, "message": {"mid": "m", "text": "x", "is_echo": echo}}),
        )
    };
    assert!(events(&item("7", "1021", false)).is_empty());
    assert!(events(&item("7", "1020", true)).is_empty());
    assert_eq!(events(&item("7", "1020", false)).len(), 1);
    assert_eq!(events(&item("1020", "7", true)).len(), 1);
}

#[test]
fn the_test_buttons_form_is_nobodys_message() {
    let body = json!({"object": "instagram", "entry": [{"id": "0", "time": 1, "changes": [{"field": "messages", "value": {
        "sender": {"id": "12334"}, "recipient": {"id": "23245"}, "timestamp": "1527459824", "message": {"mid": "random_mid", "text": "random_text"}}}]}]});
    let events = events(&body);
    assert!(matches!(&events[..], [InboundEvent { what: Happening::Other { .. }, customer: None, .. }]));
}

#[test]
fn a_tap_without_an_id_has_the_same_one_every_time() {
    let tap = json!({"sender": {"id": "7"}, "recipient": {"id": "1020"}, "timestamp": 1_795_342_000_000_i64, "postback": {"title": "Yes", "payload": "YES"}});
    let (first, second) = (events(&page(tap.clone())), events(&page(tap.clone())));
    assert_eq!(first, second);
    let mut later = tap;
    later["timestamp"] = json!(1_795_342_009_000_i64);
    assert_ne!(first[0].dedupe_key, events(&page(later))[0].dedupe_key);
}

#[test]
fn updates_of_the_account_are_recorded_and_lead_to_nothing() {
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "39", "changes": [
        {"field": "message_template_status_update", "value": {"event": "APPROVED"}},
        {"field": "messages", "value": {"messaging_product": "whatsapp", "errors": [{"code": 130_429}]}},
        {"field": "messages", "value": {"metadata": {"phone_number_id": "2"}, "errors": [{"code": 130_429}]}}]}]});
    let events = events(&body);
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| matches!(event.what, Happening::Other { .. })));
}

#[test]
fn an_unknown_object_is_no_error_and_no_webhook_is_one() {
    assert_eq!(read(br#"{"object":"permissions","entry":[{"id":"1"}]}"#, now()).unwrap(), vec![]);
    assert_eq!(read(br#"{"object":"page"}"#, now()).unwrap(), vec![]);
    for body in [
        &b""[..],
        b"x",
        b"[]",
        b"null",
        br#"{"object":7}"#,
        br#"{"object":"page","entry":{}}"#,
        b"\xff\xfe",
        br#"{"object":"page","entry":["#,
    ] {
        assert_eq!(read(body, now()), Err(Unreadable::NotAWebhook), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_body_that_unfolds_without_end_is_refused() {
    let messages = vec!["{}"; 20_000].join(",");
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"2"}},"messages":[{messages}]}}}}]}}]}}"#
    );
    assert_eq!(read(body.as_bytes(), now()), Err(Unreadable::TooMany));
}

#[test]
fn a_full_batch_of_a_thousand_with_a_bad_one_is_read() {
    let mut messages: Vec<Value> = (0..1000).map(|n| text(&format!("wamid.{n}"))).collect();
    messages[500] = json!({"type": 7, "from": [], "timestamp": {}});
    let events = events(&whatsapp_value(json!({"metadata": {"phone_number_id": "2"}, "messages": messages})));
    assert_eq!(events.len(), 1000);
    assert_eq!(events.iter().filter(|event| matches!(event.what, Happening::Message(_))).count(), 999);
}

/// Any JSON, made of the words that the reader looks for, so that it gets deep into it.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "id",
        "from",
        "to",
        "type",
        "text",
        "body",
        "messages",
        "message",
        "statuses",
        "status",
        "timestamp",
        "sender",
        "recipient",
        "mid",
        "is_echo",
        "attachments",
        "payload",
        "reaction",
        "read",
        "delivery",
        "watermark",
        "mids",
        "postback",
        "title",
        "errors",
        "code",
        "contacts",
        "wa_id",
        "profile",
        "name",
        "metadata",
        "phone_number_id",
        "interactive",
        "button_reply",
        "location",
        "latitude",
        "edit",
        "system",
        "group_id",
        "1020",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_breaks_the_reader(entry in any_json(), item in any_json(), platform in prop::sample::select(vec!["whatsapp_business_account", "page", "instagram"])) {
        let mut fields = item.clone();
        if let Value::Object(fields) = &mut fields {
            fields.insert("sender".to_owned(), json!({"id": "7"}));
            fields.insert("recipient".to_owned(), json!({"id": "1020"}));
            fields.insert("from".to_owned(), json!("16505550199"));
        }
        let body = json!({"object": platform, "entry": [entry, {"id": "1020", "messaging": [item, fields.clone()], "standby": [item],
            "changes": [item, {"field": "messages", "value": item}, {"field": "messages", "value": {"metadata": {"phone_number_id": "2"}, "messages": [item, fields], "statuses": [item], "contacts": [item]}},
                        {"field": "smb_message_echoes", "value": {"metadata": {"phone_number_id": "2"}, "message_echoes": [item]}}]}]});
        let events = read(body.to_string().as_bytes(), now()).unwrap();
        for event in events {
            prop_assert!(event.dedupe_key.len() <= 320);
            prop_assert!(event.customer.as_ref().is_none_or(|customer| !customer.aliases.is_empty()));
            prop_assert!(!serde_json::to_string(&event).unwrap().contains("\\u0000"));
            prop_assert!(event.occurred_at <= now() + chrono::TimeDelta::days(1));
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(&bytes, now());
        let mut body = br#"{"object":"page","entry":["#.to_vec();
        body.extend(&bytes);
        body.extend(b"]}");
        let _ = read(&body, now());
    }

    #[test]
    fn cutting_a_body_anywhere_breaks_nothing(at in 0_usize..2600) {
        let body = std::fs::read(format!("{}/tests/fixtures/messenger_inbound_mixed.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let _ = read(&body[..at.min(body.len())], now());
    }
}
