//! Open dashboards: a WebSocket each, fed from the shops' streams by one reader per process. A socket holds little: whoever is too slow is cut and goes on
//! by the id it saw last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::auth::{Permission, Role, Session};
use frontdesk_core::ids::ShopId;
use frontdesk_core::live::{self, EventId, Follower, LiveEvent};
use frontdesk_core::queue::{Queue, QueueError};
use frontdesk_core::tenancy::ShopScope;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role as Side, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::App;
use crate::reply::remove_profit;

/// Sockets of one process.
const SOCKETS: usize = 4096;
/// Sockets of one person in one process: tabs, and a phone.
const SOCKETS_EACH: usize = 20;
/// Events that may wait for a slow reader.
const BEHIND: usize = 256;
/// How long a frame may take to leave.
const SEND_TIME: Duration = Duration::from_secs(10);
/// How often a socket is pinged, and its session looked at.
const BEAT: Duration = Duration::from_secs(10);
/// A client that has said nothing, not even pong, for so long is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// How long the upgrade itself may take.
const UPGRADE_TIME: Duration = Duration::from_secs(10);
/// Redis is away: wait before the next look.
const PAUSE: Duration = Duration::from_millis(500);
/// Clients have nothing to tell.
const LARGEST_MESSAGE: usize = 1024;
/// The session ended: of the range that is ours (RFC 6455 7.4.2), after HTTP's 401.
const SESSION_ENDED: u16 = 4401;

/// The dashboards that are open in this process.
pub(crate) struct Live {
    shops: Mutex<HashMap<ShopId, Followed>>,
    people: Mutex<HashMap<String, usize>>,
    opened: Notify,
    sockets: TaskTracker,
    stop: CancellationToken,
}

/// A shop that somebody looks at.
struct Followed {
    seen: EventId,
    events: broadcast::Sender<Arc<LiveEvent>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { shops: Mutex::default(), people: Mutex::default(), opened: Notify::new(), sockets: TaskTracker::new(), stop }
    }

    /// Reads what happens in the shops that somebody looks at, until the process stops.
    pub(crate) async fn run(&self, queue: &Queue) {
        while !self.stop.is_cancelled() {
            tokio::select! {
                () = self.stop.cancelled() => return,
                Err(error) = self.read(queue) => tracing::warn!(%error, "live events are late"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn read(&self, queue: &Queue) -> Result<(), QueueError> {
        let mut follower = Follower::connect(queue).await?;
        loop {
            let seen = self.followed();
            if seen.is_empty() {
                self.opened.notified().await;
                continue;
            }
            for (shop, event) in follower.look(&seen).await? {
                if let Some(followed) = lock(&self.shops).get_mut(&shop) {
                    followed.seen = event.id;
                    // Whoever left meanwhile needs no event.
                    let _ = followed.events.send(Arc::new(event));
                }
            }
        }
    }

    /// The shops that are looked at, and how far they have been read. The others are forgotten.
    fn followed(&self) -> Vec<(ShopId, EventId)> {
        let mut shops = lock(&self.shops);
        shops.retain(|_, followed| followed.events.receiver_count() > 0);
        shops.iter().map(|(shop, followed)| (*shop, followed.seen)).collect()
    }

    /// From now on every event of the shop arrives at the receiver.
    async fn follow(&self, queue: &Queue, scope: &ShopScope) -> Result<broadcast::Receiver<Arc<LiveEvent>>, QueueError> {
        let latest = live::latest(queue, scope).await?;
        let receiver = lock(&self.shops)
            .entry(scope.shop())
            .or_insert_with(|| Followed { seen: latest, events: broadcast::Sender::new(BEHIND) })
            .events
            .subscribe();
        self.opened.notify_one();
        Ok(receiver)
    }

    /// A place for one more socket; `None` if there are too many.
    pub(crate) fn admit(self: &Arc<Self>, person: String) -> Option<Place> {
        if self.sockets.len() >= SOCKETS {
            return None;
        }
        let mut people = lock(&self.people);
        let open = people.entry(person.clone()).or_default();
        if *open >= SOCKETS_EACH {
            return None;
        }
        *open += 1;
        Some(Place { live: Arc::clone(self), person })
    }

    /// Waits until every socket has said goodbye.
    pub(crate) async fn closed(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }
}

/// One socket's place; free again when dropped.
pub(crate) struct Place {
    live: Arc<Live>,
    person: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut people = lock(&self.live.people);
        if let Some(open) = people.get_mut(&self.person) {
            *open -= 1;
            if *open == 0 {
                people.remove(&self.person);
            }
        }
    }
}

/// Who looks, and from where on.
pub(crate) struct Viewer {
    pub(crate) app: Arc<App>,
    pub(crate) session: Session,
    pub(crate) scope: ShopScope,
    pub(crate) role: Role,
    /// The last event that this client has seen.
    pub(crate) seen: Option<EventId>,
    pub(crate) place: Place,
}

/// Why a socket ends.
enum End {
    /// The client left, or its line broke.
    Gone,
    /// We end it, and say why.
    Close(CloseCode, &'static str),
}

impl From<tungstenite::Error> for End {
    fn from(_: tungstenite::Error) -> Self {
        Self::Gone
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        tracing::warn!(%error, "a dashboard's events cannot be read");
        Self::Close(CloseCode::Again, "try again")
    }
}

/// Serves the socket once hyper has handed it over.
pub(crate) fn serve(viewer: Viewer, upgrade: OnUpgrade) {
    let live = Arc::clone(&viewer.place.live);
    live.sockets.spawn(async move {
        let Ok(Ok(stream)) = tokio::time::timeout(UPGRADE_TIME, upgrade).await else { return };
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST_MESSAGE)).max_frame_size(Some(LARGEST_MESSAGE));
        let mut socket = Socket(WebSocketStream::from_raw_socket(TokioIo::new(stream), Side::Server, Some(config)).await);
        if let Err(End::Close(code, reason)) = talk(&mut socket, &viewer).await {
            socket.close(code, reason).await;
        }
    });
}

async fn talk(socket: &mut Socket, viewer: &Viewer) -> Result<std::convert::Infallible, End> {
    let Viewer { app, scope, .. } = viewer;
    // First the receiver, then what was missed: nothing falls in between, and what comes twice is known by its id.
    let mut events = app.live.follow(&app.queue, scope).await?;
    let mut seen = catch_up(socket, viewer).await?;
    let mut heard = Instant::now();
    let mut beat = tokio::time::interval_at(heard + BEAT, BEAT);
    loop {
        tokio::select! {
            () = app.live.stop.cancelled() => return Err(End::Close(CloseCode::Away, "restarting")),
            event = events.recv() => match event {
                Ok(event) if event.id > seen => {
                    seen = event.id;
                    socket.show(&event, viewer.role).await?;
                }
                Ok(_) => {}
                Err(_) => return Err(End::Close(CloseCode::Again, "too slow; go on from the last id")),
            },
            message = socket.0.next() => match message {
                Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
                Some(message) => {
                    message?;
                    heard = Instant::now();
                }
            },
            _ = beat.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err(End::Gone);
                }
                if viewer.session.expires_at() <= app.clock.now() || app.revocations.revoked(&viewer.session).await.unwrap_or(true) {
                    return Err(End::Close(CloseCode::Library(SESSION_ENDED), "log in again"));
                }
                socket.send(Message::Ping(Vec::new().into())).await?;
            }
        }
    }
}

/// Tells where the client stands: what it missed, or that it must read everything anew.
async fn catch_up(socket: &mut Socket, viewer: &Viewer) -> Result<EventId, End> {
    let Viewer { app, scope, role, .. } = viewer;
    let missed = match viewer.seen {
        Some(seen) => live::after(&app.queue, scope, seen).await?.map(|events| (seen, events)),
        None => Some((live::latest(&app.queue, scope).await?, Vec::new())),
    };
    let Some((mut seen, events)) = missed else {
        let latest = live::latest(&app.queue, scope).await?;
        socket.tell(&json!({"type": "reload", "id": latest.to_string()})).await?;
        return Ok(latest);
    };
    socket.tell(&json!({"type": "ready", "id": seen.to_string()})).await?;
    for event in events {
        socket.show(&event, *role).await?;
        seen = event.id;
    }
    Ok(seen)
}

struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Socket {
    async fn show(&mut self, event: &LiveEvent, role: Role) -> Result<(), End> {
        match shown_to(event, role) {
            Some(data) => self.tell(&json!({"type": "event", "id": event.id.to_string(), "kind": event.kind, "data": data})).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, frame: &Value) -> Result<(), End> {
        self.send(Message::text(frame.to_string())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(SEND_TIME, self.0.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(End::Gone),
        }
    }

    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = tokio::time::timeout(SEND_TIME, self.0.close(Some(frame))).await;
    }
}

/// What a role sees of an event: all of it, without profit, or nothing.
fn shown_to(event: &LiveEvent, role: Role) -> Option<Value> {
    let permission = live::permission(&event.kind)?;
    if !role.may(permission) {
        return None;
    }
    let mut data: Value = serde_json::from_str(event.json.get()).ok()?;
    if !role.may(Permission::Profit) {
        remove_profit(&mut data);
    }
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, json: &str) -> LiveEvent {
        LiveEvent {
            id: EventId::default(),
            kind: kind.to_owned(),
            json: serde_json::value::RawValue::from_string(json.to_owned()).unwrap(),
        }
    }

    #[test]
    fn each_role_sees_what_it_may_read() {
        let message = event("message", r#"{"conversation_id":1}"#);
        assert!(shown_to(&message, Role::Owner).is_some() && shown_to(&message, Role::OrderManager).is_some());
        assert!(shown_to(&message, Role::Accountant).is_none());
        let order = event("order", r#"{"order_no":1001,"profit":"3.00"}"#);
        assert_eq!(shown_to(&order, Role::Accountant), Some(json!({"order_no": 1001, "profit": "3.00"})));
        assert_eq!(shown_to(&order, Role::OrderManager), Some(json!({"order_no": 1001})));
        assert!(shown_to(&event("secret", "{}"), Role::Owner).is_none(), "a kind that no role is known to see");
    }

    #[test]
    fn one_person_cannot_take_every_place() {
        let live = Arc::new(Live::new(CancellationToken::new()));
        let mut places: Vec<Place> = (0..SOCKETS_EACH).map(|_| live.admit("user:1".to_owned()).unwrap()).collect();
        assert!(live.admit("user:1".to_owned()).is_none() && live.admit("user:2".to_owned()).is_some());
        places.pop();
        assert!(live.admit("user:1".to_owned()).is_some());
        drop(places);
        assert!(lock(&live.people).is_empty());
    }
}
