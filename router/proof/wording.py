"""The words of an explanation, in English and in French."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from router.model.decision import Reason

ENGLISH: Final = "en"
FRENCH: Final = "fr"
LANGUAGES: Final = (ENGLISH, FRENCH)

# What a rule is called, by `Reason.rule`.
_RULES: Final[dict[str, tuple[str, str]]] = {
    "emergency": ("emergency", "urgence"),
    "code": ("code", "code"),
    "dialled": ("dialled", "composé"),
    "identity": ("identity", "identité"),
    "greylist": ("greylist", "liste grise"),
    "limit": ("limit", "limite"),
    "departed": ("departed", "départ"),
    "exception": ("exception", "exception"),
    "profile": ("profile", "profil"),
    "phone": ("phone", "téléphone"),
    "line": ("line", "ligne"),
    "hours": ("hours", "horaire"),
    "menu": ("menu", "menu"),
    "ring": ("ring", "sonnerie"),
    "answer": ("answer", "réponse"),
    "recording": ("recording", "enregistrement"),
    "last_resort": ("last resort", "dernier recours"),
}

_PHRASES: Final[dict[str, tuple[str, str]]] = {
    # what happens to a call
    "rings": ("rings {name} ({accounts})", "sonne chez {name} ({accounts})"),
    "then_rings": ("after {seconds} s {accounts} too", "après {seconds} s aussi {accounts}"),
    "forwarded_to": ("forwarded to {name} ({accounts})", "renvoyé à {name} ({accounts})"),
    "forwarded": ("forwarded to {target}", "renvoyé vers {target}"),
    "target": ("{target} ({uri})", "{target} ({uri})"),
    "target_of": ("{target} of {name} ({uri})", "{target} de {name} ({uri})"),
    "mailbox": ("{target} (mailbox {mailbox})", "{target} (boîte vocale {mailbox})"),
    "mailbox_of": ("{target} of {name} (mailbox {mailbox})", "{target} de {name} (boîte vocale {mailbox})"),
    "menu": ("{target} ({keys})", "{target} ({keys})"),
    "announcement": ("{target} (announcement {announcement})", "{target} (annonce {announcement})"),
    "dial": ("{target} by {trunks}", "{target} par {trunks}"),
    "forwarded_out": ("forwarded to {target} by {trunks}", "renvoyé vers {target} par {trunks}"),
    "emergency": (
        "emergency call to {target}, unmodified, by {trunks}",
        "appel d'urgence au {target}, sans modification, par {trunks}",
    ),
    "no_trunk": ("no trunk", "aucune ligne réseau"),
    "refused": ("refused: {status} {phrase}", "refusé : {status} {phrase}"),
    "select": ("{profile} is selected for {name}", "{profile} est choisi pour {name}"),
    "agent_in": ("{name} answers queues", "{name} répond aux files d'attente"),
    "agent_out": ("{name} answers no queue any more", "{name} ne répond plus aux files d'attente"),
    "agent_pause": ("{name} pauses: no queue rings", "{name} fait une pause : aucune file ne sonne"),
    "opens_mailbox": ("{name} opens the mailbox {mailbox}", "{name} ouvre la boîte vocale {mailbox}"),
    "return": ("{name} follows the schedule again", "{name} suit de nouveau l'horaire"),
    "shows": ("shows {shown}", "affiche {shown}"),
    "named": ("{number} “{name}”", "{number} « {name} »"),
    "no_number": ("no number", "aucun numéro"),
    "withheld": ("{shown}, withheld", "{shown}, masqué"),
    "says": ("says « {words} »", "dit « {words} »"),
    "offers": ("then {choices}", "puis {choices}"),
    "offer_message": ("leave a message", "laisser un message"),
    "offer_callback": ("be called back", "être rappelé"),
    "offer_transfer": ("be put through to {target}", "être mis en relation avec {target}"),
    "for": ("for {seconds} s", "pendant {seconds} s"),
    "until": ("until {time}", "jusqu'à {time}"),
    "forwarding": ("calls go to {target}", "appels vers {target}"),
    "because": ("because", "car"),
    "not": ("not", "écarté"),
    # a profile in force, by who selected it
    "by_schedule": ("{profile} since {time}, by schedule", "{profile} depuis {time}, selon l'horaire"),
    "by_schedule_whenever": ("{profile}, by schedule", "{profile}, selon l'horaire"),
    "by_person": ("{profile}, selected", "{profile}, choisi"),
    "by_calendar": ("{profile}, from the calendar", "{profile}, d'après l'agenda"),
    "by_administrator": ("{profile}, set by an administrator", "{profile}, fixé par l'administration"),
    # line states and how attempts end
    "idle": ("idle", "libre"),
    "ringing": ("ringing", "en sonnerie"),
    "on_call": ("on a call", "en ligne"),
    "unregistered": ("no phone registered", "aucun téléphone enregistré"),
    "no_answer": ("no answer", "pas de réponse"),
    "busy": ("busy", "occupé"),
    "rejected": ("call rejected", "appel rejeté"),
    "unreachable": ("cannot be reached", "injoignable"),
    # a recorded call
    "call": ("call {id} · {time}", "appel {id} · {time}"),
    "from": ("from", "de"),
    "by_trunk": ("from outside, by {peer}", "de l'extérieur, par {peer}"),
    "by_pbx": ("by the PBX {peer}", "par le PABX {peer}"),
    "by_device": ("by phone {peer}", "par le téléphone {peer}"),
    "by_router": ("called back by the router", "rappel par le routeur"),
    "anonymous": ("anonymous", "anonyme"),
    "number_withheld": ("number withheld", "numéro masqué"),
    "dialled": ("dialled", "composé"),
    "state": ("state", "état"),
    "no_profile": ("no profile", "aucun profil"),
    "tried": ("tried", "essayé"),
    "outcome": ("outcome", "résultat"),
    "pressed": ("pressed", "touche"),
    "max_wait": ("waited as long as anybody should", "a attendu aussi longtemps qu'il faut"),
    "no_agent": ("nobody was there to answer", "personne n'était là pour répondre"),
    "queue_full": ("the queue was full", "la file d'attente était pleine"),
    "left_queue": ("wanted to leave a message", "a voulu laisser un message"),
    "waits_in": ("{target}: waits in {name}", "{target} : attend dans la file {name}"),
    "in_queue": ("queue", "file"),
    "queue_entered": ("after {seconds} s: waits in {detail}", "après {seconds} s : attend dans {detail}"),
    "queue_position": ("after {seconds} s: hears position {detail}", "après {seconds} s : entend sa place, {detail}"),
    "queue_rings": ("after {seconds} s: rings {detail}", "après {seconds} s : sonne chez {detail}"),
    "queue_refused": (
        "after {seconds} s: an agent did not answer, {detail}",
        "après {seconds} s : sans réponse, {detail}",
    ),
    "queue_answered": ("after {seconds} s: {detail} answers", "après {seconds} s : {detail} répond"),
    "queue_failed": (
        "after {seconds} s: could not be connected",
        "après {seconds} s : n'a pu être mis en communication",
    ),
    "queue_notice": ("after {seconds} s: hears what comes next", "après {seconds} s : entend la suite"),
    "queue_left": ("after {seconds} s: leaves the queue, {detail}", "après {seconds} s : quitte la file, {detail}"),
    "queue_callback": ("after {seconds} s: is to be called back", "après {seconds} s : sera rappelé"),
    "in_menu": ("{key} in the menu {menu}", "{key} dans le menu {menu}"),
    "timeout": ("nothing", "aucune"),
    "wrong": ("no key that there is", "aucune qui existe"),
    "ended": ("ended", "fin"),
    "decided_by": ("by", "selon"),
    "attempt": ("{peer} ({target}), after {seconds} s: {result}", "{peer} ({target}), après {seconds} s : {result}"),
    "answered": ("answered", "a répondu"),
    "rang": ("rang {seconds} s", "a sonné {seconds} s"),
    "not_connected": ("no final answer", "aucune réponse finale"),
    "talked": (
        "answered after {after} s, talked for {talked} s",
        "réponse après {after} s, conversation de {talked} s",
    ),
    "nobody_answered": (
        "nobody answered, {status} after {after} s",
        "personne n'a répondu, {status} après {after} s",
    ),
    "ended_by_caller": ("ended by the caller", "terminé par l'appelant"),
    "ended_by_callee": ("ended by the callee", "terminé par l'appelé"),
    "ended_by_router": ("ended by the router", "terminé par le routeur"),
    "configuration": ("configuration {hash}", "configuration {hash}"),
    "another_configuration": (
        "configuration {hash}, which has changed since: lines may have moved",
        "configuration {hash}, modifiée depuis : les lignes ont pu changer",
    ),
    "no_such_call": (
        "no call {call} in {path}; the latest are:",
        "aucun appel {call} dans {path} ; les derniers :",
    ),
    "several_calls": (
        "several calls begin with {call}; write more of one:",
        "plusieurs appels commencent par {call} ; précisez :",
    ),
    "and_more": ("  and others", "  et d'autres"),
    # a replay
    "one_call": ("1 call", "1 appel"),
    "calls": ("{count} calls", "{count} appels"),
    "before": ("before", "avant"),
    "the_person": ("whoever is called", "la personne appelée"),
    "the_number": ("the number dialled", "le numéro composé"),
    "their_number": ("a number of their own", "un numéro propre à chacun"),
    "in_vain": ("{target} in vain", "{target} en vain"),
    "more_calls": ("    and {count} more", "    et {count} autres"),
    "replayed": (
        "{different} of {calls} calls would be treated differently · {seconds:.1f} s",
        "{different} appels sur {calls} seraient traités autrement · {seconds:.1f} s",
    ),
    "limited": (
        "{count} not compared: a limit refused them, and what was used then is not recorded",
        "{count} non comparés : une limite les a refusés, et la consommation d'alors n'est pas notée",
    ),
    "stateless": (
        "{count} of an older router: compared as if everybody had been idle",
        "{count} d'un ancien routeur : comparés comme si tous avaient été libres",
    ),
    # rules, compared
    "available": ("available", "disponible"),
    "busy_other": ("in a meeting or busy otherwise", "en réunion ou occupé ailleurs"),
    "absent": ("absent", "absent"),
    "in_profile": ("profile {profile}", "profil {profile}"),
    "phone_says_busy": ("the phone says busy", "le téléphone est occupé"),
    "gives_up": ("gives up ringing", "cesse de sonner"),
    "after_seconds": ("after {seconds} s", "après {seconds} s"),
    "on_schedule": ("{profile} by schedule", "{profile} selon l'horaire"),
    "schedule_order": ("order of the schedule", "ordre de l'horaire"),
    "rings_within": ("phones ring only", "les téléphones ne sonnent que"),
    "both": ("on a call and in a meeting, what counts", "en ligne et en réunion, ce qui compte"),
    "line": ("the call", "l'appel"),
    "profile": ("the profile", "le profil"),
    "may_choose": ("may choose", "peut choisir"),
    "any_profile": ("any profile of the role", "tout profil du rôle"),
    "to_inside": ("colleagues", "collègues"),
    "to_outside": ("outside", "extérieur"),
    "to_own_mobile": ("own mobile", "son mobile"),
    "for_at_most": ("for {time} at most", "pendant {time} au plus"),
    "own_message": ("message for {profile}", "message pour {profile}"),
    "own_phones": ("their phones", "ses téléphones"),
    "own_mobile": ("own mobile", "son mobile"),
    "own_number": ("own direct number", "son numéro direct"),
    "main_number": ("main number {number}", "numéro principal {number}"),
    "fixed": ("fixed line", "ligne fixe"),
    "mobile": ("mobile", "mobile"),
    "softphone": ("softphone", "softphone"),
    "private": ("private phone", "téléphone privé"),
    "shown_by": ("number shown by {connection}", "numéro affiché, {connection}"),
    "shown_in": ("number shown by {connection} in {profile}", "numéro affiché, {connection}, profil {profile}"),
    "shown_emergency": ("number shown to emergency services", "numéro affiché aux secours"),
    "shown_forwarded": ("number shown when a call is forwarded outside", "numéro affiché d'un renvoi vers l'extérieur"),
    "its_name": ("name", "nom"),
    "its_calls": ("calls", "appels"),
    "its_hours": ("hours", "heures"),
    "outside_hours": ("outside hours", "hors des heures"),
    "role": ("role", "rôle"),
    "extension": ("extension", "numéro interne"),
    "numbers": ("numbers", "numéros"),
    "phones": ("phones", "téléphones"),
    "left": ("works here", "travaille ici"),
    "none": ("none", "aucun"),
    "somebody": ("{name} ({role})", "{name} ({role})"),
    "everybody": ("everybody ({count})", "tout le monde ({count})"),
    "all_of_role": ("everybody in {roles} ({count})", "toutes les personnes de {roles} ({count})"),
    "and_others": ("{named} and {count} more", "{named} et {count} autres"),
    "shared_number": ("{name} {number}", "{name} {number}"),
    "unassigned_numbers": ("numbers that nobody has", "numéros sans titulaire"),
    "the_greylist": ("greylist", "liste grise"),
    "entries": ("{count} entries", "{count} entrées"),
    "instead_of": ("{after} instead of {before}", "{after} au lieu de {before}"),
    "also": ("{label}; {more}", "{label} ; {more}"),
    "said_of": ("{subject}: {change}", "{subject} : {change}"),
    "is_new": ("new, {after}", "nouveau, {after}"),
    "is_gone": ("gone, {before}", "supprimé, {before}"),
    "has_changed": ("changed", "modifié"),
    "one_change": ("1 change", "1 changement"),
    "changes": ("{count} changes", "{count} changements"),
    # what became of the recording of a call (X3)
    "recording_recorded": ("recorded, {seconds} s", "enregistré, {seconds} s"),
    "recording_refused": ("not recorded", "non enregistré"),
    "recording_not_wanted": ("not recorded", "non enregistré"),
    "recording_declined": ("not recorded", "non enregistré"),
    "recording_unannounced": ("not recorded", "non enregistré"),
    "recording_failed": ("not recorded", "non enregistré"),
    # actions of a record, without the configuration that made it
    "did_ring": ("rings {target}", "sonne chez {target}"),
    "did_forward": ("forwarded to {target}", "renvoyé vers {target}"),
    "did_dial": ("goes out to {target}", "sort vers {target}"),
    "did_emergency": ("emergency call to {target}", "appel d'urgence au {target}"),
    "did_feature": ("feature code", "code de service"),
    "did_refuse": ("refused", "refusé"),
}


def printable(line: str) -> str:
    """Return a line as a terminal may get it: what a peer sent (a name, a Call-ID) can neither end it nor steer it."""
    return line if line.isprintable() else "".join(char if char.isprintable() else "?" for char in line)


class Wording:
    """The words of one language.

    Args:
        language: one of `LANGUAGES`. Raises `ValueError` for another.
    """

    __slots__ = ("_index", "language")

    def __init__(self, language: str = ENGLISH) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
        self.language = language
        self._index = LANGUAGES.index(language)

    def __call__(self, phrase: str, /, **values: object) -> str:
        """Return a phrase, filled in."""
        return _PHRASES[phrase][self._index].format(**values)

    def reason(self, reason: Reason) -> str:
        """Return the words of a reason; English where it has no French ones, as one of an older record."""
        return (reason.french or reason.text) if self.language == FRENCH else reason.text

    def rule(self, rule: str) -> str:
        """Return what a rule is called; its own word where it is not known."""
        return _RULES[rule][self._index] if rule in _RULES else rule

    def clock(self, at: float, now: float, zone: tzinfo) -> str:
        """Write a moment near `now` (POSIX seconds) as "15:00", one on another day as "2026-11-25 15:00"."""
        moment, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
        return moment.strftime("%H:%M" if moment.date() == today.date() else "%Y-%m-%d %H:%M")

    def seconds(self, seconds: float) -> str:
        """Write a duration in seconds: whole above ten, else with one decimal ("4.3", "4,3")."""
        text = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}".removesuffix(".0")
        return text.replace(".", ",") if self.language == FRENCH else text
