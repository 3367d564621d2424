//! Whether a customer asks for a human: a whole word or phrase of the shop's list.

use frontdesk_core::db::shops::ShopProfile;
use unicode_segmentation::UnicodeSegmentation;

use super::guard::plain_text;

/// The list of a shop that has none of its own.
const DEFAULT: &[&str] = &[
    "human",
    "agent",
    "support",
    "help",
    "representative",
    "operator",
    "real person",
    "live person",
    "live chat",
    "customer service",
    "talk to someone",
    "speak to someone",
    "talk to a person",
    "speak to a person",
    "manager",
    "staff",
    "mensch",
    "menschen",
    "mitarbeiter",
    "mitarbeiterin",
    "kundenservice",
    "kundendienst",
    "berater",
    "beraterin",
    "ansprechpartner",
    "hilfe",
    "echte person",
    "jemand echtes",
    "humain",
    "humaine",
    "conseiller",
    "conseillère",
    "vraie personne",
    "service client",
    "aide",
    "assistance",
    "quelqu'un de réel",
    "humano",
    "humana",
    "persona",
    "persona real",
    "asesor",
    "asesora",
    "operador",
    "operadora",
    "ayuda",
    "soporte",
    "atención al cliente",
    "agente",
    "representante",
    "umano",
    "umana",
    "operatore",
    "operatrice",
    "persona vera",
    "aiuto",
    "assistenza",
    "servizio clienti",
    "consulente",
    "atendente",
    "pessoa",
    "pessoa real",
    "ajuda",
    "suporte",
    "atendimento",
    "atendimento humano",
    "medewerker",
    "medewerkster",
    "mens",
    "echt persoon",
    "echte persoon",
    "klantenservice",
    "hulp",
    "temsilci",
    "temsilciye",
    "temsilcisi",
    "müşteri temsilcisi",
    "müşteri hizmetleri",
    "insan",
    "insanla",
    "gerçek kişi",
    "yetkili",
    "yetkiliyle",
    "yardım",
    "destek",
    "موظف",
    "إنسان",
    "خدمة العملاء",
    "مساعدة",
    "человек",
    "оператор",
    "оператора",
    "менеджер",
    "помощь",
    "człowiek",
    "człowiekiem",
    "konsultant",
    "konsultantem",
    "pomoc",
    "इंसान",
    "एजेंट",
    "मदद",
    "सहायता",
];

/// The default words, for a shop that has not set its own.
#[must_use]
pub fn default_words() -> Vec<String> {
    DEFAULT.iter().map(|w| (*w).to_owned()).collect()
}

/// Whether a customer of this shop asks for a human by these words; never, where the shop leaves that to the model.
#[must_use]
pub fn wanted(shop: &ShopProfile, text: &str) -> bool {
    shop.hands_off_by_words()
        && match shop.handoff_words.as_slice() {
            [] => asks_for_human(text, &default_words()),
            own => asks_for_human(text, own),
        }
}

/// Whether the text holds one of the words or phrases, whole; case and accents do not matter.
#[must_use]
pub fn asks_for_human(text: &str, words: &[String]) -> bool {
    let said = split(text);
    words.iter().map(|w| split(w)).any(|phrase| !phrase.is_empty() && said.windows(phrase.len()).any(|w| w == phrase))
}

/// The words of a text in their plain form; elided articles stand alone ("l'humain").
fn split(text: &str) -> Vec<String> {
    let plain = plain_text(text).replace(['\'', '_'], " ");
    plain.unicode_words().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asks(text: &str) -> bool {
        asks_for_human(text, &default_words())
    }

    #[test]
    fn a_human_is_asked_for_in_any_language_case_and_accent() {
        for text in [
            "I want a HUMAN!",
            "can i talk to a real person?",
            "Ich möchte mit einem Mitarbeiter sprechen",
            "je veux un humain",
            "l'humain svp",
            "quiero hablar con una persona",
            "Vorrei un operatore",
            "quero falar com um atendente",
            "een medewerker graag",
            "müşteri temsilcisi lütfen",
            "MUSTERI TEMSILCISI",
            "help",
            "conseillere",
            "أريد موظف",
            "нужен оператор",
            "I need *support*",
        ] {
            assert!(asks(text), "{text}");
        }
    }

    #[test]
    fn a_word_inside_another_does_not_ask() {
        for text in [
            "humanity t-shirt",
            "is this helpful?",
            "agenta",
            "red shoes in 42",
            "unhelpful",
            "supporting",
            "mensa",
            "real nice person-ality",
            "",
        ] {
            assert!(!asks(text), "{text}");
        }
    }

    #[test]
    fn a_phrase_matches_only_whole_and_in_order() {
        let words = vec!["call me".to_owned(), "  ".to_owned()];
        assert!(asks_for_human("please CALL, me", &words));
        assert!(!asks_for_human("me call", &words));
        assert!(!asks_for_human("recall me", &words));
        assert!(!asks_for_human("anything", &[]));
    }

    proptest! {
        #[test]
        fn a_word_is_found_wherever_it_stands(before in "[ .,!a-z]{0,20}", after in "[ .,!a-z]{0,20}", i in 0_usize..200) {
            let words = default_words();
            let word = &words[i % words.len()];
            let text = format!("{before} {word} {after}");
            prop_assert!(asks_for_human(&text, &words));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", word in "\\PC{0,10}") {
            let _ = asks_for_human(&text, &[word]);
        }
    }
}
