//! The API's description, made from the route table: `/openapi.json`, `/docs`, `docs/ACCESS.md` and `docs/PROBLEMS.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use frontdesk_core::auth::Role;
use frontdesk_core::problems::PROBLEMS;
use hyper::Method;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema as _;

use crate::postman;
use crate::reply::{PROFIT, Problem, ProblemField, ProblemSlot};
use crate::routes::{Access, Gives, Provider, Route, Shape};

/// The OpenAPI 3.1 document of `table`.
#[must_use]
pub fn document(table: &[Route]) -> Value {
    let mut schemas = BTreeMap::new();
    schemas.insert("Problem".to_owned(), schema(&Problem::schema()));
    schemas.insert("ProblemField".to_owned(), schema(&ProblemField::schema()));
    schemas.insert("ProblemSlot".to_owned(), schema(&ProblemSlot::schema()));
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in table {
        let operation = operation(route, &mut schemas);
        paths.entry(route.path).or_default().insert(route.method.as_str().to_lowercase(), operation);
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Frontdesk",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "Amounts are decimal strings, times are UTC. Lists page by cursor: pass `next_cursor` as `cursor`. Writes take an `Idempotency-Key`: \
                            a repeat under the same key gets the same answer. A write that takes long answers 202 with the place of its answer. \
                            Errors are `application/problem+json` with a stable `code`, listed at /docs."
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-frontdesk" },
                "meta": { "type": "apiKey", "in": "header", "name": "X-Hub-Signature-256" },
                "google": { "type": "apiKey", "in": "header", "name": "X-Goog-Channel-Token" },
                "stripe": { "type": "apiKey", "in": "header", "name": "Stripe-Signature" }
            }
        }
    });
    with_examples(document)
}

/// Each body with an example, made of what its fields say of themselves.
fn with_examples(mut document: Value) -> Value {
    let plain = document.clone();
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(Value::as_object_mut).flat_map(|methods| methods.values_mut()) {
        if let Some(example) = postman::body_example(operation, &plain) {
            operation["requestBody"]["content"]["application/json"]["example"] = example;
        }
    }
    document
}

fn schema(schema: &impl serde::Serialize) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

fn reference(shape: &Shape, schemas: &mut BTreeMap<String, Value>) -> Value {
    for (name, one) in shape.nested.iter().chain([&(shape.name.clone(), shape.schema.clone())]) {
        let mut described = schema(one);
        if shape.fields.is_none() {
            may_lack_profit(&mut described);
        } else if *name == shape.name {
            // Readers of requests refuse fields that they do not know.
            described["additionalProperties"] = json!(false);
        }
        schemas.insert(name.clone(), described);
    }
    json!({ "$ref": format!("#/components/schemas/{}", shape.name) })
}

/// In an answer, costs and profits are there only for who may see them.
fn may_lack_profit(schema: &mut Value) {
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| !PROFIT.iter().any(|hidden| name == hidden));
    }
}

fn operation(route: &Route, schemas: &mut BTreeMap<String, Value>) -> Value {
    let mut responses = Map::new();
    match &route.gives {
        Gives::Json(status, shape) => {
            let content = json!({ "application/json": { "schema": reference(shape, schemas) } });
            responses.insert(status.to_string(), json!({ "description": "Done", "content": content.clone() }));
            if *status == 201 && route.is_command {
                responses.insert("200".to_owned(), json!({ "description": "Changed what was there", "content": content }));
            }
        }
        Gives::Text => {
            responses.insert("200".to_owned(), json!({ "description": "Done" }));
        }
        Gives::Csv => {
            let content = json!({ "text/csv": { "schema": { "type": "string" } } });
            responses.insert("200".to_owned(), json!({ "description": "The file, sent page by page", "content": content }));
        }
        Gives::Bytes => {
            let content = json!({ "*/*": { "schema": { "type": "string", "format": "binary" } } });
            responses.insert("200".to_owned(), json!({ "description": "The file", "content": content.clone() }));
            responses.insert("206".to_owned(), json!({ "description": "The part that `Range` asks for", "content": content }));
            responses.insert("304".to_owned(), json!({ "description": "It is as `If-None-Match` has it" }));
        }
        Gives::Socket(shape) => {
            let frames = json!({ "application/json": { "schema": reference(shape, schemas) } });
            responses.insert(
                "101".to_owned(),
                json!({ "description": "A WebSocket; every frame is JSON text of this shape", "content": frames }),
            );
        }
        Gives::Redirect => {
            let headers = json!({ "Location": { "description": "Where the browser goes on", "schema": { "type": "string" } } });
            responses.insert("302".to_owned(), json!({ "description": "The browser goes on", "headers": headers }));
        }
        Gives::Nothing => {
            responses.insert("204".to_owned(), json!({ "description": "Done" }));
        }
    }
    if route.is_command {
        let headers = json!({ "Location": { "description": "`/jobs/{id}`", "schema": { "type": "string" } } });
        responses.insert("202".to_owned(), json!({ "description": "It will be done; the answer will be at Location", "headers": headers }));
    }
    let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    for (status, meaning) in problems(route) {
        responses.insert(status.to_string(), json!({ "description": meaning, "content": problem }));
    }

    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(operation_id(route)));
    operation.insert("summary".to_owned(), json!(route.about));
    operation.insert("tags".to_owned(), json!([route.path.split('/').nth(1).unwrap_or_default()]));
    operation.insert("responses".to_owned(), Value::Object(responses));
    operation.insert("security".to_owned(), security(route.access));
    if let Access::Staff(permission) = route.access {
        operation.insert("x-permission".to_owned(), json!(permission.as_str()));
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(body) = &route.body {
        let content = json!({ "application/json": { "schema": reference(body, schemas) } });
        operation.insert("requestBody".to_owned(), json!({ "required": route.body_required, "content": content }));
    }
    if let Some(about) = route.file {
        let kinds = route.file_kinds.iter().map(|kind| {
            let schema = if *kind == "text/csv" { json!({ "type": "string" }) } else { json!({ "type": "string", "format": "binary" }) };
            ((*kind).to_owned(), json!({ "schema": schema }))
        });
        let content = Value::Object(kinds.collect());
        operation.insert("requestBody".to_owned(), json!({ "required": true, "description": about, "content": content }));
    }
    Value::Object(operation)
}

/// How a route can refuse, besides a fault of ours (500): told by what the route is, so that nothing is forgotten and nothing undocumented.
fn problems(route: &Route) -> BTreeMap<u16, &'static str> {
    let mut all = BTreeMap::from([(503, "A part of the service is away; try again in a moment")]);
    if route.access != Access::Operations {
        all.insert(408, "The body did not arrive in time");
        all.insert(413, "The body is too large");
    }
    if matches!(route.access, Access::Anyone | Access::Staff(_) | Access::Admin | Access::Signed(_)) {
        all.insert(401, "Nobody is logged in, or the session has ended");
    }
    if route.access != Access::Operations {
        all.insert(403, "The role does not allow it, or another site sent it");
    }
    if matches!(route.access, Access::Staff(_)) || (matches!(route.access, Access::Public | Access::Anyone) && route.method != Method::GET)
    {
        all.insert(429, "Too many requests; `Retry-After` says when to go on");
    }
    if route.path.contains('{') {
        all.insert(404, "There is no such thing in this shop");
    }
    if route.query.is_some() {
        all.insert(422, "Some parameters are wrong; `fields` names them");
    }
    if route.body.is_some() || route.file.is_some() || matches!(route.access, Access::Signed(_)) {
        all.insert(400, "The body cannot be read");
    }
    if route.body.is_some() || route.file.is_some() {
        all.insert(415, "The body is not sent as what it must be");
        all.insert(422, "Some fields are wrong; `fields` names them");
        if route.access == Access::Public {
            all.insert(401, "The e-mail or the password is wrong");
            all.insert(409, "Something already stands in the way");
        }
    }
    if route.path == "/auth/login" {
        all.insert(402, "The shop's plan has no team; its owner can log in");
    }
    if route.path.starts_with("/integrations/google") && route.method == Method::GET {
        all.insert(409, "This installation has no access to Google");
    }
    if route.is_command {
        all.insert(402, "The plan does not allow it");
        all.insert(404, "There is no such thing in this shop");
        all.insert(409, "Something already stands in the way, or the Idempotency-Key was used for another request");
        all.insert(422, "Some fields are wrong; `fields` names them");
    }
    if matches!(route.gives, Gives::Socket(_)) {
        all.insert(426, "Connect as a WebSocket");
    }
    all
}

fn operation_id(route: &Route) -> String {
    let words = route.path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    format!("{}_{words}", route.method.as_str().to_lowercase())
}

fn security(access: Access) -> Value {
    match access {
        Access::Public | Access::Operations => json!([]),
        Access::Signed(Provider::Meta) => json!([{ "meta": [] }]),
        Access::Signed(Provider::Google) => json!([{ "google": [] }]),
        Access::Signed(Provider::Stripe) => json!([{ "stripe": [] }]),
        Access::Anyone | Access::Staff(_) | Access::Admin => json!([{ "bearer": [] }, { "cookie": [] }]),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
        .collect();
    if let Some(query) = &route.query {
        let shape = schema(&query.schema);
        let required = shape["required"].as_array().cloned().unwrap_or_default();
        for (name, field) in shape["properties"].as_object().into_iter().flatten() {
            all.push(json!({ "name": name, "in": "query", "required": required.contains(&json!(name)), "description": field["description"], "schema": field }));
        }
    }
    if route.is_command {
        all.push(json!({ "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
                         "description": "Names this write; a repeat under the same key gets the same answer." }));
    }
    all
}

/// Who may call what, as a table for people.
#[must_use]
pub fn access(table: &[Route]) -> String {
    let mut text =
        String::from("# Who may call what\n\nMade from the route table (`ingress/src/routes.rs`); a test fails when it is stale.\n\n");
    text.push_str("| method | path | permission | owner | order_manager | accountant | admin | nobody |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for route in table {
        let (permission, roles, admin, nobody): (&str, [bool; 3], bool, &str) = match route.access {
            Access::Public => ("", [true; 3], true, "yes"),
            Access::Operations => ("operations", [true; 3], true, "yes"),
            Access::Signed(_) => ("the provider's signature", [false; 3], false, "signed"),
            Access::Anyone => ("logged in", [true; 3], true, ""),
            Access::Admin => ("administrator", [false; 3], true, ""),
            Access::Staff(permission) => {
                (permission.as_str(), [Role::Owner, Role::OrderManager, Role::Accountant].map(|role| role.may(permission)), false, "")
            }
        };
        let yes = |may: bool| if may { "yes" } else { "" };
        let [owner, manager, accountant] = roles.map(yes);
        let _ = writeln!(
            text,
            "| {} | `{}` | {permission} | {owner} | {manager} | {accountant} | {} | {nobody} |",
            route.method,
            route.path,
            yes(admin)
        );
    }
    text.push_str("\nAn order manager gets no cost and no profit in any answer. What belongs to another shop answers 404, in the same words as what does not exist.\n");
    text
}

/// What can go wrong, as a table for people.
#[must_use]
pub fn problems_table() -> String {
    let mut text = String::from(
        "# What can go wrong\n\nEvery error is `application/problem+json` (RFC 9457) with one of these codes. Made from `core/src/problems.rs`; a test fails when it is stale.\n\n| code | status | what it means |\n| --- | --- | --- |\n",
    );
    for problem in PROBLEMS {
        let _ = writeln!(text, "| `{}` | {} | {} |", problem.code, problem.status, problem.about);
    }
    text
}

/// The description as a page that loads nothing and runs nothing.
#[must_use]
pub fn page(table: &[Route]) -> String {
    let document = document(table);
    let mut html = String::from(concat!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Frontdesk API</title><style>",
        ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}",
        "details{border:1px solid #8884;border-radius:.5rem;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}code,pre{font:14px ui-monospace,monospace}",
        "pre{overflow:auto;background:#8881;padding:.6rem;border-radius:.4rem}.m{display:inline-block;min-width:4.5rem;font-weight:600}.p{opacity:.7}</style>",
        "<h1>Frontdesk API</h1><p>"
    ));
    html.push_str(&escape(document["info"]["description"].as_str().unwrap_or_default()));
    html.push_str("</p><p>For programs: <a href=\"/openapi.json\">openapi.json</a></p><h2>Calls</h2>");
    for route in table {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let _ = write!(
            html,
            "<details><summary><span class=\"m\">{}</span> <code>{}</code> — {}</summary>",
            route.method,
            escape(route.path),
            escape(route.about)
        );
        let _ = write!(html, "<p class=\"p\">{}</p>", escape(&who(route.access)));
        for (title, part) in
            [("Parameters", &operation["parameters"]), ("Body", &operation["requestBody"]["content"]), ("Answers", &operation["responses"])]
        {
            if !part.is_null() {
                let _ = write!(html, "<h4>{title}</h4><pre>{}</pre>", escape(&pretty(part)));
            }
        }
        html.push_str("</details>");
    }
    html.push_str("<h2>Problems</h2><dl>");
    for problem in PROBLEMS {
        let (code, status, about) = (problem.code, problem.status, in_code(&escape(problem.about)));
        let _ = write!(html, "<dt id=\"problem-{code}\"><code>{code}</code> {status}</dt><dd>{about}</dd>");
    }
    html.push_str("</dl><h2>Types</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            html,
            "<details id=\"{0}\"><summary><code>{0}</code></summary><pre>{1}</pre></details>",
            escape(name),
            escape(&pretty(schema))
        );
    }
    html
}

fn who(access: Access) -> String {
    match access {
        Access::Public => "Anybody.".to_owned(),
        Access::Operations => "Whoever runs the process.".to_owned(),
        Access::Signed(Provider::Meta) => "Meta, by its signature.".to_owned(),
        Access::Signed(Provider::Google) => "Google, by the token of the watch channel.".to_owned(),
        Access::Signed(Provider::Stripe) => "Stripe, by its signature.".to_owned(),
        Access::Anyone => "Anybody who is logged in.".to_owned(),
        Access::Admin => "Administrators.".to_owned(),
        Access::Staff(permission) => {
            let roles: Vec<&str> = Role::ALL.iter().filter(|role| role.may(permission)).map(|role| role.as_str()).collect();
            format!("Permission {} ({}).", permission.as_str(), roles.join(", "))
        }
    }
}

/// What stands between backticks, as code.
fn in_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
