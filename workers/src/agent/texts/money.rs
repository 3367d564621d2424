//! How an amount is written in each language.

use rust_decimal::{Decimal, RoundingStrategy};

use super::Language;

const NARROW: &str = "\u{202f}";
const JOINED: &str = "\u{a0}";

/// An amount as people of the language write it: `€59.90`, `59,90 €`, `¥1,200`. Never rounded: an
/// amount with more decimals than its currency has keeps them.
#[must_use]
pub fn money(amount: Decimal, currency: &str, language: Language) -> String {
    let code = currency.to_ascii_uppercase();
    let amount = amount.normalize();
    let usual = match code.as_str() {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "PYG" | "UGX" | "XAF" | "XOF" => 0,
        "KWD" | "BHD" | "OMR" | "JOD" | "TND" | "IQD" | "LYD" => 3,
        _ => 2,
    };
    // Thousands and thousandths look alike: a currency of thousandths always shows all three.
    let scale = if amount.scale() > usual { amount.scale().max(2) } else { usual };
    let number = number(amount.abs(), scale, &code, language);
    let minus = if amount.is_sign_negative() && !amount.is_zero() { "-" } else { "" };
    let sign = sign(&code);
    match language {
        Language::English => match sign {
            Some(sign) => format!("{minus}{sign}{number}"),
            None => format!("{minus}{code}{JOINED}{number}"),
        },
        Language::Dutch => format!("{minus}{}{JOINED}{number}", sign.unwrap_or(&code)),
        Language::Portuguese if code == "BRL" => format!("{minus}R${JOINED}{number}"),
        _ => format!("{minus}{number}{JOINED}{}", sign.unwrap_or(&code)),
    }
}

/// Signs that mean one currency; the others are written as their code.
fn sign(code: &str) -> Option<&'static str> {
    Some(match code {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "TRY" => "₺",
        "BRL" => "R$",
        "INR" => "₹",
        "JPY" => "¥",
        "ILS" => "₪",
        "UAH" => "₴",
        "KRW" => "₩",
        "VND" => "₫",
        "NGN" => "₦",
        "PHP" => "₱",
        "CAD" => "CA$",
        "AUD" => "A$",
        "NZD" => "NZ$",
        "MXN" => "MX$",
        _ => return None,
    })
}

fn number(amount: Decimal, scale: u32, code: &str, language: Language) -> String {
    let mut fixed = amount.round_dp_with_strategy(scale, RoundingStrategy::ToZero);
    fixed.rescale(scale);
    let text = fixed.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, ""));
    let (thousands, point) = match language {
        Language::English => (",", "."),
        Language::French => (NARROW, ","),
        _ => (".", ","),
    };
    let indian = code == "INR" && language == Language::English;
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        let left = whole.len() - i;
        let here = if indian { left == 3 || left > 3 && (left - 3).is_multiple_of(2) } else { left.is_multiple_of(3) };
        if i > 0 && here {
            out.push_str(thousands);
        }
        out.push(digit);
    }
    if !cents.is_empty() {
        out.push_str(point);
        out.push_str(cents);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::guard::{Allowed, check};

    fn write(amount: &str, currency: &str, language: Language) -> String {
        money(amount.parse().unwrap(), currency, language)
    }

    #[test]
    fn amounts_are_written_as_each_language_does() {
        assert_eq!(write("59.9", "EUR", Language::English), "€59.90");
        assert_eq!(write("59.9", "EUR", Language::German), "59,90\u{a0}€");
        assert_eq!(write("1299", "EUR", Language::German), "1.299,00\u{a0}€");
        assert_eq!(write("1299", "EUR", Language::French), "1\u{202f}299,00\u{a0}€");
        assert_eq!(write("1299.5", "BRL", Language::Portuguese), "R$\u{a0}1.299,50");
        assert_eq!(write("59.90", "EUR", Language::Dutch), "€\u{a0}59,90");
        assert_eq!(write("1200", "JPY", Language::English), "¥1,200");
        assert_eq!(write("129900", "INR", Language::English), "₹1,29,900.00");
        assert_eq!(write("59.90", "CHF", Language::German), "59,90\u{a0}CHF");
        assert_eq!(write("59.90", "CHF", Language::English), "CHF\u{a0}59.90");
        assert_eq!(write("0", "USD", Language::English), "$0.00");
        assert_eq!(write("-5", "USD", Language::English), "-$5.00");
        assert_eq!(write("12.34", "JPY", Language::English), "¥12.34");
    }

    proptest! {
        #[test]
        fn the_guard_reads_back_every_amount_exactly(
            cents in 1_i64..2_000_000_000, l in 0_usize..8,
            currency in prop::sample::select(vec!["EUR", "USD", "GBP", "TRY", "BRL", "INR", "CHF", "SEK", "PLN", "MXN", "CAD", "ZAR", "AED", "KWD"]),
        ) {
            let amount = Decimal::new(cents, 2);
            let text = format!("x {}.", money(amount, currency, Language::ALL[l]));
            let (right, wrong): (Allowed, Allowed) = ([amount].into_iter().collect(), [amount + Decimal::new(1, 2)].into_iter().collect());
            prop_assert!(check(&text, &right, currency).is_ok(), "{}", text);
            prop_assert!(check(&text, &wrong, currency).is_err(), "{}", text);
        }
    }
}
