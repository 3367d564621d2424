//! From a request to a context: who asks, as the route's line in the table says. Nothing else makes a context.

use std::net::IpAddr;

use frontdesk_core::auth::{Allowance, Permission, Session, Who};
use frontdesk_core::config::Network;
use frontdesk_core::tenancy::ShopScope;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, ORIGIN, SET_COOKIE};

use crate::call::{AdminCx, Call, PublicCx, StaffCx};
use crate::reply::{HttpError, Reply};

/// The session's cookie where `Secure` holds: the prefix makes browsers refuse it from subdomains and plain http (RFC 6265bis 4.1.3.2).
const SECURE_COOKIE: &str = "__Host-frontdesk";
/// The session's cookie on `http://localhost`.
const LOCAL_COOKIE: &str = "frontdesk";

/// Anybody, but no other site's page: it could log a browser in as somebody else.
pub(crate) fn public(call: Call) -> Result<PublicCx, HttpError> {
    if !call.method.is_safe() && sent_by_another_site(&call, false) {
        return Err(HttpError::cross_site());
    }
    Ok(PublicCx { call })
}

/// A user of a shop, with a role that allows `permission`.
pub(crate) async fn staff(call: Call, permission: Permission) -> Result<StaffCx, HttpError> {
    let session = session(&call).await?;
    match (session.who(), ShopScope::from_session(&session)) {
        (Who::User { id, role, .. }, Some(scope)) if role.may(permission) => Ok(StaffCx { call, session, scope, user: id, role }),
        _ => Err(HttpError::forbidden()),
    }
}

/// Counts a request against what its shop may ask in a minute.
pub(crate) async fn allowance(cx: &StaffCx) -> Result<Allowance, HttpError> {
    let counted = cx.app.throttle.request(cx.scope.shop(), cx.app.config.api_requests_per_minute).await;
    let allowance = counted.map_err(HttpError::unavailable)?;
    if allowance.remaining.is_none() { Err(HttpError::rate_limited(allowance)) } else { Ok(allowance) }
}

/// A platform administrator.
pub(crate) async fn admin(call: Call) -> Result<AdminCx, HttpError> {
    match session(&call).await?.who() {
        Who::Admin { id } => Ok(AdminCx { call, admin: id }),
        Who::User { .. } => Err(HttpError::forbidden()),
    }
}

/// Anybody who is logged in, in a shop or as administrator.
pub(crate) async fn session(call: &Call) -> Result<Session, HttpError> {
    let (token, by_cookie) = match (bearer(&call.headers), cookie(&call.headers, cookie_name(call.app.config.secure_cookie()))) {
        (Some(token), _) => (token, false),
        (None, Some(token)) => (token, true),
        (None, None) => return Err(HttpError::unauthorized()),
    };
    let session = call.app.tokens.verify(token).map_err(|_| HttpError::unauthorized())?;
    // A browser sends its cookie along whoever asks it to: what changes something, or listens, must come from our own pages.
    if by_cookie && (!call.method.is_safe() || call.upgrade.is_some()) && sent_by_another_site(call, true) {
        return Err(HttpError::cross_site());
    }
    if call.app.revocations.revoked(&session).await.map_err(HttpError::unavailable)? {
        return Err(HttpError::unauthorized());
    }
    Ok(session)
}

/// The cookie's name.
pub(crate) fn cookie_name(secure: bool) -> &'static str {
    if secure { SECURE_COOKIE } else { LOCAL_COOKIE }
}

/// A `Set-Cookie` that holds `token` for `seconds`; zero removes it.
pub(crate) fn set_cookie(token: &str, seconds: i64, secure: bool) -> String {
    let flags = if secure { "; Secure" } else { "" };
    format!("{}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flags}", cookie_name(secure))
}

/// The cookie that ties a connecting of Google to the browser which began it.
fn google_cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-frontdesk-google" } else { "frontdesk-google" }
}

/// What the browser kept of the connecting that it began.
pub(crate) fn google_cookie(call: &Call) -> Option<&str> {
    cookie(&call.headers, google_cookie_name(call.app.config.secure_cookie())).filter(|state| !state.is_empty())
}

/// A `Set-Cookie` that keeps it for `seconds`; zero removes it. `Lax`: Google's redirect back is a navigation, and brings it along.
pub(crate) fn set_google_cookie(state: &str, seconds: u64, secure: bool) -> String {
    let flags = if secure { "; Secure" } else { "" };
    format!("{}={state}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flags}", google_cookie_name(secure))
}

/// Has the browser forget its session; programs have no cookie to forget.
pub(crate) fn without_cookie(call: &Call, reply: Reply) -> Reply {
    reply.with(SET_COOKIE, &set_cookie("", 0, call.app.config.secure_cookie()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Whether a browser says that another site's page sent this. Browsers have sent `Sec-Fetch-Site` since 2023 and `Origin` with every POST for
/// longer; `must_tell` refuses those that send neither.
fn sent_by_another_site(call: &Call, must_tell: bool) -> bool {
    let own = call.app.config.public_url.origin().ascii_serialization();
    match (call.header("sec-fetch-site"), call.header(ORIGIN.as_str())) {
        (Some("same-origin"), Some(origin)) => origin != own,
        (Some("same-origin" | "none"), None) => false,
        (Some(_), _) => true,
        (None, Some(origin)) => origin != own,
        (None, None) => must_tell,
    }
}

/// The client's address: the nearest one in `X-Forwarded-For` that is not a proxy of ours, if the request came through one; else who connected.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let hops: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(',')).collect();
    for hop in hops.iter().rev() {
        if !trusted(client) {
            break;
        }
        // What a client wrote there itself may be anything; then the proxy is all we know.
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    client
}

/// How a request reached us, as far as somebody tells whom we believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A proxy of ours took it over TLS.
    Secure,
    /// A proxy of ours took it in the clear.
    Plain,
    /// Nobody says.
    Untold,
}

/// What `X-Forwarded-Proto` says, if the request came through a proxy of ours.
pub(crate) fn transport(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> Transport {
    let trusted = proxies.iter().any(|network| network.contains(peer.to_canonical()));
    let told = headers.get("x-forwarded-proto").filter(|_| trusted).and_then(|header| header.to_str().ok());
    match told.and_then(|told| told.split(',').next()).map(str::trim) {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => Transport::Secure,
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => Transport::Plain,
        _ => Transport::Untold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (hyper::header::HeaderName::from_static(name), hyper::header::HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxies: Vec<Network> = ["10.0.0.0/8".parse().unwrap()].into();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let forged = headers(&[("x-forwarded-for", "1.2.3.4")]);
        assert_eq!(client_address(ip("203.0.113.9"), &forged, &proxies), ip("203.0.113.9"));
        let through = headers(&[("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.3")]);
        assert_eq!(client_address(ip("10.0.0.2"), &through, &proxies), ip("198.51.100.7"));
        let broken = headers(&[("x-forwarded-for", "<script>")]);
        assert_eq!(client_address(ip("10.0.0.2"), &broken, &proxies), ip("10.0.0.2"));
    }

    #[test]
    fn only_our_own_proxies_say_how_a_request_came() {
        let proxies: Vec<Network> = ["10.0.0.0/8".parse().unwrap()].into();
        let told = |peer: &str, value: &'static str| transport(peer.parse().unwrap(), &headers(&[("x-forwarded-proto", value)]), &proxies);
        assert_eq!(told("10.0.0.2", "https"), Transport::Secure);
        assert_eq!(told("::ffff:10.0.0.2", "HTTP"), Transport::Plain);
        assert_eq!(told("10.0.0.2", "http, https"), Transport::Plain);
        assert_eq!(told("203.0.113.9", "https"), Transport::Untold);
        assert_eq!(told("10.0.0.2", "gopher"), Transport::Untold);
        assert_eq!(transport("10.0.0.2".parse().unwrap(), &HeaderMap::new(), &proxies), Transport::Untold);
    }

    #[test]
    fn tokens_are_found_in_header_and_cookie() {
        let both = headers(&[("authorization", "bearer abc"), ("cookie", "a=b; frontdesk=def; __Host-frontdesk=ghi")]);
        assert_eq!(bearer(&both), Some("abc"));
        assert_eq!(cookie(&both, "frontdesk"), Some("def"));
        assert_eq!(cookie(&both, "__Host-frontdesk"), Some("ghi"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        assert_eq!(set_cookie("t", 60, true), "__Host-frontdesk=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(set_cookie("", 0, false), "frontdesk=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
