//! The languages the fixed texts are written in, and a small guess at which one a customer writes.

use frontdesk_core::language::Language::{self, French, German, Italian, Portuguese, Spanish, Turkish};

use crate::agent::guard::plain_text;

/// Frequent words, folded. `!` marks those that hardly any other of these languages has.
const WORDS: [&str; 8] = [
    "the! and! you! is i! do have! what! how! are! can! my! this! that! please! thanks! thank! hello! hi hey with! for of to would! like! want! where! when! which! any! need! it does! yes! your! me not shoes! red size! price! order! much! many! good! morning! there! some! get! buy! looking! could! i'd! in a one we they! still! shipping! am!",
    "der die das! und! ich! ist! nicht! sie ein eine! haben! habt! ihr! mit! fur! wie! was wo! wann! kann! konnen! bitte! danke! hallo guten! tag! den dem! auf! von! zu gibt! mir! mein! meine! auch! noch! nur! rote! grosse! schuhe! mochte! hatte! gerne! es in ja nein! wieviel! viel! kostet! preis! welche! sind! moin! servus! brauche! suche! bestellen! mal! im! paar! hab! euch! wir! am",
    "le la les! des! un une est! et! je! vous! avez! avec! pour! dans! que qui! bonjour! salut! merci! oui! non svp! combien! quel! quelle! comment! ou du! de en mon! ma pas! ne plait! s'il! j'ai! c'est! voudrais! aimerais! bonsoir! rouge! taille! chaussures! prix! livraison! commande! sur au! aussi! cherche! est-ce! tu il! elle! nous! sont! ca! cette! disponible d'accord!",
    "el! la los! las! un una y! es en de que por para como! cuanto! cuesta! dos hola! gracias! quiero! tienes! tienen! hay! si favor! buenos! buenas! dias! tardes! me mi! con no del! al muy! usted! puedo! donde! cual! cuando talla! zapatos! rojo! rojas! precio! pedido envio! necesito! quisiera! busco! estoy! esta tiene! yo! pero! tambien! unos! unas! seria sale! vale! porfa! perfecto! queria",
    "il! lo la gli! un una e di! che! per! con non! sono! ciao! grazie! buongiorno! buonasera! vorrei! avete! quanto! costa! come ho! mi si! del al in quale! dove! quando taglia! scarpe! rosse! prezzo! ordine! spedizione! questo questa anche! cerco! posso posto! bene! va! sera perfetto! c'e! dei! delle! della! nel! cosa! voi! ragazzi! salve! favore! misura! paio!",
    "o os! as um! uma! e de que para com! nao! eu! voce! voces! ola! oi! obrigado! obrigada! bom! boa! dia tarde tem! tenho! quero! queria quanto custa! como por favor tamanho! sapatos! tenis! vermelho! preco! pedido envio esta isso! sim! qual! quando onde! gostaria! preciso! no na! do! da dos meu! minha! pra! vcs! vc! tudo! ainda! frete! entrega me entao! pode! seria comprar mais! tambem! quais! cor! moca!",
    "de het! een! en ik! is niet! je! u hebben! heeft! hebt! met! voor! van! dat! die wat! hoe! waar! wanneer! kan! kunnen! graag! bedankt! dank! hallo hoi! goedemorgen! goedendag! jullie! ook! nog! maat! schoenen! rode! prijs! bestellen bestelling! hoeveel! kost! welke! zijn! mijn! wil! zoek! er! dag! alstublieft! alsjeblieft! ja nee! op in aan! heb! zou! goedenavond! paar deze! nieuwe! maar!",
    "ve! bir! bu! ne! mi! mu! var! yok! icin! merhaba! selam! tesekkurler! tesekkur! lutfen! kac! fiyat! fiyati! nasil! nerede! ne zaman! istiyorum! musunuz! misiniz! mi! numara! beden! ayakkabi! kirmizi! siparis! kargo! gunaydin! iyi! gunler! ben! bana! benim! de da cok! evet! hayir! tamam! olur! kadar! ile! almak! nedir! hangi! varmi! abi! aksamlar! tane! lira! kadar!",
];

/// The language a text is written in, if it shows enough of one. Short or mixed texts give none:
/// the caller keeps the language it knew.
#[must_use]
pub fn detect(text: &str) -> Option<Language> {
    let plain: String = text.chars().take(1_000).collect();
    let mut scores = [0_u32; 8];
    for c in plain.to_lowercase().chars() {
        let (language, points) = match c {
            'ß' => (German, 4),
            'ä' | 'ö' | 'ü' => (German, 2),
            'ñ' | '¿' | '¡' => (Spanish, 4),
            'ã' | 'õ' => (Portuguese, 4),
            'ş' | 'ğ' | 'ı' => (Turkish, 4),
            'œ' | 'ê' | 'û' | 'î' => (French, 2),
            'ù' | 'ì' | 'ò' => (Italian, 1),
            _ => continue,
        };
        // Many of one sign are no more evidence than two.
        scores[language.index()] = (scores[language.index()] + points).min(8);
        if matches!(c, 'ö' | 'ü') {
            scores[Turkish.index()] = (scores[Turkish.index()] + 2).min(8);
        }
    }
    let folded = plain_text(&plain);
    let mut seen: Vec<&str> = Vec::new();
    for word in folded.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '-')).filter(|w| !w.is_empty()) {
        if seen.contains(&word) {
            continue;
        }
        seen.push(word);
        for (score, words) in scores.iter_mut().zip(WORDS) {
            let mut known = words.split(' ');
            *score += known.find(|w| w.trim_end_matches('!') == word).map_or(0, |w| if w.ends_with('!') { 3 } else { 1 });
        }
    }
    let (best, most) = Language::ALL.into_iter().map(|l| (l, scores[l.index()])).max_by_key(|(l, s)| (*s, std::cmp::Reverse(l.index())))?;
    let second = Language::ALL.into_iter().filter(|l| *l != best).map(|l| scores[l.index()]).max()?;
    (most >= 3 && most > second).then_some(best)
}

#[cfg(test)]
mod tests {
    use Language::{Dutch, English};

    use super::*;

    #[test]
    fn the_language_of_an_ordinary_message_is_found() {
        for (language, texts) in [
            (English, ["hi, do you have red sneakers in 42? I'd take two", "how much is shipping?", "thanks a lot", "where is my order"]),
            (
                German,
                ["Hallo, habt ihr rote Sneaker in 42?", "was kostet der Versand?", "ich hätte gern zwei Paar", "Wo ist meine Bestellung"],
            ),
            (
                French,
                [
                    "Bonjour, vous avez des baskets rouges en 42 ?",
                    "c'est combien la livraison",
                    "je voudrais deux paires",
                    "merci beaucoup",
                ],
            ),
            (Spanish, ["Hola, ¿tienen zapatillas rojas en 42?", "cuánto cuesta el envío", "quiero dos pares", "muchas gracias"]),
            (Italian, ["Ciao, avete scarpe rosse in 42?", "quanto costa la spedizione", "vorrei due paia", "grazie mille"]),
            (Portuguese, ["Olá, vocês têm tênis vermelho 42?", "quanto custa o frete", "quero dois pares", "muito obrigado"]),
            (Dutch, ["Hallo, hebben jullie rode sneakers in maat 42?", "hoeveel kost verzending", "ik wil graag twee paar", "dank je wel"]),
            (Turkish, ["Merhaba, 42 numara kırmızı spor ayakkabı var mı?", "kargo ne kadar", "iki tane almak istiyorum", "teşekkürler"]),
        ] {
            for text in texts {
                assert_eq!(detect(text), Some(language), "{text}");
            }
        }
    }

    #[test]
    fn without_evidence_no_language_is_guessed() {
        for text in ["", "ok", "42", "👍", "Nike Air Max 90", "hmm", "?!", "2x", "привет"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn codes_with_regions_name_their_language() {
        assert_eq!(Language::from_code("pt-BR"), Some(Portuguese));
        assert_eq!(Language::from_code("DE"), Some(German));
        assert_eq!(Language::from_code("xx"), None);
        for language in Language::ALL {
            assert_eq!(Language::from_code(language.code()), Some(language));
        }
    }
}
