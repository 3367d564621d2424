//! A human takes over: asked for by the customer, or by answering from the shop's own phone or inbox.

use frontdesk_sandbox::Inbound;
use serde_json::json;
use system_tests::{INSTAGRAM, OWNER, PATIENCE, TestStack, WHATSAPP, until};

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_human_pauses_tells_staff_and_is_said_once() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491740000001");
    customer.says("I want to talk to a human").unwrap();
    assert_eq!(customer.hears_text().await.unwrap(), "A human agent will contact you shortly.");
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.subject.contains("asks for a human")).await;
    assert_eq!(mails.len(), 1);

    customer.says("hello? anybody?").unwrap();
    let stored = "SELECT count(*) FROM messages WHERE direction = 'in'";
    until("the message is stored", async || Ok((stack.count(stored).await? == 2).then_some(()))).await.unwrap();
    assert_eq!(customer.heard().iter().filter(|send| send.text.is_some()).count(), 1, "the AI is silent");

    let conversation = stack.count("SELECT id FROM conversations").await.unwrap();
    owner.post(&format!("/conversations/{conversation}/resume"), &json!({}), 200).await.unwrap();
    customer.says("do you have red sneakers in 42?").unwrap();
    let answer = customer.hears_text().await.unwrap();
    assert_ne!(answer, "A human agent will contact you shortly.", "old messages do not ask again");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_human_answering_from_the_inbox_silences_the_ai() {
    let stack = TestStack::start().await.unwrap();
    for account in [WHATSAPP, INSTAGRAM] {
        let id = if account == WHATSAPP { "491740000002" } else { "918273640000002" };
        let customer = stack.customer(account, id);
        customer.says("hello").unwrap();
        customer.hears().await.unwrap();
        stack.sandbox.state().human_answers(account, id, "Hi, this is Mara from the shop.").unwrap();
        let paused = format!(
            "SELECT count(*) FROM conversations c JOIN channels h ON h.id = c.channel_id WHERE c.paused_by = 'echo' AND h.external_id = '{account}'"
        );
        until("the AI is paused", async || Ok((stack.count(&paused).await? == 1).then_some(()))).await.unwrap();
        let human = "SELECT count(*) FROM messages WHERE author = 'human'";
        assert!(stack.count(human).await.unwrap() >= 1);
    }
    assert_eq!(stack.count("SELECT count(*) FROM conversations WHERE paused").await.unwrap(), 2);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn own_echoes_never_pause_the_ai() {
    let stack = TestStack::start().await.unwrap();
    let customer = stack.customer(INSTAGRAM, "918273640000003");
    for words in ["hello", "what are your opening hours?"] {
        customer.says(words).unwrap();
        customer.hears().await.unwrap();
    }
    let echoed = "SELECT count(*) FROM logs WHERE kind = 'echo'";
    until("both echoes are recorded", async || Ok((stack.count(echoed).await? >= 2).then_some(()))).await.unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM conversations WHERE paused").await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_read_gets_a_fitting_answer_once_an_hour() {
    let stack = TestStack::start().await.unwrap();
    let customer = stack.customer(WHATSAPP, "491740000004");
    customer.sends(&Inbound::Audio).unwrap();
    customer.hears_text().await.unwrap();
    customer.sends(&Inbound::Audio).unwrap();
    until("both are stored", async || Ok((stack.count("SELECT count(*) FROM turns WHERE state = 'done'").await? == 2).then_some(())))
        .await
        .unwrap();
    assert_eq!(customer.heard().iter().filter(|send| send.text.is_some()).count(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_says_fixed_texts_in_its_own_words_and_no_language_in_anothers() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let mut settings = owner.get("/shop", 200).await.unwrap();
    assert_eq!(settings["texts"], json!({}));
    for read_only in ["plan", "status", "trial_ends_at", "updated_at"] {
        settings.as_object_mut().unwrap().remove(read_only);
    }
    settings.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    settings["texts"] = json!({
        "handoff": {"de": "Mara aus dem Laden schreibt Ihnen gleich."}, "unreadable": {"en": "We only read text here."},
        "inactive": {"de": "Wir machen gerade Pause."},
    });
    owner.put("/shop", &settings, 200).await.unwrap();

    let german = stack.customer(WHATSAPP, "491740000006");
    german.says("Ich möchte bitte mit einem Mitarbeiter sprechen").unwrap();
    assert_eq!(german.hears_text().await.unwrap(), "Mara aus dem Laden schreibt Ihnen gleich.");
    let english = stack.customer(WHATSAPP, "491740000007");
    english.says("I want to talk to a human").unwrap();
    assert_eq!(english.hears_text().await.unwrap(), "A human agent will contact you shortly.");
    let silent = stack.customer(WHATSAPP, "491740000008");
    silent.sends(&Inbound::Audio).unwrap();
    assert_eq!(silent.hears_text().await.unwrap(), "We only read text here.");

    // Who chose words for it never speaks of a subscription, in no language.
    stack.database.look().await.unwrap().batch_execute("UPDATE shops SET status = 'inactive'").await.unwrap();
    let late = stack.customer(WHATSAPP, "491740000009");
    late.says("hello, is anybody there?").unwrap();
    assert_eq!(late.hears_text().await.unwrap(), "Wir machen gerade Pause.");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_shop_says_so_and_tells_its_owner() {
    let stack = TestStack::start().await.unwrap();
    stack.database.look().await.unwrap().batch_execute("UPDATE shops SET status = 'inactive'").await.unwrap();
    let customer = stack.customer(WHATSAPP, "491740000005");
    customer.says("hello").unwrap();
    assert_eq!(customer.hears_text().await.unwrap(), "Your AI assistant is currently inactive. Please renew your subscription.");
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.subject.contains("inactive")).await;
    assert_eq!(mails.len(), 1);
    stack.stop().await.unwrap();
}
