//! Delivers events as Stripe does: signed anew at each attempt, again until a 2xx, and in disorder on command (PROVIDERS 9.1, 9.2).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::world::Event;
use crate::clock::now_ms;
use crate::faults::StripeWebhookFaults;
use crate::meta::webhooks::{describe, random_up_to, shuffle};
use crate::records::StripeDelivery;
use crate::signature::stripe_signature;
use crate::state::State;

/// An event waits at most this long for the first attempt at the one before it.
const IN_ORDER: Duration = Duration::from_secs(2);
/// Most copies of one event.
const MAX_COPIES: u32 = 100;
/// How old a stale signature is, seconds.
const STALE_S: i64 = 3_600;

/// Sends what has happened on its way.
pub(crate) fn flush(state: &Arc<State>) {
    let (events, wanted) = state.stripe.with(|world| (std::mem::take(&mut world.outbox), world.settings.webhook_url.is_some()));
    if !wanted {
        // No endpoint is registered: nothing is sent, the events are kept.
        return;
    }
    for event in events {
        if let Err(error) = state.stripe.queue.try_send(event) {
            let event = error.into_inner();
            record(state, &event, &Attempted { error: Some("too many events are waiting".to_owned()), lost: true, ..Attempted::new(0) });
        }
    }
}

/// Takes events in the order they happened, under the faults in force; ends with the sandbox.
pub(super) async fn dispatch(state: Arc<State>, mut waiting: mpsc::Receiver<Event>) {
    while let Some(event) = waiting.recv().await {
        let window = state.faults.with(|f| f.stripe_webhooks.reorder_window_ms);
        let mut events = vec![event];
        if window > 0 {
            sleep(Duration::from_millis(window)).await;
            while let Ok(next) = waiting.try_recv() {
                events.push(next);
            }
            shuffle(&mut events);
        }
        for event in events {
            send(&state, event).await;
        }
    }
}

/// Starts to deliver one event, and waits until the first attempt is over.
async fn send(state: &Arc<State>, event: Event) {
    let faults = state.faults.stripe_webhooks();
    if faults.drop {
        record(state, &event, &Attempted { error: Some("dropped on command".to_owned()), lost: true, ..Attempted::new(0) });
        return;
    }
    let mut events = vec![event.clone(); 1 + usize::try_from(faults.duplicates.min(MAX_COPIES)).unwrap_or(0)];
    if faults.twins {
        events.push(state.stripe.with(|world| world.twin(&event)));
    }
    let wait = faults.delay_ms + random_up_to(faults.jitter_ms);
    let mut over = Vec::new();
    for event in events {
        let (done, first) = oneshot::channel();
        over.push(first);
        let (shared, faults) = (state.clone(), faults.clone());
        state.spawn(async move {
            if wait > 0 {
                sleep(Duration::from_millis(wait)).await;
            }
            deliver(&shared, &event, &faults, done).await;
        });
    }
    if wait == 0 {
        // Only the order is at stake; a slow receiver does not hold the others up for long.
        let _ = timeout(IN_ORDER, futures_util::future::join_all(over)).await;
    }
}

/// Sends one event again, as from Stripe's dashboard.
pub(super) fn resend(state: &Arc<State>, event: Event) {
    let shared = state.clone();
    state.spawn(async move { deliver(&shared, &event, &StripeWebhookFaults::default(), oneshot::channel().0).await });
}

struct Attempted {
    attempt: u32,
    sent_at_ms: i64,
    status: Option<u16>,
    error: Option<String>,
    lost: bool,
    signature: String,
    body: String,
}

impl Attempted {
    fn new(attempt: u32) -> Self {
        Self { attempt, sent_at_ms: now_ms(), status: None, error: None, lost: false, signature: String::new(), body: String::new() }
    }
}

fn record(state: &State, event: &Event, attempted: &Attempted) {
    state.stripe.deliveries.push(StripeDelivery {
        seq: 0,
        event: event.id.clone(),
        kind: event.kind.clone(),
        attempt: attempted.attempt,
        sent_at_ms: attempted.sent_at_ms,
        took_ms: now_ms() - attempted.sent_at_ms,
        status: attempted.status,
        error: attempted.error.clone(),
        lost: attempted.lost,
        signature: attempted.signature.clone(),
        body: attempted.body.clone(),
    });
}

async fn deliver(state: &Arc<State>, event: &Event, faults: &StripeWebhookFaults, first: oneshot::Sender<()>) {
    let speed = &state.config.speed;
    let body = event.body.to_string();
    let started = now_ms();
    let mut gap = speed.retry_first_ms;
    let mut first = Some(first);
    for number in 1u32.. {
        let Ok(slot) = state.delivery_slots.acquire().await else { return };
        let (url, secrets) = state.stripe.with(|world| (world.settings.webhook_url.clone(), world.settings.webhook_secrets.clone()));
        // The clock may have been moved: it is asked at each attempt.
        let at = state.wire_ms() / 1000 - if faults.stale_timestamp { STALE_S } else { 0 };
        let secrets = if faults.wrong_signature { vec!["whsec_of_somebody_else".to_owned()] } else { secrets };
        let mut attempted = Attempted::new(number);
        attempted.signature = stripe_signature(&secrets, at, body.as_bytes());
        attempted.body.clone_from(&body);
        let outcome = match url {
            None => Err("no webhook address is set".to_owned()),
            Some(url) => {
                let request = state
                    .stripe_client
                    .post(url)
                    .header("content-type", "application/json; charset=utf-8")
                    .header("stripe-signature", &attempted.signature)
                    .header("accept", "*/*; q=0.5, application/xml")
                    .body(body.clone());
                request.send().await.map(|answer| answer.status().as_u16()).map_err(|error| describe(&error))
            }
        };
        drop(slot);
        let accepted = matches!(outcome, Ok(200..=299));
        match outcome {
            Ok(status) => {
                attempted.status = Some(status);
                attempted.error = (!accepted).then(|| format!("answered {status}"));
            }
            Err(error) => attempted.error = Some(error),
        }
        let failing_ms = u64::try_from(now_ms() - started).unwrap_or(0);
        attempted.lost = !accepted && failing_ms + gap > speed.give_up_ms;
        record(state, event, &attempted);
        if let Some(first) = first.take() {
            // Nobody waits any more after a while.
            let _ = first.send(());
        }
        if accepted || attempted.lost {
            return;
        }
        sleep(Duration::from_millis(gap)).await;
        gap = gap.saturating_mul(2).min(speed.retry_max_ms);
    }
}
