//! The settings as strings: what is refused, what is hidden, and that table, code and `.env.example` agree.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::{ALL, Absent, Process, Setting};
use yaml_rust2::{Yaml, YamlLoader};

use super::*;

const EXAMPLE: &str = include_str!("../../../.env.example");

/// The lines `NAME=value` of the example, commented-out ones (`#NAME=`) included.
fn example() -> BTreeMap<&'static str, &'static str> {
    let mut variables = BTreeMap::new();
    for line in EXAMPLE.lines() {
        let line = line.strip_prefix('#').unwrap_or(line);
        if let Some((name, value)) = line.split_once('=')
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        {
            assert!(variables.insert(name, value).is_none(), "{name} is in .env.example twice");
        }
    }
    variables
}

fn with(changes: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
    let mut variables: BTreeMap<String, String> = example().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, value) in changes {
        variables.insert((*name).to_owned(), (*value).to_owned());
    }
    move |name: &str| variables.get(name).cloned()
}

fn of(process: Process) -> BTreeSet<&'static str> {
    ALL.iter().filter(|setting| setting.processes.contains(&process)).map(|setting| setting.name).collect()
}

#[test]
fn the_example_lists_every_setting_once_and_no_other() {
    assert_eq!(example().into_keys().collect::<BTreeSet<_>>(), ALL.iter().map(|setting| setting.name).collect());
}

#[test]
fn the_example_starts_every_process() {
    let environment = with(&[]);
    IngressConfig::from_environment(&environment).unwrap();
    WorkerConfig::from_environment(&environment).unwrap();
    SchedulerConfig::from_environment(&environment).unwrap();
}

#[test]
fn each_process_reads_exactly_what_its_help_lists() {
    fn seen<C: Config>() -> BTreeSet<&'static str> {
        let environment = with(&[]);
        let mut reader = Reader::new(&environment, C::PROCESS);
        C::read(&mut reader);
        reader.seen().clone()
    }
    assert_eq!(seen::<IngressConfig>(), of(Process::Ingress));
    assert_eq!(seen::<WorkerConfig>(), of(Process::Worker));
    assert_eq!(seen::<SchedulerConfig>(), of(Process::Scheduler));
}

/// The names of a service's environment, merges included.
fn composed(environment: &Yaml, names: &mut BTreeSet<String>) {
    let Yaml::Hash(map) = environment else { panic!("an environment is a map") };
    for (name, value) in map {
        match (name.as_str().unwrap(), value) {
            ("<<", Yaml::Array(all)) => all.iter().for_each(|of| composed(of, names)),
            ("<<", one) => composed(one, names),
            (name, _) => assert!(names.insert(name.to_owned()), "{name} stands there twice"),
        }
    }
}

/// Proxies and containers have these from elsewhere: the image, or where the container runs.
const NOT_COMPOSED: [&str; 2] = ["LISTEN_ADDR", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];

#[test]
fn compose_gives_each_process_the_settings_that_it_reads_and_no_others() {
    let compose = YamlLoader::load_from_str(include_str!("../../../compose.yaml")).unwrap();
    for process in [Process::Ingress, Process::Worker, Process::Scheduler, Process::Migrate] {
        let service = process.binary().strip_prefix("frontdesk-").unwrap();
        let mut names = BTreeSet::new();
        composed(&compose[0]["services"][service]["environment"], &mut names);
        let mut wanted: BTreeSet<String> = of(process).into_iter().map(str::to_owned).collect();
        for name in NOT_COMPOSED {
            wanted.remove(name);
            names.remove(name);
        }
        assert_eq!(names, wanted, "{service}");
    }
}

#[test]
fn all_missing_settings_are_named_at_once() {
    let required = |process| {
        ALL.iter()
            .filter(move |s: &&Setting| s.processes.contains(&process) && s.absent == Absent::Refused)
            .map(|s| s.name)
            .collect::<BTreeSet<_>>()
    };
    let nothing = |_: &str| None;
    let Err(problems) = IngressConfig::from_environment(&nothing) else { panic!("started with no settings") };
    assert_eq!(problems.0.iter().map(|p| p.name).collect::<BTreeSet<_>>(), required(Process::Ingress));
    let Err(problems) = WorkerConfig::from_environment(&nothing) else { panic!("started with no settings") };
    let mut wanted = required(Process::Worker);
    wanted.insert("GEMINI_API_KEY");
    assert_eq!(problems.0.iter().map(|p| p.name).collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn an_empty_setting_counts_as_absent() {
    let Err(problems) = IngressConfig::from_environment(&with(&[("REDIS_URL", " "), ("API_WAIT_MS", "")])) else {
        panic!("started without Redis")
    };
    assert_eq!(problems.0.len(), 1);
    assert_eq!(problems.0[0].name, "REDIS_URL");
}

#[test]
fn bad_settings_are_all_named_and_never_repeated() {
    let secret = "hunter2-is-too-short";
    let bad = with(&[
        ("JWT_SECRET", secret),
        ("LISTEN_ADDR", "somewhere"),
        ("API_WAIT_MS", "soon"),
        ("ENCRYPTION_KEYS", "k1:dG9vIHNob3J0"),
        ("REDIS_URL", "http://user:hunter2@redis"),
        ("PUBLIC_URL", "http://desk.example.com"),
        ("LOG_FORMAT", "xml"),
        ("META_VERIFY_TOKEN", "short"),
        ("TRUSTED_PROXIES", "the office"),
    ]);
    let Err(problems) = IngressConfig::from_environment(&bad) else { panic!("started with bad settings") };
    let names: BTreeSet<_> = problems.0.iter().map(|p| p.name).collect();
    let wanted = [
        "API_WAIT_MS",
        "ENCRYPTION_KEYS",
        "JWT_SECRET",
        "LISTEN_ADDR",
        "LOG_FORMAT",
        "META_VERIFY_TOKEN",
        "PUBLIC_URL",
        "REDIS_URL",
        "TRUSTED_PROXIES",
    ];
    assert_eq!(names, wanted.into());
    assert!(!problems.to_string().contains("hunter2"));
}

#[test]
fn no_secret_is_printed() {
    let canary = "canary-0123456789-0123456789-0123456789";
    let environment = with(&[
        ("JWT_SECRET", canary),
        ("META_APP_SECRET", canary),
        ("META_VERIFY_TOKEN", canary),
        ("GEMINI_API_KEY", canary),
        ("OPENAI_API_KEY", canary),
        ("REDIS_URL", "redis://:canary@localhost"),
        ("DATABASE_URL", "postgres://a:canary@localhost/b"),
        ("INGRESS_DATABASE_URL", "postgres://a:canary@localhost/b"),
        ("ENCRYPTION_KEYS", "canary:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("GOOGLE_CLIENT_SECRET", canary),
        ("SMTP_URL", "smtps://a:canary@localhost"),
    ]);
    let printed = format!(
        "{:?}{:?}{:?}",
        IngressConfig::from_environment(&environment).unwrap(),
        WorkerConfig::from_environment(&environment).unwrap(),
        SchedulerConfig::from_environment(&environment).unwrap()
    );
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn secrets_are_lists_where_they_rotate() {
    let one = "a".repeat(32);
    let config =
        IngressConfig::from_environment(&with(&[("JWT_SECRET", &format!("{one}, {one}x")), ("META_APP_SECRET", "a,b,c")])).unwrap();
    assert_eq!((config.jwt_secrets.len(), config.meta_app_secrets.len()), (2, 3));
}

#[test]
fn mail_needs_a_sender() {
    let Err(problems) = WorkerConfig::from_environment(&with(&[("SMTP_URL", "smtp://localhost:25"), ("MAIL_FROM", "")])) else {
        panic!("started without a sender")
    };
    assert_eq!(problems.0[0].name, "MAIL_FROM");
}

#[test]
fn googles_client_needs_its_secret() {
    let Err(problems) = WorkerConfig::from_environment(&with(&[("GOOGLE_CLIENT_ID", "id"), ("GOOGLE_CLIENT_SECRET", "")])) else {
        panic!("started without a secret")
    };
    assert_eq!(problems.0[0].name, "GOOGLE_CLIENT_SECRET");
    let without = with(&[("GOOGLE_CLIENT_ID", ""), ("GOOGLE_CLIENT_SECRET", "")]);
    assert!(WorkerConfig::from_environment(&without).unwrap().google.is_none());
}

#[test]
fn help_lists_every_setting_of_the_process_with_its_default() {
    let help = command(Process::Ingress).render_long_help().to_string();
    for name in of(Process::Ingress) {
        assert!(help.contains(name), "{name}");
    }
    assert!(help.contains("default 0.0.0.0:8080") && !help.contains("GEMINI_API_KEY"));
}
