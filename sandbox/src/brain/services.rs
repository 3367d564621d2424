//! What the model was told of a shop's services, of the customer's appointments and of one that is proposed; and which service words mean.

use std::sync::OnceLock;

use serde_json::Value;

use super::catalogue::whole;
use super::language::{Language, is_filler, tokens};
use super::lexicon::is_typo_of;
use super::prompt::{objects, section};
use super::{Conversation, Turn};

/// A service as the prompt or a tool told of it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Service {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) price: Option<String>,
    pub(super) minutes: Option<i64>,
    /// Who performs it.
    pub(super) staff: Vec<(i64, String)>,
}

impl Service {
    fn read(value: &Value) -> Option<Self> {
        let currency = value.get("currency").and_then(Value::as_str).unwrap_or_default();
        let price = value
            .get("price")
            .and_then(|price| price.as_str().map(str::to_owned).or_else(|| price.as_f64().map(|price| price.to_string())));
        let staff = value.get("staff").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: whole(value.get("service_id")?)?,
            name: text(value, "name")?,
            price: price.map(|price| format!("{price} {currency}").trim().to_owned()),
            minutes: value.get("duration_minutes").and_then(whole),
            staff: staff.filter_map(|member| Some((whole(member.get("staff_id")?)?, text(member, "name")?))).collect(),
        })
    }

    /// Its name and, in brackets, its price as it was given.
    pub(super) fn with_price(&self) -> String {
        self.price.as_ref().map_or_else(|| self.name.clone(), |price| format!("{} ({price})", self.name))
    }
}

/// One of the customer's appointments that are ahead.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Appointment {
    pub(super) id: i64,
    pub(super) service: String,
    pub(super) when: String,
}

/// An appointment, a move or a cancellation that waits for the customer's word.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Proposed {
    pub(super) kind: String,
    pub(super) service: String,
    pub(super) staff: String,
    pub(super) when: String,
}

/// Times that the customer was shown last.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Offered {
    pub(super) service: Option<i64>,
    /// "Friday 2026-11-27 17:00".
    pub(super) times: Vec<String>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Diary {
    pub(super) services: Vec<Service>,
    pub(super) appointments: Vec<Appointment>,
    pub(super) proposed: Option<Proposed>,
    pub(super) offered: Option<Offered>,
}

impl Diary {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let told = |names: &[&str]| section(&conversation.system, names).map(objects).unwrap_or_default();
        let mut services: Vec<Service> = told(&["services"]).iter().filter_map(Service::read).collect();
        for turn in &conversation.turns {
            let Turn::ToolResults(results) = turn else { continue };
            let lists = results.iter().filter_map(|result| result.result.get("services").and_then(Value::as_array)).flatten();
            for service in lists.filter_map(Service::read) {
                services.retain(|known| known.id != service.id);
                services.push(service);
            }
        }
        let appointment = |value: &Value| {
            Some(Appointment { id: whole(value.get("appointment_id")?)?, service: text(value, "service")?, when: text(value, "when")? })
        };
        let proposed = told(&["open_proposal", "proposal"]).into_iter().find_map(|value| {
            let kind = text(&value, "kind").filter(|kind| kind.contains("booking"))?;
            let or_empty = |name| text(&value, name).unwrap_or_default();
            Some(Proposed { kind, service: or_empty("service"), staff: or_empty("staff"), when: or_empty("when") })
        });
        let offered = told(&["offered_times"]).into_iter().find_map(|value| {
            let times = value.get("times")?.as_array()?.iter().filter_map(|time| time.as_str().map(str::to_owned)).collect();
            Some(Offered { service: value.get("service_id").and_then(whole), times })
        });
        Self { services, offered, appointments: told(&["appointments"]).iter().filter_map(appointment).collect(), proposed }
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

type Senses = Vec<(&'static str, Vec<&'static str>)>;

/// `services.txt`: what is called how.
fn sense(word: &str) -> Option<&'static str> {
    static SENSES: OnceLock<Senses> = OnceLock::new();
    let senses = SENSES.get_or_init(|| {
        let lines = include_str!("services.txt").lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(':')).map(|(name, stems)| (name, stems.split_whitespace().collect())).collect()
    });
    let fits = |stem: &&str| stem.strip_suffix('*').map_or_else(|| word == *stem, |stem| word.starts_with(stem));
    senses.iter().find(|(_, stems)| stems.iter().any(fits)).map(|(name, _)| *name)
}

fn same(said: &str, own: &str) -> bool {
    if said == own || (sense(said).is_some() && sense(said) == sense(own)) {
        return true;
    }
    let (short, long) = if said.len() <= own.len() { (said, own) } else { (own, said) };
    let length = short.chars().count();
    (length >= 4 && long.starts_with(short) && long.len() - short.len() <= 6)
        || (length >= 5 && long.ends_with(short))
        || is_typo_of(said, own)
}

/// The services that the words mean: best and equally good ones only.
pub(super) fn meant(services: &[Service], said: &[String], languages: &[Language]) -> Vec<Service> {
    // "Saç kesimi" is one thing in two words.
    let mut said = said.to_vec();
    let pairs: Vec<String> = said.windows(2).map(|pair| pair.concat()).collect();
    if said.iter().any(|word| word == "sac") {
        said.push("kapsel".to_owned());
    }
    let said: Vec<&String> = said.iter().filter(|word| !is_filler(languages, word) && word.len() > 1).chain(&pairs).collect();
    let of_name = |service: &Service| {
        tokens(&service.name).into_iter().filter(|word| word.len() > 1 && !is_filler(&Language::ALL, word)).collect::<Vec<_>>()
    };
    let names: Vec<Vec<String>> = services.iter().map(of_name).collect();
    let mut ranked: Vec<(f64, &Service)> = Vec::new();
    for (service, name) in services.iter().zip(&names) {
        let hits: Vec<&String> = name.iter().filter(|own| said.iter().any(|word| same(word, own))).collect();
        // Whom it is for says nothing about what it is.
        let only_whom = hits.iter().all(|own| matches!(sense(own), Some("women" | "men" | "children")));
        if hits.is_empty() || only_whom {
            continue;
        }
        let rarity = |own: &String| {
            let holders = names.iter().filter(|other| other.iter().any(|word| same(word, own))).count().max(1);
            1.0 + (services.len() as f64 / holders as f64).ln()
        };
        let exact = f64::from(u8::from(hits.len() == name.len())) * 0.2;
        ranked.push((hits.iter().map(|own| rarity(own)).sum::<f64>() + exact, service));
    }
    let best = ranked.iter().map(|(score, _)| *score).fold(0.0, f64::max);
    ranked.into_iter().filter(|(score, _)| *score >= best * 0.95).map(|(_, service)| service.clone()).collect()
}

/// Services with their prices, as given.
pub(super) fn list(services: &[Service]) -> String {
    services.iter().take(10).map(Service::with_price).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(id: i64, name: &str) -> Service {
        Service { id, name: name.to_owned(), price: None, minutes: None, staff: Vec::new() }
    }

    fn found(names: &[&str], text: &str) -> Vec<i64> {
        let services: Vec<Service> = names.iter().zip(1..).map(|(name, id)| service(id, name)).collect();
        meant(&services, &tokens(text), &Language::ALL).iter().map(|service| service.id).collect()
    }

    #[test]
    fn a_service_is_meant_by_a_part_of_its_name_in_any_case_and_language() {
        let salon = ["Coupe femme", "Couleur", "Balayage", "Coupe homme", "Manucure", "Pose semi-permanent"];
        assert_eq!(found(&salon, "MANUCURE demain ?"), [5]);
        assert_eq!(found(&salon, "une coupe"), [1, 4]);
        assert_eq!(found(&salon, "a men's haircut"), [4]);
        assert_eq!(found(&salon, "Herrenhaarschnitt"), [0_i64; 0]);
        assert_eq!(found(&salon, "semi permanent"), [6]);
        assert_eq!(found(&["Haircut", "Beard trim"], "haricut"), [1]);
        assert_eq!(found(&["Haircut", "Beard trim"], "a pizza"), [0_i64; 0]);
        assert_eq!(found(&["Haircut", "Beard trim"], "sakal tıraşı"), [2]);
        assert_eq!(found(&["Massage 30", "Massage 60"], "massage 60 min"), [2]);
    }
}
