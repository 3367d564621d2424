//! What the model says: `phrases.txt`, in the customer's language.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::catalogue::Product;
use super::language::Language;

type Phrases = HashMap<(&'static str, &'static str), &'static str>;

fn phrases() -> &'static Phrases {
    static PHRASES: OnceLock<Phrases> = OnceLock::new();
    PHRASES.get_or_init(|| {
        let mut code = "";
        let mut phrases = HashMap::new();
        for line in include_str!("phrases.txt").lines().filter(|line| !line.starts_with('#')) {
            if let Some(tag) = line.strip_prefix('[') {
                code = tag.trim_end_matches(']');
            } else if let Some((name, text)) = line.split_once(": ") {
                phrases.insert((code, name), text);
            }
        }
        phrases
    })
}

/// A phrase with its blanks filled in. What has no value is left out.
pub(super) fn say(language: Language, name: &str, values: &[(&str, &str)]) -> String {
    let text = phrases().get(&(language.code(), name)).or_else(|| phrases().get(&("en", name))).copied().unwrap_or_default();
    let filled = values.iter().fold(text.to_owned(), |text, (blank, value)| text.replace(&format!("{{{blank}}}"), value));
    filled.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".")
}

/// Up to four products with their prices, as given.
pub(super) fn list(products: &[Product]) -> String {
    products.iter().take(4).map(Product::with_price).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_there_in_every_language_with_the_same_blanks() {
        let blanks = |text: &str| {
            let mut blanks: Vec<String> =
                text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect();
            blanks.sort();
            blanks
        };
        let english: Vec<_> = phrases().iter().filter(|((code, _), _)| *code == "en").collect();
        assert!(english.len() >= 19);
        for ((_, name), text) in english {
            for language in Language::ALL {
                let other = phrases().get(&(language.code(), *name)).unwrap_or_else(|| panic!("{language:?} lacks {name}"));
                assert_eq!(blanks(text), blanks(other), "{language:?} {name}");
            }
        }
    }
}
