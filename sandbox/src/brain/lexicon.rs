//! What customers' words mean: `words.txt`, read once, and matched with endings and typos.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::catalogue::names_goods;
use super::language::{Language, tokens};

/// What a word or phrase can mean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Meaning {
    Greet,
    Thanks,
    Small,
    Yes,
    Go,
    No,
    Wait,
    Forget,
    Instead,
    Only,
    Want,
    Have,
    Price,
    Asking,
    Cancel,
    Order,
    Parcel,
    Where,
    Status,
    Hours,
    Address,
    Shop,
    Delivery,
    Payment,
    Returns,
    Human,
    RealHuman,
    Talk,
    Bot,
    Some,
    Size,
    And,
    Pieces,
    Stop,
}

impl Meaning {
    pub(super) const NAMES: [(&str, Self); 34] = [
        ("greet", Self::Greet),
        ("thanks", Self::Thanks),
        ("small", Self::Small),
        ("yes", Self::Yes),
        ("go", Self::Go),
        ("no", Self::No),
        ("wait", Self::Wait),
        ("forget", Self::Forget),
        ("instead", Self::Instead),
        ("only", Self::Only),
        ("want", Self::Want),
        ("have", Self::Have),
        ("price", Self::Price),
        ("asking", Self::Asking),
        ("cancel", Self::Cancel),
        ("order", Self::Order),
        ("parcel", Self::Parcel),
        ("where", Self::Where),
        ("status", Self::Status),
        ("hours", Self::Hours),
        ("address", Self::Address),
        ("shop", Self::Shop),
        ("delivery", Self::Delivery),
        ("payment", Self::Payment),
        ("returns", Self::Returns),
        ("human", Self::Human),
        ("realhuman", Self::RealHuman),
        ("talk", Self::Talk),
        ("bot", Self::Bot),
        ("some", Self::Some),
        ("size", Self::Size),
        ("and", Self::And),
        ("pieces", Self::Pieces),
        ("stop", Self::Stop),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
    }
}

/// One word of a phrase.
struct Word {
    text: String,
    any_ending: bool,
}

impl Word {
    fn matches(&self, token: &str, typos: bool) -> bool {
        if self.any_ending && token.starts_with(&self.text) {
            return true;
        }
        token == self.text || (typos && is_typo_of(token, &self.text))
    }
}

/// All words of all languages.
pub(super) struct Lexicon {
    phrases: HashMap<(&'static str, Meaning), Vec<Vec<Word>>>,
    numbers: HashMap<&'static str, Vec<(Vec<String>, u32)>>,
    words: HashMap<&'static str, HashSet<String>>,
}

/// The lexicon, read at first use.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| Lexicon::read(include_str!("words.txt")))
}

impl Lexicon {
    fn read(table: &str) -> Self {
        let mut lexicon = Self { phrases: HashMap::new(), numbers: HashMap::new(), words: HashMap::new() };
        let mut code = "";
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(tag) = line.strip_prefix('[') {
                code = Language::from_tag(tag.trim_end_matches(']')).map_or("", Language::code);
                continue;
            }
            let Some((name, entries)) = line.split_once(':') else { continue };
            for entry in entries.split('|').map(str::trim) {
                let (phrase, value) = entry.split_once('=').map_or((entry, None), |(phrase, value)| (phrase, value.parse().ok()));
                let words: Vec<Word> = phrase
                    .split_whitespace()
                    .flat_map(|word| {
                        let any_ending = word.ends_with('*');
                        tokens(word.trim_end_matches('*')).into_iter().map(move |text| Word { text, any_ending })
                    })
                    .collect();
                lexicon.words.entry(code).or_default().extend(words.iter().map(|word| word.text.clone()));
                if let Some(value) = value {
                    let words = words.into_iter().map(|word| word.text).collect();
                    lexicon.numbers.entry(code).or_default().push((words, value));
                } else if let Some(meaning) = Meaning::named(name.trim()) {
                    lexicon.phrases.entry((code, meaning)).or_default().push(words);
                }
            }
        }
        for numbers in lexicon.numbers.values_mut() {
            numbers.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        }
        lexicon
    }

    /// Whether a single word is one of the language's, spelt right.
    pub(super) fn knows(&self, language: Language, token: &str) -> bool {
        self.words.get(language.code()).is_some_and(|words| words.contains(token))
    }

    /// Whether a single word, spelt right, has a meaning.
    pub(super) fn has(&self, language: Language, meaning: Meaning, token: &str) -> bool {
        let phrases = self.phrases.get(&(language.code(), meaning));
        phrases.is_some_and(|phrases| phrases.iter().any(|words| matches!(&words[..], [word] if word.matches(token, false))))
    }

    /// How many tokens from `at` on carry a meaning: the longest phrase that fits there.
    ///
    /// `mistyped` says of each token whether it may be a word with a typo ([`Self::may_be_mistyped`]): found out once a message.
    pub(super) fn length_at(
        &self,
        languages: &[Language],
        meaning: Meaning,
        tokens: &[String],
        mistyped: &[bool],
        at: usize,
    ) -> Option<usize> {
        languages
            .iter()
            .filter_map(|language| self.phrases.get(&(language.code(), meaning)))
            .flatten()
            .filter(|words| {
                !words.is_empty()
                    && at + words.len() <= tokens.len()
                    && words.iter().zip(&tokens[at..]).zip(&mistyped[at..]).all(|((word, token), typos)| word.matches(token, *typos))
            })
            .map(Vec::len)
            .max()
    }

    /// A word that is right as it stands is not taken for another: "thing" is no "think", black is no price.
    pub(super) fn may_be_mistyped(&self, languages: &[Language], token: &str) -> bool {
        token.len() > 4 && !names_goods(token) && !languages.iter().any(|language| self.knows(*language, token))
    }

    /// The number written from `at` on, in digits or words, and how many tokens it takes.
    pub(super) fn number_at(&self, languages: &[Language], tokens: &[String], at: usize) -> Option<(u32, usize)> {
        let token = tokens.get(at)?;
        if token.chars().all(|c| c.is_ascii_digit()) {
            return token.parse().ok().map(|value| (value, 1));
        }
        languages.iter().filter_map(|language| self.numbers.get(language.code())).flatten().find_map(|(words, value)| {
            let fits = at + words.len() <= tokens.len() && words.iter().zip(&tokens[at..]).all(|(word, token)| word == token);
            fits.then_some((*value, words.len()))
        })
    }
}

/// Whether one word is likely the other, mistyped: same first letter, one slip in five letters, two in nine.
pub(super) fn is_typo_of(token: &str, word: &str) -> bool {
    let length = token.chars().count().min(word.chars().count());
    let slips = match length {
        0..=4 => return false,
        5..=8 => 1,
        _ => 2,
    };
    token.chars().next() == word.chars().next() && strsim::osa_distance(token, word) <= slips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_words_for_every_meaning_and_numbers() {
        for language in Language::ALL {
            for (name, meaning) in Meaning::NAMES {
                assert!(lexicon().phrases.contains_key(&(language.code(), meaning)), "{language:?} has no words for {name}");
            }
            assert!(lexicon().numbers[language.code()].len() >= 10, "{language:?} cannot count");
        }
    }

    #[test]
    fn a_slip_is_forgiven_in_long_words_only() {
        assert!(is_typo_of("sneakrs", "sneakers"));
        assert!(is_typo_of("cofee", "coffee"));
        assert!(!is_typo_of("not", "now"));
        assert!(!is_typo_of("belt", "bolt"));
    }
}
