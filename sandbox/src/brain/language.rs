//! Which language a customer writes in, and how their words are taken apart: without case, accents or drawn-out letters.

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::lexicon::{Meaning, lexicon};

/// A language the model speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    En,
    De,
    Fr,
    Es,
    It,
    Pt,
    Nl,
    Tr,
}

impl Language {
    pub(super) const ALL: [Self; 8] = [Self::En, Self::De, Self::Fr, Self::Es, Self::It, Self::Pt, Self::Nl, Self::Tr];

    /// From a tag such as `de`, `de-AT`, `pt_BR` or `German`.
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        let tag = fold(tag.trim());
        let names: [(&[&str], Self); 8] = [
            (&["english"], Self::En),
            (&["german", "deutsch"], Self::De),
            (&["french", "francais"], Self::Fr),
            (&["spanish", "espanol"], Self::Es),
            (&["italian", "italiano"], Self::It),
            (&["portuguese", "portugues"], Self::Pt),
            (&["dutch", "nederlands"], Self::Nl),
            (&["turkish", "turkce"], Self::Tr),
        ];
        let code = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code() == code)
            .or_else(|| names.into_iter().find(|(names, _)| names.contains(&tag.as_str())).map(|(_, language)| language))
    }

    /// Its two letters in ISO 639-1.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::It => "it",
            Self::Pt => "pt",
            Self::Nl => "nl",
            Self::Tr => "tr",
        }
    }
}

/// The languages a text may be in, the likeliest first. Empty when nothing tells.
pub(super) fn detect(tokens: &[String]) -> Vec<Language> {
    let mut scored: Vec<(u32, Language)> = Language::ALL
        .into_iter()
        .map(|language| (tokens.iter().map(|token| u32::from(lexicon().knows(language, token))).sum(), language))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let best = scored.first().map_or(0, |(score, _)| *score);
    scored.into_iter().filter(|(score, _)| score * 4 >= best * 3).map(|(_, language)| language).collect()
}

/// Lower case, without accents, letters drawn out three times or more cut to one.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.to_lowercase().nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'ı' => folded.push('i'),
            'ø' => folded.push('o'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            c => folded.push(c),
        }
    }
    let mut short = String::with_capacity(folded.len());
    for run in folded.chars().collect::<Vec<_>>().chunk_by(|a, b| a == b) {
        let keep = if run.len() > 2 && run[0].is_alphabetic() { 1 } else { run.len() };
        short.extend(run.iter().take(keep));
    }
    short
}

/// A word as typed and as understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) folded: String,
    pub(super) typed: String,
}

impl Token {
    fn new(typed: &str) -> Self {
        Self { folded: fold(typed), typed: typed.to_owned() }
    }
}

/// The words of a text, folded: see [`split`].
pub(super) fn tokens(text: &str) -> Vec<String> {
    split(text).into_iter().map(|token| token.folded).collect()
}

/// The words of a text. Punctuation that ends a thought stays as a token of its own, and so do emoji that speak.
pub(super) fn split(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let text: String = text.chars().map(|c| if matches!(c, '’' | '`' | '´') { '\'' } else { c }).collect();
    for word in text.split_word_bounds() {
        if word.chars().any(char::is_alphanumeric) {
            split_word(word, &mut found);
        } else if matches!(word, "?" | "!" | "," | "." | ";" | "\n" | "+" | "&" | "#" | "¿") {
            found.push(Token::new(word));
        } else if word.starts_with(['👍', '👌', '✅', '💯']) {
            found.push(Token { folded: "ok".to_owned(), typed: word.to_owned() });
        } else if word.starts_with(['👎', '❌']) {
            found.push(Token { folded: "no".to_owned(), typed: word.to_owned() });
        }
    }
    found
}

/// `i'd` is one word, `l'ordine` two; `42si` and `3x` part after the digits, `500g` stays, for it is a measure.
fn split_word(word: &str, found: &mut Vec<Token>) {
    if let Some((left, right)) = word.split_once('\'') {
        if matches!(right.to_lowercase().as_str(), "s" | "d" | "ll" | "m" | "re" | "ve" | "t") {
            found.push(Token::new(&format!("{left}{right}")));
        } else {
            split_word(left, found);
            split_word(right, found);
        }
        return;
    }
    for part in word.split(|c: char| !c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(c)) {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let measure = matches!(rest.to_lowercase().as_str(), "g" | "kg" | "mg" | "ml" | "l" | "cl" | "cm" | "mm");
        if number.is_empty() || rest.is_empty() || measure {
            found.extend((!part.is_empty()).then(|| Token::new(part)));
        } else {
            found.extend([Token::new(number), Token::new(rest)]);
        }
    }
}

/// Whether a word says nothing about what is wanted, in any of the languages.
pub(super) fn is_filler(languages: &[Language], token: &str) -> bool {
    !token.chars().any(char::is_alphanumeric) || languages.iter().any(|language| lexicon().has(*language, Meaning::Stop, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_taken_apart() {
        assert_eq!(tokens("Heyyy, I'd take 3x 500g!"), ["hey", ",", "id", "take", "3", "x", "500g", "!"]);
        assert_eq!(tokens("l’ordine 42si Größe"), ["l", "ordine", "42", "si", "grosse"]);
        assert_eq!(tokens("KIRMIZI çekirdeği"), ["kirmizi", "cekirdegi"]);
    }

    #[test]
    fn a_sentence_tells_its_language() {
        for (text, language) in [
            ("do you have this in my size", Language::En),
            ("ich hätte gern zwei davon", Language::De),
            ("je voudrais annuler ma commande", Language::Fr),
            ("quiero dos de estos por favor", Language::Es),
            ("vorrei ordinare due paia", Language::It),
            ("quero cancelar meu pedido", Language::Pt),
            ("ik wil graag twee stuks", Language::Nl),
            ("sipariş vermek istiyorum", Language::Tr),
        ] {
            assert_eq!(detect(&tokens(text)).first(), Some(&language), "{text}");
        }
    }

    #[test]
    fn a_language_is_known_by_tag_and_by_name() {
        assert_eq!(Language::from_tag("pt_BR"), Some(Language::Pt));
        assert_eq!(Language::from_tag(" German "), Some(Language::De));
        assert_eq!(Language::from_tag("ja"), None);
    }
}
