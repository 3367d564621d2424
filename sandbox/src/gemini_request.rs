//! Reads a `generateContent` request as strictly as the real endpoint does (PROVIDERS 4).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::brain::{Call, Conversation, ToolDecl, ToolResult, Turn};
use crate::model;
use crate::signature::hub_signature;

/// What a caller sends for function calls that Gemini did not make itself.
const SKIP_SIGNATURE: &str = "skip_thought_signature_validator";
/// Makes signatures that only this sandbox can have given.
const SIGNING_KEY: &str = "sandbox thought signature";

/// A request that is well formed.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) conversation: Conversation,
    pub(crate) prompt_tokens: u64,
    pub(crate) max_output_tokens: Option<u64>,
}

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    kind: &'static str,
    message: String,
    details: Option<Value>,
}

impl Refused {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "INVALID_ARGUMENT", message: message.into(), details: None }
    }

    pub(crate) fn invalid_key() -> Self {
        let details = json!([{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": { "service": "generativelanguage.googleapis.com" },
        }]);
        let message = "API key not valid. Please pass a valid API key.".to_owned();
        Self { status: 400, kind: "INVALID_ARGUMENT", message, details: Some(details) }
    }

    pub(crate) fn not_found(model: &str) -> Self {
        let message = format!(
            "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to \
             see the list of available models and their supported methods."
        );
        Self { status: 404, kind: "NOT_FOUND", message, details: None }
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "code": self.status, "message": self.message, "status": self.kind });
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }
}

/// The signature of a function call (or of a text, with an empty name).
pub(crate) fn signature(name: &str, args: &Value) -> String {
    // serde_json's maps are sorted, so that a call that went through another program still fits.
    STANDARD.encode(hub_signature(SIGNING_KEY, format!("{name}\n{args}").as_bytes()))
}

/// A key in camel or snake case: the real endpoint takes both.
fn get<'a>(object: &'a Value, camel: &str) -> Option<&'a Value> {
    object.get(camel).or_else(|| {
        let mut snake = String::new();
        for c in camel.chars() {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        object.get(&snake)
    })
}

const KNOWN_KEYS: [&str; 8] =
    ["contents", "tools", "toolConfig", "systemInstruction", "generationConfig", "safetySettings", "cachedContent", "labels"];

pub(crate) fn read(body: &Value, model: &str) -> Result<Asked, Refused> {
    let object = body.as_object().ok_or_else(|| Refused::invalid("Invalid JSON payload received. Expected an object."))?;
    for key in object.keys() {
        let known = KNOWN_KEYS.iter().any(|known| get(&json!({ key: 1 }), known).is_some());
        if !known {
            return Err(Refused::invalid(format!("Invalid JSON payload received. Unknown name \"{key}\": Cannot find field.")));
        }
    }
    let system = get(body, "systemInstruction").map(parts_text).unwrap_or_default();
    let mut tools = tools(body)?;
    restrict(body, &mut tools)?;
    let turns = turns(body, !model.starts_with("gemini-2"))?;
    let max_output_tokens = match get(body, "generationConfig").and_then(|c| get(c, "maxOutputTokens")) {
        None | Some(Value::Null) => None,
        Some(value) => Some(value.as_u64().filter(|n| *n > 0).ok_or_else(|| Refused::invalid("max_output_tokens must be positive"))?),
    };
    let prompt_tokens = model::tokens(&body.to_string());
    Ok(Asked { conversation: Conversation { system, tools, turns }, prompt_tokens, max_output_tokens })
}

fn parts(content: &Value) -> &[Value] {
    content.get("parts").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn parts_text(content: &Value) -> String {
    let texts = parts(content).iter().filter(|p| p.get("thought") != Some(&Value::Bool(true)));
    texts.filter_map(|p| p.get("text")?.as_str()).collect::<Vec<_>>().join("")
}

fn tools(body: &Value) -> Result<Vec<ToolDecl>, Refused> {
    let Some(list) = body.get("tools") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| Refused::invalid("Invalid value at 'tools'"))?;
    if list.len() > 1 {
        return Err(Refused::invalid("Multiple tools are supported only when they are all search tools."));
    }
    let Some(declarations) = list.first().and_then(|t| get(t, "functionDeclarations")) else { return Ok(Vec::new()) };
    let declarations = declarations.as_array().ok_or_else(|| Refused::invalid("Invalid value at 'function_declarations'"))?;
    let mut seen = HashSet::new();
    let mut tools = Vec::new();
    for (place, declaration) in declarations.iter().enumerate() {
        let at = |what: &str| Refused::invalid(format!("* GenerateContentRequest.tools[0].function_declarations[{place}].{what}"));
        let name = declaration.get("name").and_then(Value::as_str).unwrap_or_default();
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts_well || !model::tool_name_fits(name, &['.', ':'], 128) {
            return Err(at(
                "name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), \
                 underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.",
            ));
        }
        if !seen.insert(name.to_owned()) {
            return Err(Refused::invalid(format!("Duplicate function declaration found: {name}")));
        }
        let parameters = match (declaration.get("parameters"), get(declaration, "parametersJsonSchema")) {
            (Some(_), Some(_)) => return Err(at("parameters: only one of parameters and parameters_json_schema may be set.")),
            (Some(schema), None) => {
                check_schema(schema, 0).map_err(|why| at(&format!("parameters: {why}")))?;
                lower_types(schema)
            }
            (None, Some(schema)) => schema.clone(),
            (None, None) => json!({ "type": "object", "properties": {} }),
        };
        let description = declaration.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        tools.push(ToolDecl { name: name.to_owned(), description, parameters });
    }
    Ok(tools)
}

/// `parameters` is a subset of OpenAPI: JSON-schema keys beyond it are refused.
fn check_schema(schema: &Value, depth: usize) -> Result<(), String> {
    const KEYS: [&str; 22] = [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ];
    if depth > 32 {
        return Err("schema is nested too deeply".to_owned());
    }
    let object = schema.as_object().ok_or("schema must be an object")?;
    if let Some(key) = object.keys().find(|k| !KEYS.iter().any(|known| get(&json!({ k.as_str(): 1 }), known).is_some())) {
        return Err(format!("Unknown name \"{key}\": Cannot find field."));
    }
    let kind = schema.get("type").map(|t| t.as_str().unwrap_or_default().to_ascii_uppercase());
    match kind.as_deref() {
        None | Some("STRING" | "NUMBER" | "INTEGER" | "BOOLEAN" | "OBJECT" | "NULL") => {}
        Some("ARRAY") if schema.get("items").is_some() => {}
        Some("ARRAY") => return Err("items: missing field.".to_owned()),
        Some(other) => return Err(format!("type: invalid value {other:?}")),
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !properties.is_some_and(|p| p.contains_key(name)) {
            return Err(format!("required: property is not defined: {name}"));
        }
    }
    let inner = properties.into_iter().flat_map(|p| p.values()).chain(schema.get("items"));
    inner.chain(schema.get("anyOf").and_then(Value::as_array).into_iter().flatten()).try_for_each(|s| check_schema(s, depth + 1))
}

/// Types are upper case here and lower case in JSON schema; the model reads the latter.
fn lower_types(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, value)| match value {
                    Value::String(kind) if key == "type" => (key.clone(), kind.to_ascii_lowercase().into()),
                    other => (key.clone(), lower_types(other)),
                })
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.iter().map(lower_types).collect()),
        other => other.clone(),
    }
}

/// `toolConfig` can forbid calls or narrow them down.
fn restrict(body: &Value, tools: &mut Vec<ToolDecl>) -> Result<(), Refused> {
    let config = get(body, "toolConfig").and_then(|c| get(c, "functionCallingConfig"));
    let mode = config.and_then(|c| c.get("mode")).and_then(Value::as_str).unwrap_or("AUTO").to_ascii_uppercase();
    let allowed = config.and_then(|c| get(c, "allowedFunctionNames")).and_then(Value::as_array);
    match (mode.as_str(), allowed) {
        ("NONE", _) => tools.clear(),
        ("ANY" | "VALIDATED", Some(names)) => {
            if let Some(name) = names.iter().filter_map(Value::as_str).find(|n| !tools.iter().any(|t| t.name == *n)) {
                return Err(Refused::invalid(format!("allowed_function_names contains {name}, which is not declared.")));
            }
            tools.retain(|t| names.iter().any(|n| n == &t.name));
        }
        ("AUTO" | "ANY" | "VALIDATED", _) => {}
        (other, _) => return Err(Refused::invalid(format!("Invalid value at 'tool_config.function_calling_config.mode' ({other})"))),
    }
    Ok(())
}

fn turns(body: &Value, wants_signatures: bool) -> Result<Vec<Turn>, Refused> {
    let contents = body.get("contents").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if contents.is_empty() {
        return Err(Refused::invalid("* GenerateContentRequest.contents: contents is not specified"));
    }
    let mut turns: Vec<Turn> = Vec::new();
    let mut position = 0;
    for (place, content) in contents.iter().enumerate() {
        let list = parts(content);
        if list.is_empty() {
            return Err(Refused::invalid(format!("* GenerateContentRequest.contents[{place}].parts: contents.parts must not be empty.")));
        }
        let role = content.get("role").map_or("user", |r| r.as_str().unwrap_or_default());
        if place == 0 && role != "user" {
            return Err(Refused::invalid("Please ensure that the first turn is a user turn."));
        }
        let open_calls = match turns.last() {
            Some(Turn::Model { calls, .. }) => calls.clone(),
            _ => Vec::new(),
        };
        match role {
            "user" => turns.push(user_turn(content, list, &open_calls)?),
            "model" if !open_calls.is_empty() => return Err(unanswered()),
            "model" => {
                let turn = model_turn(content, list, wants_signatures, &mut position)?;
                if matches!(&turn, Turn::Model { calls, .. } if !calls.is_empty()) && matches!(turns.last(), Some(Turn::Model { .. })) {
                    return Err(Refused::invalid(
                        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
                    ));
                }
                turns.push(turn);
            }
            _ => return Err(Refused::invalid("Please use a valid role: user, model.")),
        }
    }
    match turns.last() {
        Some(Turn::Model { calls, .. }) if !calls.is_empty() => Err(unanswered()),
        _ => Ok(turns),
    }
}

fn unanswered() -> Refused {
    Refused::invalid(
        "Please ensure that the number of function response parts is equal to the number of function call parts of the function \
         call turn.",
    )
}

fn user_turn(content: &Value, list: &[Value], open_calls: &[Call]) -> Result<Turn, Refused> {
    let responses: Vec<&Value> = list.iter().filter_map(|p| get(p, "functionResponse")).collect();
    if responses.len() != open_calls.len() {
        if open_calls.is_empty() {
            return Err(Refused::invalid("Please ensure that function response turn comes immediately after a function call turn."));
        }
        return Err(unanswered());
    }
    if responses.is_empty() {
        if list.iter().any(|p| !p.get("text").is_some_and(Value::is_string) && get(p, "inlineData").is_none()) {
            return Err(Refused::invalid("Unable to submit request because a part has no data (text, function_response, …)."));
        }
        return Ok(Turn::User(parts_text(content)));
    }
    let mut results = Vec::new();
    for (call, response) in open_calls.iter().zip(responses) {
        let name = response.get("name").and_then(Value::as_str).unwrap_or_default();
        let id = response.get("id").and_then(Value::as_str).unwrap_or(&call.id);
        if name != call.name || id != call.id {
            return Err(Refused::invalid(format!(
                "Please ensure that the function response ({name}) answers the function call ({}) in the same place.",
                call.name
            )));
        }
        let result = response.get("response").filter(|r| r.is_object());
        let result = result.ok_or_else(|| Refused::invalid("Invalid value at 'function_response.response': must be an object."))?;
        results.push(ToolResult { id: id.to_owned(), name: name.to_owned(), result: result.get("output").unwrap_or(result).clone() });
    }
    Ok(Turn::ToolResults(results))
}

fn model_turn(content: &Value, list: &[Value], wants_signatures: bool, position: &mut usize) -> Result<Turn, Refused> {
    let mut calls: Vec<Call> = Vec::new();
    for part in list {
        *position += 1;
        let Some(call) = get(part, "functionCall") else { continue };
        let name = call.get("name").and_then(Value::as_str).unwrap_or_default();
        let args = call.get("args").cloned().unwrap_or_else(|| json!({}));
        if name.is_empty() || !args.is_object() {
            return Err(Refused::invalid("Invalid value at 'function_call': it needs a name and an object of args."));
        }
        let given = get(part, "thoughtSignature").and_then(Value::as_str);
        match given {
            // Parallel calls: only the first part carries one.
            None if calls.is_empty() && wants_signatures => {
                return Err(Refused::invalid(format!(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work \
                     correctly, and missing thought_signature may lead to degraded model performance. Additional data, function \
                     call `default_api:{name}` , position {position}. Please refer to \
                     https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
                )));
            }
            Some(given) if given != SKIP_SIGNATURE && given != signature(name, &args) => {
                return Err(Refused::invalid("Corrupted thought signature."));
            }
            _ => {}
        }
        let id = call.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        calls.push(Call { id, name: name.to_owned(), args });
    }
    let text = Some(parts_text(content)).filter(|t| !t.is_empty());
    Ok(Turn::Model { text, calls })
}
