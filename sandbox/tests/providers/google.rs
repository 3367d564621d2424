//! Google's consent, Calendar and Sheets, as the product meets them (PROVIDERS 6 to 8).

use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::bench::{Bench, LONG};

const OWNER: &str = "elodie@gmail.example";
const BACK: &str = "http://127.0.0.1/back";
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const BUSY: &str = "https://www.googleapis.com/auth/calendar.freebusy";
const SHEETS: &str = "https://www.googleapis.com/auth/spreadsheets";
const PATH: &str = "/google/calendar/v3/calendars/primary/events";
const CLIENT: [(&str, &str); 2] = [("client_id", "sandbox-client.apps.googleusercontent.com"), ("client_secret", "sandbox_google_secret")];

async fn token(bench: &Bench, form: &[(&str, &str)]) -> (u16, Value) {
    let form: Vec<(&str, &str)> = form.iter().chain(&CLIENT).copied().collect();
    let response = bench.client.post(bench.url("/google/token")).form(&form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The owner ticks `granted` of the three scopes; gives the code.
#[expect(clippy::disallowed_methods, reason = "the caller in these tests is not the product")]
async fn code(bench: &Bench, granted: &[&str], challenge: &str) -> String {
    let scope = format!("{EVENTS} {BUSY} {SHEETS}");
    let mut form = vec![
        ("client_id", CLIENT[0].1),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", scope.as_str()),
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("state", "s"),
        ("decision", "allow"),
        ("account", OWNER),
        ("code_challenge", challenge),
        ("code_challenge_method", "plain"),
    ];
    form.extend(granted.iter().map(|scope| ("granted", *scope)));
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(LONG).build().unwrap();
    let answer = client.post(bench.url("/google/o/oauth2/v2/auth")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let location = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned()
}

async fn connected(bench: &Bench, granted: &[&str]) -> Value {
    let code = code(bench, granted, "verifier").await;
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK), ("code_verifier", "verifier")];
    let (status, answer) = token(bench, &exchange).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn event(id: &str) -> Value {
    json!({ "id": id, "start": { "dateTime": "2026-11-28T15:00:00+01:00" }, "end": { "dateTime": "2026-11-28T16:00:00+01:00" } })
}

#[tokio::test]
async fn another_verifier_gets_no_token_and_a_code_works_once() {
    let bench = Bench::new().await;
    let code = code(&bench, &[EVENTS, BUSY], "verifier").await;
    let form =
        |verifier| [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK), ("code_verifier", verifier)];
    let (status, answer) = token(&bench, &form("other")).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    assert_eq!(token(&bench, &form("verifier")).await.0, 200);
    assert_eq!(token(&bench, &form("verifier")).await.0, 400);
}

#[tokio::test]
async fn revoked_grant_refreshes_no_more() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS]).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", answer["refresh_token"].as_str().unwrap())];
    let (status, fresh) = token(&bench, &form).await;
    assert!(status == 200 && fresh["refresh_token"].is_null(), "{fresh}");
    bench.sandbox.state().google_revoke(OWNER);
    let (status, dead) = token(&bench, &form).await;
    assert_eq!((status, dead), (400, json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." })));
}

#[tokio::test]
async fn unticked_scope_is_missing_and_enforced() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS]).await;
    assert_eq!(answer["scope"], EVENTS);
    let asked = json!({ "timeMin": "2026-11-28T00:00:00Z", "timeMax": "2026-11-29T00:00:00Z", "items": [{ "id": "primary" }] });
    let (status, refused) = bench.post("/google/calendar/v3/freeBusy", answer["access_token"].as_str().unwrap(), &asked).await;
    assert_eq!((status, &refused["error"]["errors"][0]["reason"]), (403, &json!("insufficientPermissions")));
}

#[tokio::test]
async fn own_id_is_taken_once_and_a_stale_tag_is_refused() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS, BUSY]).await;
    let bearer = answer["access_token"].as_str().unwrap();
    assert_eq!(bench.post(PATH, bearer, &event("booking7")).await.0, 200);
    let (status, refused) = bench.post(PATH, bearer, &event("booking7")).await;
    let fixture = json!({ "error": {
        "errors": [{ "domain": "global", "reason": "duplicate", "message": "The requested identifier already exists." }],
        "code": 409, "message": "The requested identifier already exists.",
    } });
    assert_eq!((status, refused), (409, fixture));
    let one = bench.url(&format!("{PATH}/booking7"));
    let stale = bench.client.patch(&one).bearer_auth(bearer).header("if-match", "\"1\"").json(&json!({ "summary": "Cut" }));
    assert_eq!(stale.send().await.unwrap().status(), 412);
    assert_eq!(bench.client.delete(&one).bearer_auth(bearer).send().await.unwrap().status(), 204);
    assert_eq!(bench.client.delete(&one).bearer_auth(bearer).send().await.unwrap().status(), 410);
    assert_eq!(bench.post(PATH, bearer, &event("booking7")).await.0, 409);
}

#[tokio::test]
async fn sync_token_tells_changes_until_it_expires() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS]).await;
    let bearer = answer["access_token"].as_str().unwrap();
    let list = async |query: &[(&str, &str)]| {
        let response = bench.client.get(bench.url(PATH)).query(query).bearer_auth(bearer).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let first = list(&[]).await.1;
    let sync = first["nextSyncToken"].as_str().unwrap();
    assert_eq!(bench.post(PATH, bearer, &event("booking8")).await.0, 200);
    assert_eq!(list(&[("syncToken", sync)]).await.1["items"][0]["id"], "booking8");
    assert_eq!(list(&[("syncToken", sync), ("timeMin", "2026-11-28T00:00:00Z")]).await.0, 400);
    bench.sandbox.state().google_expire_sync(Some(OWNER));
    let (status, gone) = list(&[("syncToken", sync)]).await;
    assert_eq!((status, &gone["error"]["errors"][0]["reason"]), (410, &json!("fullSyncRequired")));
}

#[tokio::test]
async fn unknown_calendar_is_an_error_inside_an_answer() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS, BUSY]).await;
    let bearer = answer["access_token"].as_str().unwrap();
    bench.post(PATH, bearer, &event("booking9")).await;
    let items = json!([{ "id": "primary" }, { "id": "room-2@group.calendar.google.com" }]);
    let asked = json!({ "timeMin": "2026-11-28T08:00:00Z", "timeMax": "2026-11-28T19:00:00Z", "items": items });
    let (status, found) = bench.post("/google/calendar/v3/freeBusy", bearer, &asked).await;
    assert_eq!(status, 200);
    assert_eq!(found["calendars"]["primary"]["busy"], json!([{ "start": "2026-11-28T14:00:00Z", "end": "2026-11-28T15:00:00Z" }]));
    let missing = json!({ "errors": [{ "domain": "global", "reason": "notFound" }], "busy": [] });
    assert_eq!(found["calendars"]["room-2@group.calendar.google.com"], missing);
}

#[tokio::test]
async fn work_is_done_although_the_answer_is_lost() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS]).await;
    let bearer = answer["access_token"].as_str().unwrap();
    let faults = json!({ "service": "calendar", "times": 1, "failure": { "kind": "cut_after_work" } });
    bench.client.put(bench.url("/control/faults/google")).json(&faults).send().await.unwrap().error_for_status().unwrap();
    let sent = bench.client.post(bench.url(PATH)).bearer_auth(bearer).json(&event("booking5")).send().await;
    assert!(match sent {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    });
    assert_eq!(bench.post(PATH, bearer, &event("booking5")).await.0, 409);
}

#[tokio::test]
async fn rate_limit_says_when_to_come_back_and_ends() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[EVENTS]).await;
    let bearer = answer["access_token"].as_str().unwrap();
    let faults = json!({ "service": "calendar", "times": 2, "failure": { "kind": "rate_limit", "retry_after_s": 7 } });
    bench.client.put(bench.url("/control/faults/google")).json(&faults).send().await.unwrap().error_for_status().unwrap();
    for _ in 0..2 {
        let refused = bench.client.get(bench.url(PATH)).bearer_auth(bearer).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    }
    assert_eq!(bench.client.get(bench.url(PATH)).bearer_auth(bearer).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn text_like_a_formula_is_one_only_when_entered_as_by_a_user() {
    let bench = Bench::new().await;
    let answer = connected(&bench, &[SHEETS]).await;
    let bearer = answer["access_token"].as_str().unwrap();
    let made = json!({ "properties": { "title": "Desk" }, "sheets": [{ "properties": { "title": "Bookings" } }] });
    let (_, sheet) = bench.post("/google/v4/spreadsheets", bearer, &made).await;
    let values = format!("/google/v4/spreadsheets/{}/values/Bookings", sheet["spreadsheetId"].as_str().unwrap());
    let row = json!({ "majorDimension": "ROWS", "values": [["=1+1", 2]] });
    let append = |option: &str| format!("{values}%21A1:append?valueInputOption={option}&insertDataOption=INSERT_ROWS");
    let (status, first) = bench.post(&append("RAW"), bearer, &row).await;
    assert_eq!((status, &first["updates"]["updatedRange"]), (200, &json!("Bookings!A1:B1")));
    assert!(first["tableRange"].is_null());
    assert_eq!(bench.post(&append("USER_ENTERED"), bearer, &row).await.1["tableRange"], "Bookings!A1:B1");
    let read = bench.client.get(bench.url(&values)).bearer_auth(bearer).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(read["values"], json!([["=1+1", 2], ["#ERROR!", 2]]));
    let unknown = bench.client.get(bench.url(&format!("{values}s"))).bearer_auth(bearer).send().await.unwrap();
    assert_eq!(unknown.status(), 400);
}
