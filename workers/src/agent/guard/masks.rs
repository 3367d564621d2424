//! Finds what has a shape of its own and is no amount: dates, times, phone numbers, links, references.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::currency;

const MONTHS: &str = "jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar|rero|braio|ruari)?|fev(?:rier|ereiro)?|mar(?:ch|s|zo|co)?|marz|maerz|maart|mrt|\
apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|maggio|maio|mei|mayis|jun[ei]?|juin|junio|giugno|junho|haziran|jul[iy]?|juillet|julio|luglio|julho|temmuz|\
aug(?:ust|ustus)?|aout|ago(?:sto)?|agustos|sep(?:t|tember|tembre|tiembre)?|set(?:tembre|embro)?|eylul|o[ck]t(?:ober|obre)?|ottobre|out(?:ubro)?|ekim|\
nov(?:ember|embre|iembre|embro)?|kasim|de[cz](?:ember|embre|embro)?|dic(?:iembre|embre)?|aralik|ocak|subat|nisan";

/// Shapes that are masked unless money stands beside them.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| shapes().iter().filter_map(|r| Regex::new(r).ok()).collect());

fn shapes() -> Vec<String> {
    let date_after = format!(
        r"\b\d{{1,2}}(?:\.|st|nd|rd|th|er|o)?\s*(?:-\s*\d{{1,2}}\.?\s*)?(?:of |de |d')?(?:{MONTHS})\b\.?(?:,?\s*(?:de |del )?(?:19|20)\d\d\b)?"
    );
    let date_before = format!(r"\b(?:{MONTHS})\b\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s*(?:19|20)\d\d\b)?");
    [
        // Dates.
        r"\b(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}\b",
        r"\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})\b",
        r"\b(?:[12]?\d|3[01])/(?:1[0-2]|0?[1-9])\b",
        r"\b(?:am|vom|bis|zum|den|dem|ab dem|on|until|by|le|au|du|el|dal|dia|seit|der|op|mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miercoles|jueves|viernes|sabado|domingo)\.?,?\s+(?:0?[1-9]|[12]\d|3[01])\.(?:1[0-2]|0?[1-9])\b\.?",
        r"\b(?:0?[1-9]|[12]\d|3[01])\.(?:\s*(?:-|bis|und|u\.)\s*(?:0?[1-9]|[12]\d|3[01])\.)?(?:1[0-2]|0[1-9])\.(?:\s+[a-z(]|\s*[-,)])",
        r"\b(?:0?[1-9]|[12]\d|3[01])\.(?:1[0-2]|0[1-9])\.?(?: tarih\w*)",
        date_after.as_str(),
        date_before.as_str(),
        // Times.
        r"\b(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?\b",
        r"\b(?:[01]?\d|2[0-4])\s?h(?:\s?[0-5]\d)?\b",
        r"\b(?:[01]?\d|2[0-4])(?:[.:][0-5]\d)?\s?(?:-|to|bis|a|tot)\s?(?:[01]?\d|2[0-4])(?:[.:][0-5]\d)?\s?(?:am|pm|a\.m|p\.m|uhr|uur|h\b|heures|horas|ore\b)",
        r"\b(?:[01]?\d|2[0-4])(?:[.:][0-5]\d)?\s?(?:am|pm|a\.m|p\.m|uhr|o'clock|uur|heures?|horas)\b",
        r"\b(?:um|gegen|om|alle|alle ore|dalle|dalle ore|ore|saat|kl\.?|around|las|as|até as|ate as|desde las|hasta las|until|between) (?:0?\d|1\d|2[0-4])\.[0-5]\d(?:\s*(?:-|und|and|alle|a las|as|e|y|ile)\s*(?:0?\d|1\d|2[0-4])\.[0-5]\d)?\b",
        r"\b(?:saat(?:leri)?|hours|open|geoffnet|offen|ouvert|abierto|aperti|aperto|aberto|acik|oeffnungszeiten|offnungszeiten|horaires?|horario|orari[o]?|sa|so|fr|mo|sat|sun|mon|fri)\b[a-z:.,\s-]{0,40}(?:0?\d|1\d|2[0-4])\.[0-5]\d\s*(?:-|to|bis|a|alle|tot|ate|ile|and|und)\s*(?:0?\d|1\d|2[0-4])\.[0-5]\d\b",
        // Phone numbers: a plus, a leading zero with groups, or three groups and more.
        r"\+\s?\d[\d\s().\u{a0}/-]{6,18}\d",
        r"(?:\(0\d{1,4}\)|\b0\d{1,4})[\s./-]+\d[\d\s./-]{3,14}\d",
        r"\b0\d{7,13}\b",
        r"\(\d{2,4}\)\s?\d{3,5}[\s-]?\d{3,4}\b",
        r"\b\d{2,4}[\s-]\d{3,4}[\s-]\d{4}\b",
        r"\b(?:tel|telefon|telephone|phone|call|fon|whatsapp|telefono|telefone|rufnummer|hotline|anrufen|llama|llamar|ligue|appelez|chiama|bel|ara|numero|number|nummer)\b[a-z:.\s]{0,20}\d[\d\s./-]{5,14}\d",
        // References: #1042, no. 1042, order 1042, RX-1042-7.
        r"#\s?[a-z]{0,4}-?\d[\d-]*",
        r"\b[a-z]{1,6}-?\d+(?:-[a-z0-9]+)+\b",
        r"\b[a-z]{1,3}\d{6,}[a-z]*\b",
        // Versions and numbers with three and more parts.
        r"\b(?:version|ver|v|ios|android|usb|usb-c|hdmi|bluetooth|wifi|wi-fi|firmware|windows|macos|release|sdk)\.?\s?\d+(?:\.\d+)+",
        // Ratings and scores.
        r"\b\d(?:[.,]\d{1,2})?\s?/\s?(?:5|10)\b",
        r"\b\d(?:[.,]\d{1,2})?\s(?:out of|von|sur|de|su|van|em|uzerinden)\s(?:5|10|five|cinq|cinco|cinque|funf|vijf)\b(?: (?:stars?|sterne\w*|etoiles?|estrellas|stelle|estrelas|sterren))?",
        r"\b\d(?:[.,]\d{1,2})?\s?(?:stars?|sterne\w*|etoiles?|estrellas|stelle|estrelas|sterren|yildiz|★|⭐)",
        // Measures: 30 x 40 cm, 1.75 m, 330 ml, 5'11".
        r"\b\d+(?:[.,]\d+)?(?:\s?(?:x|×|by|per|mal|sur|por)\s?\d+(?:[.,]\d+)?){1,2}\s?(?:mm|cm|dm|m|km|in|inch(?:es)?|ft|px|zoll|pouces)\b",
        r"\b\d+(?:[.,]\d+)?\s?(?:-|to|bis|a|/)?\s?(?:\d+(?:[.,]\d+)?)?\s?(?:mm|cm|dm|km|kg|kgs|mg|lbs?|oz|ml|cl|dl|kw|kwh|mah|ah|hz|khz|mhz|ghz|gb|tb|mb|kb|mp|dpi|ppi|fps|db|psi|bar|nm|lm|rpm|kcal|kj|cal|sqm|qm|m2|m\.2|m²|m3|inch(?:es)?|zoll|pouces|pulgadas|pollici|polegadas|inc|liters?|litres?|litros?|litri|litro|liter|grams?|gramm|gr|grammes?|gramos?|grammi|gramas?|gram|gramo|kilos?|kilogram\w*|kilometers?|kilometres?|kilometros|chilometri|meters?|metres?|metros?|metri|metro|metre|watts?|volts?|milliliter|mililitros|tog|denier|den|spf|lsf|karat|carats?|kt|degrees?|grad|degres|grados|gradi|graus|derece)\b",
        r"\b\d+(?:[.,]\d+)?\s?(?:m|g|l|w|v|ah|t|°\s?[cf]?|°)(?:\s|$|[.,;:!?)])",
        r#"\b\d+(?:[.,]\d+)?\s?(?:"|''|”|“)"#,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Links and addresses: masked whatever stands beside them.
static LINKS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [r"(?:https?://|www\.)\S+", r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+"].iter().filter_map(|r| Regex::new(r).ok()).collect()
});

/// The ranges of the folded text that are no amounts by their shape.
pub(super) fn masks(text: &str, names: &[String]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for link in LINKS.iter() {
        found.extend(link.find_iter(text).map(|m| m.range()));
    }
    for shape in SHAPES.iter() {
        found.extend(shape.find_iter(text).map(|m| m.range()).filter(|r| !money_beside(text, r)));
    }
    for name in names {
        found.extend(text.match_indices(name.as_str()).map(|(i, n)| i..i + n.len()).filter(|r| whole(text, r)));
    }
    found
}

/// Whether a name stands for itself and is no part of a longer word or number.
fn whole(text: &str, at: &Range<usize>) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let after = &text[at.end..];
    let goes_on = after.starts_with(['.', ',']) && after[1..].starts_with(|c: char| c.is_ascii_digit());
    !joins(text[..at.start].chars().next_back()) && !joins(after.chars().next()) && !goes_on && !money_beside(text, at)
}

fn money_beside(text: &str, at: &Range<usize>) -> bool {
    let before = text[..at.start].trim_end_matches([' ', '\u{a0}', '.', ':']);
    let after = text[at.end..].trim_start_matches([' ', '\u{a0}', ',', '-']);
    let word_after: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    let word_before: String = {
        let reversed: Vec<char> = before.chars().rev().take_while(|c| c.is_alphabetic()).collect();
        reversed.into_iter().rev().collect()
    };
    let sign = |c: Option<char>| c.is_some_and(|c| currency::of_sign(c).is_some());
    let leads = |w: &str| !matches!(w, "fr" | "dh") && currency::of_word(w, false).is_some_and(|u| u.leads);
    sign(before.chars().next_back())
        || sign(after.chars().next())
        || sign(text[at.clone()].chars().next_back())
        || currency::of_word(&word_after, false).is_some_and(|u| !u.everyday)
        || leads(&word_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_valid_pattern() {
        assert_eq!(SHAPES.len(), shapes().len());
        assert_eq!(LINKS.len(), 2);
    }
}
