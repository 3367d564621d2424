//! Order within a shop, turns among shops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{From, Push};
use tokio_util::sync::CancellationToken;

use crate::fresh;
use crate::worker::{Probe, push_probes, scope, serve, until, until_empty};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_a_shop_begin_in_the_order_they_were_pushed() {
    let (_redis, queue) = fresh().await;
    let mut scopes = Vec::new();
    for shop in 1..=5 {
        scopes.push(scope(&queue, shop).await);
    }
    for n in 0..200 {
        for scope in &scopes {
            queue.push(From::Shop(scope), &Probe::new(n), Push::default()).await.unwrap();
        }
    }
    let begun: Arc<Mutex<Vec<(i32, u64)>>> = Arc::default();
    let stop = CancellationToken::new();
    let noted = Arc::clone(&begun);
    let worker = serve(&queue, 1, &stop, move |job: Probe, run| {
        let shop = frontdesk_core::tenancy::ShopScope::from_envelope(&run.envelope).unwrap().shop().0;
        noted.lock().unwrap().push((shop, job.n));
        async move { Ok(job.n) }
    });
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(30)).await;
    stop.cancel();
    worker.await.unwrap();
    let begun = begun.lock().unwrap();
    for shop in 1..=5 {
        let order: Vec<_> = begun.iter().filter(|(of, _)| *of == shop).map(|(_, n)| *n).collect();
        assert_eq!(order, (0..200).collect::<Vec<_>>(), "shop {shop}");
    }
    // And the shops took turns: at no point is one ahead of another by more than a job or two.
    let mut counts: HashMap<i32, i64> = HashMap::new();
    for (shop, _) in begun.iter() {
        *counts.entry(*shop).or_default() += 1;
        let (low, high) = (1..=5).map(|shop| counts.get(&shop).copied().unwrap_or(0)).fold((i64::MAX, 0), |(l, h), c| (l.min(c), h.max(c)));
        assert!(high - low <= 2, "{counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_jobs_of_one_shop_do_not_delay_the_next_shops_job() {
    let (_redis, queue) = fresh().await;
    let (flood, small) = (scope(&queue, 1).await, scope(&queue, 2).await);
    push_probes(&queue, From::Shop(&flood), (0..10_000).map(Probe::new)).await;
    queue.push(From::Shop(&small), &Probe::new(77_777), Push::default()).await.unwrap();
    let begun: Arc<Mutex<Vec<u64>>> = Arc::default();
    let stop = CancellationToken::new();
    let noted = Arc::clone(&begun);
    let worker = serve(&queue, 8, &stop, move |job: Probe, _| {
        noted.lock().unwrap().push(job.n);
        async move { Ok(job.n) }
    });
    until("the small shop's job has run", Duration::from_secs(10), || async { begun.lock().unwrap().contains(&77_777) }).await;
    let place = begun.lock().unwrap().iter().position(|n| *n == 77_777).unwrap();
    assert!(place < 20, "it ran as number {place}");
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(60)).await;
    assert_eq!(begun.lock().unwrap().len(), 10_001);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_holds_half_of_the_slots_at_most_while_others_wait() {
    let (_redis, queue) = fresh().await;
    let mut scopes = Vec::new();
    for shop in 0..4 {
        scopes.push(scope(&queue, shop + 1).await);
    }
    // The first shop's jobs are long and many; the others' trickle.
    for n in 0..60 {
        queue.push(From::Shop(&scopes[0]), &Probe::lasting(n, 60), Push::default()).await.unwrap();
    }
    for scope in &scopes[1..] {
        push_probes(&queue, From::Shop(scope), (0..40).map(|n| Probe::lasting(n, 20))).await;
    }
    let running: Arc<Mutex<HashMap<i32, usize>>> = Arc::default();
    let worst = Arc::new(Mutex::new(0));
    let stop = CancellationToken::new();
    let (now, seen, looks) = (Arc::clone(&running), Arc::clone(&worst), queue.clone());
    let worker = serve(&queue, 8, &stop, move |job: Probe, run| {
        let (now, seen, looks) = (Arc::clone(&now), Arc::clone(&seen), looks.clone());
        async move {
            let shop = frontdesk_core::tenancy::ShopScope::from_envelope(&run.envelope).unwrap().shop().0;
            *now.lock().unwrap().entry(shop).or_default() += 1;
            // While at least two groups wait, others than the first one's do.
            if shop == 1 && looks.stats(JobName::SaveProduct).await.unwrap().groups >= 3 {
                let mine = now.lock().unwrap()[&1];
                let mut seen = seen.lock().unwrap();
                *seen = mine.max(*seen);
            }
            tokio::time::sleep(Duration::from_millis(job.ms)).await;
            *now.lock().unwrap().get_mut(&shop).unwrap() -= 1;
            Ok(job.n)
        }
    });
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(60)).await;
    let worst = *worst.lock().unwrap();
    assert!((2..=4).contains(&worst), "the first shop held {worst} of 8 slots");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_is_alone_leaves_room_for_who_comes_next() {
    let (_redis, queue) = fresh().await;
    let (flood, late) = (scope(&queue, 1).await, scope(&queue, 2).await);
    push_probes(&queue, From::Shop(&flood), (0..40).map(Probe::new)).await;
    let running: Arc<Mutex<HashMap<i32, usize>>> = Arc::default();
    let (release, late_ran) = (Arc::new(tokio::sync::Semaphore::new(0)), CancellationToken::new());
    let stop = CancellationToken::new();
    let (now, gate, ran) = (Arc::clone(&running), Arc::clone(&release), late_ran.clone());
    let worker = serve(&queue, 8, &stop, move |job: Probe, run| {
        let (now, gate, ran) = (Arc::clone(&now), Arc::clone(&gate), ran.clone());
        async move {
            let shop = frontdesk_core::tenancy::ShopScope::from_envelope(&run.envelope).unwrap().shop().0;
            *now.lock().unwrap().entry(shop).or_default() += 1;
            if shop == 2 {
                ran.cancel();
            } else {
                gate.acquire().await.unwrap().forget();
            }
            Ok(job.n)
        }
    });
    let begun = || running.lock().unwrap().get(&1).copied().unwrap_or(0);
    until("the flood has what it may have", Duration::from_secs(10), || async { begun() == 6 }).await;
    queue.push(From::Shop(&late), &Probe::new(99), Push::default()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), late_ran.cancelled()).await.expect("it waits for no job of the flood");
    assert_eq!(begun(), 6);
    // Each slot that the flood gives back is filled again at once, not at the next look.
    let freed = Instant::now();
    release.add_permits(40);
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(30)).await;
    assert!(freed.elapsed() < Duration::from_secs(3), "34 more jobs took {:?}", freed.elapsed());
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_waiting_jobs_all_run_and_redis_is_never_held_up() {
    let (redis, queue) = fresh().await;
    let begun = Instant::now();
    push_probes(&queue, From::System, (0..25_000).map(Probe::new)).await;
    // Half of them are delayed and come due together.
    let delayed = |n| {
        let queue = queue.clone();
        async move { queue.push(From::System, &Probe::new(n), Push { delay: Duration::from_millis(1), ..Push::default() }).await }
    };
    for chunk in (25_000..50_000).collect::<Vec<_>>().chunks(2000) {
        futures_util::future::try_join_all(chunk.iter().map(|n| delayed(*n))).await.unwrap();
    }
    println!("50,000 pushes: {:.0}/s", 50_000.0 / begun.elapsed().as_secs_f64());
    let mut conn = redis.connection().await;
    redis::cmd("CONFIG").arg("SET").arg("slowlog-log-slower-than").arg(200_000).query_async::<()>(&mut conn).await.unwrap();
    redis::cmd("SLOWLOG").arg("RESET").query_async::<()>(&mut conn).await.unwrap();
    let ran: Arc<Mutex<Vec<u64>>> = Arc::default();
    let stop = CancellationToken::new();
    let noted = Arc::clone(&ran);
    let begun = Instant::now();
    let worker = serve(&queue, 200, &stop, move |job: Probe, _| {
        noted.lock().unwrap().push(job.n);
        async move { Ok(job.n) }
    });
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(120)).await;
    println!("50,000 runs: {:.0}/s", 50_000.0 / begun.elapsed().as_secs_f64());
    let mut ran = std::mem::take(&mut *ran.lock().unwrap());
    ran.sort_unstable();
    assert_eq!(ran, (0..50_000).collect::<Vec<_>>());
    let slow: u64 = redis::cmd("SLOWLOG").arg("LEN").query_async(&mut conn).await.unwrap();
    assert_eq!(slow, 0, "calls that held Redis for more than 200 ms");
    stop.cancel();
    worker.await.unwrap();
}
