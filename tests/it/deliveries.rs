//! Sends: unknown outcomes are settled before they are repeated, refusals lead to what Meta's codes ask for, the AI never talks over a person.

use frontdesk_sandbox::faults::{Faults, MetaFailure};
use system_tests::{MESSENGER, PATIENCE, TestStack, WHATSAPP, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_send_whose_answer_is_lost_is_settled_by_its_status_and_not_repeated() {
    for account in [WHATSAPP, MESSENGER] {
        let stack = TestStack::start().await.unwrap();
        stack.sandbox.state().faults(|faults| {
            faults.meta.failure = Some(MetaFailure::CutAfterAccept);
            faults.meta.times = Some(1);
            // The status comes late, so that it must be waited for.
            faults.webhooks.delay_ms = 2500;
        });
        let customer = stack.customer(account, "491760000001");
        customer.says("hello").unwrap();
        customer.hears().await.unwrap();
        let done = "SELECT count(*) FROM turns WHERE state = 'done'";
        until("the turn is done", async || Ok((stack.count(done).await? == 1).then_some(()))).await.unwrap();
        assert_eq!(customer.heard().iter().filter(|send| send.text.is_some()).count(), 1, "sent once on {account}");
        assert_eq!(stack.count("SELECT count(*) FROM messages WHERE direction = 'out' AND provider_id IS NULL").await.unwrap(), 0);
        stack.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_disconnects_the_channel_and_tells_the_owner() {
    let stack = TestStack::start().await.unwrap();
    stack.sandbox.state().revoke_token("sandbox-wa-northwind");
    stack.customer(WHATSAPP, "491760000002").says("hello").unwrap();
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.subject.contains("disconnected")).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(stack.count("SELECT count(*) FROM channels WHERE status = 'disconnected' AND status_code = 190").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_meta_is_asked_again_until_it_takes_the_message() {
    let stack = TestStack::start().await.unwrap();
    stack.sandbox.state().faults(|faults| {
        faults.meta.failure = Some(MetaFailure::Error { status: None, code: 131_000, subcode: None, message: None });
        faults.meta.times = Some(2);
    });
    let customer = stack.customer(WHATSAPP, "491760000003");
    customer.says("hello").unwrap();
    until("the message is accepted", async || {
        Ok(customer.heard().into_iter().any(|send| send.text.is_some() && send.provider_id.is_some()).then_some(()))
    })
    .await
    .unwrap();
    stack.sandbox.state().faults(|faults| *faults = Faults::default());
    stack.stop().await.unwrap();
}
