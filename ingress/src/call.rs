//! One request and what a handler may know of it. A context (`StaffCx`, …) is made by the gate alone.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use frontdesk_core::auth::{Permission, Role, Session};
use frontdesk_core::ids::{AdminId, UserId};
use frontdesk_core::jobs::RequestKey;
use frontdesk_core::telemetry::TraceParent;
use frontdesk_core::tenancy::ShopScope;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::App;
use crate::form::{Form, Request};
use crate::reply::HttpError;

/// The largest body of an API request.
pub const API_BODY_BYTES: usize = 1024 * 1024;
/// Meta sends up to 3 MB (PROVIDERS 1.3).
pub const WEBHOOK_BODY_BYTES: usize = 4 * 1024 * 1024;
/// How long a body may take to arrive: a phone on a bad line sends 1 MB in this time, a slow-loris does not.
const BODY_TIME: Duration = Duration::from_secs(15);
/// Of a body that is too large so much is read and thrown away.
const DISCARDED_BYTES: usize = 32 * 1024 * 1024;
/// And for so long.
const DISCARD_TIME: Duration = Duration::from_secs(1);
/// Bodies held at once, over all requests, in KiB: what keeps a flood from eating the machine's memory.
pub const BODY_BUDGET_KIB: usize = 256 * 1024;

/// A request on its way through the house.
pub struct Call {
    /// What the process holds.
    pub app: Arc<App>,
    /// The method; HEAD counts as GET.
    pub method: Method,
    /// The path as asked.
    pub path: String,
    /// The query string.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The client's address, as far as it can be believed.
    pub address: IpAddr,
    /// What ties this request to the jobs it leads to.
    pub trace: TraceParent,
    /// The parts of the path that the table names.
    pub parameters: Vec<(String, String)>,
    /// The connection itself, if the client wants to speak another protocol on it.
    pub(crate) upgrade: Option<OnUpgrade>,
    body: Option<Incoming>,
    received: Received,
}

/// A body that has arrived, and its share of the budget, given back when the request ends.
#[derive(Default)]
struct Received {
    bytes: Bytes,
    shares: Vec<OwnedSemaphorePermit>,
}

impl Call {
    /// A request whose body is still to come.
    #[expect(clippy::too_many_arguments, reason = "the one place that makes a call, from hyper's parts")]
    pub(crate) fn new(
        app: Arc<App>,
        method: Method,
        path: String,
        query: String,
        headers: HeaderMap,
        address: IpAddr,
        trace: TraceParent,
        parameters: Vec<(String, String)>,
        upgrade: Option<OnUpgrade>,
        body: Incoming,
    ) -> Self {
        Self { app, method, path, query, headers, address, trace, parameters, upgrade, body: Some(body), received: Received::default() }
    }

    /// Takes in the body, up to `limit` bytes, in good time.
    ///
    /// # Errors
    /// When it is too large, too slow, broken, or too much is being taken in already.
    pub async fn receive(&mut self, limit: usize) -> Result<(), HttpError> {
        let announced = self.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            self.discard().await;
            return Err(HttpError::too_large(limit));
        }
        let Some(body) = self.body.take() else { return Ok(()) };
        let budget = self.app.body_budget.clone();
        match tokio::time::timeout(BODY_TIME, take_in(body, limit, budget)).await {
            Ok(received) => self.received = received?,
            Err(_) => return Err(HttpError::too_slow()),
        }
        Ok(())
    }

    /// Throws away what comes, for a moment: a client that is cut off while it writes never reads why.
    async fn discard(&mut self) {
        let Some(mut body) = self.body.take() else { return };
        let mut left = DISCARDED_BYTES;
        let all = async {
            while let Some(Ok(frame)) = body.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if left == 0 {
                    break;
                }
            }
        };
        // Whoever is slower than this is cut off.
        let _ = tokio::time::timeout(DISCARD_TIME, all).await;
    }

    /// The body's bytes, as they came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.received.bytes
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A part of the path.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as a request.
    ///
    /// # Errors
    /// When it is not JSON, or fields are wrong.
    pub fn json<T: Request>(&self) -> Result<T, HttpError> {
        let content_type = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(HttpError::not_json());
        }
        Form::from_json(self.body())?.read()
    }

    /// The body as a request; no body at all asks for nothing in particular.
    ///
    /// # Errors
    /// When it is not JSON, or fields are wrong.
    pub fn maybe_json<T: Request + Default>(&self) -> Result<T, HttpError> {
        if self.body().is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The query as a request.
    ///
    /// # Errors
    /// When parameters are wrong.
    pub fn query<T: Request>(&self) -> Result<T, HttpError> {
        Form::from_query(&self.query).read()
    }
}

async fn take_in(mut body: Incoming, limit: usize, budget: Arc<Semaphore>) -> Result<Received, HttpError> {
    let (mut bytes, mut shares, mut held_kib) = (BytesMut::new(), Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| HttpError::malformed("The body broke off."))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(HttpError::too_large(limit));
        }
        let needed_kib = (bytes.len() + data.len()).div_ceil(1024);
        if needed_kib > held_kib {
            // 64 KiB at a time: whoever sends little holds little.
            let more = (needed_kib - held_kib).next_multiple_of(64);
            let share =
                budget.clone().try_acquire_many_owned(u32::try_from(more).unwrap_or(u32::MAX)).map_err(|_| HttpError::overloaded())?;
            shares.push(share);
            held_kib += more;
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Received { bytes: bytes.freeze(), shares })
}

impl Drop for Received {
    fn drop(&mut self) {
        // The bytes go first, then their share of the budget.
        self.bytes = Bytes::new();
        self.shares.clear();
    }
}

/// Anybody.
pub struct PublicCx {
    pub(crate) call: Call,
}

/// A body that its provider signed.
pub struct SignedBody {
    pub(crate) call: Call,
}

/// A user of a shop whose role allows what the route asks.
pub struct StaffCx {
    pub(crate) call: Call,
    pub(crate) session: Session,
    pub(crate) scope: ShopScope,
    pub(crate) user: UserId,
    pub(crate) role: Role,
}

/// A platform administrator.
pub struct AdminCx {
    pub(crate) call: Call,
    pub(crate) admin: AdminId,
}

/// A user who changes something.
pub struct CommandCx {
    pub(crate) staff: StaffCx,
    /// Under which the answer is kept.
    pub(crate) request: RequestKey,
    /// Whether the client gave the key, so that this may be a repeat.
    pub(crate) may_repeat: bool,
}

impl StaffCx {
    /// Whether the role allows something beyond the route's own permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }
}

macro_rules! leads_to_call {
    ($($context:ty => $($field:ident).+),*) => {
        $(impl Deref for $context {
            type Target = Call;
            fn deref(&self) -> &Call {
                &self.$($field).+
            }
        })*
    };
}

leads_to_call!(PublicCx => call, SignedBody => call, StaffCx => call, AdminCx => call, CommandCx => staff.call);
