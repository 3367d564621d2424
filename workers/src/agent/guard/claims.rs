//! Finds discounts and things said to cost nothing: amounts without a number of money.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use rust_decimal::Decimal;

use super::context::Reading;
use super::tokens::Kind;
use super::vocabulary::is;

/// Speaks of a price going down (or up).
const DISCOUNT: &[&str] = &[
    "off discount* reduc* reduz* cheaper less lower* sale save saves saving* promo* code coupon* voucher* deal* markdown cashback",
    "bonus offer* increase* higher extra rabatt* nachlass* skonto preisnachlass spar* gunstiger billiger weniger gutschein*",
    "angebot* aktion* ermassig* remise* rabais moins solde* ristourne reduit* econom* descuento* rebaj* menos oferta* ahorr* cupon",
    "barat* scont* saldi ribass* risparmi* meno offert* desconto* cupom abatimento korting* goedkoper bespaar* afgeprijsd actie",
    "kortingscode indirim* ucuz* kampanya* خصم* تخفيض* तخفیف تخفیف छूट* скидк* znizk* rabat* promocj* ส่วนลด* 折扣 割引",
];
/// A share of something else than the price.
const SHARE: &[&str] = &[
    "cotton wool polyester leather silk linen elastane viscose nylon cashmere organic natural recycled sure waterproof vegan",
    "authentic original pure vat spandex merino acrylic bamboo baumwolle wolle leder seide leinen elasthan viskose kaschmir",
    "polyamid mwst bio* coton laine cuir soie lin polyamide tva algodon lana cuero seda lino poliester iva cotone pelle seta",
    "poliestere algodao la couro katoen wol leer zijde linnen btw pamuk* yun deri ipek kdv cacao cocoa kakao arabica humidity",
    "alcohol",
];
const NOT: &[&str] = &["not nicht pas niet never nie nao no non t kein*"];
const FREE: &[&str] = &[
    "gratis* kostenlos* kostenfrei* umsonst gratuit* ucretsiz* bedava* versandkostenfrei* portofrei geschenkt omaggio brinde*",
    "complimentary freebie* бесплатн* مجان* رایگان* मुफ़्त मुफ्त फ्री निःशुल्क 免费* 無料* 무료* ฟรี* darmow* bezplatn* gratisversand",
    "offerts obsequio kosteloos kosteloze freeship δωρεαν",
];
/// Before "free", together they mean something else: "sugar free", "feel free".
const WITHOUT: &[&str] = &[
    "feel feeling you sugar gluten lactose cruelty stress hassle nickel lead fragrance bpa wrinkle acid hands pvc chlorine plastic",
    "alcohol fat caffeine oil paraben dairy worry toll latex nut slip risk smoke silicone sulfate lint iron scent perfume animal",
    "pet carefree am re trouble error ad jerk nike crease chemical meat",
];
/// After "free": "free to", "free from", "free size".
const NO_PRICE: &[&str] = &[
    "to from time size run range spirit slot* appointment* standing flow* hand* day style will speech space spot* table* motion",
    "trade movement",
];

/// Half prices and two for one.
static BARGAIN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[
        r"\bhalf[- ]?(?:the |of the |its |of its )?(?:usual |regular |original |normal )?(?:price|off|cost)\b",
        r"\bhalbe[rmns]?\s+preis",
        r"\bhalfte (?:des preises|gunstiger|reduziert)",
        r"\bmoitie (?:du )?prix|\bmoitie moins",
        r"\bmitad de(?:l)? (?:su )?precio|\bmitad de precio",
        r"\b(?:meta|mezzo) (?:del )?prezzo",
        r"\bmetade do (?:valor|preco)|\bmeio preco",
        r"\bhalve (?:de )?prijs|\bhelft van de prijs",
        r"\byari (?:yariya|fiyat)",
        r"\b(?:a|one) (?:third|quarter) (?:off|cheaper|less)",
        r"\b(?:2|3|4|two|three|four)[- ]for[- ](?:the price of )?(?:1|2|3|one|two|three)\b(?:\s|[.,!?;:]|$)",
        r"\bbuy (?:one|1|two|2|three|3)[, ]+(?:and )?get\b",
        r"\bbogo\b",
        r"\b(?:2x1|3x2|4x3)\b",
        r"\b(?:zwei|drei|2|3) (?:zum preis von|fur|fuer) (?:einem?|eins|zwei|1|2)\b",
        r"\b(?:deux|trois|2|3) (?:pour|au prix) (?:le prix )?d",
        r"\b(?:dos|tres|2|3) por (?:uno|dos|1|2)\b",
        r"\b(?:due|tre|2|3) al prezzo di",
        r"\b(?:leve|pague) \d",
        r"\bal (?:1|2|3|bir|iki|uc) ode\b|\b\d al \d ode\b",
        r"\b(?:eins|eines|das zweite|the second|second (?:one|pair)|le deuxieme|la segunda|el segundo) (?:is )?(?:on us|geschenkt|offert)",
    ])
});
/// Ways to say that something costs nothing.
static GIVEN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compile(&[
        r"\b(?:at )?no (?:extra |additional |further |shipping |delivery |added )*(?:costs?|charges?|fees?)\b",
        r"\bwithout (?:any )?(?:extra |additional |shipping )*(?:costs?|charges?|fees?)\b",
        r"\b(?:it'?s|is|are|shipping|delivery) on (?:us|the house)\b|\bon the house\b",
        r"\bfor nothing\b",
        r"\bthrow(?:ing|n)? in (?:a|an|some|the|two|free)\b",
        r"(?:n't|\bnot|\bnever) cost (?:you |u )?(?:anything|a thing|a cent|a penny)|\bcosts? (?:you )?nothing\b|\bkost(?:et|en)? (?:dich |sie |euch |dir |ihnen |je |u )?(?:nichts|niets|keinen cent)|\bcoute (?:absolument )?rien|\b(?:cuesta|custa) nada|\bcosta (?:niente|nulla)",
        r"\bwaiv(?:e|ed|ing) (?:the )?(?:shipping|delivery|fee)",
        r"\bohne (?:aufpreis|zusatzkosten|versandkosten|mehrkosten|weitere kosten|zusatzliche kosten|extrakosten)",
        r"\baufs haus\b|\bgeh(?:t|en) auf uns\b|\bschenken (?:wir|ich)\b|\bgeschenk dazu\b|\bfrei haus\b|\bversandfrei\b|\bkeine (?:versand|liefer|zusatz)kosten",
        r"\bsans (?:frais|supplement|cout)",
        r"\b(?:livraison|port|frais|est|sont|retour|envoi|accessoire|cadeau|paire|etui)\b[a-z ]{0,20}\boffert(?:e|es|s)?\b|\boffert(?:e|es)? par la maison|\b(?:on|nous|je) (?:vous |te )?offr(?:e|ons)\b",
        r"\ben cadeau\b",
        r"\bsin (?:coste|costo|costes|costos|cargo|cargos|gastos|ningun coste|coste adicional)\b|\bde regalo\b|\bpor cuenta de la casa\b|\bregalamos\b|\bregalad[oa]s?\b",
        r"\bsenza (?:costi|spese|sovrapprezzo|costo)\b|\bin regalo\b|\bregaliamo\b|\boffre la casa\b|\bin omaggio\b",
        r"\bsem (?:custos?|taxas?|frete|nenhum custo|acrescimo)\b|\bde (?:graca|brinde)\b|\bpor (?:nossa|conta da) (?:conta|casa)\b|\bfrete zero\b|\bde oferta\b",
        r"\bzonder (?:extra |bijkomende )?(?:kosten|meerprijs|verzendkosten)\b|\bvan het huis\b|\bcadeau (?:erbij|van ons)\b|\bkrijg je cadeau\b",
        r"\bhediye(?:miz| ediyoruz| edilir| veriyoruz)\b|\bbizden\b|\bkargo bizden",
    ])
});

fn compile(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().filter_map(|p| Regex::new(p).ok()).collect()
}

/// A claim about the price: a share taken off it, or (without a share) that it is nothing.
#[derive(Debug, Clone)]
pub(super) enum Claim {
    /// So many percent off.
    Percent(Option<Decimal>, Range<usize>),
    /// Half price, two for one.
    Bargain(Range<usize>),
    /// Free of charge.
    Free(Range<usize>),
}

/// Every discount and every "free" of the reply.
pub(super) fn claims(reading: &Reading<'_>, text: &str, masks: &[Range<usize>]) -> Vec<Claim> {
    let masked = |r: &Range<usize>| masks.iter().any(|m| m.start <= r.start && r.end <= m.end);
    let mut out = percents(reading);
    for pattern in BARGAIN.iter() {
        out.extend(pattern.find_iter(text).map(|m| m.range()).filter(|r| !masked(r)).map(Claim::Bargain));
    }
    for pattern in GIVEN.iter() {
        out.extend(pattern.find_iter(text).map(|m| m.range()).filter(|r| !masked(r)).map(Claim::Free));
    }
    for (i, token) in reading.tokens.iter().enumerate() {
        let Some(word) = token.word() else { continue };
        let free = word == "free" && !free_of_something_else(reading, i) || is(FREE, word) && !is(&["gratitud*"], word);
        if free && !negated(reading, i) && !masked(&token.range) {
            out.push(Claim::Free(token.range.clone()));
        }
    }
    out
}

fn negated(reading: &Reading<'_>, i: usize) -> bool {
    (1..=2).map_while(|k| i.checked_sub(k).and_then(|j| reading.word(j))).any(|w| is(NOT, w)) || reading.word(i + 1) == Some("degil")
}

fn free_of_something_else(reading: &Reading<'_>, i: usize) -> bool {
    let mut p = i.wrapping_sub(1);
    if matches!(reading.sign(p), Some('-' | '\'')) {
        p = p.wrapping_sub(1);
    }
    let before = reading.word(p).is_some_and(|w| is(WITHOUT, w));
    let mut n = i + 1;
    if reading.sign(n) == Some('-') {
        n += 1;
    }
    let after = match reading.word(n) {
        Some("of") => !matches!(reading.word(n + 1), Some("charge" | "cost" | "any" | "shipping")),
        Some("at" | "on" | "tomorrow" | "between" | "until") => {
            let sentence = reading.sentence(i);
            !reading.tokens[sentence]
                .iter()
                .any(|t| t.word().is_some_and(|w| is(&["ship*", "deliver*", "gift*", "return*", "exchange*"], w)))
        }
        Some(w) => is(NO_PRICE, w),
        None => false,
    };
    before || after
}

fn percents(reading: &Reading<'_>) -> Vec<Claim> {
    let mut out = Vec::new();
    for (i, token) in reading.tokens.iter().enumerate() {
        let Some(n) = token.number() else { continue };
        let Some(after) = percent_ends(reading, i) else { continue };
        let mut next = after;
        while matches!(reading.word(next), Some("of" | "de" | "aus" | "di" | "d" | "reine*" | "pure" | "organic" | "van" | "bio"))
            || reading.sign(next) == Some('\'')
        {
            next += 1;
        }
        if reading.word(next).is_some_and(|w| is(SHARE, w)) {
            continue;
        }
        let minus = i.checked_sub(1).is_some_and(|p| {
            reading.sign(p) == Some('-') && token.glued && !(reading.tokens[p].glued && p > 0 && reading.number(p - 1).is_some())
        });
        let sentence = reading.sentence(i);
        let spoken_of = reading.tokens[sentence].iter().any(|t| t.word().is_some_and(|w| is(DISCOUNT, w)));
        if minus || spoken_of {
            out.push(Claim::Percent(n.values.first().copied(), token.range.clone()));
        }
    }
    out
}

/// The token after the percent sign or word of number `i`.
fn percent_ends(reading: &Reading<'_>, i: usize) -> Option<usize> {
    let sign = |j: usize| reading.sign(j) == Some('%');
    let word = |j: usize| reading.word(j).unwrap_or("");
    if sign(i + 1) {
        return Some(i + 2);
    }
    let led = i > 0 && (sign(i - 1) && !(i > 1 && matches!(reading.tokens[i - 2].kind, Kind::Number(_))) || word(i - 1) == "yuzde");
    if led {
        return Some(i + 1);
    }
    match (word(i + 1), word(i + 2)) {
        ("percent" | "prozent" | "procent" | "pct" | "प्रतिशत" | "फीसदी" | "процентов" | "процента" | "بالمئة" | "بالمائة" | "درصد", _) => {
            Some(i + 2)
        }
        ("per" | "pour" | "por", "cent" | "cento" | "ciento") | ("في", "المئة" | "المائة") => Some(i + 3),
        // "20-50 %": the start of a range.
        _ if reading.sign(i + 1) == Some('-') && reading.number(i + 2).is_some() && sign(i + 3) => Some(i + 4),
        _ => None,
    }
}
