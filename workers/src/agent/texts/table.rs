//! The words of the fixed texts: English, German, French, Spanish, Italian, Portuguese, Dutch, Turkish.

/// One text in all languages; `{n}` and the like are filled in.
pub(super) type Row = [&'static str; 8];

pub(super) const TOTAL: Row = ["Total", "Summe", "Total", "Total", "Totale", "Total", "Totaal", "Toplam"];
pub(super) const EACH: Row = ["each", "pro Stück", "l'unité", "cada uno", "cad.", "cada", "per stuk", "tanesi"];
pub(super) const SUMMARY: Row = [
    "Here is your order:",
    "Ihre Bestellung:",
    "Voici votre commande :",
    "Este es tu pedido:",
    "Ecco il tuo ordine:",
    "Este é o seu pedido:",
    "Dit is je bestelling:",
    "Siparişiniz:",
];
pub(super) const ASK: Row = [
    "Shall I place this order?",
    "Soll ich so bestellen?",
    "Dois-je passer cette commande ?",
    "¿Hago este pedido?",
    "Confermo questo ordine?",
    "Posso fazer este pedido?",
    "Zal ik deze bestelling plaatsen?",
    "Bu siparişi vereyim mi?",
];
pub(super) const CONFIRM: Row = ["Confirm", "Bestätigen", "Confirmer", "Confirmar", "Conferma", "Confirmar", "Bevestigen", "Onayla"];
pub(super) const DECLINE: Row = ["Cancel", "Abbrechen", "Annuler", "Cancelar", "Annulla", "Cancelar", "Annuleren", "Vazgeç"];
pub(super) const PLACED: Row = [
    "Thank you! Your order #{n} is placed.",
    "Vielen Dank! Ihre Bestellung #{n} ist eingegangen.",
    "Merci ! Votre commande #{n} est enregistrée.",
    "¡Gracias! Tu pedido #{n} está hecho.",
    "Grazie! Il tuo ordine #{n} è registrato.",
    "Obrigado! O seu pedido #{n} está feito.",
    "Dank je wel! Je bestelling #{n} is geplaatst.",
    "Teşekkürler! #{n} numaralı siparişiniz alındı.",
];
pub(super) const SOLD_OUT: Row = [
    "I'm sorry, {name} is sold out, so I could not place the order.",
    "{name} ist leider ausverkauft, deshalb konnte ich nicht bestellen.",
    "Désolé, {name} est épuisé, je n'ai pas pu passer la commande.",
    "Lo siento, {name} está agotado y no pude hacer el pedido.",
    "Mi dispiace, {name} è esaurito e non ho potuto fare l'ordine.",
    "Lamento, {name} está esgotado e não pude fazer o pedido.",
    "Helaas is {name} uitverkocht, dus ik kon de bestelling niet plaatsen.",
    "Üzgünüm, {name} tükendi; siparişi veremedim.",
];
pub(super) const FEW_LEFT: Row = [
    "I'm sorry, only {left} of {name} left, so I could not place the order. Would you like that many?",
    "Von {name} sind leider nur noch {left} da, deshalb konnte ich nicht bestellen. Möchten Sie so viele?",
    "Désolé, il ne reste que {left} exemplaire(s) de {name}, je n'ai pas pu passer la commande. En voulez-vous autant ?",
    "Lo siento, solo quedan {left} unidades de {name} y no pude hacer el pedido. ¿Quieres esa cantidad?",
    "Mi dispiace, restano solo {left} pezzi di {name} e non ho potuto fare l'ordine. Ne vuoi altrettanti?",
    "Lamento, restam apenas {left} unidades de {name} e não pude fazer o pedido. Quer essa quantidade?",
    "Helaas zijn er nog maar {left} stuks van {name}, dus ik kon de bestelling niet plaatsen. Wil je er zoveel?",
    "Üzgünüm, {name} ürününden yalnızca {left} adet kaldı; siparişi veremedim. O kadar ister misiniz?",
];
pub(super) const DECLINED: Row = [
    "All right, I have not ordered anything. Is there anything else I can do for you?",
    "In Ordnung, ich habe nichts bestellt. Kann ich sonst noch etwas für Sie tun?",
    "Très bien, je n'ai rien commandé. Puis-je faire autre chose pour vous ?",
    "De acuerdo, no he pedido nada. ¿Puedo hacer algo más por ti?",
    "Va bene, non ho ordinato nulla. Posso fare altro per te?",
    "Tudo bem, não pedi nada. Posso ajudar em mais alguma coisa?",
    "Goed, ik heb niets besteld. Kan ik nog iets anders voor je doen?",
    "Tamam, hiçbir şey sipariş etmedim. Başka bir isteğiniz var mı?",
];
pub(super) const GONE: Row = [
    "That offer is no longer open. Please tell me what you would like, and I'll put it together again.",
    "Dieses Angebot gilt nicht mehr. Sagen Sie mir bitte, was Sie möchten, dann stelle ich es neu zusammen.",
    "Cette proposition n'est plus valable. Dites-moi ce que vous souhaitez et je la refais.",
    "Esa propuesta ya no está abierta. Dime qué te gustaría y la preparo de nuevo.",
    "Questa proposta non è più valida. Dimmi cosa desideri e la preparo di nuovo.",
    "Essa proposta já não está aberta. Diga-me o que deseja e eu preparo de novo.",
    "Dat voorstel staat niet meer open. Zeg me wat je wilt, dan maak ik een nieuw.",
    "Bu teklif artık geçerli değil. Ne istediğinizi yazın, yeniden hazırlayayım.",
];
pub(super) const CHANGED: Row = [
    "Something has changed since I showed you the order. Please check it again:",
    "Seit ich Ihnen die Bestellung gezeigt habe, hat sich etwas geändert. Bitte prüfen Sie sie noch einmal:",
    "Quelque chose a changé depuis ma proposition. Merci de vérifier à nouveau :",
    "Algo ha cambiado desde que te mostré el pedido. Revísalo de nuevo:",
    "Qualcosa è cambiato da quando ti ho mostrato l'ordine. Controllalo di nuovo:",
    "Algo mudou desde que mostrei o pedido. Verifique de novo:",
    "Er is iets veranderd sinds ik je de bestelling liet zien. Kijk het nog even na:",
    "Siparişi gösterdiğimden beri bir şey değişti. Lütfen tekrar kontrol edin:",
];
pub(super) const AGAIN: Row = [
    "I want to be sure: shall I place the order as shown? Please answer \"yes\" or \"no\".",
    "Nur zur Sicherheit: Soll ich so bestellen? Bitte antworten Sie mit „ja“ oder „nein“.",
    "Pour être sûr : dois-je passer la commande telle quelle ? Répondez « oui » ou « non », s'il vous plaît.",
    "Para estar seguro: ¿hago el pedido tal como está? Responde «sí» o «no», por favor.",
    "Per sicurezza: confermo l'ordine così com'è? Rispondi «sì» o «no».",
    "Só para ter certeza: faço o pedido como está? Responda \"sim\" ou \"não\", por favor.",
    "Even voor de zekerheid: zal ik de bestelling zo plaatsen? Antwoord met \"ja\" of \"nee\".",
    "Emin olmak istiyorum: siparişi bu şekilde vereyim mi? Lütfen \"evet\" ya da \"hayır\" yazın.",
];
pub(super) const STATUS: Row = [
    "Order #{n}: {state}.",
    "Bestellung #{n}: {state}.",
    "Commande #{n} : {state}.",
    "Pedido #{n}: {state}.",
    "Ordine #{n}: {state}.",
    "Pedido #{n}: {state}.",
    "Bestelling #{n}: {state}.",
    "Sipariş #{n}: {state}.",
];
pub(super) const PENDING: Row = ["received", "eingegangen", "reçue", "recibido", "ricevuto", "recebido", "ontvangen", "alındı"];
pub(super) const CONFIRMED: Row =
    ["confirmed", "bestätigt", "confirmée", "confirmado", "confermato", "confirmado", "bevestigd", "onaylandı"];
pub(super) const FULFILLED: Row = [
    "on its way or delivered",
    "unterwegs oder zugestellt",
    "expédiée ou livrée",
    "enviado o entregado",
    "spedito o consegnato",
    "enviado ou entregue",
    "onderweg of bezorgd",
    "gönderildi veya teslim edildi",
];
pub(super) const CANCELLED: Row =
    ["cancelled", "storniert", "annulée", "cancelado", "annullato", "cancelado", "geannuleerd", "iptal edildi"];
pub(super) const REFUNDED: Row =
    ["refunded", "erstattet", "remboursée", "reembolsado", "rimborsato", "reembolsado", "terugbetaald", "iade edildi"];
pub(super) const CANCEL_ASK: Row = [
    "Shall I cancel your order #{n}?",
    "Soll ich Ihre Bestellung #{n} stornieren?",
    "Dois-je annuler votre commande #{n} ?",
    "¿Cancelo tu pedido #{n}?",
    "Annullo il tuo ordine #{n}?",
    "Cancelo o seu pedido #{n}?",
    "Zal ik je bestelling #{n} annuleren?",
    "#{n} numaralı siparişinizi iptal edeyim mi?",
];
pub(super) const CANCEL_DONE: Row = [
    "Your order #{n} is cancelled.",
    "Ihre Bestellung #{n} ist storniert.",
    "Votre commande #{n} est annulée.",
    "Tu pedido #{n} está cancelado.",
    "Il tuo ordine #{n} è annullato.",
    "O seu pedido #{n} está cancelado.",
    "Je bestelling #{n} is geannuleerd.",
    "#{n} numaralı siparişiniz iptal edildi.",
];
pub(super) const CANCEL_NOT: Row = [
    "Your order #{n} can no longer be cancelled here.",
    "Ihre Bestellung #{n} lässt sich hier nicht mehr stornieren.",
    "Votre commande #{n} ne peut plus être annulée ici.",
    "Tu pedido #{n} ya no se puede cancelar aquí.",
    "Il tuo ordine #{n} non si può più annullare qui.",
    "O seu pedido #{n} já não pode ser cancelado aqui.",
    "Je bestelling #{n} kan hier niet meer worden geannuleerd.",
    "#{n} numaralı siparişiniz artık buradan iptal edilemiyor.",
];
pub(super) const HOLDING: Row = [
    "One moment please, I'm checking that for you.",
    "Einen Moment bitte, ich sehe für Sie nach.",
    "Un instant s'il vous plaît, je vérifie pour vous.",
    "Un momento, por favor, lo estoy comprobando.",
    "Un attimo, per favore, sto controllando.",
    "Um momento, por favor, estou a verificar.",
    "Een ogenblik, ik kijk het voor je na.",
    "Bir dakika lütfen, sizin için kontrol ediyorum.",
];
pub(super) const INACTIVE: Row = [
    "Your AI assistant is currently inactive. Please renew your subscription.",
    "Ihr KI-Assistent ist zurzeit nicht aktiv. Bitte erneuern Sie Ihr Abonnement.",
    "Votre assistant IA est actuellement inactif. Veuillez renouveler votre abonnement.",
    "Tu asistente de IA está inactivo en este momento. Renueva tu suscripción.",
    "Il tuo assistente IA al momento non è attivo. Rinnova l'abbonamento.",
    "O seu assistente de IA está inativo no momento. Renove a sua assinatura.",
    "Je AI-assistent is momenteel niet actief. Verleng je abonnement.",
    "Yapay zekâ asistanınız şu anda etkin değil. Lütfen aboneliğinizi yenileyin.",
];
pub(super) const QUOTA: Row = [
    "Thank you for your message. We will get back to you personally as soon as we can.",
    "Danke für Ihre Nachricht. Wir melden uns so bald wie möglich persönlich bei Ihnen.",
    "Merci pour votre message. Nous vous répondrons personnellement dès que possible.",
    "Gracias por tu mensaje. Te responderemos personalmente lo antes posible.",
    "Grazie per il messaggio. Ti risponderemo di persona appena possibile.",
    "Obrigado pela sua mensagem. Responderemos pessoalmente assim que possível.",
    "Bedankt voor je bericht. We nemen zo snel mogelijk persoonlijk contact op.",
    "Mesajınız için teşekkürler. En kısa sürede size bizzat döneceğiz.",
];
pub(super) const HANDOFF: Row = [
    "A human agent will contact you shortly.",
    "Ein Mitarbeiter meldet sich in Kürze bei Ihnen.",
    "Un conseiller vous contactera sous peu.",
    "Una persona de nuestro equipo te contactará en breve.",
    "Un operatore ti contatterà a breve.",
    "Um atendente entrará em contato em breve.",
    "Een medewerker neemt binnenkort contact met je op.",
    "Bir temsilcimiz kısa süre içinde sizinle iletişime geçecek.",
];
pub(super) const STOPPED: Row = [
    "I'm pausing here. A colleague will take a look.",
    "Ich mache hier eine Pause. Ein Kollege sieht sich das an.",
    "Je fais une pause ici. Un collègue va regarder.",
    "Hago una pausa aquí. Un compañero lo revisará.",
    "Mi fermo qui. Un collega darà un'occhiata.",
    "Vou fazer uma pausa aqui. Um colega vai ver isto.",
    "Ik pauzeer hier even. Een collega kijkt ernaar.",
    "Burada duruyorum. Bir arkadaşımız bakacak.",
];
pub(super) const IMAGE: Row = [
    "I can't look at pictures yet. Could you tell me in words what you need?",
    "Bilder kann ich leider noch nicht ansehen. Schreiben Sie mir bitte, was Sie brauchen?",
    "Je ne peux pas encore regarder les images. Pouvez-vous m'écrire ce qu'il vous faut ?",
    "Todavía no puedo ver imágenes. ¿Me escribes qué necesitas?",
    "Non posso ancora guardare le immagini. Mi scrivi di cosa hai bisogno?",
    "Ainda não consigo ver imagens. Pode escrever o que precisa?",
    "Afbeeldingen kan ik nog niet bekijken. Kun je schrijven wat je nodig hebt?",
    "Henüz resimlere bakamıyorum. Ne istediğinizi yazar mısınız?",
];
pub(super) const VOICE: Row = [
    "I can't listen to voice messages yet. Could you write it to me?",
    "Sprachnachrichten kann ich leider noch nicht anhören. Schreiben Sie es mir bitte?",
    "Je ne peux pas encore écouter les messages vocaux. Pouvez-vous me l'écrire ?",
    "Todavía no puedo escuchar audios. ¿Me lo escribes?",
    "Non posso ancora ascoltare i messaggi vocali. Me lo scrivi?",
    "Ainda não consigo ouvir áudios. Pode escrever?",
    "Spraakberichten kan ik nog niet beluisteren. Kun je het schrijven?",
    "Henüz sesli mesajları dinleyemiyorum. Yazar mısınız?",
];
pub(super) const STICKER: Row = [
    "Nice one! How can I help you?",
    "Hübsch! Was kann ich für Sie tun?",
    "Joli ! Que puis-je faire pour vous ?",
    "¡Qué bueno! ¿En qué puedo ayudarte?",
    "Bello! Come posso aiutarti?",
    "Legal! Em que posso ajudar?",
    "Leuk! Wat kan ik voor je doen?",
    "Güzel! Size nasıl yardımcı olabilirim?",
];
pub(super) const LOCATION: Row = [
    "I can't open locations yet. Could you write me the address?",
    "Standorte kann ich leider noch nicht öffnen. Schreiben Sie mir bitte die Adresse?",
    "Je ne peux pas encore ouvrir les positions. Pouvez-vous m'écrire l'adresse ?",
    "Todavía no puedo abrir ubicaciones. ¿Me escribes la dirección?",
    "Non posso ancora aprire le posizioni. Mi scrivi l'indirizzo?",
    "Ainda não consigo abrir localizações. Pode escrever o endereço?",
    "Locaties kan ik nog niet openen. Kun je het adres schrijven?",
    "Henüz konumları açamıyorum. Adresi yazar mısınız?",
];
pub(super) const FILE: Row = [
    "I can't open files or videos yet. Could you tell me in words what you need?",
    "Dateien und Videos kann ich leider noch nicht öffnen. Schreiben Sie mir bitte, was Sie brauchen?",
    "Je ne peux pas encore ouvrir les fichiers ni les vidéos. Pouvez-vous m'écrire ce qu'il vous faut ?",
    "Todavía no puedo abrir archivos ni vídeos. ¿Me escribes qué necesitas?",
    "Non posso ancora aprire file o video. Mi scrivi di cosa hai bisogno?",
    "Ainda não consigo abrir ficheiros nem vídeos. Pode escrever o que precisa?",
    "Bestanden en video's kan ik nog niet openen. Kun je schrijven wat je nodig hebt?",
    "Henüz dosya ve videoları açamıyorum. Ne istediğinizi yazar mısınız?",
];
pub(super) const OTHER: Row = [
    "I can't read this kind of message. Could you write it to me?",
    "Diese Art Nachricht kann ich nicht lesen. Schreiben Sie es mir bitte?",
    "Je ne peux pas lire ce type de message. Pouvez-vous me l'écrire ?",
    "No puedo leer este tipo de mensaje. ¿Me lo escribes?",
    "Non posso leggere questo tipo di messaggio. Me lo scrivi?",
    "Não consigo ler este tipo de mensagem. Pode escrever?",
    "Dit soort bericht kan ik niet lezen. Kun je het schrijven?",
    "Bu tür mesajları okuyamıyorum. Yazar mısınız?",
];
pub(super) const FALLBACK: Row = [
    "Here is what I found:",
    "Das habe ich gefunden:",
    "Voici ce que j'ai trouvé :",
    "Esto es lo que encontré:",
    "Ecco cosa ho trovato:",
    "Isto é o que encontrei:",
    "Dit heb ik gevonden:",
    "Bulduklarım şunlar:",
];
pub(super) const FALLBACK_ASK: Row = [
    "Which one would you like, and how many?",
    "Was davon möchten Sie, und wie viele?",
    "Lequel souhaitez-vous, et combien ?",
    "¿Cuál te gustaría y cuántos?",
    "Quale desideri, e quanti?",
    "Qual deseja e quantos?",
    "Welke wil je, en hoeveel?",
    "Hangisini ve kaç tane istersiniz?",
];
pub(super) const FALLBACK_NONE: Row = [
    "I'm sorry, I did not quite get that. What are you looking for?",
    "Das habe ich leider nicht ganz verstanden. Was suchen Sie?",
    "Désolé, je n'ai pas bien compris. Que cherchez-vous ?",
    "Lo siento, no lo he entendido bien. ¿Qué buscas?",
    "Mi dispiace, non ho capito bene. Che cosa cerchi?",
    "Desculpe, não entendi bem. O que procura?",
    "Sorry, dat begreep ik niet helemaal. Wat zoek je?",
    "Üzgünüm, tam anlayamadım. Ne arıyorsunuz?",
];
pub(super) const SHOP_MOVED: Row = [
    "Your appointment ({service}) has been moved to {at}. If that does not suit you, please write to us here.",
    "Ihr Termin ({service}) wurde auf {at} verlegt. Wenn das nicht passt, schreiben Sie uns bitte hier.",
    "Votre rendez-vous ({service}) a été déplacé au {at}. Si cela ne vous convient pas, écrivez-nous ici.",
    "Tu cita ({service}) se ha cambiado a {at}. Si no te viene bien, escríbenos aquí.",
    "Il tuo appuntamento ({service}) è stato spostato al {at}. Se non va bene, scrivici qui.",
    "A sua marcação ({service}) foi alterada para {at}. Se não lhe convier, escreva-nos aqui.",
    "Je afspraak ({service}) is verplaatst naar {at}. Komt dat niet uit, schrijf ons dan hier.",
    "Randevunuz ({service}) {at} tarihine alındı. Uygun değilse lütfen buradan bize yazın.",
];
pub(super) const SHOP_CANCELLED: Row = [
    "Your appointment ({service}) on {at} has been cancelled by us. Please write to us here for another time.",
    "Ihr Termin ({service}) am {at} wurde von uns abgesagt. Für einen neuen Termin schreiben Sie uns bitte hier.",
    "Votre rendez-vous ({service}) du {at} a été annulé par nos soins. Écrivez-nous ici pour en fixer un autre.",
    "Hemos cancelado tu cita ({service}) del {at}. Escríbenos aquí para buscar otra hora.",
    "Abbiamo annullato il tuo appuntamento ({service}) del {at}. Scrivici qui per fissarne un altro.",
    "Cancelámos a sua marcação ({service}) de {at}. Escreva-nos aqui para marcar outra hora.",
    "We hebben je afspraak ({service}) op {at} afgezegd. Schrijf ons hier voor een ander moment.",
    "{at} tarihli randevunuz ({service}) tarafımızca iptal edildi. Yeni bir saat için buradan bize yazın.",
];
