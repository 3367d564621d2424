//! The scripted model behind the Gemini and OpenAI endpoints: reads the declared tools, the prompt and the talk, and
//! answers or calls a tool as a good model would. It knows nothing of the product's code; equal input gives equal output.

mod answer;
mod bookings;
mod catalogue;
mod intent;
mod language;
mod lexicon;
mod misbehave;
mod prompt;
mod reply;
mod results;
mod services;
mod times;
mod tools;

use serde_json::Value;

/// A tool as declared to the model.
#[derive(Clone, Debug)]
pub struct ToolDecl {
    /// Its name, to be called by.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A call of a tool.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Unique in the conversation; the result refers to it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// A JSON object.
    pub args: Value,
}

/// What a tool answered.
#[derive(Clone, PartialEq, Debug)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Anything, mostly an object.
    pub result: Value,
}

/// One turn of a conversation.
#[derive(Clone, PartialEq, Debug)]
pub enum Turn {
    /// The customer wrote.
    User(String),
    /// The model spoke, called tools, or both.
    Model {
        /// What it said.
        text: Option<String>,
        /// What it called.
        calls: Vec<Call>,
    },
    /// The tools answered.
    ToolResults(Vec<ToolResult>),
}

/// All that a model is given.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The system prompt.
    pub system: String,
    /// The declared tools.
    pub tools: Vec<ToolDecl>,
    /// The talk so far, oldest first.
    pub turns: Vec<Turn>,
}

/// What the model does next.
#[derive(Clone, PartialEq, Debug)]
pub enum Thought {
    /// Speaks.
    Say(String),
    /// Calls tools.
    Call(Vec<Call>),
    /// Answers nothing at all.
    Nothing,
}

/// How the model goes wrong, on command.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// It behaves.
    #[default]
    None,
    /// Says a price that nobody gave it.
    InventPrice,
    /// Confirms an order that nobody agreed to.
    ConfirmUnasked,
    /// Calls tools with unknown ids, impossible quantities and wrong types.
    WrongArguments,
    /// Asks for what belongs to other customers.
    OtherCustomersIds,
    /// Answers nothing.
    AnswerNothing,
    /// Searches again and again.
    Loop,
    /// Says that a time is free, and books it, in words alone.
    ClaimSlot,
}

/// What a model does next in a conversation. Equal input gives equal output.
pub fn think(conversation: &Conversation, misbehaviour: Misbehaviour) -> Thought {
    misbehave::think(conversation, misbehaviour)
}
