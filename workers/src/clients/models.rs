//! The language models: one neutral form of a prompt and an answer, hedged over two providers. One complete answer is taken per call; tools run
//! only after that, so a turn has one course.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::ClientError;
use super::gemini::Gemini;
use super::openai::OpenAi;

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Google's Gemini.
    Gemini,
    /// OpenAI, or any server that speaks its form.
    Openai,
}

/// A tool the model may call.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// Letters, digits, `_`; at most 64 (OpenAI's rule, the stricter one).
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// JSON schema of its arguments, types in lower case.
    pub parameters: Value,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolCall {
    /// The provider's id, or one of ours.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments; `null` when the model's JSON was broken.
    pub args: Value,
}

/// What a tool returned.
#[derive(Debug, Clone, Serialize)]
pub struct ToolOutcome {
    /// The call's id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// A JSON object.
    pub result: Value,
}

/// One step of the talk.
#[derive(Debug, Clone)]
pub enum Step {
    /// The customer, or a correction by code.
    User(String),
    /// The model.
    Model(ModelStep),
    /// What its tools returned, in the order of the calls.
    Tools(Vec<ToolOutcome>),
}

/// What the model said and called.
#[derive(Debug, Clone, Default)]
pub struct ModelStep {
    /// Text for the customer.
    pub text: Option<String>,
    /// Calls.
    pub calls: Vec<ToolCall>,
    /// Gemini's `content`, replayed unchanged because its thought signatures must survive (PROVIDERS 4).
    pub gemini_content: Option<Value>,
}

/// A prompt.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    /// The system instruction.
    pub system: String,
    /// The talk so far; starts with the customer.
    pub steps: Vec<Step>,
    /// The tools.
    pub tools: Vec<ToolSpec>,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

impl Prompt {
    /// Roughly how many tokens a provider reads: four letters each.
    #[must_use]
    pub fn estimated_tokens(&self) -> i64 {
        let steps: usize = self
            .steps
            .iter()
            .map(|step| match step {
                Step::User(text) => text.len(),
                Step::Model(step) => {
                    step.text.as_ref().map_or(0, String::len) + step.calls.iter().map(|call| call.args.to_string().len()).sum::<usize>()
                }
                Step::Tools(outcomes) => outcomes.iter().map(|outcome| outcome.result.to_string().len()).sum(),
            })
            .sum();
        let tools: usize = self.tools.iter().map(|tool| tool.description.len() + tool.parameters.to_string().len()).sum();
        i64::try_from((self.system.len() + steps + tools) / 4).unwrap_or(i64::MAX)
    }
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Prompt tokens.
    pub input: i64,
    /// Answer tokens, thinking included.
    pub output: i64,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Completion {
    /// What was said and called.
    pub step: ModelStep,
    /// Its tokens.
    pub tokens: Tokens,
    /// Who answered.
    pub provider: Provider,
    /// The model.
    pub model: String,
    /// The other provider, where its call was dropped for this answer.
    pub also_asked: Option<Provider>,
}

/// Price of a model per million tokens, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelPrice {
    /// Per million prompt tokens.
    pub input: Decimal,
    /// Per million answer tokens.
    pub output: Decimal,
}

/// After this many lost or failed calls in a row a provider is left alone for a while.
const BREAKER_AFTER: u32 = 4;
/// How long it is left alone if it did not say; then one call tries it again (hedged, so nobody waits for it).
const BREAKER_FOR: Duration = Duration::from_secs(15);
/// The longest a provider may ask to be left alone.
const BREAKER_MAX: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Breaker {
    failures: AtomicU32,
    open_until_ms: AtomicU64,
    epoch: Instant,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self { failures: AtomicU32::new(0), open_until_ms: AtomicU64::new(0), epoch: Instant::now() }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the provider may be asked first. After the pause exactly one caller gets through until the outcome is known.
    pub(super) fn admits(&self) -> bool {
        self.admits_at(self.now_ms())
    }

    fn admits_at(&self, now: u64) -> bool {
        let until = self.open_until_ms.load(Ordering::Acquire);
        if until == 0 {
            return true;
        }
        now >= until
            && self.open_until_ms.compare_exchange(until, now + duration_ms(BREAKER_FOR), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(super) fn succeeded(&self) {
        self.failures.store(0, Ordering::Release);
        self.open_until_ms.store(0, Ordering::Release);
    }

    pub(super) fn failed(&self, pause: Option<Duration>) {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
        if pause.is_some() || failures >= BREAKER_AFTER {
            let pause = pause.unwrap_or(BREAKER_FOR).min(BREAKER_MAX);
            self.open_until_ms.store(self.now_ms() + duration_ms(pause), Ordering::Release);
        }
    }
}

fn duration_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Both providers, Gemini first.
#[derive(Debug)]
pub struct Models {
    gemini: Option<Gemini>,
    openai: Option<OpenAi>,
    gemini_breaker: Breaker,
    openai_breaker: Breaker,
}

/// How long one call of one provider may take, hedge or not.
const CALL_LIMIT: Duration = Duration::from_secs(20);

impl Models {
    /// At least one provider should be there; with none every call fails.
    #[must_use]
    pub fn new(gemini: Option<Gemini>, openai: Option<OpenAi>) -> Self {
        Self { gemini, openai, gemini_breaker: Breaker::new(), openai_breaker: Breaker::new() }
    }

    /// The model that is asked first as a rule.
    #[must_use]
    pub fn model(&self) -> &str {
        self.gemini.as_ref().map(Gemini::model).or_else(|| self.openai.as_ref().map(OpenAi::model)).unwrap_or_default()
    }

    /// Asks the first provider, and the other one too if the first fails or has not answered after `hedge_after`. The first complete answer is
    /// taken, the other call is dropped.
    ///
    /// # Errors
    /// The last error, when nobody answered.
    pub async fn ask(&self, prompt: &Prompt, hedge_after: Duration) -> Result<Completion, ClientError> {
        let gemini_first = self.gemini.is_some() && (self.openai.is_none() || self.gemini_breaker.admits());
        let (first, second) = if gemini_first { (Provider::Gemini, Provider::Openai) } else { (Provider::Openai, Provider::Gemini) };
        let second_usable = match second {
            Provider::Openai => self.openai.is_some() && self.openai_breaker.admits(),
            // Gemini's breaker is open, or there is no Gemini: as the second it is only the last resort.
            Provider::Gemini => self.gemini.is_some(),
        };
        if !second_usable {
            return self.call(first, prompt).await;
        }

        let first_call = self.call(first, prompt);
        tokio::pin!(first_call);
        let first_error = tokio::select! {
            answer = &mut first_call => match answer {
                Ok(completion) => return Ok(completion),
                Err(error) => Some(error),
            },
            () = tokio::time::sleep(hedge_after) => None,
        };
        if let Some(error) = first_error {
            tracing::warn!(provider = ?first, %error, "model call failed, asking the other provider");
            return self.call(second, prompt).await;
        }
        let second_call = self.call(second, prompt);
        tokio::pin!(second_call);
        tokio::select! {
            answer = &mut first_call => match answer {
                Ok(completion) => Ok(Completion { also_asked: Some(second), ..completion }),
                Err(_) => second_call.await,
            },
            answer = &mut second_call => match answer {
                Ok(completion) => {
                    self.breaker(first).failed(None);
                    Ok(Completion { also_asked: Some(first), ..completion })
                }
                Err(_) => first_call.await,
            },
        }
    }

    fn breaker(&self, provider: Provider) -> &Breaker {
        match provider {
            Provider::Gemini => &self.gemini_breaker,
            Provider::Openai => &self.openai_breaker,
        }
    }

    async fn call(&self, provider: Provider, prompt: &Prompt) -> Result<Completion, ClientError> {
        let answer = match provider {
            Provider::Gemini => match &self.gemini {
                Some(gemini) => gemini.generate(prompt, CALL_LIMIT).await,
                None => Err(ClientError::Refused { provider: "gemini", code: "not_configured".to_owned() }),
            },
            Provider::Openai => match &self.openai {
                Some(openai) => openai.complete(prompt, CALL_LIMIT).await,
                None => Err(ClientError::Refused { provider: "openai", code: "not_configured".to_owned() }),
            },
        };
        match &answer {
            Ok(_) => self.breaker(provider).succeeded(),
            Err(ClientError::Busy { after, .. }) => self.breaker(provider).failed(*after),
            Err(ClientError::Useless { .. }) => {}
            Err(_) => self.breaker(provider).failed(None),
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_provider_that_fails_in_a_row_is_left_alone_then_tried_once() {
        let breaker = Breaker::new();
        for _ in 0..BREAKER_AFTER {
            assert!(breaker.admits());
            breaker.failed(None);
        }
        assert!(!breaker.admits());
        let later = breaker.now_ms() + duration_ms(BREAKER_FOR);
        assert!(breaker.admits_at(later));
        assert!(!breaker.admits_at(later), "only one tries again");
        breaker.succeeded();
        assert!(breaker.admits());
    }
}
