//! What comes in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::inbound::Happening;
use frontdesk_core::jobs::{AnswerCustomer, JobName, RecordEvents};
use frontdesk_core::mailbox::{Accepted, BOUND};
use tokio_util::sync::CancellationToken;

use crate::worker::{serve, until_empty};
use crate::{conversation, fresh, message, message_of, phone, status, user_id};

/// The messages that wait in a conversation, by id.
async fn waiting(redis: &crate::Redis, customer: &str) -> Vec<String> {
    let key = format!("fd:{{answer_customer}}:mail:{}", conversation(customer).0);
    let raw: Vec<String> = redis::cmd("LRANGE").arg(key).arg(0).arg(-1).query_async(&mut redis.connection().await).await.unwrap();
    raw.iter().map(|mail| serde_json::from_str::<frontdesk_core::mailbox::Mail>(mail).unwrap().event.dedupe_key).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_delivery_fifty_times_at_once_is_taken_in_once() {
    let (redis, queue, mailbox) = fresh().await;
    let deliveries = (0..50).map(|n| {
        let mut batch = vec![message("100", "m1"), message("100", "m2"), message("200", "m3"), status("s1", "sent")];
        let by = n % batch.len();
        batch.rotate_left(by);
        mailbox.accept(batch)
    });
    let accepted = futures_util::future::try_join_all(deliveries).await.unwrap();
    assert_eq!(accepted.iter().map(|one| one.new).sum::<usize>(), 4);
    assert_eq!(accepted.iter().map(|one| one.new + one.duplicates).sum::<usize>(), 200);
    assert_eq!(queue.stats(JobName::AnswerCustomer).await.unwrap().ready, 2, "a job per conversation");
    assert_eq!(queue.stats(JobName::RecordEvents).await.unwrap().ready, 1);
    let mut both = waiting(&redis, "100").await;
    both.sort();
    assert_eq!(both, ["m1", "m2"]);
    assert_eq!(waiting(&redis, "200").await, ["m3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_id_of_a_sender_leads_to_the_conversation_that_one_of_them_began() {
    let (redis, queue, mailbox) = fresh().await;
    mailbox.accept(vec![message("100", "m1")]).await.unwrap();
    // The phone and a new id come together; later the id comes alone, as it does for customers who hide their number.
    mailbox.accept(vec![message_of(vec![user_id("DE.42"), phone("100")], "m2", "b")]).await.unwrap();
    mailbox.accept(vec![message_of(vec![user_id("DE.42")], "m3", "c")]).await.unwrap();
    assert_eq!(waiting(&redis, "100").await, ["m1", "m2", "m3"]);
    // Two that were known apart are found to be one: the first-named goes on, the other leads there from now on.
    mailbox.accept(vec![message("300", "m4"), message_of(vec![user_id("DE.77")], "m5", "e")]).await.unwrap();
    mailbox.accept(vec![message_of(vec![user_id("DE.77"), phone("300")], "m6", "f")]).await.unwrap();
    mailbox.accept(vec![message("300", "m7")]).await.unwrap();
    assert_eq!(waiting(&redis, "300").await, ["m4"]);
    assert_eq!(waiting(&redis, "DE.77").await, ["m5", "m6", "m7"]);
    assert_eq!(queue.stats(JobName::AnswerCustomer).await.unwrap().ready, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_bound_messages_are_recorded_and_none_is_lost_or_taken_twice() {
    let (redis, queue, mailbox) = fresh().await;
    let all: Vec<_> = (0..BOUND + 30).map(|n| message("100", &format!("m{n:03}"))).collect();
    assert_eq!(mailbox.accept(all.clone()).await.unwrap(), Accepted { new: BOUND + 30, duplicates: 0 });
    assert_eq!(mailbox.accept(all).await.unwrap(), Accepted { new: 0, duplicates: BOUND + 30 });
    assert_eq!(waiting(&redis, "100").await, (0..BOUND).map(|n| format!("m{n:03}")).collect::<Vec<_>>());
    let recorded: Arc<Mutex<Vec<String>>> = Arc::default();
    let (noted, stop) = (Arc::clone(&recorded), CancellationToken::new());
    let worker = serve(&queue, 4, &stop, move |job: RecordEvents, _| {
        assert!(job.events.iter().all(|event| matches!(event.what, Happening::Message(_))));
        noted.lock().unwrap().extend(job.events.into_iter().map(|event| event.dedupe_key));
        async { Ok(()) }
    });
    until_empty(&queue, JobName::RecordEvents, Duration::from_secs(5)).await;
    assert_eq!(*recorded.lock().unwrap(), (BOUND..BOUND + 30).map(|n| format!("m{n:03}")).collect::<Vec<_>>());
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_channel_are_recorded_in_order_one_job_at_a_time() {
    let (_redis, queue, mailbox) = fresh().await;
    let mut wanted = Vec::new();
    for n in 0..60 {
        let batch: Vec<_> = ["sent", "delivered", "read"].iter().map(|state| status(&format!("s{n:02}"), state)).collect();
        wanted.extend(batch.iter().map(|event| event.dedupe_key.clone()));
        mailbox.accept(batch).await.unwrap();
    }
    let recorded: Arc<Mutex<Vec<String>>> = Arc::default();
    let (noted, stop) = (Arc::clone(&recorded), CancellationToken::new());
    let worker = serve(&queue, 8, &stop, move |job: RecordEvents, _| {
        let noted = Arc::clone(&noted);
        async move {
            tokio::time::sleep(Duration::from_millis(u64::from(job.events[0].dedupe_key.as_bytes()[2]) % 7)).await;
            noted.lock().unwrap().extend(job.events.into_iter().map(|event| event.dedupe_key));
            Ok(())
        }
    });
    until_empty(&queue, JobName::RecordEvents, Duration::from_secs(20)).await;
    assert_eq!(*recorded.lock().unwrap(), wanted);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_nobody_we_can_name_is_recorded() {
    let (_redis, queue, mailbox) = fresh().await;
    let mut unnamed = message("100", "m1");
    unnamed.customer = None;
    mailbox.accept(vec![unnamed, message_of(Vec::new(), "m2", "x")]).await.unwrap();
    assert_eq!(queue.stats(JobName::AnswerCustomer).await.unwrap().ready, 0);
    assert_eq!(queue.stats(JobName::RecordEvents).await.unwrap().ready, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_nothing_is_accepted_and_a_later_delivery_is_new() {
    let (mut redis, _queue, mailbox) = fresh().await;
    redis.kill();
    assert!(mailbox.accept(vec![message("100", "m1")]).await.is_err());
    redis.restart().await;
    crate::worker::until("the connection is back", Duration::from_secs(20), || async {
        mailbox.accept(vec![message("100", "m1")]).await.is_ok()
    })
    .await;
    assert_eq!(waiting(&redis, "100").await, ["m1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_updates_in_one_delivery_are_taken_in_in_order() {
    let (_redis, queue, mailbox) = fresh().await;
    let batch: Vec<_> = (0..1000).map(|n| message(&format!("{}", n % 50), &format!("m{n:04}"))).collect();
    assert_eq!(mailbox.accept(batch).await.unwrap(), Accepted { new: 1000, duplicates: 0 });
    let seen: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let (noted, stop, inner) = (Arc::clone(&seen), CancellationToken::new(), mailbox.clone());
    let worker = serve(&queue, 8, &stop, move |job: AnswerCustomer, run| {
        let (noted, inner) = (Arc::clone(&noted), inner.clone());
        async move {
            let taken = inner.take(&run.envelope, &job.conversation).await.unwrap();
            noted.lock().unwrap().push(taken.mail.iter().map(|mail| mail.event.dedupe_key.clone()).collect());
            inner.acknowledge(&run.envelope, &job.conversation, taken.mail.len()).await.unwrap();
            Ok(())
        }
    });
    until_empty(&queue, JobName::AnswerCustomer, Duration::from_secs(20)).await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 50, "one turn per conversation");
    assert!(seen.iter().all(|mail| mail.len() == 20 && mail.is_sorted()));
    stop.cancel();
    worker.await.unwrap();
}
