//! The words for times, in English, German, French, Spanish, Italian, Portuguese, Dutch and Turkish; folded, `|` between phrases. All languages are read at
//! once, since customers mix them. What means different things in two of them is left out, or told apart by what stands beside it.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::Weekday;

use super::Atom::{self, *};
use super::{Part, Unit, words_of};

const PHRASES: &[(Atom, &str)] = &[
    (Day(0), "today|heute|aujourd'hui|hoy|oggi|hoje|vandaag|bugun"),
    (Day(1), "tomorrow|tmrw|tmr|tomorow|demain|domani|domattina|amanha|yarin"),
    (
        Day(2),
        "day after tomorrow|the day after tomorrow|ubermorgen|uebermorgen|apres-demain|apres demain|pasado manana|dopodomani|depois de amanha|overmorgen|obur gun|ertesi gun",
    ),
    // German and Dutch: tomorrow, or the morning; the reader sees which by what stands beside it.
    (Morgen, "morgen"),
    // Spanish: tomorrow, or the morning.
    (Manana, "manana"),
    (Weekday(Weekday::Mon), "monday|mondays|montag|montags|lundi|lunes|lunedi|segunda-feira|segunda|maandag|pazartesi"),
    (Weekday(Weekday::Tue), "tuesday|tuesdays|tue|tues|dienstag|dienstags|mardi|martes|martedi|terca-feira|terca|dinsdag|sali"),
    (
        Weekday(Weekday::Wed),
        "wednesday|wednesdays|wed|mittwoch|mittwochs|mercredi|miercoles|mercoledi|quarta-feira|quarta|woensdag|carsamba",
    ),
    (
        Weekday(Weekday::Thu),
        "thursday|thursdays|thu|thur|thurs|donnerstag|donnerstags|jeudi|jueves|giovedi|quinta-feira|quinta|donderdag|persembe",
    ),
    (Weekday(Weekday::Fri), "friday|fridays|fri|freitag|freitags|vendredi|viernes|venerdi|sexta-feira|sexta|vrijdag|cuma"),
    (Weekday(Weekday::Sat), "saturday|saturdays|sat|samstag|samstags|sonnabend|samedi|sabado|sabato|zaterdag|cumartesi"),
    (Weekday(Weekday::Sun), "sunday|sundays|sonntag|sonntags|dimanche|domingo|domenica|zondag|pazar gunu|pazar"),
    (Month(1), "january|jan|januar|janner|janvier|enero|gennaio|janeiro|januari|ocak"),
    (Month(2), "february|feb|februar|fevrier|febrero|febbraio|fevereiro|februari|subat"),
    (Month(3), "march|marz|maerz|mars|marzo|marco|maart|mart"),
    (Month(4), "april|apr|avril|abril|aprile|nisan"),
    (Month(5), "may|mai|mayo|maggio|maio|mei|mayis"),
    (Month(6), "june|jun|juni|juin|junio|giugno|junho|haziran"),
    (Month(7), "july|jul|juli|juillet|julio|luglio|julho|temmuz"),
    (Month(8), "august|aug|aout|agosto|augustus|agustos"),
    (Month(9), "september|sept|sep|septembre|septiembre|settembre|setembro|eylul"),
    (Month(10), "october|oct|oktober|okt|octobre|octubre|ottobre|outubro|ekim"),
    (Month(11), "november|nov|novembre|noviembre|novembro|kasim"),
    (Month(12), "december|dec|dezember|dez|decembre|diciembre|dicembre|dezembro|aralik"),
    // Of the week after this one.
    (Next, "next|nachster|nachste|nachsten|nachstes|nachste woche am|volgende|gelecek"),
    // The first that comes.
    (
        Coming,
        "coming|this coming|upcoming|kommenden|kommender|kommende|prochain|prochaine|proximo|proxima|que viene|que vem|prossimo|prossima|komende|aanstaande|onumuzdeki",
    ),
    (This, "this|diese|diesen|dieser|dieses|ce|cette|este|esta|questo|questa|neste|nesta|deze|dit|bu"),
    (Week, "week|woche|semaine|semana|settimana|hafta"),
    (
        NextWeek,
        "next week|nachste woche|kommende woche|la semaine prochaine|semaine prochaine|la semana que viene|la proxima semana|proxima semana|semana que viene|la settimana prossima|settimana prossima|la prossima settimana|prossima settimana|semana que vem|na proxima semana|volgende week|komende week|gelecek hafta|onumuzdeki hafta|haftaya",
    ),
    (ThisWeek, "this week|diese woche|cette semaine|esta semana|questa settimana|nesta semana|deze week|bu hafta"),
    (Weekend, "weekend|week-end|wochenende|am wochenende|fin de semana|fim de semana|fine settimana|hafta sonu|haftasonu"),
    (
        WorkDays,
        "weekday|weekdays|on a weekday|unter der woche|werktags|an einem werktag|en semaine|entre semana|in settimana|durante a semana|doordeweeks|hafta ici",
    ),
    (
        TodayIn(Part::Morning),
        "this morning|heute vormittag|heute morgen|ce matin|esta manana|stamattina|esta manha|vanochtend|vanmorgen|bu sabah",
    ),
    (
        TodayIn(Part::Afternoon),
        "this afternoon|heute nachmittag|cet apres-midi|esta tarde|questo pomeriggio|hoje a tarde|vanmiddag|bu ogleden sonra",
    ),
    (TodayIn(Part::Evening), "tonight|this evening|heute abend|ce soir|esta noche|stasera|hoje a noite|vanavond|bu aksam|bu gece"),
    (
        Part(Part::Morning),
        "morning|in the morning|am morgen|vormittag|vormittags|am vormittag|fruh|frueh|in der fruh|morgens|matin|dans la matinee|matinee|le matin|mattina|mattinata|di mattina|in mattinata|de manha|da manha|pela manha|manha|ochtend|'s ochtends|'s morgens|voormiddag|sabah|sabahleyin|sabahtan|por la manana|de la manana|en la manana|temprano",
    ),
    (
        Part(Part::Early),
        "early|early morning|in the early morning|ganz fruh|fruhmorgens|tot le matin|de bon matin|a primera hora|presto|la mattina presto|di prima mattina|cedo|de manha cedo|vroeg|erken",
    ),
    (
        Part(Part::Noon),
        "noon|midday|lunch|lunchtime|lunch time|at lunch|over lunch|mittag|mittags|in der mittagspause|mittagspause|zu mittag|midi|a midi|pause de midi|mediodia|a mediodia|al mediodia|mezzogiorno|a mezzogiorno|pausa pranzo|in pausa pranzo|meio-dia|meio dia|ao meio-dia|hora do almoco|lunchpauze|in de lunchpauze|tussen de middag|ogle|ogle arasi|oglen",
    ),
    (
        Part(Part::Afternoon),
        "afternoon|in the afternoon|nachmittag|nachmittags|am nachmittag|apres-midi|apres midi|l'apres-midi|aprem|tarde|por la tarde|de la tarde|en la tarde|pomeriggio|nel pomeriggio|di pomeriggio|a tarde|da tarde|de tarde|middag|'s middags|in de middag|namiddag|ogleden sonra|ogleden sonraya",
    ),
    (
        Part(Part::Evening),
        "evening|in the evening|night|at night|abend|abends|am abend|soir|le soir|soiree|en soiree|noche|por la noche|de la noche|sera|di sera|in serata|noite|a noite|da noite|de noite|avond|'s avonds|aksam|aksamustu|aksama",
    ),
    (
        Part(Part::AfterWork),
        "after work|after office hours|after the office|nach der arbeit|nach feierabend|nach dem buro|feierabend|apres le travail|apres le boulot|apres le bureau|despues del trabajo|tras el trabajo|al salir del trabajo|despues de trabajar|dopo il lavoro|dopo l'ufficio|dopo lavoro|depois do trabalho|apos o trabalho|na werk|na het werk|na mijn werk|is cikisi|isten sonra|is sonrasi|mesaiden sonra",
    ),
    (Part(Part::Late), "late|later in the day|spat|spaet|tard|en fin de journee|a ultima hora|tardi|sul tardi|laat|gec"),
    (
        NotBefore,
        "not before|no earlier than|nicht vor|fruhestens|fruhestens um|pas avant|no antes de|no antes de las|non prima di|non prima delle|nao antes de|nao antes das|niet voor|niet eerder dan|en erken",
    ),
    (
        After,
        "after|past|later than|nach|nach dem|apres|despues de|despues de las|a partir de|a partir de las|a partir das|dopo|dopo le|depois de|depois das|apos as|apos|na",
    ),
    (From, "from|from on|starting at|as of|ab|von|a partir de|desde las|dalle|dalle ore|a partire dalle|desde as|vanaf|van"),
    (
        Before,
        "before|by|no later than|vor|spatestens|spatestens um|avant|antes de|antes de las|antes das|prima di|prima delle|entro le|voor|den once|dan once|ten once|tan once",
    ),
    (Until, "until|till|up to|to|bis|bis um|jusqu'a|hasta|hasta las|fino alle|ate|ate as|tot|tot en met|kadar"),
    (Between, "between|zwischen|entre|entre las|entre as|tra|tra le|fra|fra le|tussen|arasi|arasinda"),
    (And, "and|und|et|y|y las|e|e le|e as|ile|ve"),
    (Or, "or|oder|ou|o|oppure|of|veya|ya da"),
    (
        At,
        "at|around|about|approximately|at about|@|um|gegen|so gegen|circa|ca|ungefahr|a|vers|autour de|a las|a la|sobre las|hacia las|alle|alle ore|all'|verso le|intorno alle|as|por volta das|om|rond|omstreeks|saat|saat gibi",
    ),
    (
        The,
        "the|on the|on|am|an|den|der|die|das|dem|le|la|les|el|il|lo|los|las|o|os|de|of|del|dia|no dia|em|no|na proxima|op|op de|het|gunu|gun|in the",
    ),
    (In, "in|dans|en|dentro de|tra|fra|daqui a|em|over|binnen"),
    (Hence, "sonra"),
    (HoursLater, "saat sonra|saat daha gec|saat ileri"),
    (HoursEarlier, "saat once|saat daha erken|ora prima|ore prima"),
    (Unit(Unit::Minutes), "minute|minutes|min|mins|minuten|minuto|minutos|minuti|minuut|dakika|dk"),
    (Unit(Unit::Hours), "hour|hours|hr|hrs|stunde|stunden|std|heure|heures|hora|horas|ora|ore|uur|uren|uurtje"),
    (Unit(Unit::Days), "day|days|tag|tage|tagen|jour|jours|dias|giorno|giorni|dag|dagen"),
    (Unit(Unit::Weeks), "weeks|wochen|semaines|semanas|settimane|weken"),
    (
        Length(30),
        "half an hour|half hour|eine halbe stunde|halbe stunde|halben stunde|une demi-heure|demi heure|media hora|mezz'ora|mezzora|meia hora|half uur|een half uur|yarim saat",
    ),
    (
        Length(15),
        "quarter of an hour|a quarter of an hour|viertelstunde|eine viertelstunde|un quart d'heure|quart d'heure|un cuarto de hora|un quarto d'ora|um quarto de hora|kwartier|een kwartier",
    ),
    (Fortnight, "fortnight|a fortnight"),
    (DaysHence, "gun sonra"),
    (Onwards, "ten sonra|den sonra|dan sonra|tan sonra"),
    (HalfBefore(1), "half een"),
    (HalfBefore(2), "half twee"),
    (HalfBefore(3), "half drie"),
    (HalfBefore(4), "half vier"),
    (HalfBefore(5), "half vijf"),
    (HalfBefore(6), "half zes"),
    (HalfBefore(7), "half zeven"),
    (HalfBefore(8), "half acht"),
    (HalfBefore(9), "half negen"),
    (HalfBefore(10), "half tien"),
    (HalfBefore(11), "half elf"),
    (HalfBefore(12), "half twaalf"),
    (OClock, "o'clock|oclock|uhr|heures|h|horas|ore|uur"),
    (Am, "am|a.m.|a.m"),
    (Pm, "pm|p.m.|p.m"),
    (HalfTo, "halb"),
    (Half, "half"),
    (HalfPast, "half past|et demie|et demi|y media|e mezza|e mezzo|e meia|bucuk|bucukta"),
    (QuarterPast, "quarter past|a quarter past|viertel nach|et quart|y cuarto|e un quarto|e um quarto|kwart over"),
    (QuarterTo, "quarter to|a quarter to|viertel vor|moins le quart|menos cuarto|meno un quarto|menos um quarto|kwart voor"),
    (Number(1), "one|an|a|ein|eine|einer|einem|un|une|una|uno|um|uma|een|bir"),
    (Number(2), "two|zwei|deux|dos|due|dois|duas|twee|iki"),
    (Number(3), "three|drei|trois|tres|tre|drie|uc"),
    (Number(4), "four|vier|quatre|cuatro|quattro|quatro|dort"),
    (Number(5), "five|funf|fuenf|cinq|cinco|cinque|vijf|bes"),
    (Number(6), "six|sechs|seis|sei|zes|alti"),
    (Number(7), "seven|sieben|sept|siete|sette|sete|zeven|yedi"),
    (Number(8), "eight|acht|huit|ocho|otto|oito|sekiz"),
    (Number(9), "nine|neun|neuf|nueve|nove|negen|dokuz"),
    (Number(10), "ten|zehn|dix|diez|dieci|dez|tien"),
    (Number(11), "eleven|elf|onze|once|undici|on bir"),
    (Number(12), "twelve|zwolf|douze|doce|dodici|doze|twaalf|on iki"),
    (
        SameDayAndTime,
        "same as last time|same time as last time|same as last|same as before|as last time|like last time|as always|as usual|the usual|the usual time|my usual time|same day and time|wie letztes mal|wie beim letzten mal|gleiche zeit wie letztes mal|selbe zeit wie letztes mal|wie immer|wie ublich|comme la derniere fois|meme heure que la derniere fois|a la meme heure que la derniere fois|comme d'habitude|comme toujours|como la ultima vez|misma hora que la ultima vez|a la misma hora que la ultima vez|como siempre|come l'ultima volta|stessa ora dell'ultima volta|alla stessa ora dell'ultima volta|come sempre|come al solito|como da ultima vez|mesma hora da ultima vez|mesmo horario da ultima vez|no mesmo horario da ultima vez|a mesma hora da ultima vez|como sempre|zoals vorige keer|zelfde tijd als vorige keer|als de vorige keer|zelfde als vorige keer|zoals altijd|gecen seferki gibi|gecen seferki saatte|gecen seferki|her zamanki gibi|her zamanki saatte",
    ),
    (
        SameTime,
        "same time|the same time|at the same time|gleiche zeit|gleichen zeit|zur gleichen zeit|selbe zeit|zur selben zeit|gleiche uhrzeit|meme heure|a la meme heure|misma hora|a la misma hora|stessa ora|alla stessa ora|mesma hora|a mesma hora|mesmo horario|zelfde tijd|dezelfde tijd|op dezelfde tijd|ayni saatte|ayni saat",
    ),
    (Later, "later|spater|spaeter|plus tard|mas tarde|piu tardi|dopo di|mais tarde|daha gec|daha sonra|ileri"),
    (Earlier, "earlier|fruher|frueher|plus tot|mas temprano|antes|piu presto|mais cedo|eerder|vroeger|daha erken"),
    (
        People,
        "people|persons|person|personen|personnes|personne|personas|persona|persone|pessoas|pessoa|kisi|kinder|kids|children|times|mal|fois|veces|volte|vezes|keer|euro|euros|eur|dollars|lira|tl",
    ),
    (
        Soonest,
        "as soon as possible|asap|as early as possible|soonest|earliest|the earliest|first available|next available|next free|right away|so bald wie moglich|sobald wie moglich|so schnell wie moglich|schnellstmoglich|moglichst bald|moglichst schnell|so fruh wie moglich|nachstmoglich|nachstmoglicher|des que possible|le plus tot possible|au plus vite|le plus vite possible|lo antes posible|cuanto antes|lo mas pronto posible|il prima possibile|al piu presto|appena possibile|o mais cedo possivel|o mais rapido possivel|quanto antes|assim que possivel|zo snel mogelijk|zo vroeg mogelijk|eerst mogelijke|eerstvolgende|en kisa surede|en erken|mumkun oldugunca cabuk|bir an once",
    ),
    (
        Not,
        "not|not on|nicht|nicht am|kein|pas|pas le|pas un|no puedo el|non|nao|niet|niet op|degil|except|except on|anything but|any day but|ausser|sauf|excepto|menos|menos el|tranne|exceto|behalve|haric",
    ),
];

/// Phrases by their words.
pub(super) static KNOWN: LazyLock<HashMap<String, Atom>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for (atom, phrases) in PHRASES {
        for phrase in phrases.split('|') {
            known.entry(words_of(phrase).join(" ")).or_insert(*atom);
        }
    }
    known
});
