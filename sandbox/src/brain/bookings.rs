//! A shop that sells its time: what the model does about services, free times and the customer's appointments.

use serde_json::{Map, Value, json};

use super::answer::Mind;
use super::intent::{Intent, Reading, Topic};
use super::language::{Language, detect};
use super::lexicon::Meaning;
use super::services::{Diary, Proposed, Service, list, meant};
use super::times::{Shown, Words, cut, shown};
use super::{Call, Thought, ToolDecl, ToolResult, Turn};

/// How far back the talk is read for what the customer speaks of.
const TALK: usize = 12;

/// What a tool of bookings is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    Services,
    Slots,
    Propose,
    Confirm,
    Move,
    Cancel,
}

impl Act {
    const ALL: [Self; 6] = [Self::Services, Self::Slots, Self::Propose, Self::Confirm, Self::Move, Self::Cancel];

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Services => &["list_services", "services"],
            Self::Slots => &["find_slots", "slots", "availab"],
            Self::Propose => &["propose_booking", "propose_appointment"],
            Self::Confirm => &["confirm_booking", "confirm_appointment"],
            Self::Move => &["reschedul", "move_booking", "move_appointment"],
            Self::Cancel => &["cancel_booking", "cancel_appointment"],
        }
    }

    /// The declared tool for it.
    pub(super) fn tool(self, tools: &[ToolDecl]) -> Option<&ToolDecl> {
        self.names().iter().find_map(|name| tools.iter().find(|tool| tool.name.to_lowercase().contains(name)))
    }
}

/// Whether the shop takes appointments at all.
pub(super) fn takes_bookings(tools: &[ToolDecl]) -> bool {
    Act::Slots.tool(tools).is_some() || Act::Propose.tool(tools).is_some()
}

/// A call of a tool, with those of the arguments that it declares.
pub(super) fn call(conversation: &super::Conversation, act: Act, args: Value) -> Option<Thought> {
    let tool = act.tool(&conversation.tools)?;
    let declared = tool.parameters.get("properties").and_then(Value::as_object);
    let args: Map<String, Value> = match args {
        Value::Object(args) => args.into_iter().filter(|(name, _)| declared.is_none_or(|declared| declared.contains_key(name))).collect(),
        _ => Map::new(),
    };
    Some(Thought::Call(vec![Call { id: format!("call_{}", conversation.turns.len()), name: tool.name.clone(), args: Value::Object(args) }]))
}

/// What the customer's message comes to, where it is about appointments; none where it is not.
pub(super) fn react(mind: &Mind<'_>) -> Option<Thought> {
    takes_bookings(&mind.conversation.tools).then(|| Desk::of(mind).react())?
}

/// Goes on from what the tools of bookings answered; none where it was other tools.
pub(super) fn follow_up(mind: &Mind<'_>, answers: &[ToolResult]) -> Option<Thought> {
    let tools = &mind.conversation.tools;
    let act = |answer: &ToolResult| Act::ALL.into_iter().find(|act| act.tool(tools).is_some_and(|tool| tool.name == answer.name));
    let (act, answer) = answers.iter().find_map(|answer| Some((act(answer)?, answer)))?;
    let desk = Desk::of(mind);
    let error = answer.result.get("error").and_then(Value::as_str).map(str::to_lowercase);
    Some(match (act, error) {
        (Act::Services, None) if desk.diary.services.is_empty() => mind.say("no_services", &[]),
        (Act::Services, None) => match desk.react() {
            // It has just been asked.
            Some(Thought::Call(calls)) if calls.iter().any(|call| call.name == answer.name) => desk.offer(&desk.diary.services),
            thought => thought.unwrap_or_else(|| desk.offer(&desk.diary.services)),
        },
        (_, None) => mind.say("booking_done", &[]),
        (act, Some(error)) => desk.refused(act, &error),
    })
}

/// What is on the model's desk when it thinks of appointments.
pub(super) struct Desk<'a> {
    mind: &'a Mind<'a>,
    pub(super) diary: Diary,
    pub(super) words: Words,
    /// The services that this message names.
    named: Vec<Service>,
    /// Whether the shop has goods as well.
    sells: bool,
    /// Those that the customer is taken to write in.
    languages: Vec<Language>,
}

impl<'a> Desk<'a> {
    pub(super) fn of(mind: &'a Mind<'a>) -> Self {
        let diary = Diary::of(mind.conversation);
        let languages = languages_of(mind);
        let words = Words::of(&mind.message, &languages);
        let named = meant(&diary.services, words.tokens(), &mind.reading.languages);
        let sells = super::tools::tool_for(&mind.conversation.tools, super::tools::Purpose::Propose).is_some();
        Self { mind, diary, words, named, sells, languages }
    }

    /// Whether a price is asked for, in words that are not a service's own ("coupe" is no mistyped "coûte").
    fn asks_price(&self) -> bool {
        let own: Vec<String> = self.named.iter().flat_map(|service| super::language::tokens(&service.name)).collect();
        let rest: Vec<&str> = self.words.tokens().iter().filter(|token| !own.contains(token)).map(String::as_str).collect();
        self.mind.reading.has(Meaning::Price) && Reading::of(&rest.join(" "), self.mind.knowledge.language, &[]).has(Meaning::Price)
    }

    fn react(&self) -> Option<Thought> {
        let reading = &self.mind.reading;
        let human =
            reading.has(Meaning::RealHuman) || (reading.has(Meaning::Human) && (reading.has(Meaning::Talk) || reading.has(Meaning::Bot)));
        let about = self.is_about_bookings();
        if human && !(about && !reading.has(Meaning::RealHuman) && self.words.any_time()) {
            return None;
        }
        if let Some(proposed) = &self.diary.proposed {
            return self.on_proposal(proposed);
        }
        let ordering = self.mind.knowledge.proposal.is_some();
        if (ordering || self.names_goods()) && self.named.is_empty() && !self.speaks_of_appointments() {
            return None;
        }
        self.on_appointments().or_else(|| self.on_shop()).or_else(|| self.on_booking())
    }

    /// Whether a service, a time or an appointment is spoken of.
    pub(super) fn is_about_bookings(&self) -> bool {
        !self.named.is_empty() || self.speaks_of_appointments() || self.words.any_time()
    }

    fn speaks_of_appointments(&self) -> bool {
        ["book", "move", "mine", "free"].iter().any(|name| self.words.has(name))
    }

    /// Whether the message names goods of the shop.
    fn names_goods(&self) -> bool {
        self.sells && (!self.mind.reading.products(&self.mind.knowledge.products).is_empty() || self.mind.reading.names_goods())
    }

    fn call(&self, act: Act, args: Value) -> Option<Thought> {
        call(self.mind.conversation, act, args)
    }

    /// Moving, cancelling, asking after those that are booked.
    fn on_appointments(&self) -> Option<Thought> {
        let (words, reading) = (&self.words, &self.mind.reading);
        let has_some = !self.diary.appointments.is_empty();
        if words.has("mine") && !words.has("move") {
            return Some(self.tell_appointments());
        }
        let against = words.has("cancel") || self.parted();
        let about_order = self.sells && (reading.has(Meaning::Order) || reading.has(Meaning::Parcel));
        let shifts = words.shift().is_some() && has_some && self.named.is_empty() && self.shown().is_empty();
        let moves = words.has("move") || shifts || (against && reading.has(Meaning::Instead) && words.exact && has_some);
        if moves && (has_some || words.has("book") || !self.sells) && !about_order {
            return Some(self.reschedule());
        }
        let against = against || reading.has(Meaning::Cancel);
        if against && !about_order && (has_some || words.has("book") || !self.sells) {
            return self.call(Act::Cancel, self.whose());
        }
        None
    }

    /// "sag den Termin ab", "zeg mijn afspraak af".
    fn parted(&self) -> bool {
        let tokens = self.words.tokens();
        let pairs = [("sag", "ab"), ("zeg", "af")];
        pairs.iter().any(|(verb, rest)| {
            tokens.iter().position(|token| token.starts_with(verb)).is_some_and(|at| tokens[at..].iter().any(|token| token == rest))
        })
    }

    /// Which of the customer's appointments the message is about, where it says so.
    fn whose(&self) -> Value {
        let service = |name: &str| self.named.iter().any(|service| service.name.eq_ignore_ascii_case(name));
        let of_service: Vec<_> = self.diary.appointments.iter().filter(|appointment| service(&appointment.service)).collect();
        let id = self.words.appointment_no().or(if let [one] = &of_service[..] { Some(one.id) } else { None });
        id.map_or_else(|| json!({}), |id| json!({"appointment_id": id}))
    }

    fn reschedule(&self) -> Thought {
        if !self.words.any_time() && self.words.shift().is_none() {
            return self.mind.say("when_move", &[]);
        }
        let mut args = self.whose();
        args["when"] = json!(self.words.when());
        if let Some(staff) = self.staff_named(&self.everybody()) {
            args["staff_id"] = json!(staff);
        }
        self.call(Act::Move, args).unwrap_or_else(|| self.mind.say("when_move", &[]))
    }

    fn tell_appointments(&self) -> Thought {
        let told: Vec<String> = self.diary.appointments.iter().take(3).map(|one| format!("{}, {}", one.service, one.when)).collect();
        if told.is_empty() {
            self.mind.say("no_appointment", &[])
        } else {
            self.mind.say("appointments", &[("appointments", &told.join("; "))])
        }
    }

    /// Opening hours, address and the like.
    fn on_shop(&self) -> Option<Thought> {
        let reading = &self.mind.reading;
        let topic = reading.topic();
        let asks_hours = self.words.has("open") && !self.words.has("book") && self.named.is_empty();
        let booking = !self.named.is_empty()
            || self.words.has("book")
            || self.words.has("free")
            || self.words.exact
            || self.words.ordinal().is_some();
        match topic {
            Some(Topic::Hours) | None if asks_hours => Some(self.mind.inform(Topic::Hours)),
            Some(topic) if topic != Topic::Hours && !self.words.any_time() && (!booking || reading.is_question()) => {
                Some(self.mind.inform(topic))
            }
            Some(topic) if !booking && !self.words.any_time() => Some(self.mind.inform(topic)),
            _ => None,
        }
    }

    /// Services, prices, free times and new appointments.
    fn on_booking(&self) -> Option<Thought> {
        let (words, reading) = (&self.words, &self.mind.reading);
        let asks_facts = self.asks_price() || words.has("takes") || (words.has("who") && reading.is_question());
        let books = words.has("book") || words.any_time();
        if self.named.is_empty() && words.has("offer") && !words.any_time() {
            return Some(self.services());
        }
        if asks_facts && !books {
            if !self.named.is_empty() {
                return Some(self.tell(&self.named));
            }
            if self.names_goods() {
                return None;
            }
            return match self.service_of_talk() {
                Some(service) => Some(self.tell(&[service])),
                None if self.sells && !reading.subject().is_empty() => None,
                None => Some(self.services()),
            };
        }
        match &self.named[..] {
            [service] => {
                let asks = (reading.has(Meaning::Have) || reading.is_question()) && !reading.has(Meaning::Want) && !words.has("free");
                if asks && !books { Some(self.tell(&self.named)) } else { Some(self.book(service)) }
            }
            [] => self.without_service(),
            several => match self.service_of_talk().filter(|service| several.contains(service)) {
                Some(service) => Some(self.book(&service)),
                None if asks_facts => Some(self.tell(several)),
                None => Some(self.mind.say("which_service", &[("services", &list(several))])),
            },
        }
    }

    /// The message names no service: it goes on from the talk, or a service is asked for.
    fn without_service(&self) -> Option<Thought> {
        let words = &self.words;
        let staff = self.staff_named(&self.everybody()).is_some();
        let picks = words.ordinal().is_some() || words.bare_number().is_some();
        if let Some(service) = self.service_picked() {
            return Some(self.book(&service));
        }
        let answers = words.any_time() || words.has("book") || words.has("free") || words.has("any") || staff;
        let talk = self.service_of_talk();
        if answers || (picks && (talk.is_some() || !self.sells)) {
            let only = if let [only] = &self.diary.services[..] { Some(only.clone()) } else { None };
            return match talk.or(only) {
                Some(service) => Some(self.book(&service)),
                None if self.sells && !words.has("book") && !words.has("free") => None,
                None if self.diary.services.is_empty() => Some(self.services()),
                None => Some(self.mind.say("which_service", &[("services", &list(&self.diary.services))])),
            };
        }
        if self.sells {
            return None;
        }
        match self.mind.intent() {
            // A yes, and nothing that is open.
            Intent::Confirm => Some(talk.map_or_else(|| self.mind.say("small", &[]), |_| self.mind.say("when_book", &[]))),
            Intent::Ask | Intent::Order | Intent::Change => Some(self.services()),
            Intent::Decline => Some(self.mind.say("fine", &[])),
            _ => None,
        }
    }

    /// Proposes where an exact time is named, else shows what is free.
    fn book(&self, service: &Service) -> Thought {
        let (when, exact) = self.when();
        let staff = self.staff_named(&service.staff).or_else(|| self.staff_of_talk(service));
        let mut args = json!({"service_id": service.id});
        if let Some(staff) = staff {
            args["staff_id"] = json!(staff);
        }
        let act = if exact { Act::Propose } else { Act::Slots };
        if let Some(when) = when {
            args["when"] = json!(when);
        }
        self.call(act, args).unwrap_or_else(|| self.mind.say("when_book", &[]))
    }

    /// The customer's words about the time, complete; and whether they name a time of day.
    fn when(&self) -> (Option<String>, bool) {
        let words = &self.words;
        let picks = words.ordinal().is_some() || words.bare_number().is_some();
        if !words.any_time() && !picks {
            // "Which service?" - "a haircut": when was said before.
            return self.asked_before().map_or((None, false), |earlier| (Some(earlier.when()), earlier.exact));
        }
        if words.day.is_some() {
            return (Some(words.when()), words.exact);
        }
        if let Some(slot) = self.slot_picked() {
            let heading = slot.day.clone();
            let said = self.day_of_talk();
            let offered = self.diary.offered.is_some();
            let same_day = !offered && said.as_ref().is_some_and(|said| !said.weekdays.is_empty() && said.weekdays == slot.weekdays);
            let day = if same_day || heading.is_none() { said.and_then(|said| said.day) } else { heading };
            let time = if words.clocks.contains(&slot.clock) && !offered { words.when() } else { slot.typed };
            return (Some(cut(format!("{} {time}", day.unwrap_or_default()).trim())), true);
        }
        let day = self.day_of_talk().and_then(|said| said.day).unwrap_or_default();
        (Some(cut(format!("{day} {}", words.text).trim())), words.exact)
    }

    /// Which of the times that were shown last the customer means.
    fn slot_picked(&self) -> Option<Shown> {
        let slots = self.shown();
        if let Some(clock) = self.words.clocks.first() {
            let at = |clock: (u32, u32)| slots.iter().find(|slot| slot.clock == clock).cloned();
            return at(*clock).or_else(|| at((clock.0 + 12, clock.1)).filter(|_| clock.0 < 12));
        }
        if let Some(place) = self.words.ordinal() {
            return slots.get(place.min(slots.len().checked_sub(1)?)).filter(|_| place == usize::MAX || place < slots.len()).cloned();
        }
        let number = self.words.bare_number()?;
        let at = slots.iter().find(|slot| slot.clock.0 == number).cloned();
        at.or_else(|| slots.get(usize::try_from(number).ok()?.checked_sub(1)?).cloned())
    }

    /// The times that the last message before this one offers.
    fn shown(&self) -> Vec<Shown> {
        let told = self.last_reply().map_or_else(Vec::new, |text| shown(text, &self.languages));
        match &self.diary.offered {
            // As they were told, and no other form of them.
            Some(offered) if !told.is_empty() => offered.times.iter().flat_map(|time| shown(time, &[Language::En])).collect(),
            _ => told,
        }
    }

    fn last_reply(&self) -> Option<&str> {
        self.earlier().find_map(|turn| if let Turn::Model { text: Some(text), .. } = turn { Some(text.as_str()) } else { None })
    }

    /// The talk before this message, latest first.
    fn earlier(&self) -> impl Iterator<Item = &'a Turn> + use<'a> {
        self.mind.conversation.turns[..self.mind.first].iter().rev().take(TALK)
    }

    fn earlier_words(&self) -> impl Iterator<Item = Words> + '_ {
        self.earlier().filter_map(|turn| if let Turn::User(text) = turn { Some(Words::of(text, &self.languages)) } else { None })
    }

    /// The last message of the customer that names a day, with it.
    fn day_of_talk(&self) -> Option<Words> {
        self.earlier_words().take(4).find(|words| words.day.is_some())
    }

    /// What the customer said of the time before the model asked back.
    fn asked_before(&self) -> Option<Words> {
        let asked = self.last_reply().is_some_and(|text| text.contains('?'));
        self.earlier_words().take(2).find(Words::any_time).filter(|_| asked)
    }

    /// The service that was spoken of last.
    fn service_of_talk(&self) -> Option<Service> {
        let services = &self.diary.services;
        let offered = self.diary.offered.as_ref().and_then(|offered| services.iter().find(|service| Some(service.id) == offered.service));
        let spoken = self.earlier().find_map(|turn| {
            let found = match turn {
                Turn::User(text) => meant(services, &super::language::tokens(text), &self.mind.reading.languages),
                Turn::Model { text: Some(text), .. } => named_in(services, text),
                _ => Vec::new(),
            };
            if let [one] = &found[..] { Some(one.clone()) } else { None }
        });
        spoken.or_else(|| offered.cloned())
    }

    /// "The second one", to a question that named several services.
    fn service_picked(&self) -> Option<Service> {
        let listed = named_in(&self.diary.services, self.last_reply()?);
        let place = self.words.ordinal().filter(|_| listed.len() > 1 && self.shown().is_empty())?;
        listed.get(place.min(listed.len() - 1)).cloned()
    }

    fn everybody(&self) -> Vec<(i64, String)> {
        self.diary.services.iter().flat_map(|service| service.staff.clone()).collect()
    }

    fn staff_named(&self, staff: &[(i64, String)]) -> Option<i64> {
        staff_in(staff, &self.words)
    }

    /// Who was asked for since the service was named.
    fn staff_of_talk(&self, service: &Service) -> Option<i64> {
        if self.words.has("any") {
            return None;
        }
        for words in self.earlier_words().take(4) {
            if let Some(staff) = staff_in(&service.staff, &words) {
                return Some(staff);
            }
            if words.has("any") || !meant(&self.diary.services, words.tokens(), &self.mind.reading.languages).is_empty() {
                return None;
            }
        }
        None
    }

    /// All services, told or asked for.
    fn services(&self) -> Thought {
        if self.diary.services.is_empty() {
            return self.call(Act::Services, json!({})).unwrap_or_else(|| self.mind.say("no_services", &[]));
        }
        self.offer(&self.diary.services)
    }

    fn offer(&self, services: &[Service]) -> Thought {
        self.mind.say("services", &[("services", &list(services))])
    }

    /// Price, duration or staff of what was asked for.
    fn tell(&self, services: &[Service]) -> Thought {
        if self.words.has("takes") {
            let told: Vec<String> =
                services.iter().map(|service| format!("{}: {} min", service.name, service.minutes.unwrap_or_default())).collect();
            return self.mind.say("takes", &[("services", &told.join(", "))]);
        }
        if self.words.has("who") && !self.asks_price() {
            let names = |service: &Service| service.staff.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().join(", ");
            let told: Vec<String> = services.iter().map(|service| format!("{}: {}", service.name, names(service))).collect();
            return self.mind.say("takes", &[("services", &told.join("; "))]);
        }
        self.mind.say("service_price", &[("services", &list(services))])
    }

    /// An answer to an appointment, a move or a cancellation that was proposed.
    fn on_proposal(&self, proposed: &Proposed) -> Option<Thought> {
        let (words, reading) = (&self.words, &self.mind.reading);
        let shown = Words::of(&proposed.when, &[super::language::Language::En]);
        let agrees = reading.has(Meaning::Yes) || reading.has(Meaning::Go);
        let cancels = proposed.kind.contains("cancel");
        let other_clock = words.clocks.iter().any(|clock| !shown.clocks.iter().any(|own| clock.1 == own.1 && clock.0 % 12 == own.0 % 12));
        let other_day =
            words.weekdays.iter().any(|day| !shown.weekdays.contains(day)) || (words.day.is_some() && words.weekdays.is_empty() && !agrees);
        let other_service =
            !self.named.is_empty() && !self.named.iter().any(|service| service.name.eq_ignore_ascii_case(&proposed.service));
        let staff = self.staff_named(&self.everybody());
        let same_staff = |id: i64| self.everybody().iter().any(|(own, name)| *own == id && name.eq_ignore_ascii_case(&proposed.staff));
        let other_staff = staff.is_some_and(|id| !same_staff(id));
        let vague = words.is_vague() && !agrees;
        let half = words.exact && words.clocks.is_empty() && !agrees;
        if words.has("open") && reading.is_question() && !words.any_time() {
            return Some(self.mind.inform(Topic::Hours));
        }
        if other_clock || other_day || other_service || other_staff || vague || half || words.shift().is_some() {
            return Some(self.change(proposed, &shown, cancels));
        }
        if let Some(topic) = reading.topic().filter(|topic| *topic != Topic::Hours && reading.is_question()) {
            return Some(self.mind.inform(topic));
        }
        let asks_price = (self.asks_price() || words.has("takes")) && (!agrees || reading.is_question());
        if let Some(service) = self.proposed_service(proposed).filter(|_| asks_price) {
            return Some(self.tell(&[service]));
        }
        if words.has("move") && !agrees {
            return Some(self.mind.say("when_move", &[]));
        }
        // "Cancel it" is a yes to the question whether to cancel.
        let wants_cancelled = words.has("cancel") || reading.has(Meaning::Cancel) || self.parted();
        if cancels && wants_cancelled && !reading.has(Meaning::No) && !reading.is_question() {
            return self.call(Act::Confirm, json!({}));
        }
        if reading.has(Meaning::No) || reading.has(Meaning::Forget) || wants_cancelled {
            return self.call(Act::Cancel, json!({}));
        }
        if reading.has(Meaning::Wait) {
            return Some(self.mind.say("fine", &[]));
        }
        let books = words.has("book") || reading.has(Meaning::Want);
        if agrees || (books && !reading.is_question() && !cancels) {
            return self.call(Act::Confirm, json!({}));
        }
        None
    }

    fn proposed_service(&self, proposed: &Proposed) -> Option<Service> {
        self.diary.services.iter().find(|service| service.name.eq_ignore_ascii_case(&proposed.service)).cloned()
    }

    /// Proposes anew, as the customer wants it changed.
    fn change(&self, proposed: &Proposed, shown: &Words, cancels: bool) -> Thought {
        let words = &self.words;
        let day = shown.day.clone().unwrap_or_default();
        let (when, exact) = match (words.shift(), shown.clocks.first()) {
            (Some(shift), Some((hour, minute))) => {
                let at = (i64::from(*hour) * 60 + i64::from(*minute) + shift).rem_euclid(24 * 60);
                (format!("{day} {:02}:{:02}", at / 60, at % 60), true)
            }
            _ if !words.any_time() => (proposed.when.clone(), true),
            _ if words.day.is_none() => (format!("{day} {}", words.text), words.exact),
            _ => (words.text.clone(), words.exact),
        };
        let mut args = json!({"when": cut(when.trim())});
        if let Some(staff) = self.staff_named(&self.everybody()) {
            args["staff_id"] = json!(staff);
        }
        if proposed.kind.contains("move") || cancels {
            return self.call(Act::Move, args).unwrap_or_else(|| self.mind.say("when_move", &[]));
        }
        let service = match &self.named[..] {
            [] => self.proposed_service(proposed),
            [one] => Some(one.clone()),
            several => return self.mind.say("which_service", &[("services", &list(several))]),
        };
        let Some(service) = service else { return self.services() };
        args["service_id"] = json!(service.id);
        let act = if exact { Act::Propose } else { Act::Slots };
        self.call(act, args).unwrap_or_else(|| self.mind.say("when_book", &[]))
    }

    /// A tool refused: asks for what is missing, or says it politely.
    fn refused(&self, act: Act, error: &str) -> Thought {
        let tells = |words: &[&str]| words.iter().any(|word| error.contains(word));
        match act {
            Act::Services => self.mind.say("no_services", &[]),
            Act::Confirm => self.mind.say("booking_ask", &[]),
            Act::Move | Act::Cancel if tells(&["late", "deadline", "notice", "policy"]) => self.mind.say("too_late", &[]),
            Act::Move if tells(&["when", "time"]) && !tells(&["no such", "appointment"]) => self.mind.say("when_move", &[]),
            Act::Move | Act::Cancel => self.mind.say("no_appointment", &[]),
            Act::Slots | Act::Propose if tells(&["service"]) && !self.diary.services.is_empty() => {
                self.mind.say("which_service", &[("services", &list(&self.diary.services))])
            }
            Act::Slots | Act::Propose => self.mind.say("when_book", &[]),
        }
    }
}

/// The language that the model was told of, unless the customer writes in others: "la segunda" is no Monday in Spanish.
fn languages_of(mind: &Mind<'_>) -> Vec<Language> {
    let detected = detect(&super::language::tokens(&mind.message));
    match mind.knowledge.language {
        Some(told) if detected.is_empty() || detected.contains(&told) => vec![told, Language::En],
        _ => mind.reading.languages.clone(),
    }
}

/// The services whose whole name stands in a text, in the order they stand there.
fn named_in(services: &[Service], text: &str) -> Vec<Service> {
    let folded = super::language::fold(text);
    let mut found: Vec<(usize, &Service)> =
        services.iter().filter_map(|service| Some((folded.find(&super::language::fold(&service.name))?, service))).collect();
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, service)| service.clone()).collect()
}

fn staff_in(staff: &[(i64, String)], words: &Words) -> Option<i64> {
    let named = |name: &str| {
        let name = super::language::tokens(name);
        let first = name.first()?;
        words.tokens().iter().any(|token| token == first || token.strip_suffix('s') == Some(first)).then_some(())
    };
    staff.iter().find_map(|(id, name)| named(name).map(|()| *id))
}
