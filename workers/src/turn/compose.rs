//! From what is to be said to the messages that go out: cut to the platform's length, keyed by turn, kind and part.

use frontdesk_core::db::messages::NewOutbound;
use frontdesk_core::ids::{ProposalId, TurnId};
use frontdesk_core::inbound::Platform;
use serde_json::{Value, json};

use crate::agent::texts::{self, Language, Text};
use crate::clients::meta::{Button, split, text_limit};
use crate::diary::Offered;

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// `reply`, `proposal`, `order`, `handoff`, `holding`, …
    pub kind: &'static str,
    /// `ai` or `system`: what the AI says is withheld once a human has taken over.
    pub author: &'static str,
    /// The words.
    pub text: String,
    /// Under the last part.
    pub buttons: Vec<Button>,
    /// The free times that it shows, kept with the last part.
    pub offer: Option<Offered>,
}

impl Reply {
    /// What the agent says.
    #[must_use]
    pub fn ai(kind: &'static str, text: String) -> Self {
        Self { kind, author: "ai", text, buttons: Vec::new(), offer: None }
    }

    /// What goes out whoever is in charge.
    #[must_use]
    pub fn system(kind: &'static str, text: String) -> Self {
        Self { kind, author: "system", text, buttons: Vec::new(), offer: None }
    }

    /// Notes the free times that it shows.
    #[must_use]
    pub fn offering(mut self, offer: Offered) -> Self {
        self.offer = Some(offer);
        self
    }

    /// Adds the buttons that confirm or drop a proposal.
    #[must_use]
    pub fn asking(mut self, proposal: ProposalId, language: Language) -> Self {
        self.buttons = vec![
            Button { id: format!("confirm:{proposal}"), title: texts::render(&Text::ConfirmButton, language) },
            Button { id: format!("decline:{proposal}"), title: texts::render(&Text::DeclineButton, language) },
        ];
        self
    }

    /// The messages that say it.
    #[must_use]
    pub fn into_outbound(self, turn: TurnId, platform: Platform) -> Vec<NewOutbound> {
        let parts = split(&self.text, text_limit(platform, !self.buttons.is_empty()));
        let last = parts.len().saturating_sub(1);
        parts
            .into_iter()
            .enumerate()
            .map(|(part, body)| NewOutbound {
                send_key: format!("t{turn}:{}:{part}", self.kind),
                kind: self.kind,
                author: self.author,
                body,
                content: if part == last { self.content() } else { json!({}) },
            })
            .collect()
    }

    fn content(&self) -> Value {
        let mut content = json!({});
        if !self.buttons.is_empty() {
            content["buttons"] = json!(self.buttons);
        }
        if let Some(offer) = &self.offer {
            content["offer"] = json!(offer);
        }
        content
    }
}

/// What a tap on one of our buttons means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tap {
    Confirm(ProposalId),
    Decline(ProposalId),
}

impl Tap {
    pub(super) fn read(payload: &str) -> Option<Self> {
        let (verb, id) = payload.split_once(':')?;
        let id = id.parse().ok()?;
        match verb {
            "confirm" => Some(Self::Confirm(id)),
            "decline" => Some(Self::Decline(id)),
            _ => None,
        }
    }
}
