//! What the model was told of the shop's goods, and which of them a customer's words mean.

use std::sync::OnceLock;

use serde_json::Value;

use super::language::{Language, fold, is_filler, tokens};
use super::lexicon::is_typo_of;

/// A product as the prompt or a tool told of it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) price: Option<String>,
    pub(super) stock: Option<i64>,
    /// What the shop says of it: a sneaker's name need not say that it is one.
    pub(super) description: String,
}

impl Product {
    /// From an object with an id and a name; anything else may be missing.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let id = ["product_id", "id"].iter().find_map(|key| whole(value.get(key)?))?;
        let name = ["name", "title", "product"].iter().find_map(|key| value.get(key)?.as_str())?.to_owned();
        let currency = value.get("currency").and_then(Value::as_str).unwrap_or_default();
        let price = match value.get("price") {
            Some(Value::String(price)) => Some(format!("{price} {currency}").trim().to_owned()),
            Some(Value::Number(price)) => Some(format!("{price} {currency}").trim().to_owned()),
            _ => None,
        };
        let stock = ["stock", "available", "in_stock"].iter().find_map(|key| whole(value.get(key)?));
        let description = ["description", "details"].iter().find_map(|key| value.get(key)?.as_str()).unwrap_or_default().to_owned();
        Some(Self { id, name, price, stock, description })
    }

    /// Its name and, in brackets, its price as it was given.
    pub(super) fn with_price(&self) -> String {
        self.price.as_ref().map_or_else(|| self.name.clone(), |price| format!("{} ({price})", self.name))
    }

    fn features(&self, languages: &[Language]) -> Vec<Feature> {
        tokens(&self.name).iter().filter(|token| is_size(token) || !is_filler(languages, token)).map(|token| Feature::of(token)).collect()
    }

    /// The sizes its name carries.
    pub(super) fn sizes(&self) -> Vec<String> {
        tokens(&self.name).into_iter().filter(|token| is_size(token)).collect()
    }

    /// Whether the two are one thing in two sizes.
    pub(super) fn is_sibling_of(&self, other: &Self) -> bool {
        let plain = |product: &Self| tokens(&product.name).into_iter().filter(|token| !is_size(token)).collect::<Vec<_>>();
        self.id != other.id && !plain(self).is_empty() && plain(self) == plain(other)
    }
}

pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn is_size(token: &str) -> bool {
    matches!(token, "xs" | "s" | "m" | "l" | "xl" | "xxl") || (token.len() <= 3 && token.chars().all(|c| c.is_ascii_digit()))
}

/// One word of a product's name or of a customer's message, as it counts when the two are compared.
#[derive(Clone, PartialEq, Debug)]
struct Feature {
    word: String,
    /// The thing or colour it stands for, whatever the language.
    sense: Option<&'static str>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Size,
    Measure,
    Colour,
    Word,
}

impl Feature {
    fn of(word: &str) -> Self {
        let sense = goods().iter().find(|(_, stems)| {
            stems.iter().any(|stem| stem.strip_suffix('*').map_or_else(|| word == *stem, |stem| word.starts_with(stem)))
        });
        let kind = match sense {
            _ if is_size(word) => Kind::Size,
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => Kind::Measure,
            Some((name, _)) if name.starts_with("colour") => Kind::Colour,
            _ => Kind::Word,
        };
        Self { word: word.to_owned(), sense: sense.map(|(name, _)| *name), kind }
    }

    fn means(&self, other: &Self) -> bool {
        if self.word == other.word || (self.sense.is_some() && self.sense == other.sense) {
            return true;
        }
        if self.kind == Kind::Size || other.kind == Kind::Size || self.kind == Kind::Measure || other.kind == Kind::Measure {
            return false;
        }
        let (short, long) = if self.word.len() <= other.word.len() { (&self.word, &other.word) } else { (&other.word, &self.word) };
        let shared = short.chars().zip(long.chars()).take_while(|(a, b)| a == b).count();
        let length = short.chars().count();
        (length >= 4 && long.starts_with(short.as_str()) && long.len() - short.len() <= 6)
            || (length >= 5 && long.ends_with(short.as_str()))
            || (shared >= 6 && long.chars().count() - shared <= 5)
            || is_typo_of(&self.word, &other.word)
    }
}

type Goods = Vec<(&'static str, Vec<&'static str>)>;

/// `goods.txt`: what is called how.
fn goods() -> &'static Goods {
    static GOODS: OnceLock<Goods> = OnceLock::new();
    GOODS.get_or_init(|| {
        let lines = include_str!("goods.txt").lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(':')).map(|(name, stems)| (name, stems.split_whitespace().collect())).collect()
    })
}

/// Whether a word is known to name goods or their colour.
pub(super) fn names_goods(token: &str) -> bool {
    Feature::of(&fold(token)).sense.is_some()
}

/// The products that the words mean, best and equally good ones only. A colour or a size alone means none of them.
///
/// `sizes` are the sizes asked for: a product in another size does not fit.
pub(super) fn meant<'p>(products: &'p [Product], words: &[String], sizes: &[String], languages: &[Language]) -> Vec<&'p Product> {
    let said: Vec<Feature> = words.iter().map(|word| Feature::of(word)).collect();
    let features: Vec<Vec<Feature>> = products.iter().map(|product| product.features(languages)).collect();
    let rarity = |feature: &Feature| {
        let holders = features.iter().filter(|other| other.iter().any(|other| other.means(feature))).count().max(1);
        1.0 + (products.len() as f64 / holders as f64).ln()
    };
    let wanted_colours: Vec<&Feature> = said.iter().filter(|feature| feature.kind == Kind::Colour).collect();
    let mut ranked: Vec<(f64, &Product)> = Vec::new();
    for (product, features) in products.iter().zip(&features) {
        let hit: Vec<&Feature> = features.iter().filter(|feature| said.iter().any(|word| word.means(feature))).collect();
        let named = hit.iter().any(|feature| feature.kind == Kind::Word) || spells_out(&hit, features);
        // By its description alone a thing is meant only as what it is ("sneaker"), and less than one that is called so.
        let described = !named && is_described(product, &said);
        if !named && !described {
            continue;
        }
        let own_sizes = product.sizes();
        if !sizes.is_empty() && !own_sizes.is_empty() && !own_sizes.iter().any(|size| sizes.contains(size)) {
            continue;
        }
        let has_colour = features.iter().any(|feature| feature.kind == Kind::Colour);
        if has_colour && !wanted_colours.is_empty() && !wanted_colours.iter().any(|colour| hit.iter().any(|own| own.means(colour))) {
            continue;
        }
        let score: f64 = hit.iter().map(|feature| rarity(feature) * if feature.kind == Kind::Word { 1.0 } else { 0.6 }).sum();
        ranked.push((if described { score * 0.6 + 0.1 } else { score }, product));
    }
    let best = ranked.iter().map(|(score, _)| *score).fold(0.0, f64::max);
    ranked.into_iter().filter(|(score, _)| *score >= best * 0.95).map(|(_, product)| product).collect()
}

/// Whether the description says that it is a thing of the kind that was asked for.
fn is_described(product: &Product, said: &[Feature]) -> bool {
    let told: Vec<Feature> = tokens(&product.description).iter().map(|token| Feature::of(token)).collect();
    said.iter().filter(|word| word.kind == Kind::Word && word.sense.is_some()).any(|word| told.iter().any(|own| own.sense == word.sense))
}

/// A name made of colours and sizes alone is meant when all of it was said.
fn spells_out(hit: &[&Feature], features: &[Feature]) -> bool {
    !hit.is_empty() && hit.len() == features.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products(names: &[&str]) -> Vec<Product> {
        let product = |(at, name): (usize, &&str)| Product {
            id: at as i64,
            name: (*name).to_owned(),
            price: None,
            stock: None,
            description: String::new(),
        };
        names.iter().enumerate().map(product).collect()
    }

    fn found(names: &[&str], text: &str, sizes: &[&str]) -> Vec<String> {
        let sizes: Vec<String> = sizes.iter().map(|size| (*size).to_owned()).collect();
        let products = products(names);
        meant(&products, &tokens(text), &sizes, &Language::ALL).into_iter().map(|product| product.name.clone()).collect()
    }

    #[test]
    fn a_product_is_meant_by_inflected_compounded_and_mistyped_words() {
        assert_eq!(found(&["Schwarzer Ledergürtel", "Rote Sneaker 42"], "den schwarzen gürtel", &[]), ["Schwarzer Ledergürtel"]);
        assert_eq!(found(&["Siyah deri kemer", "Vanilyalı mum"], "siyah kemeri", &[]), ["Siyah deri kemer"]);
        assert_eq!(found(&["Red Canvas Sneakers 42", "Black Belt"], "sneekers", &[]), ["Red Canvas Sneakers 42"]);
    }

    #[test]
    fn a_product_is_meant_in_another_language() {
        assert_eq!(found(&["Red Canvas Sneakers 42", "Black Leather Belt"], "siyah kemer", &[]), ["Black Leather Belt"]);
    }

    #[test]
    fn colour_or_size_alone_mean_nothing_and_a_wrong_one_excludes() {
        assert!(found(&["Red Canvas Sneakers 42"], "a red umbrella", &[]).is_empty());
        assert!(found(&["Red Canvas Sneakers 42"], "blue sneakers", &[]).is_empty());
        assert!(found(&["Red Canvas Sneakers 42"], "red sneakers in 44", &["44"]).is_empty());
    }

    #[test]
    fn equally_good_products_are_all_meant() {
        assert_eq!(found(&["Red Sneakers 42", "Red Sneakers 43", "Belt"], "red sneakers", &[]).len(), 2);
    }
}
