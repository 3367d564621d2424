//! The building blocks of number words: `word=value`, `H` for hundred, `x1000` for a scale, `&` for "and".

/// English.
pub(super) const ENGLISH: &[&str] = &[
    "zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13 fourteen=14",
    "fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fourty=40 fifty=50 sixty=60",
    "seventy=70 eighty=80 ninety=90 hundred=H thousand=x1000 million=x1000000 and=&",
];
/// German.
pub(super) const GERMAN: &[&str] = &[
    "null=0 ein=1 eins=1 eine=1 einen=1 einem=1 zwei=2 zwo=2 drei=3 vier=4 funf=5 fuenf=5 sechs=6 sieben=7 acht=8 neun=9 zehn=10",
    "elf=11 zwolf=12 zwoelf=12 dreizehn=13 vierzehn=14 funfzehn=15 fuenfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18 neunzehn=19",
    "zwanzig=20 dreissig=30 dreizig=30 vierzig=40 funfzig=50 fuenfzig=50 sechzig=60 siebzig=70 achtzig=80 neunzig=90 hundert=H",
    "tausend=x1000 million=x1000000 millionen=x1000000 und=&",
];
/// Dutch.
pub(super) const DUTCH: &[&str] = &[
    "nul=0 een=1 twee=2 drie=3 vier=4 vijf=5 zes=6 zeven=7 acht=8 negen=9 tien=10 elf=11 twaalf=12 dertien=13 veertien=14",
    "vijftien=15 zestien=16 zeventien=17 achttien=18 negentien=19 twintig=20 dertig=30 veertig=40 vijftig=50 zestig=60 zeventig=70",
    "tachtig=80 negentig=90 honderd=H duizend=x1000 en=&",
];
/// French.
pub(super) const FRENCH: &[&str] = &[
    "zero=0 un=1 une=1 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 onze=11 douze=12 treize=13 quatorze=14",
    "quinze=15 seize=16 vingt=20 vingts=20 trente=30 quarante=40 cinquante=50 soixante=60 septante=70 huitante=80 octante=80",
    "nonante=90 cent=H cents=H mille=x1000 et=&",
];
/// Spanish.
pub(super) const SPANISH: &[&str] = &[
    "cero=0 un=1 uno=1 una=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 dieci=10 once=11 doce=12 trece=13",
    "catorce=14 quince=15 dieciseis=16 diecisiete=17 dieciocho=18 diecinueve=19 veinte=20 veinti=20 treinta=30 treintai=30",
    "cuarenta=40 cincuenta=50 sesenta=60 setenta=70 ochenta=80 noventa=90 cien=H ciento=H cientos=H cientas=H quinientos=500",
    "setecientos=700 novecientos=900 mil=x1000 y=&",
];
/// Italian.
pub(super) const ITALIAN: &[&str] = &[
    "zero=0 un=1 uno=1 una=1 due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9 dieci=10 undici=11 dodici=12 tredici=13",
    "quattordici=14 quindici=15 sedici=16 diciassette=17 diciotto=18 diciannove=19 venti=20 vent=20 trenta=30 trent=30 quaranta=40",
    "quarant=40 cinquanta=50 cinquant=50 sessanta=60 sessant=60 settanta=70 settant=70 ottanta=80 ottant=80 novanta=90 novant=90",
    "cento=H cent=H mille=x1000 mila=x1000 e=&",
];
/// Portuguese.
pub(super) const PORTUGUESE: &[&str] = &[
    "zero=0 um=1 uma=1 dois=2 duas=2 tres=3 quatro=4 cinco=5 seis=6 sete=7 oito=8 nove=9 dez=10 onze=11 doze=12 treze=13",
    "catorze=14 quatorze=14 quinze=15 dezesseis=16 dezasseis=16 dezessete=17 dezassete=17 dezoito=18 dezenove=19 dezanove=19",
    "vinte=20 trinta=30 quarenta=40 cinquenta=50 cinqenta=50 sessenta=60 setenta=70 oitenta=80 noventa=90 cem=H cento=H",
    "duzentos=200 duzentas=200 trezentos=300 trezentas=300 quatrocentos=400 quinhentos=500 seiscentos=600 setecentos=700",
    "oitocentos=800 novecentos=900 mil=x1000 e=&",
];
/// Turkish.
pub(super) const TURKISH: &[&str] = &[
    "sifir=0 bir=1 iki=2 uc=3 dort=4 bes=5 alti=6 yedi=7 sekiz=8 dokuz=9 on=10 yirmi=20 otuz=30 kirk=40 elli=50 altmis=60",
    "yetmis=70 seksen=80 doksan=90 yuz=H bin=x1000",
];
/// Ten by ten and the plain units: enough to notice a price that is written out.
pub(super) const OTHERS: &[&str] = &[
    "десять=10 двадцать=20 тридцать=30 сорок=40 пятьдесят=50 шестьдесят=60 семьдесят=70 восемьдесят=80 девяносто=90 сто=H",
    "тысяча=x1000 тысячи=x1000 один=1 два=2 три=3 четыре=4 пять=5 шесть=6 семь=7 восемь=8 девять=9 dwadziescia=20 trzydziesci=30",
    "czterdziesci=40 piecdziesiat=50 szescdziesiat=60 siedemdziesiat=70 osiemdziesiat=80 dziewiecdziesiat=90 dziesiec=10 jeden=1",
    "dwa=2 trzy=3 cztery=4 piec=5 szesc=6 siedem=7 osiem=8 dziewiec=9 tysiac=x1000 عشرة=10 عشرون=20 عشرين=20 ثلاثون=30 ثلاثين=30",
    "أربعون=40 أربعين=40 خمسون=50 خمسين=50 ستون=60 ستين=60 سبعون=70 سبعين=70 ثمانون=80 ثمانين=80 تسعون=90 تسعين=90 مئة=H مائة=H",
    "ألف=x1000 مئتان=200 مئتين=200 مائتان=200 مائتين=200 ثلاثمئة=300 ثلاثمائة=300 أربعمئة=400 خمسمئة=500 خمسمائة=500 یک=1 دو=2",
    "سه=3 چهار=4 پنج=5 شش=6 هفت=7 هشت=8 ده=10 بیست=20 سی=30 چهل=40 پنجاه=50 شصت=60 هفتاد=70 هشتاد=80 نود=90 صد=H هزار=x1000",
    "میلیون=x1000000 दस=10 बीस=20 तीस=30 चालीस=40 पचास=50 पचपन=55 साठ=60 सत्तर=70 अस्सी=80 नब्बे=90 सौ=H हज़ार=x1000 हजार=x1000",
    "एक=1 दो=2 तीन=3 चार=4 पांच=5 पाँच=5 उनसठ=59 उनचास=49",
];
