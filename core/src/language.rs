//! The languages in which Frontdesk itself speaks to customers.

use serde::{Deserialize, Serialize};

/// A language of the fixed texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    /// English, also for everybody whose language is not here.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
    /// French.
    #[serde(rename = "fr")]
    French,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
    /// Italian.
    #[serde(rename = "it")]
    Italian,
    /// Portuguese.
    #[serde(rename = "pt")]
    Portuguese,
    /// Dutch.
    #[serde(rename = "nl")]
    Dutch,
    /// Turkish.
    #[serde(rename = "tr")]
    Turkish,
}

use Language::{Dutch, English, French, German, Italian, Portuguese, Spanish, Turkish};

impl Language {
    /// All of them, in the order of the tables of texts.
    pub const ALL: [Self; 8] = [English, German, French, Spanish, Italian, Portuguese, Dutch, Turkish];

    /// The language of a code such as `pt`, `pt-BR` or `pt_BR`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let primary = code.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|l| l.code().eq_ignore_ascii_case(primary))
    }

    /// The ISO 639-1 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            English => "en",
            German => "de",
            French => "fr",
            Spanish => "es",
            Italian => "it",
            Portuguese => "pt",
            Dutch => "nl",
            Turkish => "tr",
        }
    }

    /// Its place in the tables of texts.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
