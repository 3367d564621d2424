//! Workers that die, and jobs that kill them. The workers are processes of their own and die by SIGKILL.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{From, JobState, Push};

use crate::fresh;
use crate::redis_server::signal;
use crate::worker::{Deed, Probe, Worker, notes, push_probes, until, until_empty};

const NAME: JobName = JobName::SaveProduct;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_workers_jobs_are_back_within_ten_seconds_and_run_once_more() {
    let (redis, queue) = fresh().await;
    let mut conn = redis.connection().await;
    let mut victim = Worker::start(&redis.url(), 4);
    push_probes(&queue, From::System, (0..4).map(|n| Probe::lasting(n, 3000))).await;
    until("four run", Duration::from_secs(20), || async { queue.stats(NAME).await.unwrap().running == 4 }).await;
    let _other = Worker::start(&redis.url(), 4);
    until("the other is there", Duration::from_secs(20), || async { queue.stats(NAME).await.unwrap().processes == 2 }).await;
    victim.kill();
    let killed = Instant::now();
    until("all four run again", Duration::from_secs(12), || {
        let mut conn = conn.clone();
        async move { notes(&mut conn, "began").await.len() == 8 }
    })
    .await;
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
    until_empty(&queue, NAME, Duration::from_secs(20)).await;
    let began = notes(&mut conn, "began").await;
    let mut again: Vec<_> = began[4..].iter().map(|note| (note.n, note.attempt, note.deaths)).collect();
    again.sort_unstable();
    assert_eq!(again, [(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1)], "a death and no attempt more");
    assert_eq!(notes(&mut conn, "ended").await.len(), 4);
    assert_eq!(queue.stats(NAME).await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_every_worker_runs_alone_and_is_parked_and_takes_nobody_along() {
    let (redis, queue) = fresh().await;
    let mut conn = redis.connection().await;
    let mut workers: Vec<_> = (0..2).map(|_| Worker::start(&redis.url(), 4)).collect();
    until("both are there", Duration::from_secs(20), || async { queue.stats(NAME).await.unwrap().processes == 2 }).await;
    // Innocents that are on board when it kills.
    push_probes(&queue, From::System, (0..6).map(|n| Probe::lasting(n, 1500))).await;
    let killer = queue.push(From::System, &Probe::that(666, Deed::Die), Push::default()).await.unwrap().job();
    push_probes(&queue, From::System, (6..12).map(Probe::new)).await;
    let parked = Instant::now() + Duration::from_secs(100);
    while queue.state(NAME, killer).await.unwrap() != JobState::Dead {
        assert!(Instant::now() < parked, "not parked: {:?}", queue.stats(NAME).await.unwrap());
        for worker in &mut workers {
            if worker.0.try_wait().unwrap().is_some() {
                *worker = Worker::start(&redis.url(), 4);
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until_empty(&queue, NAME, Duration::from_secs(60)).await;
    let letter = queue.dead_letters(NAME, 0, 10).await.unwrap().items;
    assert_eq!(letter.len(), 1, "{letter:?}");
    assert_eq!((letter[0].id, letter[0].code.as_str(), letter[0].deaths), (killer, "killed_its_worker", 3));
    let began = notes(&mut conn, "began").await;
    assert_eq!(began.iter().filter(|note| note.n == 666).count(), 3);
    // When it ran for the last time, nothing else ran in its process.
    let last = began.iter().rposition(|note| note.n == 666).unwrap();
    let alone = began[last];
    let ended: HashSet<_> = notes(&mut conn, "ended").await.iter().map(|note| (note.n, note.run)).collect();
    let company = began[..last].iter().filter(|note| note.pid == alone.pid && !ended.contains(&(note.n, note.run))).count();
    assert_eq!(company, 0, "{began:?}");
    let done: HashSet<_> = ended.iter().map(|(n, _)| *n).collect();
    assert_eq!(done, (0..12).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_worker_cannot_end_a_job_that_was_taken_from_it() {
    let (redis, queue) = fresh().await;
    let mut conn = redis.connection().await;
    let frozen = Worker::start(&redis.url(), 1);
    let job = Probe::lasting(1, 2000);
    let id = queue.push(From::System, &job, Push::default()).await.unwrap().job();
    until("it runs", Duration::from_secs(20), || async { queue.state(NAME, id).await.unwrap() == JobState::Running }).await;
    signal(frozen.pid(), "STOP");
    let _other = Worker::start(&redis.url(), 1);
    until("it runs elsewhere", Duration::from_secs(30), || {
        let mut conn = conn.clone();
        async move { notes(&mut conn, "began").await.len() == 2 }
    })
    .await;
    // The first one goes on while the second one is at it, and would be done at once.
    signal(frozen.pid(), "CONT");
    until_empty(&queue, NAME, Duration::from_secs(20)).await;
    let began = notes(&mut conn, "began").await;
    assert_eq!(began.len(), 2);
    assert!(began[1].run > began[0].run, "fences grow");
    assert_ne!(began[0].pid, began[1].pid);
    let ended = notes(&mut conn, "ended").await;
    assert!(ended.iter().any(|note| note.run == began[1].run), "{ended:?}");
    assert_eq!(queue.stats(NAME).await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_random_kills_park_nothing_and_lose_nothing() {
    const JOBS: u64 = 6000;
    let (redis, queue) = fresh().await;
    let mut conn = redis.connection().await;
    push_probes(&queue, From::System, (0..JOBS).map(|n| Probe::lasting(n, 80))).await;
    let mut workers: Vec<_> = (0..4).map(|_| Worker::start(&redis.url(), 4)).collect();
    for kill in 0..200_usize {
        let victim = (kill * 7 + kill / 3) % workers.len();
        let began = notes(&mut conn, "began").await.len();
        workers[victim].kill();
        workers[victim] = Worker::start(&redis.url(), 4);
        // Kill on once something has begun since, or nothing is left to begin.
        until("work goes on", Duration::from_secs(30), || {
            let (mut conn, queue) = (conn.clone(), queue.clone());
            async move { notes(&mut conn, "began").await.len() > began || queue.stats(NAME).await.unwrap().ready == 0 }
        })
        .await;
    }
    until_empty(&queue, NAME, Duration::from_secs(300)).await;
    let stats = queue.stats(NAME).await.unwrap();
    assert_eq!(stats.dead, 0, "{:?}", queue.dead_letters(NAME, 0, 10).await.unwrap());
    let mut ended: HashMap<u64, usize> = HashMap::new();
    for note in notes(&mut conn, "ended").await {
        *ended.entry(note.n).or_default() += 1;
    }
    assert_eq!(ended.len() as u64, JOBS);
    let began = notes(&mut conn, "began").await;
    println!("{} runs of {JOBS} jobs, most deaths {}", began.len(), began.iter().map(|note| note.deaths).max().unwrap());
}
