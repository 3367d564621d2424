//! One thought of the model that behaves: from the customer's message to words or a tool call.

use super::catalogue::Product;
use super::intent::{Intent, Reading, Topic};
use super::language::{Language, detect, tokens};
use super::lexicon::Meaning;
use super::prompt::{Knowledge, told_of};
use super::reply::{list, say};
use super::tools::{Facts, Purpose, arguments, tool_for};
use super::{Call, Conversation, Thought, Turn, bookings, results};

/// What the model has before it when it answers.
pub(super) struct Mind<'a> {
    pub(super) conversation: &'a Conversation,
    pub(super) knowledge: Knowledge,
    pub(super) language: Language,
    /// The customer's latest message, read.
    pub(super) reading: Reading,
    /// Their words, of all messages since the last answer.
    pub(super) message: String,
    /// Where that message begins in the talk.
    pub(super) first: usize,
    /// How the turns since that message begin.
    pub(super) since: usize,
}

/// What a message's words come to, held against the products known.
pub(super) enum Wish {
    Lines(Vec<(Product, u32)>),
    /// Several fit equally well.
    Which(Vec<Product>),
    /// How many is open.
    HowMany(Product),
    Unknown,
}

/// What a good model does next.
pub(super) fn think(conversation: &Conversation) -> Thought {
    let Some(mind) = Mind::of(conversation) else {
        let language = Knowledge::of(conversation).language.unwrap_or(Language::En);
        return Thought::Say(say(language, "greet", &[]));
    };
    match conversation.turns.last() {
        Some(Turn::ToolResults(answers)) => results::follow_up(&mind, answers),
        _ => mind.react(),
    }
}

impl<'a> Mind<'a> {
    /// None when the customer has not written yet.
    pub(super) fn of(conversation: &'a Conversation) -> Option<Self> {
        let turns = &conversation.turns;
        let last = turns.iter().rposition(|turn| matches!(turn, Turn::User(_)))?;
        // Several messages in a row are one.
        let first = turns[..last].iter().rposition(|turn| !matches!(turn, Turn::User(_))).map_or(0, |at| at + 1);
        let said = |turns: &[Turn]| {
            turns
                .iter()
                .filter_map(|turn| if let Turn::User(text) = turn { Some(text.as_str()) } else { None })
                .collect::<Vec<_>>()
                .join("\n")
        };
        let message = said(&turns[first..=last]);
        let knowledge = Knowledge::of(conversation);
        let sizes: Vec<String> = knowledge.products.iter().flat_map(Product::sizes).collect();
        let language = knowledge.language.or_else(|| detect(&tokens(&message)).first().copied());
        let language = language.or_else(|| detect(&tokens(&said(turns))).first().copied());
        let reading = Reading::of(&message, language, &sizes);
        Some(Self { conversation, knowledge, language: language.unwrap_or(Language::En), reading, message, first, since: last + 1 })
    }

    pub(super) fn intent(&self) -> Intent {
        self.reading.intent(&self.knowledge.products, self.knowledge.proposal.as_deref())
    }

    pub(super) fn say(&self, phrase: &str, values: &[(&str, &str)]) -> Thought {
        Thought::Say(say(self.language, phrase, values))
    }

    /// A call of the tool for a purpose; none where the product declares no such tool.
    pub(super) fn call(&self, purpose: Purpose, facts: &Facts<'_>) -> Option<Thought> {
        let tool = tool_for(&self.conversation.tools, purpose)?;
        let id = format!("call_{}", self.conversation.turns.len());
        Some(Thought::Call(vec![Call { id, name: tool.name.clone(), args: arguments(tool, facts) }]))
    }

    fn react(&self) -> Thought {
        if let Some(thought) = bookings::react(self) {
            return thought;
        }
        let order_no = self.reading.order_no.as_deref();
        match self.intent() {
            Intent::Greet => match &self.knowledge.last_ordered {
                Some(product) => self.say("greet_back", &[("product", product)]),
                None => self.say("greet", &[]),
            },
            Intent::Smalltalk => self.say("small", &[]),
            Intent::Decline => self.say("declined", &[]),
            Intent::Unclear => self.say("unclear", &[]),
            Intent::Human => {
                let call = self.call(Purpose::Human, &Facts { reason: "The customer asks for a person", ..Facts::default() });
                call.unwrap_or_else(|| self.say("human", &[]))
            }
            Intent::Confirm => self.agree(),
            Intent::Change => self.change(),
            Intent::CancelOrder => {
                self.call(Purpose::Cancel, &Facts { order_no, ..Facts::default() }).unwrap_or_else(|| self.say("no_order", &[]))
            }
            Intent::OrderStatus => {
                self.call(Purpose::Status, &Facts { order_no, ..Facts::default() }).unwrap_or_else(|| self.say("no_order", &[]))
            }
            Intent::BusinessInfo(topic) => self.inform(topic),
            Intent::Ask => self.offer().or_else(|| self.search()).unwrap_or_else(|| self.say("unclear", &[])),
            Intent::Order => self.order().or_else(|| self.search()).unwrap_or_else(|| self.say("unclear", &[])),
        }
    }

    /// A yes: to the open proposal, else to the one product that was spoken of last.
    fn agree(&self) -> Thought {
        if self.knowledge.proposal.is_some() {
            return self.call(Purpose::Confirm, &Facts::default()).unwrap_or_else(|| self.say("check", &[]));
        }
        match &self.focus()[..] {
            [] => self.say("small", &[]),
            [one] => self.propose(&[(one.clone(), self.reading.any_quantity().unwrap_or(1))]),
            several => self.say("which", &[("products", &list(several))]),
        }
    }

    pub(super) fn inform(&self, topic: Topic) -> Thought {
        let labels: &[&str] = match topic {
            Topic::Hours => &["hours", "opening", "open"],
            Topic::Address => &["address", "location"],
            // What may name a price is asked of the tool.
            Topic::Delivery | Topic::Payment | Topic::Returns => &[],
        };
        if let Some(known) = told_of(&self.knowledge.shop, labels) {
            return Thought::Say(known);
        }
        let call = self.call(Purpose::Info, &Facts { topic: topic.name(), query: topic.name(), ..Facts::default() });
        call.unwrap_or_else(|| self.say("info_unknown", &[]))
    }

    /// Tells of the products asked for; none when none is known.
    pub(super) fn offer(&self) -> Option<Thought> {
        let meant: Vec<Product> = self.reading.products(&self.knowledge.products).into_iter().cloned().collect();
        let meant = if meant.is_empty() && self.reading.subject().is_empty() { self.focus() } else { meant };
        match &meant[..] {
            [] => None,
            [one] if one.stock == Some(0) => Some(self.say("sold_out", &[("product", &one.name)])),
            some => Some(self.say("offer", &[("products", &list(some))])),
        }
    }

    /// Proposes what was ordered, or asks what is missing; none when the product is not known.
    pub(super) fn order(&self) -> Option<Thought> {
        match self.wish() {
            Wish::Lines(lines) => Some(self.propose(&lines)),
            Wish::Which(products) => Some(self.say("which", &[("products", &list(&products))])),
            Wish::HowMany(product) => Some(self.say("how_many", &[("product", &product.name)])),
            Wish::Unknown => None,
        }
    }

    pub(super) fn propose(&self, lines: &[(Product, u32)]) -> Thought {
        for (product, quantity) in lines {
            match product.stock {
                Some(stock) if stock <= 0 => return self.say("sold_out", &[("product", &product.name)]),
                Some(stock) if stock < i64::from(*quantity) => {
                    return self.say("few_left", &[("product", &product.name), ("count", &stock.to_string())]);
                }
                _ => {}
            }
        }
        let lines: Vec<(i64, u32)> = lines.iter().map(|(product, quantity)| (product.id, *quantity)).collect();
        self.call(Purpose::Propose, &Facts { lines: &lines, ..Facts::default() }).unwrap_or_else(|| self.say("check", &[]))
    }

    pub(super) fn search(&self) -> Option<Thought> {
        let mut query = self.reading.query();
        if self.reading.subject().is_empty() {
            // "and in 43?": the subject was named before.
            let named = self.focus().first().map(|product| without_size(&product.name));
            query = format!("{} {query}", named.or_else(|| self.earlier_subject())?).trim().to_owned();
        }
        (!query.is_empty()).then(|| self.call(Purpose::Search, &Facts { query: &query, ..Facts::default() }))?
    }

    /// What the customer's last messages before this one were about, where no product was found for it.
    fn earlier_subject(&self) -> Option<String> {
        let earlier = self.conversation.turns[..self.since - 1].iter().rev();
        earlier.filter_map(|turn| if let Turn::User(text) = turn { Some(text) } else { None }).take(3).find_map(|text| {
            let query = Reading::of(text, Some(self.language), &[]).query();
            (!query.is_empty()).then_some(query)
        })
    }

    fn wish(&self) -> Wish {
        let known = &self.knowledge.products;
        let sizes: Vec<String> = known.iter().flat_map(Product::sizes).collect();
        let mut lines: Vec<(Product, Option<u32>)> = Vec::new();
        for part in self.reading.parts(&sizes) {
            match &part.products(known)[..] {
                [product] if !lines.iter().any(|(line, _)| line.id == product.id) => {
                    lines.push(((*product).clone(), part.any_quantity()));
                }
                _ => {}
            }
        }
        if lines.len() > 1 {
            return Wish::Lines(lines.into_iter().map(|(product, quantity)| (product, quantity.unwrap_or(1))).collect());
        }
        let quantity = self.reading.any_quantity();
        let mut meant: Vec<Product> = self.reading.products(known).into_iter().cloned().collect();
        if meant.is_empty() && self.reading.subject().len() <= 1 {
            meant = self.focus();
        }
        match &meant[..] {
            [] => Wish::Unknown,
            [one] if quantity.is_none() && self.reading.has(Meaning::Some) => Wish::HowMany(one.clone()),
            [one] => Wish::Lines(vec![(one.clone(), quantity.unwrap_or(1))]),
            _ => Wish::Which(meant),
        }
    }

    /// The products spoken of before this message, in the size that it asks for.
    fn focus(&self) -> Vec<Product> {
        let known = &self.knowledge.products;
        let sizes = self.reading.sizes();
        let fits = |product: &&Product| sizes.is_empty() || product.sizes().iter().any(|size| sizes.contains(size));
        let narrowed = |products: Vec<&Product>| products.into_iter().filter(fits).cloned().collect::<Vec<_>>();
        for turn in self.conversation.turns[..self.since - 1].iter().rev() {
            let found = match turn {
                Turn::Model { text: Some(text), .. } => known.iter().filter(|product| text.contains(&product.name)).collect(),
                Turn::User(text) => {
                    let all_sizes: Vec<String> = known.iter().flat_map(Product::sizes).collect();
                    Reading::of(text, Some(self.language), &all_sizes).products(known)
                }
                _ => Vec::new(),
            };
            if !found.is_empty() {
                return narrowed(found);
            }
        }
        Vec::new()
    }

    /// Proposes the open proposal anew, as the customer wants it changed.
    fn change(&self) -> Thought {
        let Some(lines) = &self.knowledge.proposal else {
            return self.order().unwrap_or_else(|| self.say("what_change", &[]));
        };
        let known = &self.knowledge.products;
        let sizes = self.reading.sizes();
        let quantity = if self.reading.has(Meaning::Only) || self.reading.has(Meaning::Instead) {
            self.reading.any_quantity()
        } else {
            self.reading.quantity()
        };
        let named: Vec<Product> = self.reading.products(known).into_iter().cloned().collect();
        let mut lines = lines.clone();
        if let Some(at) = lines.iter().position(|(line, _)| named.iter().any(|product| product.id == line.id)) {
            lines[at].1 = quantity.unwrap_or(lines[at].1);
        } else if let [product] = &named[..] {
            self.put(&mut lines, product, quantity);
        } else if !named.is_empty() {
            return self.say("which", &[("products", &list(&named))]);
        } else if sizes.is_empty() && quantity.is_some_and(|_| lines.len() == 1) {
            lines[0].1 = quantity.unwrap_or(lines[0].1);
        } else if !sizes.is_empty() {
            let in_size = |line: &Product| {
                known.iter().find(|other| other.is_sibling_of(line) && other.sizes().iter().any(|size| sizes.contains(size)))
            };
            let Some((at, product)) = lines.iter().enumerate().find_map(|(at, (line, _))| Some((at, in_size(line)?.clone()))) else {
                let query = lines.first().map(|(line, _)| format!("{} {}", without_size(&line.name), sizes.join(" "))).unwrap_or_default();
                let call = self.call(Purpose::Search, &Facts { query: query.trim(), ..Facts::default() });
                return call.filter(|_| self.searches() == 0).unwrap_or_else(|| self.say("nothing", &[]));
            };
            lines[at] = (product, quantity.unwrap_or(lines[at].1));
        } else {
            let searched = if self.reading.subject().is_empty() || self.searches() > 0 { None } else { self.search() };
            return searched.unwrap_or_else(|| self.say("what_change", &[]));
        }
        self.propose(&lines)
    }

    /// Takes the place of its other size, or of the only line where the customer wants it instead; else it is added.
    fn put(&self, lines: &mut Vec<(Product, u32)>, product: &Product, quantity: Option<u32>) {
        let sibling = lines.iter().position(|(line, _)| line.is_sibling_of(product));
        let replaced = sibling.or_else(|| (lines.len() == 1 && self.reading.has(Meaning::Instead)).then_some(0));
        match replaced {
            Some(at) => lines[at] = (product.clone(), quantity.unwrap_or(lines[at].1)),
            None => lines.push((product.clone(), quantity.unwrap_or(1))),
        }
    }

    /// How often the tool for searching was called since the customer wrote.
    pub(super) fn searches(&self) -> usize {
        let name = tool_for(&self.conversation.tools, Purpose::Search).map(|tool| tool.name.as_str());
        let calls = self.conversation.turns[self.since..].iter().filter_map(|turn| match turn {
            Turn::Model { calls, .. } => Some(calls),
            _ => None,
        });
        calls.flatten().filter(|call| Some(call.name.as_str()) == name).count()
    }

    /// After a search: answers with what is known now.
    pub(super) fn answer_from_search(&self) -> Thought {
        let found = match self.intent() {
            Intent::Change => return self.change(),
            Intent::Order | Intent::Confirm => self.order(),
            _ => self.offer(),
        };
        found.or_else(|| self.other_sizes()).or_else(|| self.search_once_more()).unwrap_or_else(|| self.say("nothing", &[]))
    }

    /// The same thing in other sizes, where the one asked for is not there.
    fn other_sizes(&self) -> Option<Thought> {
        let others = self.reading.products_in_any_size(&self.knowledge.products);
        let others: Vec<Product> = others.into_iter().cloned().collect();
        (!others.is_empty()).then(|| self.say("which", &[("products", &list(&others))]))
    }

    /// Once more with the longest word alone: the search may want every word.
    fn search_once_more(&self) -> Option<Thought> {
        let word = self.reading.subject().into_iter().max_by_key(|token| token.folded.chars().count())?.typed.clone();
        let again = self.searches() == 1 && word != self.reading.query();
        again.then(|| self.call(Purpose::Search, &Facts { query: &word, ..Facts::default() }))?
    }
}

fn without_size(name: &str) -> String {
    let sized = |word: &&str| {
        word.len() <= 3 && (word.chars().all(|c| c.is_ascii_digit()) || matches!(*word, "XS" | "S" | "M" | "L" | "XL" | "XXL"))
    };
    name.split_whitespace().filter(|word| !sized(word)).collect::<Vec<_>>().join(" ")
}
