//! The table: what was measured, as Markdown.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::accept::{Accepting, Side};
use crate::clock;
use crate::figures::Sample;
use crate::flood::Flood;
use crate::footprint::Footprint;
use crate::metrics::Queues;
use crate::replies::Outcome;
use crate::summary::Summaries;

/// What a customer shall have an answer within, ms.
const DEADLINE_MS: f64 = 3_000.0;
const BEGIN: &str = "<!-- figures: written by ./dev bench --write -->";
const END: &str = "<!-- end of figures -->";

/// How the models behaved, and what came of it.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) models: &'static str,
    pub(crate) outcome: Outcome,
}

/// What an answer costs a process.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) name: String,
    /// Processor time, ms.
    pub(crate) ms_per_answer: f64,
}

/// Everything measured in one run; what was left out is not shown.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Load average before the start: what else the machine was doing.
    pub(crate) load_before: Option<String>,
    pub(crate) model_ms: u64,
    pub(crate) accepting: Option<Accepting>,
    pub(crate) crowds: Vec<Crowd>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) flood: Option<Flood>,
    pub(crate) footprints: Vec<Footprint>,
    pub(crate) summaries: Option<Summaries>,
    /// How the queues stood when the footprints were taken.
    pub(crate) queues: Option<Queues>,
}

impl Report {
    /// All tables.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        self.conditions(&mut out);
        self.accepting.iter().for_each(|accepting| accepting_table(accepting, &mut out));
        if !self.crowds.is_empty() {
            self.latency_table(&mut out);
        }
        if !self.costs.is_empty() {
            cost_table(&self.costs, &mut out);
        }
        self.flood.iter().for_each(|flood| flood_table(flood, &mut out));
        if !self.footprints.is_empty() {
            footprint_table(&self.footprints, &mut out);
        }
        if let Some(Queues { open, dead }) = self.queues {
            let not_idle = if open == 0.0 { "" } else { ", so the processes were not idle" };
            line(&mut out, format_args!("\nThen there were {open} jobs to do{not_idle}, and {dead} dead letters."));
        }
        self.summaries.iter().for_each(|summaries| summary_table(summaries, &mut out));
        out
    }

    fn conditions(&self, out: &mut String) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let profile = if cfg!(debug_assertions) { "dev (a release build is faster)" } else { "release" };
        line(
            out,
            format_args!(
                "Measured {}, {cores} cores, build profile {profile}; load generator, providers' stand-in, Postgres and Redis (fsync at each write) on the same machine.",
                clock::now().format("%Y-%m-%d %H:%M UTC")
            ),
        );
        if let Some(load) = &self.load_before {
            line(out, format_args!("Load average before the start: {load}."));
        }
    }

    fn latency_table(&self, out: &mut String) {
        let model = self.model_ms as f64;
        line(out, format_args!("\n### From the customer's message to the reply, a model call taking {model:.0} ms\n"));
        line(
            out,
            format_args!(
                "| models | customers | answered | answer p50 | p95 | p99 | max | p50 less one model call | p50 ÷ model call | first reply: slowest | first reply within 3 s | holding replies | model calls per answer |"
            ),
        );
        line(out, format_args!("| --- |{}", " ---: |".repeat(12)));
        for Crowd { models, outcome } in &self.crowds {
            let (answer, first) = (&outcome.answer_ms, &outcome.first_ms);
            let calls = outcome.model_calls as f64 / answer.len().max(1) as f64;
            line(
                out,
                format_args!(
                    "| {models} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {calls:.2} |",
                    outcome.customers,
                    answered(outcome),
                    ms(answer.percentile(50)),
                    ms(answer.percentile(95)),
                    ms(answer.percentile(99)),
                    ms(answer.max()),
                    ms(answer.percentile(50).map(|p50| p50 - model)),
                    times(answer.percentile(50).map(|p50| p50 / model)),
                    ms(first.max()),
                    share(first.within(DEADLINE_MS), outcome.customers),
                    outcome.holding,
                ),
            );
        }
    }
}

fn accepting_table(accepting: &Accepting, out: &mut String) {
    line(out, format_args!("\n### Webhooks accepted, {} connections\n", accepting.connections));
    line(out, format_args!("| | per second, median | slowest to fastest round | p50 | p99 |\n| --- | ---: | ---: | ---: | ---: |"));
    for (name, side) in [("bare hyper, one signature, one `SET NX`", &accepting.bare), ("frontdesk-ingress", &accepting.ingress)] {
        let Side { per_second, took_ms, .. } = side;
        let (rounds, took) = (Sample::new(per_second.clone()), Sample::new(took_ms.clone()));
        line(
            out,
            format_args!(
                "| {name} | {} | {} to {} | {} | {} |",
                whole(rounds.median()),
                whole(rounds.min()),
                whole(rounds.max()),
                fine_ms(took.percentile(50)),
                fine_ms(took.percentile(99)),
            ),
        );
    }
    let ratio = accepting.ratio();
    line(out, format_args!("| **ratio** | **{}** | | | |", ratio.map_or_else(none, |ratio| format!("{ratio:.2}"))));
}

fn flood_table(flood: &Flood, out: &mut String) {
    line(
        out,
        format_args!(
            "\n### A flood from one shop: {} messages of {} customers within {:.0} s\n",
            flood.messages,
            flood.customers,
            flood.within.as_secs_f64()
        ),
    );
    line(
        out,
        format_args!(
            "| another shop's customers | customers | answered | answer p50 | p99 | max | within 3 s |\n| --- |{}",
            " ---: |".repeat(6)
        ),
    );
    for (name, outcome) in [("alone", &flood.alone), ("during the flood", &flood.flooded)] {
        let answer = &outcome.answer_ms;
        line(
            out,
            format_args!(
                "| {name} | {} | {} | {} | {} | {} | {} |",
                outcome.customers,
                answered(outcome),
                ms(answer.percentile(50)),
                ms(answer.percentile(99)),
                ms(answer.max()),
                share(outcome.first_ms.within(DEADLINE_MS), outcome.customers),
            ),
        );
    }
    let ratio = |of: fn(&Sample) -> Option<f64>| {
        times(of(&flood.flooded.answer_ms).zip(of(&flood.alone.answer_ms)).map(|(with, without)| with / without))
    };
    line(
        out,
        format_args!(
            "| **ratio** | | | **{}** | **{}** | {} | |",
            ratio(|s| s.percentile(50)),
            ratio(|s| s.percentile(99)),
            ratio(Sample::max)
        ),
    );
    line(
        out,
        format_args!(
            "\nThe flood itself: {} answers by the other shop's last one, {} in all, the last {:.1} s after its first message.",
            flood.answered_meanwhile,
            flood.answered,
            flood.drained_after.as_secs_f64(),
        ),
    );
}

fn summary_table(Summaries { orders, looks }: &Summaries, out: &mut String) {
    let [few, many] = orders;
    line(out, format_args!("\n### A shop's figures of a year, over {few} orders and over {many}\n"));
    line(out, format_args!("| | p50 over {few} | p50 over {many} | ratio | p99 over {few} | p99 over {many} |"));
    line(out, format_args!("| --- |{}", " ---: |".repeat(5)));
    for look in looks {
        let [few, many] = &look.took_ms;
        let ratio = many.percentile(50).zip(few.percentile(50)).map(|(many, few)| many / few);
        let path = look.path.split('?').next().unwrap_or_default();
        let row = [
            fine_ms(few.percentile(50)),
            fine_ms(many.percentile(50)),
            times(ratio),
            fine_ms(few.percentile(99)),
            fine_ms(many.percentile(99)),
        ];
        line(out, format_args!("| `{path}` | {} |", row.join(" | ")));
    }
}

fn footprint_table(footprints: &[Footprint], out: &mut String) {
    line(out, format_args!("\n### Memory after the run, and idle processor time\n"));
    line(out, format_args!("| process | memory | idle |\n| --- | ---: | ---: |"));
    for Footprint { name, processes, memory_mib, idle_percent } in footprints {
        let count = if *processes == 1 { String::new() } else { format!(" ({processes} processes, proportional shares)") };
        line(out, format_args!("| {name}{count} | {memory_mib:.0} MiB | {idle_percent:.1} % of a core |"));
    }
}

fn cost_table(costs: &[Cost], out: &mut String) {
    line(out, format_args!("\n### Processor time per answer, both models answering\n"));
    line(out, format_args!("| process | per answer |\n| --- | ---: |"));
    for Cost { name, ms_per_answer } in costs {
        line(out, format_args!("| {name} | {} |", fine_ms(Some(*ms_per_answer))));
    }
    line(out, format_args!("| **together** | **{}** |", fine_ms(Some(costs.iter().map(|cost| cost.ms_per_answer).sum()))));
}

/// How many have the agent's answer, and how many another text in its place.
fn answered(outcome: &Outcome) -> String {
    let other = if outcome.other == 0 { String::new() } else { format!(" (+ {} another text)", outcome.other) };
    format!("{}{other}", outcome.answer_ms.len())
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn none() -> String {
    "–".to_owned()
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.0} ms"))
}

fn fine_ms(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.1} ms"))
}

fn whole(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.0}"))
}

fn times(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.2}"))
}

fn share(part: usize, all: usize) -> String {
    if all == 0 { none() } else { format!("{:.1} %", part as f64 / all as f64 * 100.0) }
}

/// Puts the figures between the two marks of `file`.
pub(crate) fn write(file: &Path, figures: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let text = replaced(&text, figures).with_context(|| format!("{} lacks the marks around the figures", file.display()))?;
    std::fs::write(file, text).with_context(|| format!("write {}", file.display()))
}

fn replaced(text: &str, figures: &str) -> Option<String> {
    let (head, rest) = text.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n\n{}\n\n{END}{tail}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_the_old_ones_and_nothing_else() {
        let text = format!("# Title\n\n{BEGIN}\nold\n{END}\nafter\n");
        let once = replaced(&text, "new\n").unwrap();
        assert_eq!(once, format!("# Title\n\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(replaced(&once, "new\n").unwrap(), once);
        assert_eq!(replaced("no marks", "new"), None);
    }

    #[test]
    fn readme_has_the_marks() {
        assert!(replaced(include_str!("../README.md"), "x").is_some());
    }

    #[test]
    fn unanswered_customers_are_seen_in_the_table() {
        let outcome = Outcome {
            customers: 4,
            first_ms: Sample::new(vec![1_500.0, 3_500.0]),
            answer_ms: Sample::new(vec![1_500.0]),
            holding: 1,
            other: 1,
            model_calls: 2,
        };
        let report = Report { model_ms: 1_000, crowds: vec![Crowd { models: "both answer", outcome }], ..Report::default() };
        let table = report.render();
        assert!(table.contains("| both answer | 4 | 1 (+ 1 another text) | 1500 ms | 1500 ms | 1500 ms | 1500 ms | 500 ms | 1.50 | 3500 ms | 25.0 % | 1 | 2.00 |"), "{table}");
    }

    #[test]
    fn what_was_not_measured_is_not_shown() {
        let table = Report::default().render();
        assert!(!table.contains('|'), "{table}");
    }
}
