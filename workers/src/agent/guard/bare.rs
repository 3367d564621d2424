//! Judges numbers that stand without a currency: what speaks for a price, and what against.

use rust_decimal::Decimal;

use super::context::Reading;
use super::tokens::{Kind, Number};
use super::vocabulary as v;

/// How far a sentence is looked at, in tokens to each side: bounds the work on a reply without a full stop.
const NEARBY: usize = 60;

/// Pairs of words that end right before a price.
const SAYS: &[(&str, &str)] = &[
    ("that", "s"),
    ("that", "is"),
    ("that", "be"),
    ("ll", "be"),
    ("that", "makes"),
    ("it", "s"),
    ("it", "is"),
    ("they", "re"),
    ("they", "are"),
    ("would", "be"),
    ("comes", "to"),
    ("come", "to"),
    ("amounts", "to"),
    ("makes", "it"),
    ("make", "it"),
    ("das", "macht"),
    ("das", "waren"),
    ("das", "ware"),
    ("das", "sind"),
    ("das", "ist"),
    ("ca", "fait"),
    ("cela", "fait"),
    ("c", "est"),
    ("ca", "fera"),
    ("dat", "is"),
    ("dat", "wordt"),
    ("esta", "a"),
    ("estan", "a"),
    ("queda", "en"),
    ("quedan", "en"),
    ("sale", "a"),
    ("salen", "a"),
    ("sai", "por"),
    ("fica", "em"),
    ("fica", "por"),
    ("viene", "a"),
    ("eso", "es"),
    ("en", "total"),
    ("could", "do"),
    ("can", "do"),
    ("down", "to"),
    ("how", "about"),
];
/// Single words that end right before a price.
const LEADS: &[&str] = &[
    "for", "fur", "fuer", "pour", "por", "per", "voor", "from", "ab", "desde", "vanaf", "partir", "partire", "fait", "fera", "fanno",
    "fica", "ficam", "son", "serian", "sono", "sao", "waren", "zu", "at", "a",
];
/// Pairs of words that follow a price.
const FOLLOWS: &[(&str, &str)] = &[
    ("in", "total"),
    ("all", "in"),
    ("a", "pair"),
    ("a", "piece"),
    ("the", "pair"),
    ("per", "pair"),
    ("per", "piece"),
    ("per", "item"),
    ("per", "unit"),
    ("per", "month"),
    ("a", "month"),
    ("pro", "stuck"),
    ("pro", "paar"),
    ("das", "stuck"),
    ("das", "paar"),
    ("je", "stuck"),
    ("je", "paar"),
    ("im", "monat"),
    ("pro", "monat"),
    ("la", "piece"),
    ("la", "paire"),
    ("par", "paire"),
    ("par", "piece"),
    ("par", "mois"),
    ("au", "total"),
    ("en", "tout"),
    ("tout", "compris"),
    ("cada", "uno"),
    ("cada", "una"),
    ("cada", "um"),
    ("cada", "uma"),
    ("cada", "par"),
    ("el", "par"),
    ("o", "par"),
    ("por", "par"),
    ("por", "unidad"),
    ("por", "unidade"),
    ("al", "paio"),
    ("al", "pezzo"),
    ("in", "totale"),
    ("en", "total"),
    ("no", "total"),
    ("ao", "todo"),
    ("per", "stuk"),
    ("per", "paar"),
    ("in", "totaal"),
    ("al", "mes"),
    ("por", "mes"),
    ("al", "mese"),
    ("im", "ganzen"),
    ("alles", "zusammen"),
    ("is", "the"),
    ("plus", "shipping"),
    ("plus", "versand"),
    ("zzgl", "versand"),
];

impl Reading<'_> {
    /// A price word right before number `i`, with at most small words between.
    pub(super) fn price_before(&self, i: usize) -> bool {
        for j in (i.saturating_sub(9)..i).rev() {
            match &self.tokens[j].kind {
                Kind::Word(w) if v::is(v::PRICE, w) => return true,
                Kind::Word(w) if v::is(v::TOTAL, w) => return true,
                Kind::Word(w) if v::is(v::BRIDGE, w) || v::is(v::ONLY, w) => {}
                Kind::Sign('=' | '≈') => return true,
                Kind::Sign(':' | '(' | '-' | '"' | '\'' | '>' | '→' | '|' | '👉') => {}
                _ => return false,
            }
        }
        false
    }

    /// A price word in the same sentence, shortly before number `i` or right after it.
    pub(super) fn price_is_near(&self, i: usize) -> bool {
        for j in (i.saturating_sub(12)..i).rev() {
            match &self.tokens[j].kind {
                Kind::Word(w) if v::is(v::PRICE, w) || v::is(v::TOTAL, w) => return true,
                Kind::End => break,
                _ => {}
            }
        }
        (i + 1..i + 4).any(|j| self.word(j).is_some_and(|w| matches!(w, "tutuyor" | "eder" | "ediyor" | "tutar")))
    }

    /// Nothing but an end, a sign or a small word follows number `i`.
    pub(super) fn tail_is_plain(&self, i: usize) -> bool {
        match self.tokens.get(i + 1).map(|t| &t.kind) {
            None | Some(Kind::End) => true,
            Some(Kind::Sign(c)) => !matches!(c, '%' | '/' | '°' | '×' | '"'),
            Some(Kind::Word(w)) => v::is(v::AFTER, w),
            Some(Kind::Number(_)) => false,
        }
    }

    /// The sentence around `i`, as token indices; of an endless one, the part nearby.
    pub(super) fn sentence(&self, i: usize) -> std::ops::Range<usize> {
        let (low, high) = (i.saturating_sub(NEARBY), (i + NEARBY).min(self.tokens.len()));
        let start = (low..i).rev().find(|j| self.tokens[*j].kind == Kind::End).map_or(low, |j| j + 1);
        let end = (i..high).find(|j| self.tokens[*j].kind == Kind::End).unwrap_or(high);
        start..end
    }

    fn other_topic(&self, i: usize) -> bool {
        let sentence = self.sentence(i);
        self.tokens[sentence].iter().any(|t| t.word().is_some_and(|w| v::is(v::OTHER_TOPIC, w)) || t.number().is_some_and(|n| n.masked))
    }

    /// Signs of a price that do not suffice in a sentence about sizes, stock or hours.
    pub(super) fn is_weak_amount(&self, i: usize, n: &Number) -> bool {
        let Some(value) = n.values.first().copied() else { return false };
        // "a hundred": the article is part of the number.
        let article = usize::from(n.spoken && i.checked_sub(1).and_then(|j| self.word(j)) == Some("a"));
        let before = |k: usize| i.checked_sub(k + article).and_then(|j| self.word(j));
        let follows =
            self.word(i + 1).is_some_and(|w| v::is(v::PER_PIECE, w) || self.word(i + 2).is_some_and(|next| FOLLOWS.contains(&(w, next))))
                || self.elided_piece(i);
        if self.verb_of_price_follows(i) {
            return true;
        }
        let busy = self.other_topic(i);
        if follows && !(busy && value < Decimal::from(20)) {
            return true;
        }
        // "size 42 for 61": the size is named already.
        let after_label =
            before(1).is_some_and(|w| matches!(w, "for" | "fur" | "pour" | "por" | "per" | "voor")) && self.labelled_before(i);
        if self.is_name(i) || busy && n.decimals != 2 && !after_label {
            return false;
        }
        if !self.tail_is_plain(i) {
            return false;
        }
        if self.price_is_near(i) && value >= Decimal::from(3) && !self.is_year(i, n) {
            return true;
        }
        // Alone, a small number or a year is hardly a price.
        if value < Decimal::TEN || self.is_year(i, n) {
            return false;
        }
        let ranged = self.word(i + 1).is_some_and(|w| v::is(v::RANGE, w)) || self.number(i + 2).is_some();
        let says = before(1).zip(before(2)).is_some_and(|(b, a)| SAYS.contains(&(a, b)))
            || before(2).zip(before(3)).is_some_and(|(b, a)| SAYS.contains(&(a, b)) && before(1).is_some_and(|w| v::is(v::ONLY, w)))
            || self.elided_says(i);
        let only = before(1).is_some_and(|w| v::is(v::ONLY, w));
        let leads =
            before(1).is_some_and(|w| LEADS.contains(&w) && w != "a" && w != "at") || before(2).is_some_and(|w| LEADS.contains(&w)) && only;
        (says || only || leads || self.is_listed(i)) && !ranged
    }

    /// "Red Sneaker: 61" at the end of a line that speaks of nothing else.
    fn is_listed(&self, i: usize) -> bool {
        let sign = i > 1 && matches!(self.sign(i - 1), Some(':' | '-')) && !self.tokens[i].glued && self.word(i - 2).is_some();
        let last = self.tokens.get(i + 1).is_none_or(|t| t.kind == Kind::End);
        let others = [v::LABEL, v::COUNTED, v::OTHER_TOPIC, v::WEIGHT];
        sign && last && !self.tokens[self.sentence(i)].iter().any(|t| t.word().is_some_and(|w| others.iter().any(|l| v::is(l, w))))
    }

    /// A number earlier in the sentence is a size or the like.
    fn labelled_before(&self, i: usize) -> bool {
        (self.sentence(i).start..i).any(|j| self.number(j).is_some() && self.is_excluded_by_left(j))
    }

    /// Turkish says the verb last: "59 tutuyor", "55'e bırakırım".
    fn verb_of_price_follows(&self, i: usize) -> bool {
        let suffix = self.sign(i + 1) == Some('\'') && self.word(i + 2).is_some_and(|w| w.len() <= 3);
        let verbs =
            ["tutuyor", "eder", "ediyor", "tutar", "birakirim", "birakiriz", "veririm", "veririz", "verebilirim", "satiyoruz", "satarim"];
        self.word(if suffix { i + 3 } else { i + 1 }).is_some_and(|w| verbs.contains(&w))
    }

    /// Enough for a street name of money: it is much, or offered.
    pub(super) fn looks_like_price(&self, i: usize) -> bool {
        let offered = i
            .checked_sub(1)
            .and_then(|j| self.word(j))
            .is_some_and(|w| LEADS.contains(&w) || matches!(w, "con" | "en" | "esta" | "est" | "solo" | "nur" | "just" | "only"));
        let much = self.number(i).is_some_and(|n| n.values.first().is_some_and(|v| *v >= Decimal::from(20)));
        offered || much || self.price_is_near(i)
    }

    /// "it's 49", "c'est 49": the apostrophe is a sign of its own.
    fn elided_says(&self, i: usize) -> bool {
        let mut j = i;
        while let Some(p) = j.checked_sub(1)
            && self.word(p).is_some_and(|w| v::is(v::ONLY, w) || matches!(w, "be" | "now" | "then"))
        {
            j = p;
        }
        let back = |k: usize| j.checked_sub(k).and_then(|p| self.word(p));
        j >= 2
            && self.sign(j - 2) == Some('\'')
            && matches!(back(1), Some("s" | "re" | "ll" | "est" | "d"))
            && matches!(back(3), Some("it" | "that" | "they" | "c" | "these" | "both"))
    }

    /// "49 l'unité", "49 l'uno", "49 das Stück".
    fn elided_piece(&self, i: usize) -> bool {
        self.word(i + 1) == Some("l")
            && self.sign(i + 2) == Some('\'')
            && self.word(i + 3).is_some_and(|w| matches!(w, "unite" | "uno" | "una" | "un" | "ensemble" | "une"))
    }

    fn is_year(&self, i: usize, n: &Number) -> bool {
        let _ = i;
        n.decimals == 0 && n.digits.len() == 4 && n.values.first().is_some_and(|v| *v >= Decimal::from(1900) && *v < Decimal::from(2100))
    }

    /// The number belongs to a name: "Air Max 90", "Levi's 501".
    pub(super) fn is_name(&self, i: usize) -> bool {
        let Some(p) = i.checked_sub(1) else { return false };
        let token = &self.tokens[p];
        let Some(word) = token.word() else { return false };
        let first = p == 0 || self.tokens[p - 1].kind == Kind::End;
        let spoken_of = [v::PRICE, v::TOTAL, v::ONLY, v::BRIDGE, v::AFTER].iter().any(|l| v::is(l, word)) || LEADS.contains(&word);
        token.capital && !first && !spoken_of
            || word == "s" && self.sign(p.wrapping_sub(1)) == Some('\'') && !self.elided_says(i) && self.owner_is_name(p)
    }

    fn owner_is_name(&self, p: usize) -> bool {
        p >= 2
            && self.tokens[p - 2].capital
            && !matches!(self.word(p - 2), Some("it" | "that" | "they" | "he" | "she" | "here" | "there" | "what" | "price"))
    }

    /// Whether the number is clearly no amount.
    pub(super) fn is_excluded(&self, i: usize, n: &Number) -> bool {
        n.masked || self.is_excluded_by_left(i) || self.is_excluded_by_right(i)
    }

    pub(super) fn is_excluded_by_left(&self, i: usize) -> bool {
        let Some(p) = i.checked_sub(1) else { return false };
        let glued = self.tokens[i].glued;
        match &self.tokens[p].kind {
            Kind::Word(_) if glued && self.number(i).is_some_and(|n| !n.spoken) => return true,
            Kind::Sign('#' | '°' | '%' | '/' | '@' | '_') if glued => return true,
            Kind::Sign('-') if glued && self.tokens[p].glued && p > 0 && self.word(p - 1).is_some() => return true,
            _ => {}
        }
        self.label(i)
    }

    /// A size, order number or the like governs the list that `i` is part of.
    fn label(&self, i: usize) -> bool {
        let mut j = i;
        for _ in 0..24 {
            let Some(p) = j.checked_sub(1) else { return false };
            let part_of_list = (0..=1).any(|k| p.checked_sub(k + 1).is_some_and(|q| self.number(q).is_some()));
            match &self.tokens[p].kind {
                Kind::Number(n) => {
                    // A price ends the list: "size 42, 59.90".
                    if n.decimals == 2 || self.unit_near(p) {
                        return false;
                    }
                    // "size 42, 59.90" again: halves are sizes, cents are not.
                    if self.number(i).is_some_and(|n| n.decimals == 2) && self.sign(p + 1) != Some(',') {
                        return false;
                    }
                }
                Kind::Sign(':' | '.' | '(' | '"' | '°' | '#' | '\'') => {}
                Kind::Sign(',' | '/' | '-' | '&' | '+') if part_of_list => {}
                Kind::Word(w) if v::is(v::LINK, w) && part_of_list => {}
                Kind::Word(w) => {
                    let token = &self.tokens[p];
                    let region = matches!(w.as_str(), "it" | "fr" | "de" | "cn" | "us" | "en");
                    if region {
                        return token.capitals;
                    }
                    let between = v::is(v::BRIDGE, w)
                        && matches!(w.as_str(), "is" | "ist" | "est" | "es" | "e" | "of" | "in" | "from" | "von" | "de" | "are" | "sind");
                    if between && p > 0 && self.word(p - 1).is_some_and(|w| v::is(v::CLEAR_LABEL, w)) {
                        return self.number(i).is_some_and(|n| n.decimals < 2);
                    }
                    if v::is(v::CLEAR_LABEL, w) {
                        return true;
                    }
                    return v::is(v::LABEL, w) && !self.price_before(i);
                }
                _ => return false,
            }
            j = p;
        }
        false
    }

    fn unit_near(&self, i: usize) -> bool {
        self.tokens.get(i + 1).is_some_and(super::tokens::is_money_word)
            || i > 0 && self.tokens[i - 1].sign().is_some_and(|c| super::currency::of_sign(c).is_some())
    }

    fn is_excluded_by_right(&self, i: usize) -> bool {
        match self.tokens.get(i + 1).map(|t| (&t.kind, t.glued)) {
            Some((Kind::Word(w), true)) => !(matches!(w.as_str(), "e") && self.price_before(i)),
            Some((Kind::Word(w), false)) => {
                let percent = matches!(w.as_str(), "percent" | "prozent" | "procent" | "pct");
                let times = matches!(w.as_str(), "x" | "mal") && self.number(i + 2).is_some();
                let per_cent =
                    matches!(w.as_str(), "per" | "pour" | "por") && matches!(self.word(i + 2), Some("cent" | "cento" | "ciento"));
                let counted = v::is(v::COUNTED, w) && !matches!(w.as_str(), "of" | "more" | "is" | "an" | "par")
                    || matches!(w.as_str(), "of" | "more") && !self.price_before(i);
                // "2 à 3 jours", "3 iş günü": the unit comes a little later.
                let counted_at = |j: usize| self.word(j).is_some_and(|w| v::is(v::COUNTED, w));
                let range = (v::is(v::LINK, w) || v::is(v::RANGE, w)) && self.number(i + 2).is_some() && counted_at(i + 3);
                let work_days = w == "is" && self.word(i + 2).is_some_and(|w| w.starts_with("gun"));
                percent || times || per_cent || counted || range || work_days
            }
            Some((Kind::Sign('%' | '×' | '°' | '★' | '⭐'), _)) => true,
            Some((Kind::Sign('-'), true)) => self.glued_word_after_dash(i),
            // "42 (27 cm)", "2-3 days": the end of the range tells.
            Some((Kind::Sign('+'), true)) => !self.price_before(i),
            _ => false,
        }
    }

    fn glued_word_after_dash(&self, i: usize) -> bool {
        match self.tokens.get(i + 2) {
            Some(t) if t.glued && t.word().is_some() => true,
            Some(t) if t.number().is_some() => self.word(i + 3).is_some_and(|w| v::is(v::COUNTED, w)),
            _ => false,
        }
    }
}
