//! The scripted model understands what customers write to a shop that sells its time: services, free times, moves and cancellations in eight languages.

use frontdesk_sandbox::brain::{Call, Conversation, Misbehaviour, Thought, ToolDecl, ToolResult, Turn, think};
use serde::Deserialize;
use serde_json::{Value, json};

/// What it is known to misread: a new miss fails the test, and so does one that is none any more.
const MISREAD: &[&str] = &[];

#[derive(Deserialize)]
struct Phrasing {
    language: String,
    text: String,
    context: String,
    does: String,
    service: Option<i64>,
    staff: Option<i64>,
    appointment: Option<i64>,
    /// Left out: the whole message; null: none.
    #[serde(default = "all_of_it")]
    when: Option<String>,
    #[serde(default)]
    says: Vec<String>,
}

fn all_of_it() -> Option<String> {
    Some("*".to_owned())
}

fn corpus() -> Vec<Phrasing> {
    let lines = include_str!("../corpora/bookings.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The shop's three services in its language, and what was said before: when, what was shown, and the question without a service.
fn shop(language: &str) -> ([&'static str; 3], [&'static str; 3]) {
    match language {
        "de" => (
            ["Haarschnitt", "Bartpflege", "Maniküre"],
            ["Haarschnitt nächsten Freitag nachmittags?", "Freitag, 27. November", "am Freitag um 11 Uhr"],
        ),
        "fr" => (
            ["Coupe de cheveux", "Taille de barbe", "Manucure"],
            ["une coupe de cheveux vendredi prochain ?", "vendredi 27 novembre", "vendredi à 11h"],
        ),
        "es" => (
            ["Corte de pelo", "Arreglo de barba", "Manicura"],
            ["un corte de pelo el próximo viernes", "viernes, 27 de noviembre", "el viernes a las 11"],
        ),
        "it" => (
            ["Taglio di capelli", "Rasatura barba", "Manicure"],
            ["un taglio di capelli venerdì prossimo", "venerdì 27 novembre", "venerdì alle 11"],
        ),
        "pt" => (
            ["Corte de cabelo", "Aparar a barba", "Manicure"],
            ["um corte de cabelo na próxima sexta", "sexta-feira, 27 de novembro", "na sexta às 11h"],
        ),
        "nl" => {
            (["Knipbeurt", "Baard trimmen", "Manicure"], ["een knipbeurt volgende vrijdag", "vrijdag 27 november", "op vrijdag om 11 uur"])
        }
        "tr" => (["Saç kesimi", "Sakal kesimi", "Manikür"], ["gelecek cuma saç kesimi", "27 Kasım Cuma", "cuma saat 11'de randevu"]),
        _ => (["Haircut", "Beard trim", "Manicure"], ["a haircut next friday afternoon", "Friday 27 November", "friday at 11:00"]),
    }
}

fn services(language: &str) -> Vec<Value> {
    let (names, _) = shop(language);
    let (mia, tom) = (json!({"staff_id": 1, "name": "Mia"}), json!({"staff_id": 2, "name": "Tom"}));
    let service = |id: usize, minutes: i64, price: &str, staff: Value| {
        json!({"service_id": id, "name": names[id - 1], "description": "", "duration_minutes": minutes, "price": price,
            "currency": "EUR", "staff": staff})
    };
    vec![service(1, 45, "35.00", json!([mia, tom])), service(2, 20, "18.00", json!([tom])), service(3, 40, "29.50", json!([mia]))]
}

fn tools() -> Vec<ToolDecl> {
    let tool = |name: &str, properties: Value| ToolDecl {
        name: name.to_owned(),
        description: "About appointments.".to_owned(),
        parameters: json!({"type": "object", "properties": properties}),
    };
    let (number, text) = (json!({"type": "integer"}), json!({"type": "string"}));
    vec![
        tool("list_services", json!({})),
        tool("find_slots", json!({"service_id": number, "when": text, "staff_id": number})),
        tool("propose_booking", json!({"service_id": number, "when": text, "staff_id": number})),
        tool("confirm_booking", json!({})),
        tool("reschedule_booking", json!({"appointment_id": number, "when": text, "staff_id": number})),
        tool("cancel_booking", json!({"appointment_id": number})),
        tool("business_info", json!({"topic": text})),
        tool("request_human", json!({"reason": text})),
    ]
}

fn selling_tools() -> Vec<ToolDecl> {
    let line = json!({"type": "object", "properties": {"product_id": {"type": "integer"}, "quantity": {"type": "integer"}}});
    let tool = |name: &str, parameters: Value| ToolDecl { name: name.to_owned(), description: String::new(), parameters };
    let order_no = json!({"type": "object", "properties": {"order_no": {"type": "integer"}}});
    vec![
        tool("search_products", json!({"type": "object", "properties": {"query": {"type": "string"}}})),
        tool("propose_order", json!({"type": "object", "properties": {"lines": {"type": "array", "items": line}}})),
        tool("confirm_order", json!({"type": "object", "properties": {}})),
        tool("order_status", order_no.clone()),
        tool("cancel_order", order_no),
    ]
}

fn conversation(language: &str, context: &str, text: &str) -> Conversation {
    let (names, [slots_asked, day, which_asked]) = shop(language);
    let lines = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let mut system =
        "You are the front desk.\n<shop>\n{\"name\":\"Corner Salon\",\"hours\":{\"fri\":[\"09:00-18:00\"]}}\n</shop>\n".to_owned();
    if context != "empty" {
        system += &format!("<services>\n{}\n</services>\n", lines(&services(language)));
    }
    let appointments = if matches!(context, "appointment" | "cancel") {
        vec![
            json!({"appointment_id": 7, "service_id": 1, "service": names[0], "staff_id": 1, "staff": "Mia", "when": "Friday 2026-11-27 17:00", "until": "17:45"}),
        ]
    } else {
        Vec::new()
    };
    system += &format!("<appointments>\n{}\n</appointments>\n", lines(&appointments));
    let kind = match context {
        "booking" => Some("booking"),
        "cancel" => Some("cancel_booking"),
        _ => None,
    };
    let open = kind.map(|kind| {
        json!({"kind": kind, "service": names[0], "staff": "Mia", "when": "Friday 2026-11-27 17:00", "price": "35.00", "confirmable": true})
    });
    system += &format!("<open_proposal>{}</open_proposal>\n", open.map_or_else(String::new, |open| open.to_string()));
    system += &format!("<language>{language}</language>");
    let model = |text: String| Turn::Model { text: Some(text), calls: Vec::new() };
    let mut turns = match context {
        "slots" => vec![Turn::User(slots_asked.to_owned()), model(format!("{day}:\n• 17:00\n• 17:30\n• 18:15"))],
        "which" => {
            let prices = "Haircut (35.00 EUR), Manicure (29.50 EUR)?";
            let prices = if language == "en" { prices.to_owned() } else { format!("{} / {} ?", names[0], names[2]) };
            vec![Turn::User(which_asked.to_owned()), model(prices)]
        }
        _ => Vec::new(),
    };
    turns.push(Turn::User(text.to_owned()));
    Conversation { system, tools: tools(), turns }
}

fn only_call(thought: &Thought) -> Result<&Call, String> {
    match thought {
        Thought::Call(calls) if calls.len() == 1 => Ok(&calls[0]),
        other => Err(format!("no single call: {other:?}")),
    }
}

/// What is wrong with a thought, if anything.
fn judge(phrasing: &Phrasing, thought: &Thought) -> Result<(), String> {
    if phrasing.does == "say" {
        let Thought::Say(text) = thought else { return Err(format!("wanted words, got {thought:?}")) };
        let lacks: Vec<_> = phrasing.says.iter().filter(|part| !text.contains(*part)).collect();
        return if lacks.is_empty() { Ok(()) } else { Err(format!("{text} lacks {lacks:?}")) };
    }
    let call = only_call(thought)?;
    let mut wanted = json!({});
    if let Some(service) = phrasing.service {
        wanted["service_id"] = json!(service);
    }
    if let Some(staff) = phrasing.staff {
        wanted["staff_id"] = json!(staff);
    }
    if let Some(appointment) = phrasing.appointment {
        wanted["appointment_id"] = json!(appointment);
    }
    let timed = matches!(phrasing.does.as_str(), "find_slots" | "propose_booking" | "reschedule_booking");
    if let Some(when) = phrasing.when.as_deref().filter(|_| timed) {
        wanted["when"] = json!(if when == "*" { phrasing.text.as_str() } else { when });
    }
    let args = if phrasing.does == "business_info" { &json!({}) } else { &call.args };
    if call.name == phrasing.does && *args == wanted {
        Ok(())
    } else {
        Err(format!("wanted {} {wanted}, got {} {}", phrasing.does, call.name, call.args))
    }
}

#[test]
fn customers_who_want_appointments_are_understood_in_eight_languages() {
    let corpus = corpus();
    assert!(corpus.len() >= 120, "{}", corpus.len());
    let misses: Vec<(&Phrasing, String)> = corpus
        .iter()
        .filter_map(|phrasing| {
            let thought = think(&conversation(&phrasing.language, &phrasing.context, &phrasing.text), Misbehaviour::None);
            judge(phrasing, &thought).err().map(|miss| (phrasing, miss))
        })
        .collect();
    let new: Vec<String> = misses
        .iter()
        .filter(|(phrasing, _)| !MISREAD.contains(&phrasing.text.as_str()))
        .map(|(phrasing, miss)| format!("[{} {}] {:?}: {miss}", phrasing.language, phrasing.context, phrasing.text))
        .collect();
    let gone: Vec<_> = MISREAD.iter().filter(|known| !misses.iter().any(|(phrasing, _)| phrasing.text == **known)).collect();
    assert!(new.is_empty() && gone.is_empty(), "{} of {}; misses no more: {gone:?}; misses:\n{}", new.len(), corpus.len(), new.join("\n"));
}

#[test]
fn services_that_a_tool_listed_are_told_with_their_prices() {
    let mut talk = conversation("de", "empty", "was kostet eine Maniküre?");
    assert_eq!(only_call(&think(&talk, Misbehaviour::None)).unwrap().name, "list_services");
    let call = Call { id: "1".to_owned(), name: "list_services".to_owned(), args: json!({}) };
    let result = ToolResult { id: "1".to_owned(), name: "list_services".to_owned(), result: json!({"services": services("de")}) };
    talk.turns.extend([Turn::Model { text: None, calls: vec![call] }, Turn::ToolResults(vec![result])]);
    let Thought::Say(text) = think(&talk, Misbehaviour::None) else { panic!("it speaks") };
    assert!(text.contains("29.50") && !text.contains("35.00"), "{text}");
}

#[test]
fn a_refusal_is_followed_by_words_and_not_by_the_same_call() {
    for (name, error) in [
        ("propose_booking", "service_id must be one of the services"),
        ("find_slots", "when could not be understood"),
        ("cancel_booking", "it is too late to cancel this appointment"),
        ("reschedule_booking", "this customer has no such appointment"),
        ("confirm_booking", "there is no open proposal"),
        ("list_services", "this shop offers nothing"),
    ] {
        let mut talk = conversation("en", "appointment", "cancel or move my haircut to friday at 10:00");
        let call = Call { id: "1".to_owned(), name: name.to_owned(), args: json!({}) };
        let result = ToolResult { id: "1".to_owned(), name: name.to_owned(), result: json!({"error": error}) };
        talk.turns.extend([Turn::Model { text: None, calls: vec![call] }, Turn::ToolResults(vec![result])]);
        assert!(matches!(think(&talk, Misbehaviour::None), Thought::Say(text) if !text.is_empty()), "{name}");
    }
}

#[test]
fn a_shop_that_sells_goods_and_time_does_both() {
    let act = |text: &str, proposal: &str| {
        let mut talk = conversation("en", "none", text);
        talk.tools.extend(selling_tools());
        let goods = json!({"product_id": 21, "name": "Argan Shampoo", "description": "", "price": "12.00", "currency": "EUR", "stock": 9});
        talk.system = talk.system.replace("<open_proposal></open_proposal>", &format!("<catalogue>\n{goods}\n</catalogue>\n{proposal}"));
        match think(&talk, Misbehaviour::None) {
            Thought::Call(calls) => format!("{} {}", calls[0].name, calls[0].args),
            Thought::Say(text) => text,
            Thought::Nothing => String::new(),
        }
    };
    assert_eq!(act("two argan shampoos please", ""), r#"propose_order {"lines":[{"product_id":21,"quantity":2}]}"#);
    assert_eq!(act("a haircut on friday at 17:00", ""), r#"propose_booking {"service_id":1,"when":"a haircut on friday at 17:00"}"#);
    assert!(act("how much is the argan shampoo?", "").contains("12.00"));
    assert!(act("how much is a manicure?", "").contains("29.50"));
    let order = r#"<open_proposal>{"kind":"order","lines":[{"product_id":21,"name":"Argan Shampoo","quantity":2}],"total":"24.00"}</open_proposal>"#;
    assert_eq!(act("yes please", order), "confirm_order {}");
    let booking = r#"<open_proposal>{"kind":"booking","service":"Haircut","staff":"Mia","when":"Friday 2026-11-27 17:00","price":"35.00"}</open_proposal>"#;
    assert_eq!(act("yes please", booking), "confirm_booking {}");
    assert!(act("where is my order 1042?", "").starts_with("order_status"));
    assert!(act("cancel order 1042", "").starts_with("cancel_order"));
    assert!(act("cancel my appointment", "").starts_with("cancel_booking"));
}

#[test]
fn it_goes_wrong_with_bookings_on_command() {
    let talk = |context: &str, text: &str| conversation("de", context, text);
    let thought = think(&talk("booking", "nein, warte"), Misbehaviour::ConfirmUnasked);
    assert_eq!(only_call(&thought).unwrap().name, "confirm_booking");
    let cancel = think(&talk("appointment", "bitte meinen Termin absagen"), Misbehaviour::OtherCustomersIds);
    assert_eq!(
        (only_call(&cancel).unwrap().name.as_str(), &only_call(&cancel).unwrap().args),
        ("cancel_booking", &json!({"appointment_id": 1}))
    );
    assert!(
        matches!(think(&talk("none", "Haarschnitt am Freitag?"), Misbehaviour::ClaimSlot), Thought::Say(text) if text.contains("15:00 ist frei"))
    );
    let mut seen = std::collections::HashSet::new();
    for history in 0..9 {
        let mut talk = talk("none", "Haarschnitt am Freitag um 10 Uhr");
        for _ in 0..history {
            talk.turns.splice(0..0, [Turn::User("hallo".to_owned()), Turn::Model { text: Some("Hallo!".to_owned()), calls: Vec::new() }]);
        }
        let thought = think(&talk, Misbehaviour::WrongArguments);
        seen.insert(only_call(&thought).unwrap().args.to_string());
    }
    assert!(seen.len() >= 7 && seen.iter().any(|args| args.len() > 10_000), "{}", seen.len());
    let looping = think(&talk("none", "hallo"), Misbehaviour::Loop);
    assert_eq!(only_call(&looping).unwrap().name, "list_services");
}

#[test]
fn of_times_that_were_shown_the_one_picked_is_copied_as_shown() {
    let offered = r#"<offered_times>{"service_id":1,"service":"Haarschnitt","staff_id":null,"times":["Friday 2026-11-27 17:00","Friday 2026-11-27 17:30","Saturday 2026-11-28 09:00"]}</offered_times>"#;
    for (text, when) in
        [("um 17:30", "Friday 2026-11-27 17:30"), ("der dritte", "Saturday 2026-11-28 09:00"), ("9 Uhr bitte", "Saturday 2026-11-28 09:00")]
    {
        let mut talk = conversation("de", "slots", text);
        talk.system += offered;
        let thought = think(&talk, Misbehaviour::None);
        let call = only_call(&thought).unwrap();
        assert_eq!((call.name.as_str(), &call.args), ("propose_booking", &json!({"service_id": 1, "when": when})), "{text}");
    }
}
