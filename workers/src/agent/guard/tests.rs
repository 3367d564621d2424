//! The committed corpora and the properties of the money guard.

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
