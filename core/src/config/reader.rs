//! Reads settings one by one and collects every mistake, so that a start names all of them at once.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::settings::{Absent, Process, Setting};

/// Where settings come from; tests feed strings.
pub trait Environment {
    /// The variable's value, if it is set.
    fn get(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// The process's own environment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// One missing or bad setting. The text never holds the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub name: &'static str,
    /// What is wrong and how to mend it.
    pub remedy: String,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} cannot be used:", if self.0.len() == 1 { "a setting" } else { "some settings" })?;
        for problem in &self.0 {
            writeln!(f, "  {}: {}", problem.name, problem.remedy)?;
        }
        f.write_str("`--help` lists every setting; `.env.example` has working local values")
    }
}

impl std::error::Error for Problems {}

/// Reads the settings of one process.
pub struct Reader<'a> {
    environment: &'a dyn Environment,
    process: Process,
    problems: Vec<Problem>,
    seen: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    /// A reader for `process`.
    #[must_use]
    pub fn new(environment: &'a dyn Environment, process: Process) -> Self {
        Self { environment, process, problems: Vec::new(), seen: BTreeSet::new() }
    }

    /// The raw value; an empty one counts as absent, since compose files pass unset variables as empty ones.
    fn raw(&mut self, setting: &Setting) -> Option<String> {
        debug_assert!(setting.processes.contains(&self.process), "{} is not listed for {:?}", setting.name, self.process);
        self.seen.insert(setting.name);
        let given = self.environment.get(setting.name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        match (given, setting.absent) {
            (Some(value), _) => Some(value),
            (None, Absent::Default(value)) => Some(value.to_owned()),
            (None, _) => None,
        }
    }

    /// Notes a mistake that concerns more than one setting.
    pub fn refuse(&mut self, setting: &Setting, remedy: impl Into<String>) {
        self.problems.push(Problem { name: setting.name, remedy: remedy.into() });
    }

    /// A value that must be there, or has a default. `None` means that the mistake is noted.
    pub fn need<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let Some(raw) = self.raw(setting) else {
            self.refuse(setting, format!("is not set; it is: {}", setting.help));
            return None;
        };
        parse(&raw).map_err(|remedy| self.refuse(setting, remedy)).ok()
    }

    /// A value that may be absent.
    pub fn may<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let raw = self.raw(setting)?;
        parse(&raw).map_err(|remedy| self.refuse(setting, remedy)).ok()
    }

    /// A secret without a form of its own.
    pub fn secret(&mut self, setting: &Setting) -> Option<SecretString> {
        self.need(setting, |raw| Ok(SecretString::from(raw)))
    }

    /// The names that were read.
    #[must_use]
    pub fn seen(&self) -> &BTreeSet<&'static str> {
        &self.seen
    }

    /// The settings, or everything that was wrong. `build` is `None` only if something was noted.
    ///
    /// # Errors
    /// When anything was missing or bad.
    pub fn finish<T>(self, build: Option<T>) -> Result<T, Problems> {
        match build {
            Some(config) if self.problems.is_empty() => Ok(config),
            _ => Err(Problems(self.problems)),
        }
    }
}
