//! The fixed texts that a shop may put in its own words, by language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// Instagram takes 1,000 bytes of text (Meta, Instagram messaging); every text must fit every platform.
pub const MAX_BYTES: usize = 1000;

/// A text in the shop's words, by language.
pub type ByLanguage = BTreeMap<Language, String>;

/// Every text that the shop has put in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTexts {
    /// A human takes over.
    #[serde(default, skip_serializing_if = "ByLanguage::is_empty")]
    pub handoff: ByLanguage,
    /// The shop is inactive.
    #[serde(default, skip_serializing_if = "ByLanguage::is_empty")]
    pub inactive: ByLanguage,
    /// The messages of the month are used up.
    #[serde(default, skip_serializing_if = "ByLanguage::is_empty")]
    pub quota: ByLanguage,
    /// The answer takes a little longer.
    #[serde(default, skip_serializing_if = "ByLanguage::is_empty")]
    pub holding: ByLanguage,
    /// A message that cannot be read: a picture, a voice message, and the like.
    #[serde(default, skip_serializing_if = "ByLanguage::is_empty")]
    pub unreadable: ByLanguage,
}

impl OwnTexts {
    /// As they stand in the database; what this version cannot read counts as none, so that customers are answered all the same.
    #[must_use]
    pub fn read(stored: &serde_json::Value) -> Self {
        Self::deserialize(stored).unwrap_or_else(|error| {
            tracing::error!(%error, "own texts cannot be read; the built-in ones are used");
            Self::default()
        })
    }

    /// What an inactive shop tells a customer of `language`, if it has words for it in any language: ours speak of a subscription, which is
    /// nothing for the customers of a shop that chose to say something else.
    #[must_use]
    pub fn inactive_in(&self, language: Language, of_the_shop: Language) -> Option<&str> {
        let own = &self.inactive;
        own.get(&language).or_else(|| own.get(&of_the_shop)).or_else(|| own.values().next()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn they_are_stored_by_text_and_language() {
        let stored = json!({"handoff": {"de": "Gleich ist jemand da.", "en": "Somebody is on the way."}, "inactive": {"fr": "Fermé."}});
        let own = OwnTexts::read(&stored);
        assert_eq!(own.handoff[&Language::German], "Gleich ist jemand da.");
        assert_eq!(serde_json::to_value(&own).unwrap(), stored);
        assert_eq!(OwnTexts::read(&json!({"handoff": {"xx": "?"}})), OwnTexts::default());
    }

    #[test]
    fn an_inactive_shop_that_chose_its_words_never_speaks_of_subscriptions() {
        let own = OwnTexts::read(&json!({"inactive": {"fr": "Fermé.", "de": "Zu."}}));
        assert_eq!(own.inactive_in(Language::French, Language::German), Some("Fermé."));
        assert_eq!(own.inactive_in(Language::Dutch, Language::German), Some("Zu."));
        assert_eq!(own.inactive_in(Language::Dutch, Language::Dutch), Some("Zu."));
        assert_eq!(OwnTexts::default().inactive_in(Language::Dutch, Language::Dutch), None);
    }
}
