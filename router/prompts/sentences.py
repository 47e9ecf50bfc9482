"""The fixed sentences, in French and in English: id → what is said.

A sentence that ends in a comma or a colon is the beginning of one: a key, a name, a time or a number follows. French is
written so that no part changes with what stands beside it: « chez » needs no elision, « la personne demandée » fits
everybody and calls for no liaison, and a number stands after a colon, where « six » and « dix » keep their full sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Sentence(NamedTuple):
    """One sentence in both languages."""

    french: str
    english: str


_GREETING: Final = {  # V1
    "greeting.hello": Sentence("Bonjour.", "Hello."),
    "greeting.welcome": Sentence("Bonjour et bienvenue.", "Hello and welcome."),
    "greeting.welcome_to": Sentence("Bonjour et bienvenue chez", "Hello and welcome to"),
    "greeting.at": Sentence("Vous êtes bien chez", "You have reached"),
    "greeting.mailbox": Sentence(
        "Vous êtes sur la messagerie de la personne demandée.",
        "You have reached the voicemail of the person you are calling.",
    ),
    "greeting.team": Sentence(
        "Vous êtes sur la messagerie de notre service.", "You have reached our team's voicemail."
    ),
    "greeting.record": Sentence(
        "Dites votre annonce après le signal sonore.", "Please say your greeting after the tone."
    ),
    "greeting.current": Sentence("Voici votre annonce :", "This is your greeting:"),
    "greeting.saved": Sentence("Votre annonce est enregistrée.", "Your greeting has been saved."),
    "greeting.removed": Sentence("Votre annonce est supprimée.", "Your greeting has been removed."),
}

_REASON: Final = {  # M4 M5 R4 R9; an illness is nobody's business: it is an absence
    "reason.on_call": Sentence(
        "La personne demandée est déjà en ligne.", "The person you are calling is on another call."
    ),
    "reason.busy_other": Sentence("La personne demandée est occupée.", "The person you are calling is busy."),
    "reason.absent": Sentence("La personne demandée est absente.", "The person you are calling is away."),
    "reason.no_answer": Sentence("La personne demandée ne répond pas.", "The person you are calling does not answer."),
    "reason.unreachable": Sentence(
        "La personne demandée n'est pas joignable pour le moment.",
        "The person you are calling cannot be reached at the moment.",
    ),
    "reason.meeting": Sentence("La personne demandée est en réunion.", "The person you are calling is in a meeting."),
    "reason.lunch": Sentence("La personne demandée est en pause déjeuner.", "The person you are calling is at lunch."),
    "reason.gone_for_the_day": Sentence(
        "La personne demandée est absente pour la journée.", "The person you are calling is gone for the day."
    ),
    "reason.left_for_the_day": Sentence(
        "La personne demandée est partie pour la journée.", "The person you are calling has left for the day."
    ),
    "reason.holiday": Sentence("La personne demandée est en vacances.", "The person you are calling is on holiday."),
    "reason.leave": Sentence("La personne demandée est en congé.", "The person you are calling is on leave."),
    "reason.travelling": Sentence(
        "La personne demandée est en déplacement.", "The person you are calling is out of the office."
    ),
    "reason.training": Sentence("La personne demandée est en formation.", "The person you are calling is in training."),
    "reason.teaching": Sentence(
        "La personne demandée donne un cours.", "The person you are calling is teaching a class."
    ),
    "reason.with_a_patient": Sentence(
        "La personne demandée est en consultation.", "The person you are calling is with a patient."
    ),
    "reason.left_the_company": Sentence(  # S5
        "La personne demandée ne travaille plus dans notre société.",
        "The person you are calling no longer works for our company.",
    ),
    "reason.closed": Sentence("Nos bureaux sont fermés.", "Our offices are closed."),
    "reason.public_holiday": Sentence(
        "C'est un jour férié : nos bureaux sont fermés.", "Our offices are closed for the public holiday."
    ),
    "reason.lines_busy": Sentence("Toutes nos lignes sont occupées.", "All our lines are busy."),
}

_RETURN: Final = {
    "return.back": Sentence("Retour prévu", "Expected back"),
    "return.back_on": Sentence("Retour prévu le", "Expected back on"),
    "return.back_at": Sentence("Retour prévu à", "Expected back at"),
    "return.until": Sentence("Jusqu'à", "Until"),
    "return.until_the": Sentence("Jusqu'au", "Until"),
    "time.today": Sentence("aujourd'hui", "today"),
    "time.tomorrow": Sentence("demain", "tomorrow"),
    "time.yesterday": Sentence("hier", "yesterday"),
    "time.at": Sentence("à", "at"),
}

_OFFER: Final = {  # P3; each is followed by a key
    "offer.message": Sentence("Pour laisser un message,", "To leave a message,"),
    "offer.callback": Sentence("Pour que l'on vous rappelle,", "To be called back,"),
    "offer.transfer": Sentence("Pour parler à un collègue,", "To speak to a colleague,"),
    "offer.transfer_to": Sentence("Pour joindre", "To reach"),
    "offer.reception": Sentence("Pour joindre l'accueil,", "To reach the reception,"),
    "offer.mobile": Sentence("Pour joindre le téléphone mobile,", "To reach the mobile phone,"),
    "offer.wait": Sentence("Pour patienter,", "To keep waiting,"),
    "offer.again": Sentence("Pour réécouter les choix,", "To hear the choices again,"),
    "offer.language": Sentence("Pour continuer en français,", "To continue in English,"),
    "offer.any_time": Sentence("À tout moment, pour laisser un message,", "At any time, to leave a message,"),  # Q5
}

_MENU: Final = {
    "menu.wrong": Sentence("Ce choix n'est pas valable.", "That is not a valid choice."),
    "menu.nothing": Sentence("Nous n'avons pas reçu de choix.", "We did not receive a choice."),
    "menu.choose": Sentence("Veuillez faire votre choix.", "Please make your choice."),
    "menu.one_moment": Sentence("Un instant, s'il vous plaît.", "One moment, please."),
    "menu.goodbye": Sentence("Merci de votre appel. Au revoir.", "Thank you for calling. Goodbye."),
    "transfer.to": Sentence("Nous transférons votre appel vers", "We are transferring your call to"),
    "transfer.now": Sentence("Nous transférons votre appel.", "We are transferring your call."),
    "transfer.external": Sentence(  # Q15 Q17
        "Nous transférons votre appel à notre secrétariat téléphonique.",
        "We are transferring your call to our answering service.",
    ),
    "transfer.failed": Sentence("Ce transfert n'a pas abouti.", "The transfer was not successful."),
}

_RECORD: Final = {  # a caller leaves a message
    "record.after_tone": Sentence(
        "Laissez votre message après le signal sonore.", "Please leave your message after the tone."
    ),
    "record.finish": Sentence("Pour terminer, raccrochez ou tapez dièse.", "To finish, hang up or press hash."),
    "record.send": Sentence("Pour envoyer votre message,", "To send your message,"),
    "record.listen": Sentence("Pour réécouter votre message,", "To listen to your message,"),
    "record.again": Sentence("Pour recommencer,", "To record it again,"),
    "record.urgent": Sentence("Pour le marquer comme urgent,", "To mark it as urgent,"),
    "record.cancel": Sentence("Pour l'effacer,", "To delete it,"),
    "record.saved": Sentence("Votre message est enregistré.", "Your message has been saved."),
    "record.saved_urgent": Sentence(
        "Votre message est enregistré comme urgent.", "Your message has been saved as urgent."
    ),
    "record.cancelled": Sentence("Votre message est effacé.", "Your message has been deleted."),
    "record.too_short": Sentence("Votre message est trop court.", "Your message is too short."),
    "record.silence": Sentence("Nous ne vous avons pas entendu.", "We could not hear you."),
    "record.limit": Sentence("La durée maximale est atteinte.", "The maximum length has been reached."),
    "record.mailbox_full": Sentence("Cette messagerie est pleine.", "This mailbox is full."),
}

_CALLBACK: Final = {  # P3
    "callback.this_number": Sentence(
        "Pour être rappelé au numéro que vous utilisez,", "To be called back on the number you are calling from,"
    ),
    "callback.other_number": Sentence("Pour donner un autre numéro,", "To give another number,"),
    "callback.dial": Sentence(
        "Composez le numéro où vous rappeler, puis dièse.", "Please dial the number to call back, then hash."
    ),
    "callback.number": Sentence("Nous vous rappellerons au numéro suivant :", "We will call you back on this number:"),
    "callback.noted": Sentence(
        "Nous vous rappellerons dès que possible.", "We will call you back as soon as possible."
    ),
    "callback.keeps_place": Sentence(
        "Vous gardez votre place dans la file d'attente.", "You keep your place in the queue."
    ),
    "callback.here": Sentence("Voici le rappel que vous avez demandé.", "This is the call back you asked for."),
    "callback.wanted": Sentence("Un correspondant souhaite être rappelé.", "A caller would like to be called back."),
    "callback.call_now": Sentence("Pour l'appeler maintenant,", "To call now,"),
    "callback.impossible": Sentence("Nous ne pouvons pas rappeler ce numéro.", "We cannot call that number back."),
}

_QUEUE: Final = {
    "queue.hold": Sentence(
        "Tous nos collaborateurs sont en ligne. Veuillez patienter.", "All our staff are on the phone. Please hold."
    ),
    "queue.thanks": Sentence("Merci d'avoir attendu.", "Thank you for waiting."),  # Q4
    "queue.more_than_twenty": Sentence(  # Q3
        "Plus de vingt personnes sont avant vous.", "More than twenty callers are ahead of you."
    ),
    "queue.connecting": Sentence("Nous vous mettons en communication.", "We are putting you through."),
    "queue.closing": Sentence(  # Q13 G8
        "Notre service ferme, mais nous répondrons encore à votre appel.",
        "Our service is closing, but your call will still be answered.",
    ),
    "queue.closed": Sentence("Notre service est fermé pour le moment.", "Our service is closed at the moment."),
    "queue.full": Sentence(
        "Trop d'appels sont en attente. Veuillez rappeler plus tard.",
        "Too many callers are waiting at the moment. Please call back later.",
    ),
    "queue.notice_message": Sentence(  # Q2 G3
        "Sans réponse dans les trente secondes, vous pourrez laisser un message.",
        "If nobody answers within thirty seconds, you can leave a message.",
    ),
    "queue.notice_transfer": Sentence(
        "Sans réponse dans les trente secondes, votre appel sera transféré.",
        "If nobody answers within thirty seconds, we will transfer your call.",
    ),
    "queue.notice_callback": Sentence(
        "Sans réponse dans les trente secondes, vous pourrez demander un rappel.",
        "If nobody answers within thirty seconds, you can ask to be called back.",
    ),
    "queue.no_agent": Sentence(
        "Personne ne peut vous répondre pour le moment.", "Nobody can answer your call at the moment."
    ),
    "whisper.call_for": Sentence("Appel pour", "Call for"),  # Q7, to the agent alone
    "whisper.queue_call": Sentence("Appel de la file d'attente.", "Call from the queue."),
    "whisper.waited": Sentence("Temps d'attente :", "Time waited:"),
}

_REFUSAL: Final = {
    "refused.destination": Sentence(  # X2
        "Les appels vers cette destination ne sont pas autorisés.", "Calls to this destination are not allowed."
    ),
    "refused.limit": Sentence(
        "La limite d'appels vers cette destination est atteinte.",
        "The limit of calls to this destination has been reached.",
    ),
    "refused.number": Sentence("Ce numéro n'est pas attribué.", "This number is not in use."),
    "refused.contact": Sentence("Adressez-vous à votre responsable.", "Please ask your manager."),  # S8
    "refused.code": Sentence("Ce code n'existe pas.", "This code does not exist."),
    "system.lines_closed": Sentence(
        "Toutes nos lignes sont fermées pour le moment.", "All our lines are closed at the moment."
    ),
    "system.no_message": Sentence(
        "Nous ne pouvons pas prendre de message pour le moment.", "We cannot take a message at the moment."
    ),
    "system.error": Sentence(
        "Une erreur technique nous empêche de traiter votre appel.",
        "A technical error prevents us from taking your call.",
    ),
    "system.later": Sentence("Veuillez rappeler plus tard.", "Please call back later."),
}

_RECORDING: Final = {  # X3 G13
    "recording.consent": Sentence(
        "Nous vous informons que cet appel est enregistré.", "Please note that this call is being recorded."
    ),
    "recording.decline": Sentence("Si vous ne le souhaitez pas,", "If you do not agree,"),
    "recording.not_recorded": Sentence("Cet appel ne sera pas enregistré.", "This call will not be recorded."),
    "recording.paused": Sentence("L'enregistrement est suspendu.", "Recording is paused."),
    "recording.resumed": Sentence("L'enregistrement reprend.", "Recording has resumed."),
}

_PROFILE: Final = {  # P2, to the person who dialled a code
    "profile.set": Sentence("Votre profil est activé :", "Your profile is now:"),
    "profile.activated": Sentence("Votre profil est activé.", "Your profile has been activated."),
    "profile.available": Sentence("Vous êtes de nouveau joignable.", "You can be reached again."),
    "profile.not_allowed": Sentence("Vous ne pouvez pas choisir ce profil.", "You may not choose this profile."),
    "profile.meeting": Sentence("En réunion.", "In a meeting."),
    "profile.lunch": Sentence("En pause déjeuner.", "At lunch."),
    "profile.gone_for_the_day": Sentence("Absent pour la journée.", "Gone for the day."),
    "profile.left_for_the_day": Sentence("Parti pour la journée.", "Left for the day."),
    "profile.holiday": Sentence("En vacances.", "On holiday."),
    "profile.leave": Sentence("En congé.", "On leave."),
    "profile.travelling": Sentence("En déplacement.", "Out of the office."),
}

_MAILBOX: Final = {
    "mailbox.welcome": Sentence("Bienvenue sur votre messagerie.", "Welcome to your voicemail."),
    "mailbox.number": Sentence(
        "Composez le numéro de votre messagerie, puis dièse.", "Please enter your mailbox number, then hash."
    ),
    "mailbox.pin": Sentence("Composez votre code secret, puis dièse.", "Please enter your PIN, then hash."),
    "mailbox.pin_wrong": Sentence("Ce code n'est pas correct.", "That PIN is not correct."),
    "mailbox.pin_blocked": Sentence(
        "Trop d'essais. L'accès est bloqué pour le moment.", "Too many attempts. Access is blocked for the moment."
    ),
    "mailbox.pin_new": Sentence("Composez votre nouveau code, puis dièse.", "Please enter your new PIN, then hash."),
    "mailbox.pin_again": Sentence("Composez-le une seconde fois, puis dièse.", "Please enter it again, then hash."),
    "mailbox.pin_differs": Sentence("Les deux codes sont différents.", "The two PINs are different."),
    "mailbox.pin_too_easy": Sentence("Ce code est trop facile à deviner.", "That PIN is too easy to guess."),
    "mailbox.pin_saved": Sentence("Votre nouveau code est enregistré.", "Your new PIN has been saved."),
    "mailbox.nothing_new": Sentence("Vous n'avez pas de nouveau message.", "You have no new messages."),
    "mailbox.one_new": Sentence("Vous avez un nouveau message.", "You have one new message."),
    "mailbox.new": Sentence("Nouveaux messages :", "New messages:"),
    "mailbox.saved": Sentence("Messages sauvegardés :", "Saved messages:"),
    "mailbox.play_new": Sentence("Pour écouter vos nouveaux messages,", "To listen to your new messages,"),
    "mailbox.play_saved": Sentence("Pour écouter vos messages sauvegardés,", "To listen to your saved messages,"),
    "mailbox.change_greeting": Sentence("Pour changer votre annonce,", "To change your greeting,"),
    "mailbox.remove_greeting": Sentence("Pour supprimer votre annonce,", "To remove your greeting,"),
    "mailbox.change_pin": Sentence("Pour changer votre code secret,", "To change your PIN,"),
}

_MESSAGE: Final = {  # one message of the mailbox
    "message.number": Sentence("Message", "Message"),
    "message.urgent": Sentence("Message urgent.", "Urgent message."),
    "message.received": Sentence("Message reçu", "Message received"),
    "message.received_on": Sentence("Message reçu le", "Message received on"),
    "message.from": Sentence("Numéro de l'appelant :", "Caller's number:"),
    "message.withheld": Sentence("Numéro masqué.", "Number withheld."),
    "message.length": Sentence("Durée :", "Length:"),
    "message.again": Sentence("Pour réécouter ce message,", "To hear this message again,"),
    "message.save": Sentence("Pour le sauvegarder,", "To save it,"),
    "message.call_back": Sentence("Pour rappeler cette personne,", "To call this person back,"),
    "message.forward": Sentence("Pour le transférer,", "To forward it,"),
    "message.next": Sentence("Pour passer au message suivant,", "For the next message,"),
    "message.previous": Sentence("Pour revenir au message précédent,", "For the previous message,"),
    "message.menu": Sentence("Pour revenir au menu,", "To return to the menu,"),
    "message.saved": Sentence("Message sauvegardé.", "Message saved."),
    "message.deleted": Sentence("Message effacé.", "Message deleted."),
    "message.forward_to": Sentence(
        "Composez le numéro du destinataire, puis dièse.", "Please enter the recipient's number, then hash."
    ),
    "message.forwarded": Sentence("Message transféré.", "Message forwarded."),
    "message.end": Sentence("Vous n'avez plus de message.", "You have no more messages."),
}

SENTENCES: Final[Mapping[str, Sentence]] = MappingProxyType(
    _GREETING
    | _REASON
    | _RETURN
    | _OFFER
    | _MENU
    | _RECORD
    | _CALLBACK
    | _QUEUE
    | _REFUSAL
    | _RECORDING
    | _PROFILE
    | _MAILBOX
    | _MESSAGE
)
