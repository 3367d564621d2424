//! The committed corpora and the properties of the money guard.

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Allowed, check};

#[derive(Deserialize)]
struct Line {
    currency: String,
    allowed: Vec<String>,
    reply: String,
    #[serde(default)]
    allow_free: bool,
    #[serde(default)]
    allow_percent: Vec<String>,
}

fn lines(corpus: &str) -> Vec<(usize, Line)> {
    let parse = |(i, l): (usize, &str)| (i + 1, serde_json::from_str(l).unwrap());
    corpus.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(parse).collect()
}

fn judge(line: &Line) -> Result<(), Vec<super::Finding>> {
    let mut allowed: Allowed = line.allowed.iter().map(|a| a.parse::<Decimal>().unwrap()).collect();
    line.allow_percent.iter().for_each(|p| allowed.allow_percent(p.parse().unwrap()));
    if line.allow_free {
        allowed.allow_free();
    }
    check(&line.reply, &allowed, &line.currency)
}

#[test]
fn every_reply_of_the_refuse_corpus_is_refused() {
    let lines = lines(include_str!("../../../corpora/guard_refuse.jsonl"));
    assert!(lines.len() >= 200);
    let missed: Vec<String> =
        lines.iter().filter(|(_, l)| judge(l).is_ok()).map(|(i, l)| format!("{i}: {} {:?}", l.reply, l.allowed)).collect();
    assert!(missed.is_empty(), "{} of {} let through:\n{}", missed.len(), lines.len(), missed.join("\n"));
}

#[test]
fn every_reply_of_the_pass_corpus_passes() {
    let lines = lines(include_str!("../../../corpora/guard_pass.jsonl"));
    assert!(lines.len() >= 200);
    let refused: Vec<String> = lines
        .iter()
        .filter_map(|(i, l)| judge(l).err().map(|f| (i, l, f)))
        .map(|(i, l, f)| format!("{i}: {} {:?} -> {:?}", l.reply, l.allowed, f.iter().map(|f| (&f.text, f.value)).collect::<Vec<_>>()))
        .collect();
    assert!(refused.is_empty(), "{} of {} refused:\n{}", refused.len(), lines.len(), refused.join("\n"));
}

fn some() -> Allowed {
    ["59.90", "119.80", "4.90", "49"].iter().map(|a| a.parse::<Decimal>().unwrap()).collect()
}

#[test]
fn short_replies_with_a_wrong_amount_are_refused() {
    let replies = include_str!("refused.txt").lines();
    let missed: Vec<&str> = replies.filter(|r| check(r, &some(), "EUR").is_ok()).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn short_replies_without_a_wrong_amount_pass() {
    let replies = include_str!("passed.txt").lines();
    let refused: Vec<_> = replies.filter_map(|r| check(r, &some(), "EUR").err().map(|f| (r, f))).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn a_finding_names_the_words_their_value_and_their_place() {
    let reply = "Die Schuhe kosten **5\u{200b}5,90 €**, gut?";
    let findings = check(reply, &some(), "EUR").unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].value, Some("55.90".parse().unwrap()));
    assert_eq!(findings[0].text, "5\u{200b}5,90 €");
    assert_eq!(&reply[findings[0].range.clone()], findings[0].text);
}

#[test]
fn the_same_number_in_another_currency_is_refused() {
    for (reply, currency) in
        [("$59.90", "EUR"), ("59,90 €", "USD"), ("59.90 GBP", "USD"), ("R$ 59,90", "USD"), ("59.90 dollars", "GBP"), ("C$59.90", "USD")]
    {
        assert!(check(reply, &some(), currency).is_err(), "{reply} {currency}");
    }
    for (reply, currency) in [
        ("$59.90", "USD"),
        ("$59.90", "CAD"),
        ("£59.90", "GBP"),
        ("59,90 TL", "TRY"),
        ("59,90 kr", "SEK"),
        ("Rs. 59.90", "INR"),
        ("59,90 zł", "PLN"),
    ] {
        assert_eq!(check(reply, &some(), currency), Ok(()), "{reply} {currency}");
    }
}

#[test]
fn discounts_and_free_things_pass_only_when_allowed() {
    let mut allowed = some();
    assert!(check("10 % off and free shipping", &allowed, "EUR").is_err());
    allowed.allow_percent(Decimal::TEN);
    assert!(check("10 % off and free shipping", &allowed, "EUR").is_err());
    allowed.allow_free();
    assert_eq!(check("10 % off and free shipping", &allowed, "EUR"), Ok(()));
    assert!(check("11 % off", &allowed, "EUR").is_err());
}

#[test]
fn what_the_shop_itself_says_may_be_repeated() {
    let mut allowed = Allowed::new();
    allowed.allow_text("Free shipping from 50 €, else 4,90 €. 5 % Rabatt für Neukunden. Returns within 30 days.", "EUR");
    assert_eq!(check("Shipping is €4.90, and free from €50. New customers get 5 percent off.", &allowed, "EUR"), Ok(()));
    assert!(check("Shipping is €3.90.", &allowed, "EUR").is_err());
    assert!(check("That is 30 €.", &allowed, "EUR").is_err());
}

#[test]
fn a_product_name_is_no_amount_but_its_price_is() {
    let mut allowed = some();
    allowed.allow_name("Nike Free 5.00");
    assert_eq!(check("The Nike Free 5.00 costs 59.90 €.", &allowed, "EUR"), Ok(()));
    assert!(check("The Nike Free costs 5.00 €.", &allowed, "EUR").is_err());
    assert!(check("The Nike Free 5.00 €", &allowed, "EUR").is_err());
}

#[test]
fn a_reply_written_to_be_slow_is_still_read_at_once() {
    let started = std::time::Instant::now();
    for part in ["1 ", "einundein", "total 55 ", "1,", "fifty ", "% 5 ", "€ 5 "] {
        let _ = check(&part.repeat(20_000 / part.len()), &some(), "EUR");
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn an_amount_counts_in_every_script_and_however_it_is_hidden(
        cents in 100_i64..100_000_000,
        zero in prop::sample::select(vec!['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}', '\u{1d7ce}']),
        hidden in prop::sample::select(vec!["", "\u{200b}", "\u{2060}", "\u{ad}", "\u{fe0f}\u{20e3}"]),
        unit in prop::sample::select(vec![" €", "\u{a0}€", "€", " EUR", " euros", " Euro", " евро", "**€**"]),
        comma in any::<bool>(),
    ) {
        let amount = Decimal::new(cents, 2);
        let text: String = format!("{amount:.2}").chars().map(|c| match c.to_digit(10) {
            Some(d) => format!("{}{hidden}", char::from_u32(zero as u32 + d).unwrap()),
            None => if comma { ",".into() } else { ".".into() },
        }).collect();
        let reply = format!("That is {text}{unit} then");
        let (right, wrong): (Allowed, Allowed) = ([amount].into_iter().collect(), [amount + Decimal::new(1, 2)].into_iter().collect());
        prop_assert!(check(&reply, &right, "EUR").is_ok(), "{}", reply);
        prop_assert!(check(&reply, &wrong, "EUR").is_err(), "{}", reply);
    }

    #[test]
    fn no_text_makes_it_panic_and_every_range_is_within_it(reply in "(\\PC|[0-9.,€$% \n'-]|five|zwanzig|free){0,60}") {
        if let Err(findings) = check(&reply, &some(), "EUR") {
            for f in findings {
                prop_assert_eq!(reply.get(f.range.clone()), Some(f.text.as_str()));
            }
        }
    }
}
