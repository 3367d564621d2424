//! A conversation's turns: one at a time, what is handled goes, what is not stays.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frontdesk_core::jobs::{AnswerCustomer, JobName};
use frontdesk_core::mailbox::LostOrError;
use frontdesk_core::queue::{Failure, Next, Run};
use tokio_util::sync::CancellationToken;

use crate::worker::{retry, serve, until, until_empty};
use crate::{conversation, fresh, message};

const NAME: JobName = JobName::AnswerCustomer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_arrive_during_a_turn_are_the_next_one_and_turns_never_overlap() {
    let (_redis, queue, mailbox) = fresh().await;
    let turns: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let at_once = Arc::new(AtomicU32::new(0));
    let stop = CancellationToken::new();
    let (noted, busy, inner) = (Arc::clone(&turns), Arc::clone(&at_once), mailbox.clone());
    let worker = serve(&queue, 8, &stop, move |job: AnswerCustomer, run: Run| {
        let (noted, busy, inner) = (Arc::clone(&noted), Arc::clone(&busy), inner.clone());
        async move {
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "two turns of one conversation at once");
            let taken = inner.take(&run.envelope, &job.conversation).await.unwrap();
            assert!(taken.now_ms >= taken.mail[0].accepted_at_ms);
            tokio::time::sleep(Duration::from_millis(60)).await;
            noted.lock().unwrap().push(taken.mail.iter().map(|mail| mail.event.dedupe_key.clone()).collect());
            inner.acknowledge(&run.envelope, &job.conversation, taken.mail.len()).await.unwrap();
            busy.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    for n in 0..40 {
        mailbox.accept(vec![message("100", &format!("m{n:02}"))]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until_empty(&queue, NAME, Duration::from_secs(20)).await;
    let turns = turns.lock().unwrap().clone();
    let all: Vec<_> = turns.iter().flatten().cloned().collect();
    assert_eq!(all, (0..40).map(|n| format!("m{n:02}")).collect::<Vec<_>>());
    assert!(turns.len() > 1 && turns.len() < 40, "{} turns", turns.len());
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_turn_learns_of_more_within_milliseconds() {
    let (_redis, queue, mailbox) = fresh().await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let inner = mailbox.clone();
    let worker = serve(&queue, 2, &stop, move |job: AnswerCustomer, run: Run| {
        let (inner, sender) = (inner.clone(), sender.clone());
        async move {
            let seen = inner.take(&run.envelope, &job.conversation).await.unwrap().mail.len();
            sender.send((Instant::now(), seen)).unwrap();
            // Dropped and asked again, as a select would.
            let _ = tokio::time::timeout(Duration::from_millis(5), inner.more(&run.envelope, &job.conversation, seen)).await;
            inner.more(&run.envelope, &job.conversation, seen).await;
            let now = inner.take(&run.envelope, &job.conversation).await.unwrap().mail.len();
            sender.send((Instant::now(), now)).unwrap();
            inner.acknowledge(&run.envelope, &job.conversation, now).await.unwrap();
            Ok(())
        }
    });
    let mut waits = Vec::new();
    for n in 0..20 {
        mailbox.accept(vec![message("100", &format!("a{n}"))]).await.unwrap();
        assert_eq!(receiver.recv().await.unwrap().1, 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let sent = Instant::now();
        mailbox.accept(vec![message("100", &format!("b{n}"))]).await.unwrap();
        let (heard, seen) = receiver.recv().await.unwrap();
        assert_eq!(seen, 2);
        waits.push(heard.saturating_duration_since(sent));
        until_empty(&queue, NAME, Duration::from_secs(5)).await;
    }
    waits.sort();
    assert!(waits[10] < Duration::from_millis(100), "{waits:?}");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_over_can_neither_read_nor_remove() {
    let (_redis, queue, mailbox) = fresh().await;
    mailbox.accept(vec![message("100", "m1")]).await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let inner = mailbox.clone();
    let worker = serve(&queue, 1, &stop, move |job: AnswerCustomer, run: Run| {
        let (inner, sender) = (inner.clone(), sender.clone());
        async move {
            let first = run.envelope.attempt == 1;
            inner.take(&run.envelope, &job.conversation).await.unwrap();
            sender.send(run.envelope.clone()).unwrap();
            if first { Err(retry("once")) } else { std::future::pending().await }
        }
    });
    let old = receiver.recv().await.unwrap();
    let new = receiver.recv().await.unwrap();
    assert_eq!(old.job, new.job);
    assert!(new.run > old.run);
    let of = conversation("100");
    assert!(matches!(mailbox.take(&old, &of).await, Err(LostOrError::Lost)));
    assert!(matches!(mailbox.acknowledge(&old, &of, 1).await, Err(LostOrError::Lost)));
    assert!(matches!(mailbox.park(&old, &of, 1, "x").await, Err(LostOrError::Lost)));
    assert!(matches!(mailbox.acknowledge(&new, &conversation("200"), 1).await, Err(LostOrError::Lost)), "another conversation");
    assert_eq!(mailbox.take(&new, &of).await.unwrap().mail.len(), 1);
    assert_eq!(mailbox.acknowledge(&new, &of, 1).await.unwrap(), 0);
    queue.abandon_runs();
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_answered_is_parked_and_the_conversation_goes_on() {
    let (_redis, queue, mailbox) = fresh().await;
    let answered: Arc<Mutex<Vec<String>>> = Arc::default();
    let whole = Arc::new(AtomicU32::new(0));
    let stop = CancellationToken::new();
    let (noted, mended, inner) = (Arc::clone(&answered), Arc::clone(&whole), mailbox.clone());
    let worker = serve(&queue, 2, &stop, move |job: AnswerCustomer, run: Run| {
        let (noted, mended, inner) = (Arc::clone(&noted), Arc::clone(&mended), inner.clone());
        async move {
            let taken = inner.take(&run.envelope, &job.conversation).await.unwrap();
            if taken.mail.iter().any(|mail| mail.event.dedupe_key == "poison") && mended.load(Ordering::SeqCst) == 0 {
                // While it fails, another message arrives: it is not at fault.
                let _ = inner.accept(vec![message("100", "later")]).await;
                return Err(Failure { code: "cannot".to_owned(), next: Next::Fail });
            }
            noted.lock().unwrap().extend(taken.mail.iter().map(|mail| mail.event.dedupe_key.clone()));
            inner.acknowledge(&run.envelope, &job.conversation, taken.mail.len()).await.unwrap();
            Ok(())
        }
    });
    mailbox.accept(vec![message("100", "poison")]).await.unwrap();
    until("the later one is answered", Duration::from_secs(10), || async { *answered.lock().unwrap() == ["later"] }).await;
    until_empty(&queue, NAME, Duration::from_secs(5)).await;
    let letters = queue.dead_letters(NAME, 0, 10).await.unwrap().items;
    assert_eq!((letters.len(), letters[0].code.as_str(), letters[0].parked_messages), (1, "cannot", true));
    // The sweep leaves it parked.
    assert_eq!(queue.sweep().await.unwrap().mailboxes, 0);
    whole.store(1, Ordering::SeqCst);
    assert!(queue.retry_dead(NAME, letters[0].id).await.unwrap());
    until("the parked one is answered", Duration::from_secs(10), || async { *answered.lock().unwrap() == ["later", "poison"] }).await;
    until_empty(&queue, NAME, Duration::from_secs(5)).await;
    assert_eq!(queue.stats(NAME).await.unwrap().dead, 0);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_parks_what_it_gives_up_and_answers_the_rest() {
    let (_redis, queue, mailbox) = fresh().await;
    mailbox.accept((0..5).map(|n| message("100", &format!("m{n}"))).collect()).await.unwrap();
    let stop = CancellationToken::new();
    let inner = mailbox.clone();
    let worker = serve(&queue, 1, &stop, move |job: AnswerCustomer, run: Run| {
        let inner = inner.clone();
        async move {
            assert_eq!(inner.park(&run.envelope, &job.conversation, 2, "too_late").await.unwrap(), 3);
            let taken = inner.take(&run.envelope, &job.conversation).await.unwrap();
            assert_eq!(taken.mail[0].event.dedupe_key, "m2");
            assert_eq!(inner.acknowledge(&run.envelope, &job.conversation, 3).await.unwrap(), 0);
            Ok(())
        }
    });
    until_empty(&queue, NAME, Duration::from_secs(5)).await;
    let letters = queue.dead_letters(NAME, 0, 10).await.unwrap().items;
    assert_eq!((letters.len(), letters[0].code.as_str()), (1, "too_late"));
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_gives_a_job_to_a_mailbox_that_lost_its_own() {
    let (redis, queue, mailbox) = fresh().await;
    mailbox.accept(vec![message("100", "m1"), message("200", "m2")]).await.unwrap();
    // As after a part of Redis's data was lost: the jobs are gone, the messages are there.
    let mut conn = redis.connection().await;
    let jobs: Vec<String> = redis::cmd("KEYS").arg("fd:{answer_customer}:job:*").query_async(&mut conn).await.unwrap();
    assert_eq!(jobs.len(), 2);
    redis::cmd("DEL").arg(&jobs).query_async::<()>(&mut conn).await.unwrap();
    assert_eq!(queue.sweep().await.unwrap().mailboxes, 2);
    assert_eq!(queue.sweep().await.unwrap().mailboxes, 0);
    let answered = Arc::new(AtomicU32::new(0));
    let (stop, counted, inner) = (CancellationToken::new(), Arc::clone(&answered), mailbox.clone());
    let worker = serve(&queue, 2, &stop, move |job: AnswerCustomer, run: Run| {
        let (counted, inner) = (Arc::clone(&counted), inner.clone());
        async move {
            let taken = inner.take(&run.envelope, &job.conversation).await.unwrap();
            counted.fetch_add(u32::try_from(taken.mail.len()).unwrap(), Ordering::SeqCst);
            inner.acknowledge(&run.envelope, &job.conversation, taken.mail.len()).await.unwrap();
            Ok(())
        }
    });
    until("both are answered", Duration::from_secs(10), || async { answered.load(Ordering::SeqCst) == 2 }).await;
    until_empty(&queue, NAME, Duration::from_secs(5)).await;
    stop.cancel();
    worker.await.unwrap();
}
