//! The scripted model behind the Gemini and OpenAI endpoints.

use serde_json::Value;

/// A function the model may call.
#[derive(Clone, Debug)]
pub struct ToolDecl {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A function call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Id that the result refers to.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, an object.
    pub args: Value,
}

/// What a function gave back.
#[derive(Clone, Debug)]
pub struct ToolResult {
    /// Id of the call.
    pub id: String,
    /// The function.
    pub name: String,
    /// What it gave.
    pub result: Value,
}

/// One turn of a conversation.
#[derive(Clone, Debug)]
pub enum Turn {
    /// The user said.
    User(String),
    /// The model said or called.
    Model {
        /// What it said.
        text: Option<String>,
        /// What it called.
        calls: Vec<Call>,
    },
    /// What the functions gave.
    ToolResults(Vec<ToolResult>),
}

/// What the model is asked.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// System prompt.
    pub system: String,
    /// Declared functions.
    pub tools: Vec<ToolDecl>,
    /// The turns, oldest first.
    pub turns: Vec<Turn>,
}

/// What the model does next.
#[derive(Clone, Debug)]
pub enum Thought {
    /// Say this.
    Say(String),
    /// Call these.
    Call(Vec<Call>),
    /// Nothing.
    Nothing,
}

/// What the model does wrong on command.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// Nothing.
    #[default]
    None,
    /// Invents a price.
    InventPrice,
    /// Confirms unasked.
    ConfirmUnasked,
    /// Calls with wrong arguments.
    WrongArguments,
    /// Uses other customers' ids.
    OtherCustomersIds,
    /// Answers nothing.
    AnswerNothing,
    /// Calls for ever.
    Loop,
}

/// What a model would do next.
pub fn think(conversation: &Conversation, misbehaviour: Misbehaviour) -> Thought {
    if misbehaviour == Misbehaviour::AnswerNothing {
        return Thought::Nothing;
    }
    match conversation.turns.last() {
        Some(Turn::User(text)) => Thought::Say(format!("You said: {text}")),
        _ => Thought::Say("Done.".to_owned()),
    }
}
