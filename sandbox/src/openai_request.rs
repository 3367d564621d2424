//! Reads a chat-completions request as strictly as the real endpoint does (PROVIDERS 5).

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::brain::{Call, Conversation, ToolDecl, ToolResult, Turn};
use crate::model;

/// A request that is well formed.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) conversation: Conversation,
    pub(crate) prompt_tokens: u64,
    pub(crate) max_tokens: Option<u64>,
}

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) message: String,
    pub(crate) kind: &'static str,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

impl Refused {
    pub(crate) fn invalid(message: impl Into<String>, param: Option<String>) -> Self {
        Self { status: 400, message: message.into(), kind: "invalid_request_error", param, code: None }
    }

    pub(crate) fn invalid_key() -> Self {
        Self {
            status: 401,
            message: "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.".to_owned(),
            kind: "invalid_request_error",
            param: None,
            code: Some("invalid_api_key"),
        }
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "message": self.message, "type": self.kind, "param": self.param, "code": self.code } })
    }
}

pub(crate) fn read(body: &Value) -> Result<Asked, Refused> {
    let model = body.get("model").and_then(Value::as_str).filter(|m| !m.is_empty());
    let model = model.ok_or_else(|| Refused::invalid("you must provide a model parameter", None))?;
    let reasoning = model.starts_with("gpt-5") || model.starts_with("gpt-6") || model.starts_with('o');
    if reasoning && body.get("max_tokens").is_some_and(|v| !v.is_null()) {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        let mut refused = Refused::invalid(message, Some("max_tokens".to_owned()));
        refused.code = Some("unsupported_parameter");
        return Err(refused);
    }
    let limit = body.get("max_completion_tokens").or_else(|| body.get("max_tokens")).filter(|v| !v.is_null());
    let max_tokens = match limit {
        None => None,
        Some(value) => Some(value.as_u64().filter(|n| *n > 0).ok_or_else(|| {
            Refused::invalid("Invalid 'max_completion_tokens': expected a positive integer.", Some("max_completion_tokens".to_owned()))
        })?),
    };
    let mut tools = tools(body)?;
    match body.get("tool_choice") {
        None | Some(Value::Null) => {}
        Some(Value::String(choice)) if choice == "none" => tools.clear(),
        Some(Value::String(choice)) if matches!(choice.as_str(), "auto" | "required") && !tools.is_empty() => {}
        Some(choice) => {
            let name = choice.pointer("/function/name").and_then(Value::as_str);
            if !name.is_some_and(|n| tools.iter().any(|t| t.name == n)) {
                return Err(Refused::invalid("Invalid value for 'tool_choice'.", Some("tool_choice".to_owned())));
            }
            tools.retain(|t| Some(t.name.as_str()) == name);
        }
    }
    let (system, turns) = messages(body)?;
    let prompt_tokens = model::tokens(&body.to_string());
    Ok(Asked { conversation: Conversation { system, tools, turns }, prompt_tokens, max_tokens })
}

fn tools(body: &Value) -> Result<Vec<ToolDecl>, Refused> {
    let Some(list) = body.get("tools").filter(|t| !t.is_null()) else { return Ok(Vec::new()) };
    let list = list.as_array().filter(|l| !l.is_empty());
    let list = list.ok_or_else(|| Refused::invalid("[] is too short - 'tools'", Some("tools".to_owned())))?;
    let mut seen = HashSet::new();
    list.iter()
        .enumerate()
        .map(|(place, tool)| {
            let function = tool.get("function").filter(|_| tool.get("type").is_some_and(|t| t == "function"));
            let function = function
                .ok_or_else(|| Refused::invalid("Missing required parameter: 'tools[].function'.", Some(format!("tools[{place}]"))))?;
            let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
            if !model::tool_name_fits(name, &[], 64) || !seen.insert(name.to_owned()) {
                let message = format!(
                    "Invalid 'tools[{place}].function.name': string does not match pattern. Expected a unique string that matches \
                     the pattern '^[a-zA-Z0-9_-]+$'."
                );
                return Err(Refused::invalid(message, Some(format!("tools[{place}].function.name"))));
            }
            let parameters = function.get("parameters").cloned().unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
            if parameters.get("type").is_none_or(|t| t != "object") {
                let message = format!("Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"'.");
                return Err(Refused::invalid(message, Some(format!("tools[{place}].function.parameters"))));
            }
            if function.get("strict") == Some(&Value::Bool(true)) && parameters.get("additionalProperties") != Some(&Value::Bool(false)) {
                let message = format!(
                    "Invalid schema for function '{name}': In context=(), 'additionalProperties' is required to be supplied and to \
                     be false."
                );
                return Err(Refused::invalid(message, Some(format!("tools[{place}].function.parameters"))));
            }
            let description = function.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(ToolDecl { name: name.to_owned(), description, parameters })
        })
        .collect()
}

/// Text of `content`: a string, or a list of text parts.
fn content(message: &Value) -> Option<String> {
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().filter_map(|p| p.get("text")?.as_str()).collect::<Vec<_>>().join("")),
        _ => None,
    }
}

fn messages(body: &Value) -> Result<(String, Vec<Turn>), Refused> {
    let list = body.get("messages").and_then(Value::as_array).filter(|l| !l.is_empty());
    let list = list.ok_or_else(|| Refused::invalid("[] is too short - 'messages'", Some("messages".to_owned())))?;
    let mut system = String::new();
    let mut turns: Vec<Turn> = Vec::new();
    let mut open: Vec<Call> = Vec::new();
    for (place, message) in list.iter().enumerate() {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let at = format!("messages.[{place}].role");
        if role == "tool" {
            let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
            let Some(found) = open.iter().position(|c| c.id == id) else {
                let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                return Err(Refused::invalid(message, Some(at)));
            };
            let call = open.remove(found);
            let text = content(message).ok_or_else(|| missing_content(place))?;
            let result = serde_json::from_str(&text).unwrap_or(Value::String(text));
            let result = ToolResult { id: call.id, name: call.name, result };
            match turns.last_mut() {
                Some(Turn::ToolResults(results)) => results.push(result),
                _ => turns.push(Turn::ToolResults(vec![result])),
            }
            continue;
        }
        unanswered(&open, &at)?;
        match role {
            "system" | "developer" => {
                if !system.is_empty() {
                    system.push('\n');
                }
                system.push_str(&content(message).ok_or_else(|| missing_content(place))?);
            }
            "user" => turns.push(Turn::User(content(message).ok_or_else(|| missing_content(place))?)),
            "assistant" => {
                let calls = calls(message, place)?;
                let text = content(message).filter(|t| !t.is_empty());
                if calls.is_empty() && message.get("content").is_none_or(Value::is_null) && message.get("refusal").is_none() {
                    return Err(missing_content(place));
                }
                open.clone_from(&calls);
                turns.push(Turn::Model { text, calls });
            }
            other => {
                let message = format!(
                    "Invalid value: '{other}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
                );
                return Err(Refused::invalid(message, Some(at)));
            }
        }
    }
    unanswered(&open, "messages")?;
    Ok((system, turns))
}

fn missing_content(place: usize) -> Refused {
    Refused::invalid(
        format!("Invalid value for 'content': expected a string, got null. - 'messages.{place}.content'"),
        Some(format!("messages.[{place}].content")),
    )
}

fn unanswered(open: &[Call], param: &str) -> Result<(), Refused> {
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = open.iter().map(|c| c.id.as_str()).collect();
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following \
         tool_call_ids did not have response messages: {}",
        ids.join(", ")
    );
    Err(Refused::invalid(message, Some(param.to_owned())))
}

fn calls(message: &Value, place: usize) -> Result<Vec<Call>, Refused> {
    let list = message.get("tool_calls").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter()
        .map(|call| {
            let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
            let name = call.pointer("/function/name").and_then(Value::as_str).unwrap_or_default();
            // A string, valid JSON or not: it was the model's.
            let arguments = call.pointer("/function/arguments").and_then(Value::as_str);
            match arguments {
                Some(arguments) if !id.is_empty() && !name.is_empty() => Ok(Call {
                    id: id.to_owned(),
                    name: name.to_owned(),
                    args: serde_json::from_str(arguments).unwrap_or_else(|_| json!({})),
                }),
                _ => {
                    let param = format!("messages[{place}].tool_calls");
                    let message = format!("Invalid type for '{param}': each needs an id, a function name and arguments as a string.");
                    Err(Refused::invalid(message, Some(param)))
                }
            }
        })
        .collect()
}
