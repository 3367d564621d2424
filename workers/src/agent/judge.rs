//! Judges whether a customer's message clearly accepts the proposal shown before it. Only messages
//! made up wholly of words of assent count: whatever is not understood is not a yes.

use std::collections::HashSet;
use std::sync::LazyLock;

use rust_decimal::Decimal;

use super::guard::plain_text;

/// What a message says to an open proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Accepted, clearly and without a condition.
    Yes,
    /// Refused, clearly.
    No,
    /// Anything else: a question, a change, a wait, a mixture, a long text.
    Unclear,
}

/// What the customer saw in the proposal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Every number of the proposal (quantities, unit prices, total): a yes may repeat these and no other.
    pub numbers: &'a [Decimal],
}

/// Longest message that may be a yes, in characters and words.
const MAX_CHARS: usize = 60;
const MAX_WORDS: usize = 9;

/// Accepts; folded, `|` between phrases.
const YES: &[&str] = &[
    "yes|yep|yup|yeah|yea|ya|ye|yse|yas|aye|ok|okay|okey|okie|oki|k|kk|sure|sure thing|go ahead|go for it|please do|do it|confirm|confirmed|confirm it|i confirm|confirm order|confirm the order|confirm my order|i confirm the order|i confirm my order|i confirm it|sounds good|sounds great|sounds perfect|perfect|great|looks good|looks great|looks perfect|looks right|looks correct|all good|its all good|it's all good|that's right|thats right|that's correct|thats correct|that is correct|that is right|correct|that's fine|thats fine|that is fine|it's fine|fine|fine by me|fine with me|works for me|that works|place the order|place order|place my order|place it|please order|order it|order them|please order it|please place the order|place the order please|i'll take it|ill take it|i will take it|i'll take them|i will take them|i want it|i want them|let's do it|lets do it|deal|absolutely|definitely|of course|alright|all right|agreed|i agree|accepted|i accept|exactly|certainly|very well|very good|good|good to go|do so|please proceed|proceed|let's go|lets go|by all means|affirmative|excellent",
    "ja|jo|jep|jup|joa|jawohl|jawoll|gern|gerne|sehr gern|sehr gerne|aber gerne|passt|passt so|das passt|das passt so|passt fur mich|passt mir|einverstanden|bestatigt|bestatigen|bestatige|ich bestatige|ich bestatige die bestellung|bitte bestellen|bestellen|bestell|bestell bitte|jetzt bestellen|ich bestelle|klar|na klar|aber klar|klaro|genau|genau so|stimmt|stimmt so|das stimmt|das stimmt so|alles klar|perfekt|super|prima|in ordnung|geht in ordnung|geht klar|machen wir so|machen wir|mach das|machen sie das|so machen wir das|nehme ich|nehm ich|ich nehme sie|ich nehm sie|ich nehme es|ich nehme ihn|ich nehm die|ich nehme die|naturlich|selbstverstandlich|auf jeden fall|unbedingt|richtig|das ist richtig|korrekt|abgemacht|wunderbar|top|jap|sicher|gebongt|oke|okeh|freilich",
    "oui|ui|ouais|ouai|wi|c'est bon|cest bon|c bon|d'accord|daccord|dac|parfait|c'est parfait|je confirme|je confirme la commande|je valide|validez|valide|confirmez|confirme|confirmer|ca marche|ca roule|ca me va|ca me convient|tres bien|bien sur|bien entendu|allez-y|allez y|vas-y|vas y|volontiers|avec plaisir|je les prends|je le prends|je la prends|je prends|c'est ok|c'est ok pour moi|ok pour moi|bon pour moi|entendu|exactement|tout a fait|c'est ca|c'est correct|c'est exact|absolument|impeccable|nickel|super|commandez|genial|tout est bon",
    "si|sip|perfecto|vale|de acuerdo|claro|claro que si|por supuesto|confirmo|confirmado|confirmar|confirma|confirmalo|confirmo el pedido|lo confirmo|esta bien|esta perfecto|muy bien|adelante|dale|listo|correcto|es correcto|me lo llevo|me los llevo|me la llevo|me las llevo|lo quiero|los quiero|la quiero|las quiero|genial|bueno|exacto|eso es|hecho|conforme|desde luego|todo bien|todo correcto|acepto|okis|va|me parece bien|haz el pedido|hazlo",
    "confermo|confermato|conferma|confermo l'ordine|va bene|va benissimo|va bene cosi|perfetto|certo|certamente|d'accordo|esatto|procedi|proceda|procedete|procedete pure|procedi pure|proceda pure|vai|ottimo|lo prendo|la prendo|li prendo|le prendo|benissimo|assolutamente|assolutamente si|volentieri|giusto|corretto|ci sto|ordina|ordinate|tutto ok|tutto bene|bene|accetto|daje",
    "sim|esta bem|pode ser|pode confirmar|pode fechar|pode mandar|pode fazer|pode pedir|ta bom|ta bem|ta otimo|ta certo|beleza|blz|fechado|fechou|certo|isso|isso mesmo|isso ai|perfeito|tudo bem|tudo certo|com certeza|claro que sim|quero|quero sim|aceito|combinado|confirmo o pedido|confirmada|exato|otimo|feito|bora|manda ver|ok para mim|esta certo|esta otimo|esta perfeito|concordo|com todo o gosto",
    "graag|heel graag|ja hoor|prima|prima zo|akkoord|is goed|dat is goed|goed|helemaal goed|dat klopt|klopt|klopt helemaal|ik bevestig|bevestigd|bevestigen|bevestig|doe maar|zeker|zeker weten|natuurlijk|uiteraard|perfect|oke|okee|top|in orde|komt goed|bestel maar|bestellen maar|ik neem ze|ik neem hem|ik neem het|lijkt me goed|doen we|afgesproken|geregeld|juist",
    "evet|olur|tamam|tamamdir|onayliyorum|onayla|onaylandi|onay|siparisi onayliyorum|kabul|kabul ediyorum|tabii|tabi|tabii ki|tabi ki|elbette|peki|aynen|uygundur|uygun|aliyorum|alayim|istiyorum|hay hay|dogru|kesinlikle|harika|super|mukemmel|olsun|siparis ver|verin",
    "نعم|ايوه|أيوه|أيوة|ايوة|اي|تمام|موافق|موافقة|حسنا|أكيد|اكيد|اوكي|أوافق|أؤكد|نعم أؤكد|طبعا|بالتأكيد|بله|باشه",
    "да|ок|окей|хорошо|подтверждаю|согласен|согласна|конечно|давайте|давай|отлично|верно|все верно|ага|идет|оформляите|беру",
    "tak|dobrze|dobra|potwierdzam|zgoda|zgadzam sie|jasne|oczywiscie|pewnie|okej|super|biore|zamawiam|swietnie",
    "हाँ|हां|जी|जी हाँ|जी हां|हाँ जी|हां जी|ठीक है|ठीक|बिल्कुल|सही है|haan|han|haan ji|ji haan|theek hai|thik hai|bilkul|sahi hai",
];
/// Says nothing for or against.
const FILLER: &[&str] = &[
    "please|pls|plz|thanks|thank you|thank you so much|thank you very much|thanks a lot|many thanks|thx|ty|sir|madam|mam|bro|mate|dear|then|order|now|lovely|nice|very much",
    "bitte|bitte sehr|danke|danke schon|dankeschon|vielen dank|danke sehr|dann|merci|mfg",
    "s'il vous plait|sil vous plait|s'il te plait|svp|stp|merci beaucoup|merci bien",
    "por favor|porfa|porfavor|gracias|muchas gracias|mil gracias|ahora|senor|amigo",
    "grazie|grazie mille|per favore|per piacere|perfavore|pure",
    "obrigado|obrigada|muito obrigado|muito obrigada|pf|pfv|entao|brigado|valeu",
    "alstublieft|alsjeblieft|aub|ajb|dank je|dank u|dank je wel|dankjewel|dank u wel|bedankt|dan|zo|hoor",
    "lutfen|tesekkurler|tesekkur ederim|sagol|sag olun|tsk|rica ederim",
    "من فضلك|لو سمحت|شكرا|شكرا لك|пожалуиста|спасибо|prosze|dzieki|dziekuje|कृपया|धन्यवाद|शुक्रिया|please ji",
];
/// Refuses.
const NO: &[&str] = &[
    "no|nope|nah|no thanks|no thank you|not that one|cancel|cancel it|cancel that|cancel this|cancel order|cancel the order|cancel my order|please cancel|don't|dont|do not|do not order|don't order|dont order|don't do it|stop|never mind|nevermind|forget it|forget about it|i don't want it|i dont want it|i do not want it|i changed my mind|changed my mind|not interested|leave it|no way",
    "nein|ne|no|nee|nein danke|lieber nicht|doch nicht|abbrechen|abbruch|stornieren|storno|bitte stornieren|nicht bestellen|vergiss es|vergessen sie es|kein interesse|auf keinen fall|lass es",
    "non|non merci|annuler|annulez|annule|j'annule|je ne veux pas|laissez tomber|laisse tomber|pas interesse|surtout pas",
    "no gracias|cancelar|cancela|cancelalo|cancele|no lo quiero|no quiero|dejalo|olvidalo|mejor no|anular|anula",
    "no grazie|annulla|annullare|annullate|non lo voglio|non voglio|lascia stare|lasci stare|meglio di no",
    "nao|nao obrigado|nao obrigada|nao quero|deixa|deixa pra la|esquece|cancelar pedido|melhor nao",
    "nee bedankt|nee dank je|annuleren|annuleer|laat maar|liever niet|toch niet|hoeft niet",
    "hayir|yok|iptal|iptal et|iptal edin|istemiyorum|vazgectim|gerek yok|olmaz",
    "لا|لا شكرا|إلغاء|الغاء|нет|отмена|не надо|не хочу|отменить|nie|nie dziekuje|anuluj|rezygnuje|नहीं|नही|रद्द करें|nahi",
];
const YES_SIGNS: &[char] = &['👍', '👌', '✅', '🆗', '💯', '✔', '☑', '🤝', '🙆'];
const NO_SIGNS: &[char] = &['👎', '❌', '🚫', '⛔', '🙅', '✖', '❎'];
const FRIENDLY_SIGNS: &[char] = &[
    '🙏', '🙂', '😊', '😀', '😃', '😄', '😁', '🥰', '😍', '🤩', '❤', '💕', '🎉', '👏', '🔥', '💪', '🙌', '☺', '✨', '😇', '💙', '💚', '🤗',
    '♥', '🥳',
];

/// What one phrase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    Yes,
    No,
    Filler,
}

/// The known phrases, squeezed.
struct Phrases {
    yes: HashSet<String>,
    no: HashSet<String>,
    filler: HashSet<String>,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let set =
        |lists: &[&str]| lists.iter().flat_map(|l| l.split('|')).map(|p| words(p).map_or_else(String::new, |w| w.join(" "))).collect();
    Phrases { yes: set(YES), no: set(NO), filler: set(FILLER) }
});

/// Judges a message that came after a proposal was shown. Anything but a plain yes or no is
/// unclear: a wrong yes sells what nobody ordered, a wrong "unclear" costs one more question.
#[must_use]
pub fn judge(text: &str) -> Verdict {
    judge_shown(text, &Shown::default())
}

/// As [`judge`], where the yes may also repeat the numbers of the proposal ("yes, 2 for 119.80").
#[must_use]
pub fn judge_shown(text: &str, shown: &Shown<'_>) -> Verdict {
    let Some(senses) = senses(text, shown) else { return Verdict::Unclear };
    let has = |s: Sense| senses.contains(&s);
    match (has(Sense::Yes), has(Sense::No)) {
        (true, false) => Verdict::Yes,
        (false, true) => Verdict::No,
        _ => Verdict::Unclear,
    }
}

/// The sense of every phrase of the message; nothing if a part of it is not understood.
fn senses(text: &str, shown: &Shown<'_>) -> Option<Vec<Sense>> {
    let text = text.trim();
    if text.chars().count() > MAX_CHARS || hesitates(text) {
        return None;
    }
    let mut senses = Vec::new();
    let mut plain = String::new();
    for c in plain_text(text).chars() {
        let sense = if YES_SIGNS.contains(&c) {
            Some(Sense::Yes)
        } else if NO_SIGNS.contains(&c) {
            Some(Sense::No)
        } else if FRIENDLY_SIGNS.contains(&c) {
            Some(Sense::Filler)
        } else {
            None
        };
        match sense {
            Some(sense) => {
                senses.push(sense);
                plain.push(' ');
            }
            // The skin colour of a sign before it.
            None if ('\u{1f3fb}'..='\u{1f3ff}').contains(&c) => {}
            None => plain.push(c),
        }
    }
    let words = words(&plain.replace(":-)", " ").replace(":)", " "))?;
    let mut at = 0;
    while at < words.len() {
        if at >= MAX_WORDS {
            return None;
        }
        if let Some(taken) = repeated_number(&words[at..], shown) {
            senses.push(Sense::Filler);
            at += taken;
            continue;
        }
        let (taken, sense) = phrase(&words[at..])?;
        senses.push(sense);
        at += taken;
    }
    Some(senses)
}

/// Questions, quotes, dots of doubt and signs with a meaning of their own.
fn hesitates(text: &str) -> bool {
    let dots = text.contains("..") || text.contains('…');
    dots || text.chars().any(|c| {
        matches!(
            c,
            '?' | '¿'
                | '؟'
                | '？'
                | ';'
                | '"'
                | '“'
                | '”'
                | '„'
                | '«'
                | '»'
                | '>'
                | '<'
                | '/'
                | '\\'
                | '='
                | '%'
                | '#'
                | '@'
                | '&'
                | '+'
                | '~'
                | '|'
                | '{'
                | '['
        )
    })
}

/// The words without punctuation, repeated letters squeezed ("yesss"); nothing if a character is
/// neither a letter, a digit nor plain punctuation.
fn words(text: &str) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in plain_text(text).chars().chain(std::iter::once(' ')) {
        // Indic vowel signs and the virama are marks, not letters.
        let letter = c.is_alphanumeric() || ('\u{900}'..='\u{97f}').contains(&c) && c != '।' || ('\u{64b}'..='\u{652}').contains(&c);
        if letter {
            if !word.ends_with(c) || c.is_numeric() {
                word.push(c);
            }
        } else if matches!(c, '\'' | '-') && word.ends_with(char::is_alphanumeric) {
            // "that's" and "allez-y" stay one word, without the sign.
        } else if matches!(c, ' ' | '\u{a0}' | '\n' | ',' | '.' | '!' | '-' | '\'' | ':' | ')' | '(' | '，' | '。' | '！' | '،' | '।' | '¡')
        {
            if !word.is_empty() {
                out.push(std::mem::take(&mut word));
            }
        } else {
            return None;
        }
    }
    Some(out)
}

/// A number that the proposal showed too.
fn repeated_number(words: &[String], shown: &Shown<'_>) -> Option<usize> {
    let value: Decimal = words.first()?.parse().ok()?;
    shown.numbers.contains(&value).then_some(1)
}

/// The longest known phrase at the start, with one slip of the pen in a long word.
fn phrase(words: &[String]) -> Option<(usize, Sense)> {
    let sense = |p: &str| {
        let known = [(&PHRASES.no, Sense::No), (&PHRASES.yes, Sense::Yes), (&PHRASES.filler, Sense::Filler)];
        known.into_iter().find(|(set, _)| set.contains(p)).map(|(_, s)| s)
    };
    for n in (1..=words.len().min(5)).rev() {
        if let Some(sense) = sense(&words[..n].join(" ")) {
            return Some((n, sense));
        }
    }
    let word = words.first().filter(|w| w.chars().count() >= 6)?;
    let close = |set: &HashSet<String>| {
        set.iter().any(|p| {
            p.chars().next() == word.chars().next() && p.chars().count() >= 6 && !p.contains(' ') && strsim::osa_distance(p, word) <= 1
        })
    };
    let (yes, no) = (close(&PHRASES.yes) || close(&PHRASES.filler), close(&PHRASES.no));
    match (yes, no) {
        (true, false) if close(&PHRASES.yes) => Some((1, Sense::Yes)),
        (true, false) => Some((1, Sense::Filler)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Line {
        text: String,
        verdict: Verdict,
    }

    fn corpus() -> Vec<Line> {
        include_str!("../../corpora/judge.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    fn yeses() -> Vec<String> {
        corpus().into_iter().filter(|l| l.verdict == Verdict::Yes).map(|l| l.text).collect()
    }

    #[test]
    fn every_line_of_the_corpus_is_judged_as_it_says() {
        let lines = corpus();
        assert!(lines.len() >= 200);
        let wrong: Vec<String> =
            lines.iter().map(|l| (l, judge(&l.text))).filter(|(l, v)| l.verdict != *v).map(|(l, v)| format!("{}: {v:?}", l.text)).collect();
        assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
    }

    #[test]
    fn a_yes_may_repeat_the_numbers_of_the_proposal_and_no_other() {
        let numbers = [Decimal::from(2)];
        let shown = Shown { numbers: &numbers };
        assert_eq!(judge_shown("yes 2", &shown), Verdict::Yes);
        assert_eq!(judge_shown("yes 3", &shown), Verdict::Unclear);
        assert_eq!(judge_shown("2", &shown), Verdict::Unclear);
    }

    #[test]
    fn no_yes_stays_one_with_a_condition_a_question_a_wait_or_a_negation() {
        let tails = [
            " but in blue",
            "?",
            " ?",
            "؟",
            " no",
            " not",
            " aber in 43",
            " nicht",
            " mais pas maintenant",
            " pas",
            " pero mañana",
            " no",
            " ma domani",
            " non",
            " mas não",
            " não",
            " maar niet",
            " niet",
            " ama mavi",
            " değil",
            " wait",
            " if it is cheap",
            " 7",
            " 2 pairs",
            " cancel",
            " لا",
            " не",
            " nie",
            " नहीं",
            "...",
            " 🤔",
            " 🙄",
            " 😂",
            " 👎",
            " later",
            " and a belt",
            " / no",
            "\nno",
        ];
        for yes in yeses() {
            for tail in tails {
                let text = format!("{yes}{tail}");
                assert_ne!(judge(&text), Verdict::Yes, "{text}");
            }
        }
    }

    #[test]
    fn no_yes_stays_one_after_a_negation_or_inside_quotes() {
        for yes in yeses() {
            for text in [
                format!("not {yes}"),
                format!("no, {yes}"),
                format!("nicht {yes}"),
                format!("don't {yes}"),
                format!("ne {yes} pas"),
                format!("\"{yes}\""),
                format!("if {yes}"),
                format!("> {yes}"),
            ] {
                assert_ne!(judge(&text), Verdict::Yes, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_unknown_word_never_leaves_a_yes(word in "[b-z]{3,9}[qxzw]{2}", i in 0_usize..1000) {
            let yeses = yeses();
            let yes = &yeses[i % yeses.len()];
            let (after, before) = (format!("{yes} {word}"), format!("{word} {yes}"));
            prop_assert_ne!(judge(&after), Verdict::Yes);
            prop_assert_ne!(judge(&before), Verdict::Yes);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = judge(&text);
        }
    }
}
