//! What a customer's sentence says about products: its words, without those that say nothing, and with those that mean the same in other languages.

/// A sentence that asks for more things than this is a novel.
const MAX_WORDS: usize = 24;
const MAX_WORD_CHARS: usize = 40;

/// Words of greeting, asking and ordering, in English, German, French, Spanish, Italian, Portuguese, Dutch and Turkish, without accents: they stand
/// in every sentence and name no product. Missing ones do little harm, since a word counts as often as it is rare.
const EMPTY: &str = " a about all also am an and any anything are as at available be buy can come could do does for get give got had has have hello hey hi how i \
    id if ill im in is it its just left like looking me much my need no not of ok okay on one or order please pls plz price sell send show size some still stock take \
    thanks that the them then there these they thing this those three to two u us want was we what whats which will with would x yes you your \
    aber auch auf aus bei bestellen bitte brauche danke das dem den der die eine einen einer eines ein es euch euer fur gibt gern gerne grosse gruss guten \
    habe haben habt hallo hatte hatten ich ihr ihre im ist ja kann kaufen konnen kostet kosten mal mehr mein mich mir mit mochte nehme nehmen nein noch nur oder paar preis \
    sie sind stuck suche tag und uns viel von wann was welche wie wieviel wir wurde zwei drei zu zum zur \
    au aux avec avez bonjour bonsoir ce ces cette combien commande commander coute cherche dans de des deux disponible du elle en encore est et il je la le les \
    ma merci mes moi mon nous oui ou par pas plait pointure pour prends prix prendre quel quelle que qui salut sil souhaite stp sur svp taille trois un une voudrais vous vos \
    al algun algo buenas buenos busco comprar con cual cuanto cuesta dame del dia dias disponible dos el ella ellos en es esta estas este gracias hay hola la las los lo \
    me mi necesito numero o para pedir por favor precio que queda quedan quiero quisiera si son su talla tengo teneis tienen tienes tres una uno unas unos y yo \
    anche avete buongiorno buonasera che ciao come compro con comprare costa costano cosa cerco da dei del della delle di due e gli grazie ho il in la le lo ma mi misura \
    numero o ordinare per piu posso prendo prezzo puo quale quanto quanti sono su taglia tre un una uno vorrei voi \
    ainda alguma algum boa bom com comprar da dia do dos e ela em essa esse esta este eu gostaria ha isso ja mais me meu muito na nao no nos o obrigada obrigado ola oi os \
    ou para pedir pode por preco procuro qual quanto quantos quero sao se sim tamanho tem tenho tres um uma uns voces voce \
    alsjeblieft bestel bestellen dag dank dat de deze die dit een en er goedemiddag graag hallo hebben hebt heb heeft het hoe hoeveel hoi ik in is ja jij jullie kan kopen kost \
    maat met mij mijn naar nee niet nog of om ook op prijs stuks te twee uit van voor wat we welke wil willen zijn zoek \
    acaba adet almak alayim alabilir bana ben bir biraz bu bunu cok da de fiyat fiyati ile icin istiyorum iyi kac kadar lutfen mi mu musunuz merhaba ne numara olan selam \
    siparis sizde tane tesekkurler uc var ve ya yok ";

/// Words for one thing, without accents. Each line ends where the next thing begins.
const SAME: &[&str] = &[
    "red rot rote roter rotes roten rouge rouges rojo roja rojos rojas rosso rossa rossi rosse vermelho vermelha vermelhos vermelhas rood rode kirmizi",
    "blue blau blaue blauer blaues blauen bleu bleue bleus bleues azul azules azuis blu blauw blauwe mavi",
    "black schwarz schwarze schwarzer schwarzes schwarzen noir noire noirs noires negro negra negros negras nero nera neri nere preto preta pretos pretas zwart zwarte siyah",
    "white weiss weisse weisser weisses weissen blanc blanche blancs blanches blanco blanca blancos blancas bianco bianca bianchi bianche branco branca brancos brancas wit witte beyaz",
    "green grun grune gruner grunes grunen vert verte verts vertes verde verdes verdi groen groene yesil",
    "yellow gelb gelbe gelber gelbes gelben jaune jaunes amarillo amarilla amarillos amarillas giallo gialla gialli gialle amarelo amarela amarelos amarelas geel gele sari",
    "grey gray grau graue grauer graues grauen gris grises grigio grigia grigi grigie cinza cinzento cinzenta grijs grijze gri",
    "brown braun braune brauner braunes braunen marron marrons brun brune marrone marroni marrom castanho castanha bruin bruine kahverengi",
    "pink rosa rosas rosy rose rosafarben rosado rosada roze pembe",
    "orange orangen naranja arancione arancioni laranja oranje turuncu",
    "beige sand sable arena sabbia areia zand bej",
    "sneaker sneakers turnschuh turnschuhe turnschuhen basket baskets tennis zapatilla zapatillas deportivas scarpa scarpe ginnastica tenis sapatilha sapatilhas gymschoen \
     gymschoenen gympen ayakkabi ayakkabisi spor schuh schuhe schuhen shoe shoes trainers chaussure chaussures zapato zapatos sapato sapatos schoen schoenen",
    "sock socks socke socken chaussette chaussettes calcetin calcetines calza calze calzini meia meias sok sokken corap",
    "lace laces shoelace shoelaces schnursenkel lacet lacets cordon cordones laccio lacci stringhe cadarco cadarcos atacadores veter veters bagcik",
    "running run lauf laufen laufschuh laufschuhe course courir correr corsa corrida hardlopen hardloop kosu",
    "leather leder cuir cuero piel pelle couro leer leren deri",
    "care pflege pflegeset entretien soin cuidado cura verzorging bakim kit set",
    "insole insoles einlegesohle einlegesohlen semelle semelles plantilla plantillas soletta solette palmilha palmilhas inlegzool inlegzolen tabanlik",
];

/// Letters without accents, as Postgres's `unaccent` makes them, as far as the lists above need it.
fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for letter in word.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'ğ' => folded.push('g'),
            'ì' | 'í' | 'î' | 'ï' | 'ı' => folded.push('i'),
            'ñ' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
            'ş' => folded.push('s'),
            'ß' => folded.push_str("ss"),
            // What `İ` leaves behind when it is made small.
            '\u{307}' => {}
            other => folded.push(other),
        }
    }
    folded
}

/// The words of a text, folded, each once; NUL, punctuation and whatever else is not a letter or digit parts them.
pub(super) fn typed(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '\u{307}')) {
        let word = fold(word);
        if !word.is_empty() && word.chars().count() <= MAX_WORD_CHARS && !words.contains(&word) {
            words.push(word);
            if words.len() == MAX_WORDS {
                break;
            }
        }
    }
    words
}

/// The words that may name a product, in groups: a product fits a group if any of its words fits.
pub(super) fn wanted(text: &str) -> Vec<(i32, String)> {
    let mut wanted = Vec::new();
    // A long sentence is looked through whole; the bound is on what is searched for.
    let words: Vec<String> = text.split_inclusive(char::is_whitespace).flat_map(typed).filter(|word| !is_empty(word)).collect();
    let mut seen: Vec<&str> = Vec::new();
    for word in &words {
        if seen.contains(&word.as_str()) {
            continue;
        }
        seen.push(word);
        if seen.len() > MAX_WORDS {
            break;
        }
        let group = i32::try_from(seen.len()).unwrap_or(i32::MAX);
        wanted.push((group, word.clone()));
        let same = SAME.iter().filter(|line| line.split_whitespace().any(|known| known == word));
        wanted.extend(same.flat_map(|line| line.split_whitespace()).filter(|known| known != word).map(|known| (group, known.to_owned())));
    }
    wanted
}

/// Single letters are sizes (S, M, L) unless the list says otherwise.
fn is_empty(word: &str) -> bool {
    EMPTY.split_whitespace().any(|empty| empty == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<String> {
        let mut last = 0;
        wanted(text).into_iter().filter(|(group, _)| std::mem::replace(&mut last, *group) != *group).map(|(_, word)| word).collect()
    }

    #[test]
    fn only_words_that_may_name_a_product_are_left() {
        assert_eq!(groups("hi, do you have red sneakers in 42? I'd take two"), ["red", "sneakers", "42", "d"]);
        assert_eq!(groups("Guten Tag, habt ihr rote Turnschuhe in Größe 42?"), ["rote", "turnschuhe", "42"]);
        assert_eq!(groups("Bonjour, avez-vous des baskets rouges en 42 s'il vous plaît"), ["baskets", "rouges", "42", "s"]);
        assert!(groups("hello there, how are you").is_empty());
    }

    #[test]
    fn a_colour_is_known_in_other_languages() {
        assert!(wanted("kırmızı ayakkabı").iter().any(|(_, word)| word == "red"));
        assert!(wanted("rouges").iter().any(|(_, word)| word == "red"));
    }

    #[test]
    fn hostile_text_is_bounded() {
        let long: String = (0..5_000).map(|n| format!("word{n} ")).collect();
        assert_eq!(groups(&long).len(), MAX_WORDS);
        assert!(typed("\0'; DROP TABLE products; -- %_\\").iter().all(|word| word.chars().all(char::is_alphanumeric)));
        assert!(typed(&"x".repeat(100_000)).is_empty());
    }
}
