//! Memory, live events, leadership.

use std::time::Duration;

use frontdesk_core::ids::ConversationId;
use frontdesk_core::live;
use frontdesk_core::memory::{Exchange, KEPT, Memory};
use frontdesk_core::queue::Queue;

use crate::fresh;
use crate::worker::{scope, until};

fn exchange(n: i64) -> Exchange {
    Exchange { customer: format!("question {n}"), reply: format!("answer {n}"), at_ms: 1_790_000_000_000 + n }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_last_exchanges_and_knows_empty_from_lost() {
    let (redis, queue, _) = fresh().await;
    let memory = Memory::new(&queue);
    let (seven, eight) = (scope(&queue, 7).await, scope(&queue, 8).await);
    let of = ConversationId(1);
    assert_eq!(memory.load(&seven, of).await.unwrap(), None, "nothing known: rebuild");
    memory.append(&seven, of, &exchange(0)).await.unwrap();
    assert_eq!(memory.load(&seven, of).await.unwrap(), None, "half a memory would be worse than none");
    memory.replace(&seven, of, &[]).await.unwrap();
    assert_eq!(memory.load(&seven, of).await.unwrap(), Some(Vec::new()));
    for n in 0..25 {
        memory.append(&seven, of, &exchange(n)).await.unwrap();
        let kept = memory.load(&seven, of).await.unwrap().unwrap();
        let from = (n + 1 - KEPT as i64).max(0);
        assert_eq!(kept, (from..=n).map(exchange).collect::<Vec<_>>());
    }
    assert_eq!(memory.load(&eight, of).await.unwrap(), None, "another shop's conversation of the same number");
    memory.replace(&eight, of, &(0..15).map(exchange).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(memory.load(&eight, of).await.unwrap().unwrap().len(), KEPT);
    let seconds: i64 = redis::cmd("TTL").arg("fd:memory:7:1").query_async(&mut redis.connection().await).await.unwrap();
    assert!((7 * 24 * 3600..=8 * 24 * 3600).contains(&seconds));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_events_are_kept_per_shop_and_bounded() {
    let (redis, queue, _) = fresh().await;
    let seven = scope(&queue, 7).await;
    let raw = serde_json::value::RawValue::from_string(r#"{"order":1}"#.to_owned()).unwrap();
    let mut last = String::new();
    for _ in 0..3000 {
        let id = live::append(&queue, &seven, "order", &raw).await.unwrap();
        assert_ne!(id, last);
        last = id;
    }
    let length: usize = redis::cmd("XLEN").arg(live::stream_key(&seven)).query_async(&mut redis.connection().await).await.unwrap();
    assert!((1000..1200).contains(&length), "{length}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leads_and_another_takes_over_with_a_later_term() {
    let (redis, first, _) = fresh().await;
    let second = Queue::connect(&redis.url(), "scheduler").await.unwrap();
    let leader = first.lead("x").await;
    assert!(tokio::time::timeout(Duration::from_millis(1500), second.lead("x")).await.is_err(), "two leaders");
    assert_eq!(first.leads("x").await.unwrap().unwrap().process, first.process());
    let term = leader.term;
    leader.abdicate().await.unwrap();
    assert_eq!(first.leads("x").await.unwrap(), None);
    let next = tokio::time::timeout(Duration::from_secs(3), second.lead("x")).await.unwrap();
    assert!(next.term > term);
    // One that is gone without a word is succeeded when its time has run out, and notices.
    let lost = next.lost.clone();
    redis::cmd("DEL").arg("{fd:leader:x}:holder").query_async::<()>(&mut redis.connection().await).await.unwrap();
    let third = first.lead("x").await;
    until("the second notices", Duration::from_secs(6), || async { lost.is_cancelled() }).await;
    assert!(third.term > next.term);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_cannot_renew_stops_before_another_begins() {
    let (redis, first, _) = fresh().await;
    let leader = first.lead("x").await;
    redis.freeze();
    let lost = leader.lost.clone();
    until("it stops", Duration::from_secs(5), || async { lost.is_cancelled() }).await;
    redis.thaw();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_replicas_asked_for_nothing_is_accepted_until_one_has_it() {
    let (redis, queue, _) = fresh().await;
    let careful = Queue::connect_replicated(&redis.url(), "ingress", 1).await.unwrap();
    let mailbox = frontdesk_core::mailbox::Mailbox::new(&careful);
    let refused = mailbox.accept(vec![crate::message("100", "m1")]).await;
    assert!(matches!(refused, Err(frontdesk_core::queue::QueueError::Replicas { want: 1, have: 0 })), "{refused:?}");
    let replica = crate::Redis::start().await;
    let port = redis.url().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let mut follow = replica.connection().await;
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(port).query_async::<()>(&mut follow).await.unwrap();
    // The sender delivers again: it is a duplicate by now, and on the replica.
    until("the replica has it", Duration::from_secs(20), || async {
        mailbox.accept(vec![crate::message("100", "m1")]).await.is_ok_and(|accepted| accepted.duplicates == 1)
    })
    .await;
    let many =
        futures_util::future::try_join_all((0..200).map(|n| mailbox.accept(vec![crate::message("200", &format!("n{n}"))]))).await.unwrap();
    assert_eq!(many.iter().map(|one| one.new).sum::<usize>(), 200);
    let there: usize =
        redis::cmd("LLEN").arg("fd:{answer_customer}:mail:whatsapp:204411225588002:200").query_async(&mut follow).await.unwrap();
    assert_eq!(there, frontdesk_core::mailbox::BOUND);
    assert_eq!(queue.stats(frontdesk_core::jobs::JobName::AnswerCustomer).await.unwrap().ready, 2);
}
