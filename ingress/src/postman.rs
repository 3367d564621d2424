//! The API as a Postman collection (format 2.1), made from its description, with example bodies that the readers of the requests accept.

use serde_json::{Map, Value, json};

/// References are followed this deep; ours end much earlier.
const DEEPEST: usize = 8;

/// The collection of an OpenAPI `document`: a folder per tag, a log-in that keeps its token for the others.
#[must_use]
pub fn collection(document: &Value) -> Value {
    let mut folders: Vec<(String, Vec<Value>)> = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let folder = operation["tags"][0].as_str().unwrap_or_default().to_owned();
            let item = item(path, method, operation, document);
            match folders.iter_mut().find(|(name, _)| *name == folder) {
                Some((_, items)) => items.push(item),
                None => folders.push((folder, vec![item])),
            }
        }
    }
    let items: Vec<Value> = folders.into_iter().map(|(name, item)| json!({ "name": name, "item": item })).collect();
    json!({
        "info": {
            "name": "Frontdesk",
            "description": "Set `base_url`, run `POST /auth/login` with your e-mail and password, and the other requests have its token.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
        },
        "auth": { "type": "bearer", "bearer": [{ "key": "token", "value": "{{token}}", "type": "string" }] },
        "variable": [{ "key": "base_url", "value": "http://localhost:8080" }, { "key": "token", "value": "" }],
        "item": items
    })
}

fn item(path: &str, method: &str, operation: &Value, document: &Value) -> Value {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |place: &'static str| parameters.iter().filter(move |parameter| parameter["in"] == place);
    let segments: Vec<String> = path
        .trim_start_matches('/')
        .split('/')
        .map(|part| {
            part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).map_or_else(|| part.to_owned(), |name| format!(":{name}"))
        })
        .collect();
    let variables: Vec<Value> = of("path").map(|parameter| json!({ "key": parameter["name"], "value": "1" })).collect();
    let query: Vec<Value> = of("query")
        .map(|parameter| {
            let value = text(&example(&parameter["schema"], document, 0));
            json!({ "key": parameter["name"], "value": value, "description": parameter["description"], "disabled": parameter["required"] != true })
        })
        .collect();
    let mut request = Map::new();
    request.insert("method".to_owned(), json!(method.to_uppercase()));
    request.insert("description".to_owned(), operation["summary"].clone());
    let raw = format!("{{{{base_url}}}}/{}", segments.join("/"));
    request
        .insert("url".to_owned(), json!({ "raw": raw, "host": ["{{base_url}}"], "path": segments, "variable": variables, "query": query }));
    if operation["security"].as_array().is_none_or(Vec::is_empty) {
        request.insert("auth".to_owned(), json!({ "type": "noauth" }));
    }
    let mut headers: Vec<Value> =
        of("header").map(|header| json!({ "key": header["name"], "value": "{{$guid}}", "description": header["description"] })).collect();
    if let Some(body) = body_example(operation, document) {
        headers.push(json!({ "key": "Content-Type", "value": "application/json" }));
        let raw = serde_json::to_string_pretty(&body).unwrap_or_default();
        request.insert("body".to_owned(), json!({ "mode": "raw", "raw": raw, "options": { "raw": { "language": "json" } } }));
    }
    request.insert("header".to_owned(), Value::Array(headers));
    let mut item = json!({ "name": format!("{} {path}", method.to_uppercase()), "request": request });
    if path == "/auth/login" {
        let keep = ["if (pm.response.code === 200) pm.collectionVariables.set(\"token\", pm.response.json().token);"];
        item["event"] = json!([{ "listen": "test", "script": { "type": "text/javascript", "exec": keep } }]);
    }
    item
}

/// An example of an operation's JSON body, if it takes one.
#[must_use]
pub fn body_example(operation: &Value, document: &Value) -> Option<Value> {
    let schema = operation.pointer("/requestBody/content/application~1json/schema")?;
    Some(example(schema, document, 0))
}

/// What must be there, and whatever says of itself what it may look like.
fn example(schema: &Value, document: &Value, depth: usize) -> Value {
    if let Some(given) = schema.get("example").or_else(|| schema.pointer("/examples/0")).or_else(|| schema.pointer("/enum/0")) {
        return given.clone();
    }
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(name) = schema["$ref"].as_str() {
        return document.pointer(name.trim_start_matches('#')).map_or(Value::Null, |schema| example(schema, document, depth + 1));
    }
    let not_null = |schema: &&Value| schema["type"] != "null";
    if let Some(one) = schema["oneOf"].as_array().and_then(|all| all.iter().find(not_null)) {
        return example(one, document, depth + 1);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    };
    match kind {
        "object" => {
            let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
            let fields = schema["properties"].as_object().into_iter().flatten();
            let shown = fields.filter(|(name, field)| required.contains(&json!(name)) || field.get("example").is_some());
            Value::Object(shown.map(|(name, field)| (name.clone(), example(field, document, depth + 1))).collect())
        }
        "array" => json!([example(&schema["items"], document, depth + 1)]),
        "integer" | "number" => json!(schema["minimum"].as_i64().unwrap_or(1)),
        "boolean" => json!(true),
        _ => json!(match schema["format"].as_str() {
            Some("date") => "2026-11-30",
            Some("date-time") => "2026-11-30T08:00:00Z",
            Some("password") => "a-long-password",
            Some("email") => "owner@shop.example",
            _ => "text",
        }),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
