//! The words for times, by sense and language (English, German, French, Spanish, Italian, Portuguese, Dutch, Turkish); `|` between phrases. They are folded
//! when first needed. All languages are read at once, since customers mix them: what means different things in two of them stands in both columns, and the
//! other words of the message decide. Turkish words with `~` take endings.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use chrono::{NaiveDate, Weekday};

use super::Part;
use crate::agent::guard::plain_text;

/// Languages of the table.
pub(super) const LANGUAGES: usize = 8;
pub(super) const ENGLISH: usize = 0;
pub(super) const GERMAN: usize = 1;
pub(super) const FRENCH: usize = 2;
pub(super) const SPANISH: usize = 3;
pub(super) const PORTUGUESE: usize = 5;
pub(super) const DUTCH: usize = 6;
pub(super) const TURKISH: usize = 7;
/// Words of the longest phrase.
pub(super) const MOST_WORDS: usize = 8;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
}

/// A piece of a week or a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Begin,
    Middle,
    End,
}

/// Turkish endings that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    At,
    From,
    To,
    Other,
}

/// What a word or a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// So many days from now.
    Day(u64),
    /// So many days from now, and a part of that day.
    DayPart(u64, Part),
    /// Tomorrow or the morning: German, Dutch and Spanish.
    Morgen,
    Weekday(Weekday),
    /// On every such day.
    Each(Weekday),
    /// Letters that are a weekday only beside a time or another such.
    Short(Weekday),
    /// What the Portuguese weekdays end in.
    Feira,
    Month(u32),
    /// Letters that are a month only beside a number.
    ShortMonth(u32),
    /// Of the calendar week after this one.
    Next,
    AfterNext,
    /// The first ahead, after today.
    Coming,
    This,
    /// Over: what it stands at is not wanted.
    Past,
    Every,
    Week,
    NumberedWeek,
    NextWeek,
    /// The calendar week so many weeks on.
    WeekOn(u64),
    Weekend,
    Weekends,
    WorkDays,
    Piece(Piece),
    FewDays,
    Part(Part),
    Noon,
    Midnight,
    After,
    From,
    Before,
    Until,
    /// English "to": until, or minutes before.
    To,
    Between,
    /// Stands after what it is between.
    BetweenThose,
    And,
    Or,
    At,
    The,
    /// An article or preposition of days of the month.
    TheDay,
    Of,
    In,
    Within,
    For,
    Unit(Unit),
    /// "Heures", "uur": of the clock, or a length.
    /// Two weeks.
    Fortnight,
    HourWord,
    OClock,
    Am,
    Pm,
    /// Minutes to add to the hour after it.
    Fraction(i32),
    /// Minutes to add to the hour before it.
    Plus(i32),
    /// Minutes to take off follow.
    Minus,
    /// "10 over 5": past the hour; with a length: from now.
    Over,
    /// Turkish: minutes past or to the hour stand before it. "Geçe" is also how "gece", night, is written without its dots.
    MinutesPast,
    MinutesTo,
    Number(u32),
    /// A number with a dot behind it.
    Dotted(u32),
    /// "27th".
    Ordinal(u32),
    /// "17.30" or "27.3."; the flag: a dot at the end.
    Pair(u32, u32, bool),
    DayMonth(u32, u32),
    Date(NaiveDate),
    /// Hour and minute; the flag: surely on the 24-hour clock.
    Clock(u32, u32, bool),
    /// "1h30": of the clock, or a length.
    Hours(u32, u32),
    One,
    /// Minutes as a length of its own.
    Span(u32),
    /// "In eight days": a week, after a weekday.
    WeeksOn(u64),
    Case(Case),
    /// Turkish: from what stands before it on, before it, until it.
    FromThat,
    /// From the last time that was named.
    AfterThat,
    /// What follows as "from … to …" is from where an appointment is moved.
    Move,
    BeforeThat,
    UntilThat,
    Around,
    LikeLast,
    SameTime,
    Later,
    Earlier,
    Soonest,
    Not,
    /// Refuses what stands before it, at the end of a clause.
    No,
    /// The next day named is not the wish.
    Instead,
    /// Turkish: the day before it is not the wish.
    InsteadOfThat,
    But,
    /// What numbers count that are no times.
    Counted,
    /// Between words: nothing of its own.
    Filler,
    Comma,
    Dash,
    Slash,
    Stop,
    /// Any other word.
    Other,
}

use Case::{At as Loc, From as Abl, To as Dat};
use Part::{AfterWork, Afternoon, BeforeWork, Early, Evening, Late, Lunch, Morning};
use Sense as S;
use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};

#[rustfmt::skip]
const TABLE: &[(Sense, [&str; LANGUAGES])] = &[
    // Days from now.
    (S::Day(0), ["today|2day|to day", "heute|heut", "aujourd'hui|aujourdhui|auj", "hoy|hoy mismo|hoy dia", "oggi|in giornata", "hoje|hj", "vandaag", "bugün~"]),
    (S::Day(1), ["tomorrow|tmrw|tmr|tmw|2moro|2morrow|tomorow|tommorow|tommorrow|tomorrows", "", "demain|dmain", "", "domani", "amanhã|amnh", "", "yarın~|yarına"]),
    (S::Day(2), ["day after tomorrow|the day after tomorrow|day after tmrw|overmorrow", "übermorgen", "après-demain", "pasado mañana|pasadomañana", "dopodomani|dopo domani", "depois de amanhã|depois d amanha", "overmorgen", "öbür gün|öbürgün|ertesi gün|yarından sonra|yarından sonraki gün"]),
    (S::DayPart(0, Morning), ["this morning|today in the morning", "heute morgen|heute vormittag|heute früh", "ce matin", "esta mañana|hoy por la mañana", "stamattina|questa mattina", "esta manhã|hoje de manhã|hoje cedo", "vanochtend|vanmorgen|deze ochtend", "bu sabah"]),
    (S::DayPart(0, Afternoon), ["this afternoon", "heute nachmittag", "cet après-midi|cet aprem|cette après-midi", "esta tarde", "oggi pomeriggio|questo pomeriggio", "hoje à tarde|esta tarde", "vanmiddag|deze middag", ""]),
    (S::DayPart(0, Evening), ["tonight|this evening|2nite|tonite", "heute abend|heut abend", "ce soir", "esta noche", "stasera|questa sera|stasera stessa", "hoje à noite|esta noite|hj à noite", "vanavond|deze avond", "bu akşam|bu gece"]),
    (S::DayPart(1, Morning), ["", "", "", "mañana por la mañana|mañana en la mañana|mañana a la mañana|mañana x la mañana", "domattina", "", "morgenochtend|morgenvroeg", ""]),
    (S::Morgen, ["", "morgen", "", "mañana|mñn", "", "", "morgen", ""]),

    // Weekdays.
    (S::Weekday(Mon), ["monday", "montag", "lundi", "lunes", "lunedì", "segunda-feira|segunda|segunda f", "maandag", "pazartesi~"]),
    (S::Weekday(Tue), ["tuesday|tues|tue", "dienstag", "mardi", "martes", "martedì", "terça-feira|terça", "dinsdag", "salı~"]),
    (S::Weekday(Wed), ["wednesday|weds|wensday|wednsday", "mittwoch", "mercredi", "miércoles", "mercoledì", "quarta-feira|quarta", "woensdag", "çarşamba~"]),
    (S::Weekday(Thu), ["thursday|thurs|thur|thu", "donnerstag|donnerstg", "jeudi", "jueves", "giovedì", "quinta-feira|quinta", "donderdag", "perşembe~"]),
    (S::Weekday(Fri), ["friday|fri", "freitag", "vendredi", "viernes", "venerdì", "sexta-feira|sexta", "vrijdag", "cuma~"]),
    (S::Weekday(Sat), ["saturday", "samstag|sonnabend", "samedi", "sábado", "sabato", "sábado", "zaterdag", "cumartesi~"]),
    (S::Weekday(Sun), ["sunday", "sonntag", "dimanche", "domingo", "domenica", "domingo", "zondag", "pazar~"]),
    (S::Each(Mon), ["mondays", "montags", "lundis", "los lunes", "", "segundas|segundas-feiras|às segundas", "maandags", "pazartesileri"]),
    (S::Each(Tue), ["tuesdays", "dienstags", "mardis", "los martes", "", "terças|terças-feiras", "dinsdags", "salıları"]),
    (S::Each(Wed), ["wednesdays", "mittwochs", "mercredis", "los miércoles", "", "quartas|quartas-feiras", "woensdags", "çarşambaları"]),
    (S::Each(Thu), ["thursdays", "donnerstags", "jeudis", "los jueves", "", "quintas|quintas-feiras", "donderdags", "perşembeleri"]),
    (S::Each(Fri), ["fridays", "freitags", "vendredis", "los viernes", "", "sextas|sextas-feiras", "vrijdags", "cumaları"]),
    (S::Each(Sat), ["saturdays", "samstags", "samedis", "los sábados|sábados", "sabati", "sábados|aos sábados", "zaterdags", "cumartesileri"]),
    (S::Each(Sun), ["sundays", "sonntags", "dimanches", "los domingos|domingos", "domeniche", "domingos|aos domingos", "zondags", "pazarları"]),
    (S::Short(Mon), ["mon", "mo", "lun", "lun", "lun", "seg", "ma", "pzt"]),
    (S::Short(Tue), ["", "di", "mar", "mar", "mar", "ter", "di", ""]),
    (S::Short(Wed), ["wed", "mi", "mer", "mie", "mer", "qua", "wo", "çar|çrş"]),
    (S::Short(Thu), ["", "do", "jeu", "jue", "gio", "qui", "do", "per|prş"]),
    (S::Short(Fri), ["", "fr", "ven", "vie", "ven", "sex", "vr", ""]),
    (S::Short(Sat), ["sat", "sa", "sam", "sab", "sab", "sab", "za", "cmt|cts"]),
    (S::Short(Sun), ["sun", "so", "dim", "dom", "dom", "dom", "zo", "paz"]),
    (S::Feira, ["", "", "", "", "", "feira", "", ""]),

    // Months.
    (S::Month(1), ["january|jan", "januar|jänner|jan", "janvier|janv", "enero", "gennaio|genn", "janeiro|jan", "januari|jan", "ocak~"]),
    (S::Month(2), ["february|feb", "februar|feb", "février|fevr", "febrero|feb", "febbraio|febb", "fevereiro|fev", "februari|feb", "şubat~"]),
    (S::Month(3), ["", "märz", "mars", "marzo", "marzo", "março", "maart", "mart~"]),
    (S::Month(4), ["april|apr", "april|apr", "avril", "abril", "aprile", "abril", "april|apr", "nisan~"]),
    (S::Month(5), ["", "mai", "mai", "mayo", "maggio", "maio", "mei", "mayıs~"]),
    (S::Month(6), ["june", "juni", "juin", "junio", "giugno", "junho", "juni", "haziran~"]),
    (S::Month(7), ["july", "juli", "juillet|juil", "julio", "luglio", "julho", "juli", "temmuz~"]),
    (S::Month(8), ["august|aug", "august|aug", "août", "agosto", "agosto", "agosto", "augustus|aug", "ağustos~"]),
    (S::Month(9), ["september|sept", "september|sept", "septembre", "septiembre|setiembre", "settembre", "setembro", "september|sept", "eylül~"]),
    (S::Month(10), ["october|oct", "oktober|okt", "octobre|oct", "octubre|oct", "ottobre", "outubro", "oktober|okt", "ekim~"]),
    (S::Month(11), ["november|nov", "november|nov", "novembre|nov", "noviembre|nov", "novembre|nov", "novembro|nov", "november|nov", "kasım~"]),
    (S::Month(12), ["december|dec", "dezember|dez", "décembre|déc", "diciembre|dic", "dicembre|dic", "dezembro", "december|dec", "aralık~"]),
    (S::ShortMonth(1), ["", "", "", "ene", "gen", "", "", "oca"]),
    (S::ShortMonth(3), ["march", "mär|mrz", "", "", "", "", "mrt", ""]),
    (S::ShortMonth(4), ["", "", "avr", "abr", "", "abr", "", "nis"]),
    (S::ShortMonth(5), ["may", "", "", "may", "mag", "", "", "may"]),
    (S::ShortMonth(6), ["jun", "jun", "", "jun", "giu", "jun", "jun", "haz"]),
    (S::ShortMonth(7), ["jul", "jul", "", "jul", "lug", "jul", "jul", "tem"]),
    (S::ShortMonth(8), ["", "", "", "ago", "ago", "ago", "", "ağu"]),
    (S::ShortMonth(9), ["sep", "sep", "", "sep|sept", "sett", "", "sep", "eyl"]),
    (S::ShortMonth(11), ["", "", "", "", "", "", "", "kas"]),
    (S::ShortMonth(12), ["", "", "", "", "", "", "", "ara"]),

    // Which of them.
    (S::Next, ["next|nxt|following|the following", "nächster|nächste|nächsten|nächstes|nächst|nächstem", "", "", "", "", "volgende|volgend", "gelecek|gelcek"]),
    (S::AfterNext, ["", "übernächste|übernächsten|übernächster|übernächstes", "", "", "", "", "", ""]),
    (S::Coming, ["coming|this coming|upcoming", "kommenden|kommender|kommende|kommendes|kommendem", "prochain|prochaine|prochains|qui vient|qui arrive", "próximo|próxima|que viene|q viene|prox|que entra|siguiente", "prossimo|prossima|che viene|entrante|pross", "próximo|próxima|que vem|q vem|seguinte|prox", "komende|aanstaande|aankomende|eerstvolgende|a s", "önümüzdeki|ilk"]),
    (S::This, ["this", "dieser|diese|diesen|dieses|diesem", "ce|cet|cette", "este|esta", "questo|questa|quest", "este|esta|neste|nesta|deste|desta", "deze|dit", "bu"]),
    (S::Past, ["last|past week|previous", "letzter|letzte|letzten|letztes|vergangenen|vorigen|vergangene", "dernier|dernière|passé|passée", "pasado|pasada|último|última", "scorso|scorsa|passato|passata", "passado|passada|último|última", "vorige|afgelopen|laatste", "geçen"]),
    (S::Past, ["yesterday|yday", "gestern|vorgestern", "hier|avant-hier", "ayer|anteayer", "ieri|l'altro ieri", "ontem|anteontem", "gisteren|eergisteren", "dün|evvelsi gün"]),
    (S::Every, ["every|each", "jeden|jeder|jedes|jede", "tous les|chaque", "todos los|cada", "ogni|tutti i|tutte le", "todos os|todas as|toda|todo|cada", "elke|iedere", "her"]),
    (S::Week, ["week|wk", "woche", "semaine", "semana|finde semana", "settimana", "semana", "week", "hafta~|haftaki|haftanın"]),
    (S::NextWeek, ["", "", "", "", "", "", "", "haftaya"]),
    (S::WeekOn(2), ["week after next|the week after next", "", "", "", "", "", "", ""]),
    (S::NumberedWeek, ["", "kw|kalenderwoche", "", "", "", "", "", ""]),
    (S::Weekend, ["weekend|week-end|wkend|wknd", "wochenende|wochende", "weekend|week-end", "fin de semana|finde|fin de", "weekend|week-end|fine settimana|finesettimana", "fim de semana|final de semana|fds|findi|no fim de semana|no final de semana|neste fim de semana|nesse fim de semana|este fim de semana", "weekend|weekeinde|weekeind", "hafta sonu~|haftasonu~"]),
    (S::Weekends, ["weekends|at weekends|on weekends", "wochenends|an wochenenden|wochenenden|am wochenende immer", "les week-ends|le week-end en général", "los fines de semana|fines de semana", "nei weekend|nel fine settimana di solito", "fins de semana|aos fins de semana|finais de semana", "in de weekenden|weekends", "hafta sonları|haftasonları"]),
    (S::WorkDays, ["weekday|weekdays|on a weekday|on weekdays|during the week|midweek|working day|working days|mon-fri", "unter der woche|werktags|wochentags|an einem werktag|an werktagen|werktag", "en semaine|jour de semaine|un jour de semaine|jours de semaine", "entre semana|día laborable|días laborables|día de semana", "in settimana|durante la settimana|giorni feriali|giorno feriale|infrasettimanale|nei feriali", "durante a semana|dia de semana|dias de semana|dias úteis|dia útil|no meio da semana", "doordeweeks|door de week|doordeweekse dag|werkdag|op een werkdag|werkdagen", "hafta içi~|haftaiçi~"]),
    (S::Piece(Piece::Begin), ["beginning of|start of|at the beginning of|early in", "anfang", "début|au début de", "principios de|a principios de|comienzos de|primeros de", "inizio|all'inizio di|a inizio", "início de|começo de|no início de|comeco do|início do|início da", "begin|begin van", "başı|başında"]),
    (S::Piece(Piece::Middle), ["mid|middle of|in the middle of", "mitte", "mi|milieu|au milieu de", "mediados de|a mediados de|mitad de", "metà|a metà", "meados de|em meados de|meio de|meio da", "midden|half-weg", "ortası|ortasında"]),
    (S::Piece(Piece::End), ["end of|at the end of|late in", "ende", "fin|à la fin de|fin de la", "finales de|a finales de|fines de|final de", "fine|alla fine di|a fine", "fim de|final de|no fim de|fim da|final da|fim do|final do", "eind|einde|eind van", "sonu|sonunda"]),
    (S::FewDays, ["next few days|coming days|next couple of days|in a few days|next days|couple of days", "nächsten tage|nächsten tagen|in den nächsten tagen|kommenden tagen|die tage|in ein paar tagen|paar tage", "prochains jours|dans les jours qui viennent|ces jours-ci|quelques jours", "próximos días|estos días", "prossimi giorni|nei prossimi giorni|in questi giorni", "próximos dias|nos próximos dias|estes dias", "komende dagen|eerstkomende dagen|dezer dagen", "önümüzdeki günlerde|bu günlerde|bugünlerde"]),

    // Parts of the day.
    (S::Part(Morning), ["morning|mornings|in the morning|mornin|forenoon|before noon", "am morgen|vormittag|vormittags|am vormittag|morgens|in der früh|in der frühe|vorm|vormittg", "matin|dans la matinée|matinée|le matin|mat|du matin|au matin", "por la mañana|de la mañana|en la mañana|por las mañanas|la mañana|a la mañana|x la mañana|por la mñn", "mattina|mattino|mattinata|di mattina|in mattinata|del mattino|la mattina|al mattino|matt|della mattina", "de manhã|da manhã|pela manhã|manhã|na parte da manhã", "ochtend|'s ochtends|'s morgens|in de ochtend|voormiddag|in de morgen|sochtends|smorgens|ochtends", "sabah~|sabahleyin|sabahtan|sabahları|öğleden önce|sabahki"]),
    (S::Part(Early), ["early|early morning|early in the morning|in the early morning|first thing|first thing in the morning|early doors", "früh|ganz früh|frühmorgens|früh am morgen|morgens früh|früh morgens|zeitig|in aller früh", "tôt|tôt le matin|de bon matin|de bonne heure|très tôt|en tout début de matinée", "temprano|a primera hora|bien temprano|tempranito|por la mañana temprano|a primera hora de la mañana", "presto|la mattina presto|di prima mattina|mattina presto|di buon'ora|prima mattina", "cedo|de manhã cedo|bem cedo|logo cedo|cedinho|logo de manhã|à primeira hora", "vroeg|vroeg in de ochtend|'s morgens vroeg|'s ochtends vroeg|heel vroeg", "erken|erkenden|sabah erken|sabahın erken saatlerinde"]),
    (S::Part(Lunch), ["lunch|lunchtime|lunch time|at lunch|over lunch|lunch break|on my lunch break|lunchbreak|dinner time", "mittag|mittags|in der mittagspause|mittagspause|zu mittag|mittagszeit|über mittag|um die mittagszeit|am mittag", "pause de midi|entre midi et deux|pause déjeuner|entre midi et 2|heure du déjeuner|le midi|à l'heure du déjeuner|ce midi|entre 12 et deux", "mediodía|a mediodía|al mediodía|a la hora de comer|hora de comer|hora del almuerzo|a la hora del almuerzo|medio día|al medio día", "pausa pranzo|in pausa pranzo|ora di pranzo|all'ora di pranzo|a pranzo|pranzo|a ora di pranzo", "hora do almoço|na hora do almoço|horário de almoço|no almoço|horário do almoço|almoço", "lunchpauze|in de lunchpauze|lunch|tussen de middag|lunchtijd|rond lunchtijd|tijdens de lunch|in mijn lunchpauze", "öğle~|öğlen~|öğle arası~|öğle arasında|öğlenleyin|öğle vakti|öğle tatilinde"]),
    (S::Part(Afternoon), ["afternoon|in the afternoon|afternoons|arvo|aft", "nachmittag|nachmittags|am nachmittag|nachm|nachmittg", "après-midi|l'après-midi|aprem|dans l'après-midi|ap-midi|aprm|apmidi|de l'après-midi", "por la tarde|de la tarde|en la tarde|tarde|por las tardes|la tarde|x la tarde|a la tarde|tardecita", "pomeriggio|nel pomeriggio|di pomeriggio|del pomeriggio|pom|il pomeriggio", "à tarde|da tarde|de tarde|tarde|pela tarde|na parte da tarde|tardinha", "middag|'s middags|in de middag|namiddag|in de namiddag|smiddags", "öğleden sonra|öğleden sonraya|öğleden sonraları|öğlenden sonra|ikindi|ikindi vakti"]),
    (S::Part(Evening), ["evening|in the evening|evenings|night|at night|eve", "abend|abends|am abend|gegen abend|abens", "soir|le soir|soirée|en soirée|du soir|dans la soirée|au soir|ds la soirée|en début de soirée", "noche|por la noche|de la noche|en la noche|por las noches|a la noche|nochecita|la noche", "di sera|in serata|la sera|verso sera|serata|della sera|alla sera|in prima serata", "à noite|da noite|de noite|noite|pela noite|noitinha|ao fim da tarde|no fim da tarde|fim de tarde|fim da tarde|final da tarde|no final da tarde", "avond|'s avonds|in de avond|savonds|avonds", "akşam~|akşamüstü~|akşama|akşamleyin|akşamları"]),
    // Also "will be" in French and Portuguese.
    (S::Part(Evening), ["", "", "", "", "sera", "", "", ""]),
    (S::Part(AfterWork), ["after work|after office hours|after the office|after my shift|after i finish work|when i finish work|once i finish work|straight after work|when i get off work|afterwork|right after work", "nach der arbeit|nach feierabend|nach dem büro|feierabend|nach meiner schicht|nach arbeit|nach dienstschluss|nach der schicht|nach arbeitsschluss|nach meiner arbeit", "après le travail|après le boulot|après le bureau|après mon travail|à la sortie du travail|en sortant du travail|après le taf|en sortant du boulot|après mon boulot|apres taf|apres boulot", "después del trabajo|tras el trabajo|al salir del trabajo|después de trabajar|después del curro|cuando salga de trabajar|saliendo del trabajo|al salir de trabajar|después de la oficina|cuando salgo del trabajo|después de mi trabajo|cuando salgo de trabajar", "dopo il lavoro|dopo l'ufficio|dopo lavoro|finito il lavoro|quando esco dal lavoro|uscita dal lavoro|quando stacco|dopo il turno|quando esco da lavoro|uscendo dal lavoro", "depois do trabalho|após o trabalho|depois do expediente|depois do serviço|depois do trampo|saindo do trabalho|quando sair do trabalho|quando saio do trabalho|após o expediente", "na werk|na het werk|na mijn werk|na werktijd|na kantoor|na kantoortijd|na m'n werk|als ik klaar ben met werken|na mn werk|na mijn dienst", "iş çıkışı~|işten sonra|iş sonrası|mesaiden sonra|mesai sonrası|iş çıkışında|işten çıkınca|mesai bitiminde|mesai çıkışı"]),
    (S::Part(BeforeWork), ["before work|before the office", "vor der arbeit|vor arbeitsbeginn", "avant le travail|avant le boulot", "antes del trabajo|antes de trabajar|antes de ir a trabajar", "prima del lavoro|prima di lavorare|prima di andare al lavoro", "antes do trabalho|antes do serviço", "voor het werk|voor mijn werk|voor werk", "işten önce|mesaiden önce"]),
    (S::Part(Late), ["late|later in the day|late in the day|end of the day|end of day|later in the evening", "spät|am späten tag|spätabends|ende des tages", "tard|en fin de journée|fin de journée|tard le soir|en fin d'aprem", "a última hora|última hora|a última hora de la tarde|tardísimo", "tardi|sul tardi|a fine giornata|fine giornata|in tarda serata|tardo|tarda", "no fim do dia|no final do dia|fim do dia|final do dia|mais para o fim do dia", "laat|eind van de dag|einde van de dag|aan het eind van de dag", "geç|günün sonunda|geç saatte|geç saatlerde"]),
    (S::Noon, ["noon|midday|at noon|12 noon", "", "midi", "", "mezzogiorno|a mezzogiorno|mezzodì", "meio-dia|ao meio-dia", "", ""]),
    (S::Clock(12, 0, true), ["", "", "à midi", "", "", "", "", ""]),
    (S::Midnight, ["midnight", "mitternacht", "minuit", "medianoche|media noche", "mezzanotte", "meia-noite", "middernacht", "gece yarısı"]),

    // Bounds.
    (S::After, ["after|later than|any time after|anytime after|past|past about", "nach|nach dem|später als|erst nach", "après|plus tard que", "después de|después del|despues|luego de|más tarde de|pasadas|tras|más tarde que", "dopo|dopo le|più tardi di|dopo di|passate", "depois de|depois das|depois da|depois do|após|após as|depois|mais tarde que", "na|later dan", "sonrası"]),
    (S::From, ["from|starting|starting at|as of|from about|no earlier than|not earlier than|earliest at|at the earliest|onwards from|starting from|since", "ab|von|frühestens|nicht früher als|ab ca|erst ab|erst um|vom|seit", "à partir de|à partir du|dès|depuis|au plus tôt à|pas plus tôt que|à partir d'|du", "a partir de|a partir del|desde|desde las|desde el|no antes de|a partir de las", "a partire da|a partire dalle|dalle|dal|da|dall|dalla|a partire dal|non prima di|non prima delle|non prima del", "a partir de|a partir das|a partir do|desde|das|desde as|não antes de|não antes das|a partir da", "vanaf|van|niet eerder dan|op zijn vroegst|niet vroeger dan|op z'n vroegst|pas na|pas vanaf", "başlayarak"]),
    (S::Before, ["before|earlier than|prior to", "vor|früher als|noch vor", "avant|avant le|plus tôt que", "antes de|antes del|antes|para antes de", "prima di|prima del|prima delle|prima|prima dell'", "antes de|antes das|antes do|antes da|antes", "voor|vroeger dan", ""]),
    (S::Until, ["until|till|til|up to|up until|thru|through|by|no later than|not later than|at the latest by|latest by|at latest", "bis|bis um|bis zum|spätestens|nicht später als|bis spätestens|allerspätestens", "jusqu'à|jusqu'au|jusque|jusqu|au plus tard|pas plus tard que", "hasta|hasta las|hasta el|como muy tarde|a más tardar|no más tarde de", "fino alle|fino al|fino a|sino alle|fino|entro|non oltre|al più tardi|entro le|entro il", "até|até as|no máximo até|o mais tardar|no máximo às|o mais tardar às", "tot|tot en met|t/m|tm|uiterlijk|niet later dan|op z'n laatst|ten laatste|uiterlijk om|uiterlijk voor", "en geç"]),
    (S::To, ["to", "auf", "", "", "", "", "", ""]),
    (S::Between, ["between|btw|btwn|in between", "zwischen|zw", "entre", "entre|entre las|entre el", "tra|fra|tra le|fra le", "entre|entre as", "tussen", ""]),
    (S::BetweenThose, ["", "", "", "", "", "", "", "arası~|arasında|aralarında"]),
    (S::And, ["and|n|till about", "und|u|sowie", "et", "y|e", "e|ed", "e", "en", "ve|ile|ila"]),
    (S::Or, ["or|otherwise|alternatively|and or|if not|else|failing that", "oder|bzw|beziehungsweise|ansonsten|alternativ|sonst|wahlweise|wenn nicht", "ou|sinon|ou bien", "o|u|o si no|si no|o bien", "o|oppure|altrimenti|o se no|o anche|se no", "ou|senão|ou então|se não", "of|anders|dan wel|zo niet", "veya|ya da|yada|yoksa|olmazsa|veyahut"]),
    (S::At, ["at|@|at about|at around|on the dot of", "um|gegen|so gegen|so um|zirka um|um zirka|kurz nach", "à|vers|aux alentours de|autour de|aux environs de|vers les|sur les", "a|a las|a la|sobre las|hacia las|a eso de las|tipo|las|para las|sobre la|alrededor de las|como a las|al|a eso de la|sobre|por las|tipo las", "alle|alle ore|all|verso le|intorno alle|a|verso l'|per le|circa alle|sulle|al|verso|attorno alle|intorno all'|allo|le|per l", "às|à|por volta das|lá pelas|pelas|umas|pras|para as|por volta de|lá para as|tipo|por volta da|perto das|a partir lá das|ao", "om|rond|omstreeks|tegen|rond de|zo rond", ""]),
    (S::Around, ["around|about|approximately|roughly|approx|like|say|sharp|exactly|ish|ca|circa|bout", "ca|circa|ungefähr|etwa|rund|so ca|punkt|so ungefähr|rum|herum|zirka", "environ|env|à peu près|précises", "aproximadamente|aprox|más o menos|en punto", "circa|più o meno|in punto|ca", "aproximadamente|mais ou menos|em ponto|cerca das", "ongeveer|circa|ca|rond een uur of|een uur of", "civarı~|civarında|gibi|sularında|suları|yaklaşık|tam|filan|falan|doğru"]),
    (S::The, ["the|on the|in the|any time on|sometime|some time|anytime", "die|das|des|im|es|irgendwann|in der", "la|les|l|dans la|courant", "la|los|lo|en la|en los", "la|lo|gli|i|nella|nel|nei", "o|os|na|no|nas|nos|pela|pelo|aos", "de|het|'t|in de|in het|ergens", "günü~|günleri|günü için|ki"]),
    (S::TheDay, ["on", "am|den|dem|zum|der", "le|au", "el|el día", "il|l|giorno|il giorno", "dia|no dia|o dia|ao dia", "op|op de", "ayın|ayının"]),
    (S::Of, ["of|of the", "", "de|d", "de|del", "di|del|dello|della|dell|delle", "de|da|do|d", "van de", ""]),
    (S::In, ["in|in about|in like|in around", "in|in so|in etwa|in circa", "dans|en|dans environ|d'ici", "en|dentro de|de aquí a", "in|tra circa|ad|ai", "em|num|numa|daqui a|dentro de|daqui|daqui uns|daqui umas", "in|binnen", ""]),
    (S::Within, ["within|within the next|in the next|in the coming|over the next|during the next|inside", "innerhalb von|innerhalb der nächsten|in den nächsten|innerhalb|binnen|in den kommenden", "dans les prochains|dans les prochaines|dans les|d'ici à|sous", "en los próximos|en las próximas|durante los próximos|antes de pasar", "nei prossimi|nelle prossime|nel giro di", "nos próximos|nas próximas|dentro dos próximos", "de komende|in de komende|de volgende", "içinde|içerisinde"]),
    (S::For, ["for|with|x", "für|mit|zu", "pour|avec|à raison de", "para|con|por", "per|con", "para|com|por|pra", "met", "için"]),
    (S::Over, ["", "", "", "", "", "", "over", ""]),

    // Lengths and the clock.
    (S::Unit(Unit::Minutes), ["minute|minutes|min|mins", "minute|minuten|min|minütchen", "minute|minutes|min|mn", "minuto|minutos|min", "minuto|minuti|min", "minuto|minutos|min", "minuut|minuten|min|minuutjes", "dakika~|dk"]),
    (S::Unit(Unit::Hours), ["hour|hours|hr|hrs", "stunde|stunden|std|stündchen", "", "", "", "", "uren|uurtje|uurtjes", ""]),
    (S::Unit(Unit::Days), ["day|days", "tag|tage|tagen", "jour|jours", "día|días", "giorni", "dias", "dag|dagen", "gün"]),
    (S::Unit(Unit::Weeks), ["weeks|wks", "wochen", "semaines", "semanas", "settimane|settimanella", "semanas", "weken", ""]),
    (S::Unit(Unit::Months), ["month|months", "monat|monate|monaten|monats", "mois", "mes|meses", "mese|mesi", "mês|meses", "maand|maanden", "ay"]),
    (S::Fortnight, ["fortnight|fortnights", "", "quinzaine", "quincena", "", "quinzena", "", ""]),
    (S::HourWord, ["", "", "heure|heures|h", "hora|horas|h|hs|hrs", "ora|ore|h", "hora|horas|h|hs|hrs", "uur|u", "saat"]),
    (S::OClock, ["o'clock|oclock|h", "uhr|uhren|h|uhrzeit", "pile", "", "", "", "", ""]),
    (S::Pm, ["pm|p m", "", "", "pm|p m", "", "pm", "", ""]),
    (S::Am, ["a m", "", "", "a m", "", "", "", ""]),
    (S::Fraction(30), ["half past|half|half after|1 2 past", "", "", "", "", "", "", ""]),
    (S::Fraction(-30), ["", "halb", "", "", "", "", "half", ""]),
    (S::Fraction(15), ["quarter past|a quarter past|quarter after|1 4 past|qtr past", "viertel nach", "", "", "", "", "kwart over|kwart na", ""]),
    (S::Fraction(-15), ["quarter to|a quarter to|quarter of|quarter till|quarter til|qtr to|quarter before", "viertel vor|dreiviertel|drei viertel", "", "cuarto para las|un cuarto para las|15 para las", "", "quinze para as|um quarto para as", "kwart voor", ""]),
    (S::Fraction(-45), ["", "viertel", "", "", "", "", "", ""]),
    (S::Fraction(-10), ["", "", "", "diez para las", "", "dez para as", "", ""]),
    (S::Fraction(-5), ["", "", "", "cinco para las", "", "cinco para as", "", ""]),
    (S::Fraction(-20), ["", "", "", "veinte para las", "", "vinte para as", "", ""]),
    (S::Plus(30), ["thirty", "dreißig", "et demie|et demi|trente", "y media|y 30", "e mezza|e mezzo|e trenta", "e meia|e trinta", "", "buçuk~|buçukta"]),
    (S::Plus(15), ["fifteen", "fünfzehn", "et quart", "y cuarto|y quince", "e un quarto|e quindici", "e um quarto|e quinze", "", ""]),
    (S::Plus(45), ["forty five", "fünfundvierzig", "quarante-cinq", "", "e tre quarti|e quarantacinque", "e quarenta e cinco", "", ""]),
    (S::Plus(-15), ["", "", "moins le quart|moins quart|moins un quart", "menos cuarto|menos un cuarto", "meno un quarto|meno quarto", "menos um quarto|menos quinze", "", ""]),
    (S::Minus, ["", "", "moins", "menos", "meno", "menos", "", ""]),
    (S::MinutesPast, ["", "", "", "", "", "", "", "geçe|geçiyor|geceleyin"]),
    (S::MinutesTo, ["", "", "", "", "", "", "", "kala|var"]),
    (S::Span(15), ["quarter of an hour|a quarter of an hour|quarter hour|quarter of hour", "viertelstunde|eine viertelstunde|viertelstündchen", "un quart d'heure|quart d'heure", "un cuarto de hora|cuarto de hora", "un quarto d'ora|quarto d'ora", "um quarto de hora|quarto de hora", "kwartier|een kwartier|kwartiertje|een kwartiertje", "çeyrek saat|on beş dakika"]),
    (S::Span(30), ["half an hour|a half hour|half hour|1 2 hour", "halbe stunde|eine halbe stunde|halbes stündchen|ne halbe stunde", "demi-heure|une demi-heure|demie heure|une demie heure", "media hora", "mezz'ora|mezzora|mezza ora|una mezz'ora", "meia hora|meia horinha", "half uur|een half uur|halfuur|een halfuur|half uurtje|een half uurtje|halfuurtje", "yarım saat"]),
    (S::Span(90), ["hour and a half|an hour and a half|one and a half hours", "anderthalb stunden|eineinhalb stunden", "une heure et demie", "una hora y media|hora y media", "un'ora e mezza", "uma hora e meia|hora e meia", "anderhalf uur", "bir buçuk saat"]),
    (S::One, ["a|an", "ein|eine|einer|einem|einen|ne", "un|une", "un|una", "un|una|uno", "um|uma", "een|'n", ""]),
    (S::Number(1), ["one", "eins", "", "", "", "", "", "bir~"]),
    (S::Number(2), ["two", "zwei|zwo", "deux", "dos", "due", "duas|dois", "twee", "iki~"]),
    (S::Number(3), ["three", "drei", "trois", "tres", "tre", "três", "drie", "üç~"]),
    (S::Number(4), ["four", "vier", "quatre", "cuatro", "quattro", "quatro", "vier", "dört~|dörd~"]),
    (S::Number(5), ["five", "fünf", "cinq", "cinco", "cinque", "cinco", "vijf", "beş~"]),
    (S::Number(6), ["six", "sechs", "six", "seis", "sei", "seis", "zes", "altı~"]),
    (S::Number(7), ["seven", "sieben", "sept", "siete", "sette", "sete", "zeven", "yedi~"]),
    (S::Number(8), ["eight", "acht", "huit", "ocho", "otto", "oito", "acht", "sekiz~"]),
    (S::Number(9), ["nine", "neun", "neuf", "nueve", "nove", "nove", "negen", "dokuz~"]),
    (S::Number(10), ["ten", "zehn", "dix", "diez", "dieci", "dez", "tien", "on~"]),
    (S::Number(11), ["eleven", "elf", "onze", "once", "undici", "onze", "elf", "on bir~"]),
    (S::Number(12), ["twelve", "zwölf", "douze", "doce", "dodici", "doze", "twaalf", "on iki~"]),
    (S::Number(13), ["thirteen", "dreizehn", "treize", "trece", "tredici", "treze", "dertien", "on üç~"]),
    (S::Number(14), ["fourteen", "vierzehn", "quatorze", "catorce", "quattordici", "catorze|quatorze", "veertien", "on dört~|on dörd~"]),
    (S::Number(15), ["", "", "quinze", "quince", "quindici", "quinze", "vijftien", "on beş~|çeyrek"]),
    (S::Number(16), ["sixteen", "sechzehn", "seize", "dieciséis", "sedici", "dezesseis|dezasseis", "zestien", "on altı~"]),
    (S::Number(17), ["seventeen", "siebzehn", "dix-sept", "diecisiete", "diciassette", "dezessete|dezassete", "zeventien", "on yedi~"]),
    (S::Number(18), ["eighteen", "achtzehn", "dix-huit", "dieciocho", "diciotto", "dezoito", "achttien", "on sekiz~"]),
    (S::Number(19), ["nineteen", "neunzehn", "dix-neuf", "diecinueve", "diciannove", "dezenove|dezanove", "negentien", "on dokuz~"]),
    (S::Number(20), ["twenty", "zwanzig", "vingt", "veinte", "venti", "vinte", "twintig", "yirmi~"]),
    (S::Number(25), ["twenty five", "", "", "veinticinco", "venticinque", "vinte e cinco", "vijfentwintig", "yirmi beş"]),
    (S::Number(30), ["", "", "", "treinta", "trenta", "trinta", "dertig", "otuz"]),
    (S::Number(45), ["", "", "", "cuarenta y cinco", "quarantacinque", "", "", "kırk beş"]),
    (S::Ordinal(1), ["first of", "ersten|erster|erste", "premier", "primero", "primo", "primeiro", "eerste", ""]),
    (S::WeeksOn(1), ["", "", "en huit", "", "", "", "", ""]),
    (S::WeeksOn(2), ["", "", "en quinze", "", "", "", "", ""]),
    (S::Day(7), ["a week today|today week|week today|a week from today|one week from today|a week from now", "", "", "", "", "", "", ""]),
    (S::Day(8), ["tomorrow week|a week tomorrow|week tomorrow|a week from tomorrow", "", "", "", "", "", "", ""]),
    (S::Day(14), ["two weeks today|two weeks from today|2 weeks from today|two weeks from now|2 weeks from now|2 weeks today", "", "", "", "", "", "", ""]),
    (S::FromThat, ["from now|hence|from today|onwards|onward|and after", "aufwärts", "et après|et plus tard", "en adelante", "in poi|in avanti", "em diante|pra frente", "en later", "itibaren|sonra|sonraki|sonrasına"]),
    (S::AfterThat, ["after that|afterwards|after then|anytime after that|any time after that", "danach|nachher", "après ça|après cela|ensuite", "después de eso", "dopo quello|in seguito", "depois disso", "daarna", "ondan sonra"]),
    (S::Move, ["move|reschedule|rescheduling|moved|push|change|switch|swap|shift", "verschieben|verlegen|umbuchen|verschiebe|vorverlegen|tauschen|ändern", "déplacer|décaler|reporter|changer|avancer", "cambiar|mover|retrasar|adelantar|aplazar|pasar|cambiarla|moverla|cambio", "spostare|spostarlo|cambiare|rimandare|anticipare|posticipare", "mudar|remarcar|trocar|adiar|antecipar|passar|alterar", "verzetten|verplaatsen|verschuiven|wijzigen", "ertelemek|kaydırmak|değiştirmek|almak mümkün|taşımak|ertelesek|kaydırabilir|erteleyebilir"]),
    (S::BeforeThat, ["", "", "", "", "", "", "", "önce|öncesi|evvel"]),
    (S::UntilThat, ["", "", "", "", "", "", "", "kadar|dek"]),

    // From what is there.
    (S::LikeLast, ["same as last time|same time as last time|same as last|same as before|as last time|like last time|as always|as usual|the usual|the usual time|my usual time|my usual slot|usual slot|usual time|same day and time|same time and day|same slot as last time|like before|same day same time|same time as before|same time as always", "wie letztes mal|wie beim letzten mal|wie das letzte mal|gleiche zeit wie letztes mal|selbe zeit wie letztes mal|wie immer|wie üblich|wie gehabt|wie sonst|wie sonst immer|wie gewohnt|um die gleiche zeit wie letztes mal|gleiche zeit wie beim letzten mal|selbe uhrzeit wie letztes mal|gleiche uhrzeit wie letztes mal|wie beim letzten termin|so wie letztes mal|mein üblicher termin", "comme la dernière fois|même heure que la dernière fois|comme d'habitude|comme toujours|pareil que la dernière fois|comme d'hab|la même heure que la dernière fois|même jour même heure|à la même heure que la dernière fois|même créneau que la dernière fois|mon créneau habituel|créneau habituel|à l'heure habituelle", "como la última vez|misma hora que la última vez|la misma hora que la última vez|como siempre|igual que la última vez|la hora de siempre|a la hora de siempre|lo de siempre|el mismo día y hora|mismo día y hora|igual que siempre|la misma hora de la última vez|misma hora de siempre", "come l'ultima volta|stessa ora dell'ultima volta|come sempre|come al solito|solito orario|al solito orario|la solita ora|alla solita ora|stesso orario dell'ultima volta|uguale all'ultima volta|stesso giorno e ora|stesso giorno e stessa ora|stessa ora della volta scorsa|come la volta scorsa|come l'altra volta|stesso orario della volta scorsa", "como da última vez|mesma hora da última vez|como sempre|igual à última vez|igual da última vez|mesmo horário da última vez|como de costume|horário de sempre|o horário de sempre|mesmo dia e horário|mesmo horário de sempre|mesma hora de sempre|o mesmo da última vez|como na última vez", "zoals vorige keer|zelfde tijd als vorige keer|dezelfde tijd als vorige keer|als de vorige keer|zelfde als vorige keer|zoals altijd|zoals gewoonlijk|net als vorige keer|hetzelfde als vorige keer|zelfde tijd als de vorige keer|mijn vaste tijd|de vaste tijd|zoals de vorige keer|net als de vorige keer|zoals de laatste keer|dezelfde tijd als de vorige keer|zelfde dag en tijd|net als altijd", "geçen seferki gibi|geçen seferki saatte|geçen seferki|her zamanki gibi|her zamanki saatte|geçen sefer gibi|her zamanki saat|son seferki gibi|geçen defaki gibi|geçen seferki saat|her zamanki saatimde|geçenki gibi|geçen seferle aynı saatte|aynı gün aynı saat"]),
    (S::SameTime, ["same time|the same time|at the same time|same hour", "gleiche zeit|gleichen zeit|zur gleichen zeit|selbe zeit|selben zeit|zur selben zeit|gleiche uhrzeit|gleichen uhrzeit|selbe uhrzeit|selben uhrzeit|um die gleiche zeit|um dieselbe zeit|dieselbe zeit|dieselbe uhrzeit", "même heure|la même heure|à la même heure|même horaire|le même horaire", "misma hora|a la misma hora|la misma hora|mismo horario", "stessa ora|alla stessa ora|stesso orario|allo stesso orario|la stessa ora", "mesma hora|à mesma hora|mesmo horário|no mesmo horário|o mesmo horário", "zelfde tijd|dezelfde tijd|op dezelfde tijd|zelfde tijdstip|hetzelfde tijdstip|op hetzelfde tijdstip", "aynı saatte|aynı saat|aynı saate"]),
    (S::Later, ["later|bit later|a bit later|little later|back|later on", "später|etwas später|bisschen später|nach hinten|späteres|späterer|späteren", "plus tard|un peu plus tard", "más tarde|un poco más tarde|más adelante|mas tardecito", "più tardi|un po' più tardi|più avanti|posticipare di|posticipo di", "mais tarde|um pouco mais tarde|mais pra frente|mais para a frente", "later|iets later|wat later|beetje later|naar achteren", "daha geç|daha sonra|biraz daha geç|ileri|daha ileri|biraz geç|daha geçe|sonraya|daha sonraya|saat sonraya"]),
    (S::Earlier, ["earlier|sooner|bit earlier|bit sooner|earlier on|forward", "früher|etwas früher|eher|bisschen früher|nach vorne|vorziehen|nach vorn|früheres|früheren|früherer", "plus tôt|un peu plus tôt", "más temprano|más pronto|un poco antes|un poquito antes|algo antes|más tempranito", "più presto|un po' prima|anticipare di|un pochino prima|anticipo di", "mais cedo|um pouco mais cedo|um pouco antes|mais cedinho", "eerder|vroeger|iets eerder|wat eerder|iets vroeger|naar voren", "daha erken|biraz daha erken|daha öne|öne|daha erkene|biraz erken|biraz önce"]),
    (S::Soonest, ["as soon as possible|asap|as early as possible|soonest|the earliest|earliest|first available|next available|next free|right away|as soon as you can|soon as possible|soon as|first free|as soon as|straight away|immediately|urgently|earliest possible|the next available|quickest", "so bald wie möglich|sobald wie möglich|so schnell wie möglich|schnellstmöglich|möglichst bald|möglichst schnell|so früh wie möglich|nächstmöglich|nächstmöglicher|nächstmöglichen|ehestmöglich|frühestmöglich|baldmöglichst|schnellstmöglichen|so rasch wie möglich|so schnell es geht|möglichst früh|asap|nächster freier|nächsten freien|der nächste freie|so schnell wies geht|frühestmöglichen|dringend|sofort|schnellst möglich|das nächste freie", "dès que possible|le plus tôt possible|au plus vite|le plus vite possible|au plus tôt|asap|le plus rapidement possible|premier créneau|le premier créneau|prochain créneau|premier rdv possible|au + vite|dès que vous pouvez|prochaine dispo|en urgence", "lo antes posible|cuanto antes|lo más pronto posible|lo más temprano posible|en cuanto puedas|lo antes que puedas|tan pronto como sea posible|lo más rápido posible|primera hora disponible|el primer hueco|primer hueco|la primera cita disponible|lo + pronto posible|ya mismo|urgente|cuanto antes mejor|en cuanto podáis", "il prima possibile|prima possibile|al più presto|appena possibile|il più presto possibile|quanto prima|primo posto libero|il primo posto libero|prima disponibilità|la prima disponibilità|appena potete|appena avete posto|il + presto possibile|primo appuntamento disponibile|primo buco|subito|urgente", "o mais cedo possível|o mais rápido possível|quanto antes|assim que possível|o quanto antes|mais rápido possível|primeiro horário|o primeiro horário|primeiro horário disponível|logo que possível|o mais depressa possível|assim que der|urgente|mais cedo possível|primeira vaga", "zo snel mogelijk|zo vroeg mogelijk|eerst mogelijke|eerstvolgende plek|zsm|z s m|zo spoedig mogelijk|eerste plek|eerste vrije plek|eerste beschikbare|de eerste mogelijkheid|zo gauw mogelijk|asap|eerste gaatje|zo snel als mogelijk|dringend|met spoed", "en kısa sürede|en erken|mümkün olduğunca çabuk|bir an önce|en yakın|en kısa zamanda|mümkün olan en kısa sürede|ilk müsait|en erken saat|hemen|en yakın zamanda|ilk boş|acil|en yakın saat|mümkün olduğunca erken|en erken saate"]),

    // What is not wanted.
    (S::Not, ["not|not on|can't|cannot|cant|can not|won't|wont|doesn't work|doesnt work|don't work|isn't|isnt|not possible|unable|except|except for|anything but|any day but|apart from|excluding|other than|no mondays|no good|doesn't suit|bar|anything except|any day except|but not|never|impossible|everything but", "nicht|kein|keine|keinen|außer|bis auf|ausgenommen|nicht am|nur nicht|bloß nicht|alles außer|unmöglich|geht nicht|passt nicht|nie", "pas|sauf|hormis|excepté|à part|jamais|impossible|sauf le|tout sauf|ni", "no puedo|no me va|no me viene|no el|no los|menos el|menos los|excepto|salvo|no me queda|imposible|nada de|no me vale|cualquier día menos|todos menos|excepto el|no para|no quiero|no en|no por|no a|no me es posible|salvo el|todo menos|no trabajo", "non|tranne|eccetto|a parte|esclusi|escluso|salvo|no il|non di|tranne il|fuorché|impossibile|mai", "não|exceto|fora|n posso|tirando|menos na|menos no|sem ser|exceto na|exceto no|impossível|nunca", "niet|niet op|behalve|geen|uitgezonderd|niet in|onmogelijk|nooit|maar niet|niet lukt", "değil|hariç|dışında|olmaz|olmuyor|gelemem|uymaz|müsait değilim|uymuyor|gelemiyorum|haricinde|olmasın|uygun değil"]),
    // Only at the end of a clause; elsewhere it is a lone answer, or Portuguese for "in the".
    (S::No, ["", "", "", "no", "no", "", "", ""]),
    // What a "not" in it refuses is no time.
    (S::Other, ["no|nope|no problem|no worries|not sure|don't know|dont know|why not|don't mind|dont mind|not bad|idk|no rush|not urgent|isn't urgent|if possible|not long|not much|can't wait|cant wait|do not mind", "kein problem|warum nicht|weiß nicht|nicht sicher|macht nichts|keine ahnung|weiss nicht ob|keine eile|nicht eilig|wieso nicht|wenn möglich|nicht dringend|nicht wahr|keine sorge|kein stress", "pas de problème|pas de souci|pourquoi pas|je sais pas|je ne sais pas|pas sûr|si possible|pas pressé|pas grave|pas urgent|n'est-ce pas|pas mal|pas de soucis|pas sûre", "no sé|no pasa nada|por qué no|no hay problema|no importa|si es posible|no es urgente|sin problema", "non so|perché no|non importa|se possibile|non c'è problema|non fa niente|non è urgente|nessun problema|non vedo l'ora", "não sei|por que não|não tem problema|sem problema|se possível|não importa|não é urgente|não faz mal|nao tem pressa|porque não", "weet niet|waarom niet|geen probleem|niet zeker|maakt niet uit|geen haast|indien mogelijk|als het kan|niet dringend|geen idee", "neden olmasın|bilmiyorum|sorun değil|fark etmez|mümkünse|problem değil|farketmez|acil değil|emin değilim|önemli değil"]),
    (S::Instead, ["instead of|rather than", "statt|anstatt|anstelle von|anstelle", "au lieu de|au lieu du|plutôt que|à la place de|a la place du", "en vez de|en vez del|en lugar de|en lugar del", "invece di|al posto di|invece che|invece del|anziché|al posto del", "em vez de|ao invés de|no lugar de|em vez da|em vez do", "in plaats van|i p v|ipv", ""]),
    (S::InsteadOfThat, ["", "", "", "", "", "", "", "yerine"]),
    (S::But, ["but|however|rather", "aber|sondern|lieber|jedoch|dafür", "mais|par contre|en revanche", "pero|sino|aunque", "ma|però|invece|bensì", "mas|porém", "maar|liever|wel", "ama|fakat|ancak"]),

    // Numbers of these are no times.
    (S::Counted, ["people|persons|person|ppl|adults|kids|children|times|time|euro|euros|eur|dollars|dollar|bucks|quid|pounds|pound|usd|gbp|percent|haircuts|haircut|cuts|of us|visit|years|year|yo|guests|ladies|men|women|guys|friends|pairs|pieces|pcs|cm|nails|sessions|session|kg|floor|st|street|appointments|places|seats|girls|boys|services|tickets|tables|spots|bottles|treatments", "personen|person|leute|erwachsene|kinder|kind|mal|euro|euros|eur|franken|chf|prozent|jahre|jahren|jahr|gäste|plätze|haarschnitte|cm|stück|paar|termine|termin|haarschnitt|herren|damen|kg|stock|behandlungen|mann|frauen|männer|pers|jährige|jähriger", "personnes|personne|pers|adultes|enfants|fois|euro|euros|eur|ans|an|places|coupes|coupe|cm|pieces|rendez-vous|rdv|mecs|filles|couverts|prestations|rue|avenue|boulevard|bis rue", "personas|persona|adultos|niños|veces|vez|euro|euros|eur|pesos|años|plazas|cortes|corte|cm|amigas|amigos|citas|pers|chicas|chicos|sesiones", "persone|persona|adulti|bambini|volte|volta|euro|eur|anni|posti|tagli|taglio|cm|pers|amiche|amici|appuntamenti|ragazze|ragazzi|trattamenti|sedute", "pessoas|pessoa|adultos|crianças|vezes|vez|euro|euros|reais|real|anos|lugares|cortes|corte|cm|amigas|amigos|sessões|meninas|filhos|conto|pila", "personen|persoon|volwassenen|kinderen|keer|euro|euros|eur|jaar|plaatsen|knipbeurten|cm|pers|man|afspraken|kids|behandelingen|mensen|vrouwen|dames|heren", "kişi~|kişilik|kişiyiz|çocuk~|lira~|tl|euro|adet|tane|defa|kere|yaş|yaşında|numara|cm|randevu|bayan|erkek|seans|arkadaş"]),
    (S::Filler, ["just|only|now|ideally|preferably|maybe|perhaps|possibly|please|pls|plz|really|quite|very|too|some|a bit|bit|little|evening time|either|both|even|more|also|then|again|would be|works|is|are|be|was|would|was thinking|best", "bitte|vielleicht|eventuell|nur|ganz|sehr|am liebsten|auch|evtl|gleich|etwas|bisschen|wieder|genau|schon|noch|erst|gerne|gern|dann|ist|wäre|irgendwie|nochmal|lieber so|nen", "svp|stp|plutôt|peut-être|seulement|très|trop|si|de préférence|aussi|bien|serait|est|ben|alors|donc|plus|un peu|juste|encore|c'est", "porfa|quizás|como|solo|muy|demasiado|tal vez|también|ya|un poco|es|sea|sería|preferiblemente|pues|si puede ser|puede ser|mejor|si", "forse|solo|molto|troppo|anche|già|si|un po|sarebbe|se|preferibilmente|poi|possibilmente|meglio", "talvez|só|lá|muito|também|já|um pouco|seria|pode ser|de preferência|se|melhor|porfavor|então|tipo assim|demais", "misschien|alleen|precies|graag|liefst|erg|te|heel|ook|al|een beetje|is|bij voorkeur|even|dan|het liefst|weer|eventueel|aub|mag|wat", "belki|sadece|çok|da|de|mümkün|lütfen|bile|biraz|ise|olur|olsun|herhangi|en"]),
    // Homonyms of words above, and greetings.
    (S::Other, ["good morning|good afternoon|good evening|morning all|once|do|due|set|so|six pack|sam|as|me|mi|di|ter|per|mar|on my|sera|may i|may we|at all|at home|at least|by the way|at the moment|in case|in advance|have a nice day|have a good day|nice evening|nice day|great day|last time|the last time|this time|next time|each time|first time|for a while|all day|any day|a lot|long time|right now|to do|to come|to get|to book|to make|to have|to be|to see|to my|to your|to the|to me|to you|to a|to an|to change|to move|to cancel|to reschedule|to know|to ask|to go|to fit|to do it|to bring|to schedule|one of|per day|day off", "guten morgen|guten abend|guten tag|schönen abend|schönen tag|moin|schönes wochenende|mal schauen|die nächste|fr frisch|das nächste mal|letztes mal|beim letzten mal|diesmal|dieses mal|bis dann|bis bald|bis dahin|bis morgen dann|zeit haben|den ganzen tag|ganzen tag|jeden tag|einen schönen tag|tag zusammen|tagsüber|abendessen|von euch|von ihnen|von mir|um einen|um eine|um einen termin|an|so bald|nach ihnen|je nachdem|von daher|vor ort|vor allem|nach hause|im voraus|vor kurzem", "bonsoir|bonjour|bonne soirée|bonne journée|bonne semaine|bon week-end|sera|mon|ma|me|en ligne|mon rendez-vous|en avance|tot ou tard|à bientôt|à plus|si vous|à vous|à tous|pour moi|pour une|pour un|pour ma|pour mon|de la part|la prochaine fois|prochaine fois|cette fois|toute la journée|tous les jours|à nouveau|en fait|en tout cas|à faire|de rien|la dernière fois|dernière fois|par jour|ce jour|ce jour-là|en général|le temps|de temps|vers chez|dès maintenant", "buenos días|buenas tardes|buenas noches|buen día|buena tarde|linda tarde|buenas|buena noche|me|mi|mar adentro|será|por segunda|segunda opción|cuarta opción|quinta opción|segunda vez|primera vez|la próxima vez|próxima vez|última vez|esta vez|todo el día|todos los días|cualquier día|de nada|a ver|al final|a ti|a vosotros|en casa|a domicilio|en serio|en general|hasta luego|hasta pronto|buen fin de semana|por favor|por fin|cada vez|por día|es que|a veces|que tal|al día|de día|para mi", "buongiorno|buonasera|buon pomeriggio|buona giornata|buona serata|buon weekend|dei|mi|come|questa volta|la prossima volta|prossima volta|ultima volta|prima volta|la prima volta|tutto il giorno|tutti i giorni|a presto|a dopo|a me|a casa|al volo|in generale|di persona|da voi|da te|da solo|da fare|dal parrucchiere|da noi|da parte|al giorno|a lei|a domicilio|al momento|da tempo|dalla parrucchiera|qualsiasi giorno|per favore|per piacere|di solito|di nuovo|a voi|da quando|sono|da me", "bom dia|boa tarde|boa noite|boa semana|bom fim de semana|será|será que|sei|me|mi|segunda opção|quarta opção|quinta opção|segunda alternativa|segunda sugestão|segunda vez|segunda via|primeira vez|da próxima vez|próxima vez|desta vez|última vez|dessa vez|o dia todo|dia todo|todos os dias|qualquer dia|por dia|hoje em dia|do dia|de dia|a gente|a sua|a minha|a minha mãe|por favor|às vezes|as minhas|as unhas|as sobrancelhas|o cabelo|da minha|do meu|da silva|dos|de novo|com você|com vc|para mim|pra mim|a partir|em casa|até logo|até mais|até breve|cada vez|onde|tarde demais", "goedemorgen|goedemiddag|goedenavond|goedendag|fijne dag|fijne avond|fijn weekend|prettig weekend|goede morgen|goede middag|goede avond|hele dag|de hele dag|elke dag|de volgende keer|volgende keer|deze keer|eerste keer|de eerste keer|laatste keer|vorige keer|den|tot dan|tot ziens|tot straks|tot zo|alvast|van mij|van jullie|van u|voor mij|voor mijn|op tijd|op de hoogte|in de buurt|per keer|zo maar|me|op bezoek|een dagje|op jullie|om te|om even|na overleg|in orde|in het algemeen|van te voren|dag allemaal", "günaydın|iyi akşamlar|iyi günler|iyi geceler|tünaydın|hayırlı günler|hayırlı sabahlar|hayırlı akşamlar|iyi hafta sonları|hayırlı cumalar|bir sonraki sefere|gelecek sefer|bu sefer|geçen sefer|ilk defa|ilk kez|her gün|bütün gün|her saat|var mı|varmı|yeriniz var mı|yer var mı|vaktiniz var mı|boşluk var mı|boş yer var mı|müsait|sizde|bende|önceden|bir de|bir saatlik|her yer|ne zaman|kaçta|saat kaçta|olur mu|önce bir|en son|en az|en fazla|en iyi|sıra var mı|uygun mu"]),
];

/// Frequent words that tell the language, so that homonyms fall to the right one.
const CHAT: [&str; LANGUAGES] = [
    "i i'd i'll i'm you can could would like want need have has a appointment haircut booking book my me please thanks hi hello hey do does any free slot come with and the what about how is it if it's we need want we're around think sure ok yes yeah cut colour make fit in see you move reschedule change instead works",
    "ich du sie wir ihr kann könnte hätte gern gerne möchte würde bitte danke hallo moin termin haben habt für mit einen und noch was frei ist geht passt wäre vielleicht mein meine uns auch es mir bei euch ihnen oder brauche haare schneiden hab wenn das zeit verschieben schon dann um so rum ok ja hi servus leider",
    "je j'ai vous avez est c'est possible bonjour salut svp merci rdv rendez-vous pour voudrais aimerais une un de la le les mon ma mes et ou avec peut on peux pouvez plutôt besoin dispo disponible ok oui coupe créneau prendre si serait bien moi ça va stp vers souhaite venir",
    "yo me mi quiero quisiera puedo puede podría podéis tenéis tienen tienes hola gracias porfa por favor cita para hueco el los las un una con y sitio libre necesito qué vale si ok reservar buenas hay cortarme pelo mejor pedir sería estaría bien ir venir disponible gustaría del",
    "io mi vorrei posso avete potrei ciao salve grazie per favore appuntamento posto libero il gli un una con che è va bene ho bisogno taglio capelli prenotare sarebbe possibile può venire ok sì disponibilità anche mio mia si oppure vi prendere c'è libero del della magari",
    "eu me quero queria gostaria posso pode tem têm oi olá obrigado obrigada por favor horário marcar vaga para com um uma você vocês vcs o os preciso agendar cortar cabelo seria possível melhor dá ok sim livre minha meu tudo bem da do tem pra consigo cliente",
    "ik je jullie u we kan kunnen zou graag hoi hallo bedankt dank afspraak een het mijn voor met plek vrij is heb hebben wil willen langskomen knippen maken nog iets of er ok ja kan ik komen als mogelijk ben kun liever tijd dat dan aub mij",
    "ben bana bir için randevu almak istiyorum istiyoruz merhaba selam lütfen teşekkürler müsait misiniz mi mı mu mü var olur olabilir uygun saç kesimi gelmek gelebilir miyim alabilir yer boş acaba evet tamam sizde bize saat de da ne kadar varsa hocam abi isterim olsa istiyordum",
];

/// Names and words that are one letter off a known one.
const NEVER_A_SLIP: &[&str] = &[
    "morgan",
    "demais",
    "domain",
    "martina",
    "domenico",
    "augusta",
    "auguste",
    "augusto",
    "juliet",
    "juliette",
    "dominic",
    "dominik",
    "domingos",
    "junior",
    "montage",
    "minute",
    "minutes",
    "minuten",
    "minuto",
    "minutos",
    "spater",
    "fruher",
    "norgen",
    "manna",
    "banana",
    "sabina",
    "serena",
    "serata",
    "through",
    "octave",
    "mattia",
    "matteo",
    "marina",
    "maximo",
    "proxima",
    "segundo",
    "sabrina",
    "avenir",
    "venir",
    "volgens",
    "gecenin",
    "cumali",
    "morgens",
    "semaines",
    "settimo",
    "tarder",
    "tardes",
    "monde",
    "mondial",
    "finally",
    "august's",
    "weeknd",
    "salon",
    "saloni",
    "friends",
    "fridge",
    "sundae",
    "mittags",
    "abende",
    "abendessen",
    "nachricht",
    "between",
    "before",
];

/// A meaning of a phrase, and the language it has it in.
pub(super) type Meaning = (Sense, usize);

/// All phrases.
pub(super) struct Words {
    phrases: HashMap<String, Vec<Meaning>>,
    stems: HashMap<String, Stem>,
    chat: HashMap<String, Vec<usize>>,
    /// Long single words of days and parts of the day, by first letter: what a slip of the pen may have meant.
    long: HashMap<char, Vec<(String, Meaning)>>,
    never: HashSet<&'static str>,
}

/// A Turkish word that takes endings.
struct Stem {
    sense: Sense,
    /// The last vowel is one of the back of the mouth.
    back: bool,
}

/// The words.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(Words::new);

/// The words of a phrase, folded, one blank between them.
fn key(phrase: &str) -> String {
    let plain = plain_text(phrase);
    plain.split(|c: char| !(c.is_alphanumeric() || c == '@')).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Words {
    fn new() -> Self {
        let mut words =
            Self { phrases: HashMap::new(), stems: HashMap::new(), chat: HashMap::new(), long: HashMap::new(), never: HashSet::new() };
        words.never.extend(NEVER_A_SLIP);
        for (sense, columns) in TABLE {
            for (language, column) in columns.iter().enumerate() {
                for phrase in column.split('|').filter(|phrase| !phrase.is_empty()) {
                    words.add(phrase, *sense, language);
                }
            }
        }
        for (language, column) in CHAT.iter().enumerate() {
            for word in column.split(' ').flat_map(|word| key(word).split(' ').map(str::to_owned).collect::<Vec<_>>()) {
                let known = words.chat.entry(word).or_default();
                if !known.contains(&language) {
                    known.push(language);
                }
            }
        }
        words
    }

    fn add(&mut self, phrase: &str, sense: Sense, language: usize) {
        let bare = phrase.trim_end_matches('~');
        self.put(key(bare), sense, language);
        if language == GERMAN && bare.contains(['ä', 'ö', 'ü']) {
            self.put(key(&bare.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue")), sense, language);
        }
        if language == TURKISH && bare.len() < phrase.len() {
            let back = bare.chars().rev().find(|c| "aeıioöuü".contains(*c)).is_some_and(|c| "aıou".contains(c));
            self.stems.entry(key(bare)).or_insert(Stem { sense, back });
        }
    }

    fn put(&mut self, key: String, sense: Sense, language: usize) {
        let a_day = matches!(
            sense,
            Sense::Day(_) | Sense::Weekday(_) | Sense::Each(_) | Sense::Month(_) | Sense::Part(_) | Sense::Weekend | Sense::Morgen
        );
        if a_day
            && !key.contains(' ')
            && key.chars().count() >= 6
            && let Some(first) = key.chars().next()
        {
            self.long.entry(first).or_default().push((key.clone(), (sense, language)));
        }
        let meanings = self.phrases.entry(key).or_default();
        // The first of a language is the one that is meant.
        if !meanings.iter().any(|(_, other)| *other == language) {
            meanings.push((sense, language));
        }
    }

    /// What a phrase may mean, by language.
    pub(super) fn meanings(&self, phrase: &str) -> Option<&[Meaning]> {
        self.phrases.get(phrase).map(Vec::as_slice)
    }

    /// Letters that stand for a weekday or a month: a dot behind them ends no sentence.
    pub(super) fn abbreviates(&self, word: &str) -> bool {
        let short = |(sense, _): &Meaning| matches!(sense, Sense::Short(_) | Sense::ShortMonth(_));
        self.meanings(word).is_some_and(|meanings| meanings.iter().any(short))
    }

    /// The languages a frequent word is of.
    pub(super) fn chat(&self, word: &str) -> &[usize] {
        self.chat.get(word).map_or(&[], Vec::as_slice)
    }

    /// The sense of a Turkish word with an ending.
    pub(super) fn with_ending(&self, word: &str) -> Option<(Sense, Case)> {
        word.char_indices().rev().take(4).find_map(|(at, _)| {
            let (stem, ending) = word.split_at(at);
            let stem = self.stems.get(stem)?;
            ending_case(ending).filter(|(_, back)| back.is_none_or(|back| back == stem.back)).map(|(case, _)| (stem.sense, case))
        })
    }

    /// What a long word with one slip of the pen means; near to two of different meaning is near to none.
    pub(super) fn slip(&self, word: &str) -> Option<Meaning> {
        let length = word.chars().count();
        if length < 5 || self.never.contains(word) || !self.chat(word).is_empty() {
            return None;
        }
        let known = self.long.get(&word.chars().next()?)?;
        let near = |known: &&(String, Meaning)| known.0.chars().count().abs_diff(length) <= 1 && strsim::osa_distance(&known.0, word) <= 1;
        let mut found = known.iter().filter(near).map(|(_, meaning)| *meaning);
        let first = found.next()?;
        found.all(|other| other.0 == first.0).then_some(first)
    }
}

/// The case of a Turkish ending, and whether it follows vowels of the back of the mouth (`None`: folding does not tell).
pub(super) fn ending_case(ending: &str) -> Option<(Case, Option<bool>)> {
    Some(match ending {
        "da" | "ta" => (Loc, Some(true)),
        "de" | "te" => (Loc, Some(false)),
        "dan" | "tan" => (Abl, Some(true)),
        "den" | "ten" => (Abl, Some(false)),
        "a" | "ya" => (Dat, Some(true)),
        "e" | "ye" | "ne" => (Dat, Some(false)),
        "i" | "yi" | "u" | "yu" | "si" | "su" | "nin" | "in" | "un" | "sinde" | "inde" | "unde" | "unda" | "sina" | "ine" | "una"
        | "ki" => (Case::Other, None),
        _ => return None,
    })
}

/// All phrases, as they stand in the tables.
#[cfg(test)]
pub(super) fn phrases() -> Vec<&'static str> {
    let columns = TABLE.iter().flat_map(|(_, columns)| columns.iter());
    columns.flat_map(|column| column.split('|')).map(|phrase| phrase.trim_end_matches('~')).filter(|phrase| !phrase.is_empty()).collect()
}

/// Phrases that stand in a column twice: the second would never be read.
#[cfg(test)]
pub(super) fn doubled() -> Vec<String> {
    let mut seen: HashSet<(String, usize)> = HashSet::new();
    let columns = TABLE.iter().flat_map(|(_, columns)| columns.iter().enumerate());
    let phrases = columns.flat_map(|(language, column)| column.split('|').map(move |phrase| (phrase, language)));
    let doubled = phrases.filter(|(phrase, language)| !phrase.is_empty() && !seen.insert((key(phrase), *language)));
    doubled.map(|(phrase, _)| phrase.to_owned()).collect()
}
