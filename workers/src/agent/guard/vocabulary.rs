//! The words around a number that say what it is; folded, `*` at the end takes any ending.

/// Whether a folded word is in a list.
pub(super) fn is(list: &[&str], word: &str) -> bool {
    list.iter().flat_map(|line| line.split(' ')).any(|entry| match entry.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => entry == word,
    })
}

/// Speaks of a price.
pub(super) const PRICE: &[&str] = &[
    "cost* kost kostet kosten kostete koste coute* cout couts couter* cuesta* custa* custo custou price* pricing preis* endpreis",
    "prix precio* prezz* preco* prijs* prijz* fiyat* tutar* eder ediyor ucret ucreti pay pays paid paying payment* zahl* bezahl*",
    "payer* payez paie paies paierez pagar* paga pagas pagate paghi paghera* pagherai betaal* betalen odeme* odersiniz oduyorsunuz",
    "charge* fee fees gebuhr* worth wert valor vale valen vaut importo importe montant montante amount* betrag* bedrag betragt",
    "betragen belauft deposit anzahlung sell* sold verkauf* discounted reduced reduziert rebajad* scontat* afgeprijsd indirimli",
    "statt instead vendu vende* offered سعر* السعر* ثمن* قیمت* قيمت* بسعر* سعره* التكلفة تكلفة يكلف कीमत* दाम* मूल्य* দাম* ราคา*",
    "цен* стоит стоят стоимость* cena cene ceny kosztuje kosztuja 価格* 价格* 價格* salgo sale salen verlangen nehmen budget owe owes",
    "retail* offer asking",
];

/// Speaks of a sum.
pub(super) const TOTAL: &[&str] = &[
    "total* totaal* gesamt* endsumme summe rechnungsbetrag somme suma suman sumar* somma toplam* insgesamt zusammen subtotal",
    "zwischensumme sum sums altogether macht machen comes amounts fait font fanno ammonta serian seria seran serait fica ficam",
    "ficaria ficara wordt bedraagt komt waren ware tudo المجموع الإجمالي اجمالي مجموع कुल итого всего razem 合计 รวม* queda quedan",
    "quedaria viene vengono verrebbe shipping versand versandkosten lieferkosten porto livraison envio spedizione frete",
    "verzendkosten verzending kargo delivery tanesi adedi cifti",
];

/// Narrows a number down, as prices like it.
pub(super) const ONLY: &[&str] = &[
    "only just nur lediglich bloss seulement juste solo solamente soltanto apenas so slechts maar sadece yalnizca merely seul sólo",
    "somente фقط فقط सिर्फ केवल только tylko",
];

/// May stand between a price word and its number.
pub(super) const BRIDGE: &[&str] = &[
    "is are was were be s re ll will would now at of for you it them each the a about around exactly currently to comes back me us",
    "this that one pair both all then still normally usually from under over below up than in out priced down ist sind war jetzt",
    "bei fur fuer von zu ab sie dich dir ihnen aktuell zurzeit derzeit genau etwa ca rund der die das je pro stuck dann euch uns",
    "zum beide alle unter uber noch auf wieder heute knapp dafur davon also est sont de du des la le les pour vous te environ",
    "actuellement cela tout l au partir etait sera en vos deux es son era por el los las un ahora unos aproximadamente cada par",
    "desde seria seran e sono di il lo gli per ora circa ti vi da i al verrebbe paio sao o os as agora cerca voce fica ficam do no",
    "em sai saem zijn het nu voor ongeveer van u dat vanaf bij elkaar op su an simdi tanesi yaklasik olarak هو هي है हैं का की के",
    "составляет wynosi คือ",
];

/// May follow an amount that stands without a currency.
pub(super) const AFTER: &[&str] = &[
    "each apiece altogether together all in incl* inkl* including plus with and or but for per a the today now only instead net",
    "gross even flat is are if when which that it would you we so total online off shipped delivered right at on then as this to",
    "after before zzgl statt je pro jeweils und oder aber zusammen insgesamt mit fur fuer das die der heute jetzt ohne wenn weil",
    "ist sie wir netto brutto gesamt nur im auf bei mehr weniger gunstiger chacun* piece l la le les par tout et ou mais avec pour",
    "au en ttc ht seulement aujourd frais de des tous cada el al por con y o pero iva hoy ahora si que solo euros unidad mas los",
    "las ciascun* cadauno cad il e ma oggi ora compres* tutto totali com no na hoje agora ja incluindo se stuk of maar met voor nu",
    "samen totaal inclusief bij ve ama ile icin dahil toplam tanesi olarak tutuyor eder ediyor ye ya dir den olur oluyor mwst vat",
    "tax taxes steuer है में فقط cheaper less sevk te gehort* konnen kann bekommst bekommen tu vous du er es lo wurde they",
];

/// Follows a price of one piece or of all of it.
pub(super) const PER_PIECE: &[&str] =
    &["each apiece altogether jeweils chacun* ciascun* cadauno tanesi insgesamt off cheaper gunstiger total"];

/// Counts, lengths of time and the like: the number before is no amount.
pub(super) const COUNTED: &[&str] = &[
    "piece* pair pairs item* left unit units pcs pc stock available remaining people persons person guests customers reviews",
    "colors colours sizes styles models pages options orders boxes bottles packs pack times steps stores shops questions more",
    "different of bags shirts shoes sneakers products articles slots photos others day* hour* week* month* minute* min mins year*",
    "hr hrs second* sec business working night* am pm o'clock stuck stueck paar paare artikel packung* exemplar* teile farben",
    "grossen tag* stunde* woche* monat* jahr* werktag* personen kunden bewertungen uhr mal verfugbar ubrig vorratig seiten modelle",
    "weitere std dosen flaschen sterne kartons etage og paire* pieces unites exemplaires jour* heure* semaine* mois an ans annees",
    "personnes clients avis couleurs tailles modeles fois restant* disponible* ouvre* ouvrable* pares piezas pieza unidad unidades",
    "articulo* dia dias hora horas semana* mes meses ano anos minutos personas clientes opiniones colores tallas modelos veces",
    "paginas habiles paio paia pezzo pezzi articolo articoli unita giorno giorni ore settiman* mese mesi anno anni minuti persone",
    "clienti recensioni colori taglie modelli volte pagine lavorativi rimast* disponibili pecas peca itens item unidade* pessoas",
    "avaliacoes cores tamanhos vezes uteis restantes disponiveis stuks paren dagen dag uur uren weken week maanden maand jaar",
    "minuten klanten kleuren maten keer artikelen werkdagen beschikbaar voorraad pagina adet tane cift parca gun* saat* hafta* ay",
    "yil dakika kisi musteri renk beden kez urun is قطع* أيام يوم ساعة ساعات أزواج دن दिन जोड़* पीस घंटे дня дней пар* штук* dni",
    "sztuk* par pary",
];

/// Speaks of weight: pounds and livres are no money there.
pub(super) const WEIGHT: &[&str] = &["weigh* weight* ounce* oz lb lbs g kg gram* wieg* gewicht* pese* poids pesa* weegt agirlik*"];

/// Names the number as a size, place, reference or the like.
pub(super) const LABEL: &[&str] = &[
    "size* eu us uk gr grosse* groesse* schuhgrosse konfektionsgrosse taille* pointure* talla* taglia* taglie tamanho* numeracao",
    "maat maten schoenmaat numara* beden* it jp fr de cn no nr n num number* numero* nummer* order* bestell* bestellung* commande*",
    "pedido* ordine ordini bestelling siparis* artikelnummer art ref sku tracking sendungsnummer suivi seguimiento gate floor room",
    "raum etage stock piso piano door building apt suite platform gleis line linie bus tram table tisch step page seite chapter",
    "version model* modell* modele* series serie gen generation level stufe zip plz cp cep cap postcode street strasse str rue",
    "calle via rua avenida avenue av straat weg platz allee sokak cadde* caddesi boulevard road rd kat hausnummer age aged alter",
    "jahrgang since seit depuis desde dal sinds year anno iso ip din en spf lsf pin code section point column row مقاس رقم سایز",
    "साइज़ साइज नंबर размер* номер* rozmiar* サイズ",
];

/// Labels that are clear enough to hold also where prices are spoken of.
pub(super) const CLEAR_LABEL: &[&str] = &[
    "size* grosse* groesse* schuhgrosse taille* pointure* talla* taglia* taglie tamanho* maat maten numara* beden* gr eu us uk nr",
    "number nummer order bestellung bestellnummer commande pedido ordine bestelling siparis gate floor version model modell modele",
    "مقاس رقم साइज़ размер* rozmiar*",
];

/// Links numbers into one list or range.
pub(super) const LINK: &[&str] = &[
    "and or to und oder bis et ou a y o al e tot en of ve veya ile ya da i lub u through hasta ate fino jusqu sowie un half no و",
    "या और",
];

/// Words between two numbers that make a range of them.
pub(super) const RANGE: &[&str] = &["to bis hasta tot ate ile do إلى से"];

/// Speaks of opening hours, sizes, stock, days: a bare number there is hardly a price.
pub(super) const OTHER_TOPIC: &[&str] = &[
    "size* grosse* taille* pointure* talla* taglia* taglie tamanho* maat maten numara* beden* sole foot feet open opens opening",
    "close closes closed hours geoffnet offnet offen schliess* ouvert* ferme* abierto* abre* abrimos cerramos apert* apre aberto*",
    "fecha* acik geopend monday friday saturday sunday montag* freitag* samstag* left stock lager vorratig ubrig disponib*",
    "disponiv* restant* rimast* voorraad stok* available quedan remaining reste* restam queda rimangono kaldi kalan noch rua rue",
    "calle street strasse straat avenida avenue piazza plaza cep plz sokak address adresse age aged floor page days tage* jours",
    "dias giorni dagen table quantity qty menge anzahl quantite cantidad quantita quantidade aantal miktar adet",
];
