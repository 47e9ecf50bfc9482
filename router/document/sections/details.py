"""What else is laid down: text messages, blocked destinations, limits, recording, special callers, and the numbers."""

from __future__ import annotations

from router.configuration.schema import CallerExceptionSection, Limit, RecordingSection
from router.document.author import Author
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph, Row, Section, Table
from router.model.recording import Direction
from router.prompts.catalogue import PROMPTS


def text_messages(author: Author) -> Section:
    title = author.say(fr="Messages écrits (SMS)", en="Text messages (SMS)")
    rules = author.document.text_messages
    if rules is None:
        nothing = author.silent_about("text_messages.none", fr="sur les SMS", en="text messages")
        return Section("text_messages", title, (nothing,))
    sender = author.language.quoted(rules.sender)
    text = author.say(
        fr=f"L'expéditeur d'un SMS vers l'extérieur est {sender} : aucun numéro n'y figure, nul ne peut y répondre.",
        en=f"The sender of a text message to the outside is {sender}; it shows no number and takes no reply.",
    )
    return Section("text_messages", title, (Paragraph("text_messages.sender", text, ("X1",)),))


def recording(author: Author) -> Section:
    say, rules = author.say, author.document.recording
    title = say(fr="Appels enregistrés", en="Recorded calls")
    if rules is None:
        nothing = author.silent_about(
            "recording.none", fr="sur l'enregistrement des appels", en="the recording of calls"
        )
        return Section("recording", title, (nothing,))
    who = author.people_and_roles(rules.who)
    if rules.calls == "all":
        what = say(fr=f"{who} : tous les appels sont enregistrés", en=f"{who}: all calls are recorded")
    else:
        what = say(fr=f"{who} : les appels sont enregistrés à la demande", en=f"{who}: calls are recorded on demand")
    when = ""
    if rules.hours is not None:
        windows = [author.window(window) for window in author.document.hours[rules.hours]]
        when = f", {author.language.also(windows)}"
    days = author.language.duration(rules.keep_days * 86400.0)
    if len(set(rules.directions)) < len(Direction):
        ways = {"inbound": ("reçus", "inbound"), "outbound": ("émis", "outbound"), "internal": ("internes", "internal")}
        named = author.language.also(say(fr=ways[way][0], en=ways[way][1]) for way in rules.directions)
        when += say(fr=f" (appels {named} seulement)", en=f" ({named} calls only)")
    blocks: list[Block] = [
        Paragraph("recording.who", f"{capitalised(what)}{when}.", ("X3",)),
        Paragraph(
            "recording.never",
            say(
                fr="Personne n'est enregistré pendant une absence, ni quand l'annonce n'a pu être entendue en entier.",
                en="Nobody is recorded while absent, nor where the announcement could not be heard to its end.",
            ),
            ("X4", "G13"),
        ),
    ]
    if rules.announcement:
        heard = author.messages({code: _announced(code, words) for code, words in rules.announcement.items()})
        text = say(fr=f"Les deux parties entendent d'abord : {heard}.", en=f"Both sides first hear: {heard}.")
        blocks.append(Paragraph("recording.announcement", text, ("G13",)))
    blocks += _recording_in_the_call(author, rules)
    if rules.legal_basis is not None:
        text = say(fr=f"Fondement : {rules.legal_basis}", en=f"Ground: {rules.legal_basis}")
        blocks.append(Paragraph("recording.ground", text, ("G13",)))
    text = say(fr=f"Un enregistrement est conservé {days}.", en=f"A recording is kept for {days}.")
    blocks.append(Paragraph("recording.kept", text, ("X3",)))
    return Section("recording", title, tuple(blocks))


def _announced(code: str, written: str) -> str:
    """The words of an announcement that is one of the router's own; else as it is written."""
    return PROMPTS[code].get(written, written) if code in PROMPTS else written


def _recording_in_the_call(author: Author, rules: RecordingSection) -> list[Block]:
    """State what people can do about recording: by key, by a code before the number; and when it ends."""
    say = author.say
    blocks: list[Block] = []
    if rules.key is not None:
        text = say(
            fr=f"Pendant l'appel, la personne concernée tape {rules.key} pour enregistrer, suspendre ou reprendre ; "
            "les deux parties en sont averties.",
            en=f"In the call, the person concerned presses {rules.key} to record, to pause or to go on; both sides are "
            "told.",
        )
        blocks.append(Paragraph("recording.key", text, ("X3",)))
    if rules.decline is not None:
        text = say(
            fr=f"Pendant l'annonce, chacun peut refuser l'enregistrement par la touche {rules.decline}.",
            en=f"During the announcement, either side may decline by the key {rules.decline}.",
        )
        blocks.append(Paragraph("recording.decline", text, ("G13",)))
    private = author.document.codes.private
    if private is not None:
        text = say(
            fr=f"Un appel privé, composé avec {private} devant le numéro, n'est jamais enregistré.",
            en=f"A private call, dialled with {private} before the number, is never recorded.",
        )
        blocks.append(Paragraph("recording.private", text, ("X3",)))
    if rules.hours is not None and rules.at_closing == "stop":
        text = say(
            fr="L'enregistrement s'arrête à la fin de cet horaire, même si l'appel continue.",
            en="Recording stops when these hours end, even if the call goes on.",
        )
        blocks.append(Paragraph("recording.at_closing", text, ("G12",)))
    return blocks


def blocked(author: Author) -> Section:
    say, greylist = author.say, author.document.greylist
    title = say(fr="Destinations bloquées", en="Blocked destinations")
    blocks: list[Block] = [
        Paragraph(
            "greylist.rule",
            say(
                fr="Pour prévenir la fraude, certaines destinations ne peuvent être appelées ; l'appelant apprend "
                "pourquoi. Un numéro d'urgence n'est jamais bloqué.",
                en="To prevent fraud, some destinations cannot be called; the caller is told why. An emergency number "
                "is never blocked.",
            ),
            ("X2",),
        )
    ]
    items = []
    if greylist.prefixes:
        named = author.language.also(greylist.prefixes)
        term = say(fr="Indicatifs bloqués", en="Blocked prefixes")
        items.append(Paragraph("greylist.prefixes", f"{named}.", ("X2",), term))
    for name in greylist.files:
        prefixes = author.language.count(author.entries(name), ("indicatif", "indicatifs"), ("prefix", "prefixes"))
        term = say(fr="Liste tenue ici", en="List kept here")
        items.append(Paragraph(f"greylist.file.{name}", f"{name}, {prefixes}.", ("X2",), term))
    for position, source in enumerate(greylist.sources, start=1):
        every = author.language.duration(source.every)
        checked = source.sha256 is not None or source.signature is not None
        proof = say(fr=", contrôlée avant usage", en=", verified before use") if checked else ""
        inbound = (
            say(fr=" ; elle vaut aussi pour les appels reçus", en="; it holds for incoming calls as well")
            if source.inbound
            else ""
        )
        where = _host(source.url)
        text = say(
            fr=f"{where} ; intervalle de relève : {every}{proof}{inbound}.",
            en=f"{where}, fetched every {every}{proof}{inbound}.",
        )
        term = say(fr="Liste extérieure", en="Outside list")
        items.append(Paragraph(f"greylist.source.{position}", text, ("X2", "G9") if source.inbound else ("X2",), term))
    if greylist.inbound or greylist.inbound_files:
        named = author.language.also([*greylist.inbound, *greylist.inbound_files])
        term = say(fr="Bloqués aussi comme appelants", en="Blocked as callers too")
        items.append(Paragraph("greylist.inbound", f"{named}.", ("X2", "G9"), term))
    if items:
        blocks.append(Bullets(tuple(items)))
    else:
        text = say(fr="Aucune destination n'est bloquée.", en="No destination is blocked.")
        blocks.append(Paragraph("greylist.none", text, ("X2",)))
    if greylist.exceptions:
        columns = author.columns(fr="Indicatif|Accordé par|Permis", en="Prefix|Approved by|Allowed")
        rows = tuple(
            Row(
                f"greylist.exception.{exception.prefix}",
                (exception.prefix, author.person(exception.approved_by), author.until(exception.until)),
            )
            for exception in greylist.exceptions
        )
        blocks.append(Table(say(fr="Exceptions", en="Exceptions"), columns, rows, ("X2", "S8")))
    if author.document.limits:
        limits = tuple(_limit(author, name, limit) for name, limit in author.document.limits.items())
        blocks.append(Bullets(limits))
    return Section("greylist", title, tuple(blocks))


def _host(url: str) -> str:
    """Return where a list comes from, without what may be secret in its address."""
    _, scheme, rest = url.partition("://")
    return rest.partition("/")[0].rpartition("@")[2] if scheme else url.rpartition("/")[2]


def _limit(author: Author, name: str, limit: Limit) -> Paragraph:
    say = author.say
    prefixes = author.language.also(limit.prefixes)
    without = author.language.also(limit.without)
    if without:
        prefixes = say(fr=f"{prefixes}, sauf {without}", en=f"{prefixes}, except {without}")
    bounds = []
    if limit.calls_per_minute is not None:
        calls = author.language.count(limit.calls_per_minute, ("appel", "appels"), ("call", "calls"))
        bounds.append(say(fr=f"{calls} par minute", en=f"{calls} a minute"))
    if limit.calls_per_day is not None:
        calls = author.language.count(limit.calls_per_day, ("appel", "appels"), ("call", "calls"))
        bounds.append(say(fr=f"{calls} par jour", en=f"{calls} a day"))
    if limit.cost_per_day is not None:
        cost, each = author.language.decimal(limit.cost_per_day), author.language.decimal(limit.cost_per_minute)
        advance = author.language.duration(limit.minutes * 60)
        bounds.append(
            say(
                fr=f"un coût de {cost} par jour, à {each} la minute, avec une avance de {advance}",
                en=f"a cost of {cost} a day, at {each} a minute with an advance of {advance}",
            )
        )
    who = say(fr="par personne", en="per person")
    if limit.per == "company":
        who = say(fr="pour toute l'entreprise", en="for the whole company")
    at_most = author.language.also(bounds)
    text = say(fr=f"{prefixes} : au plus {at_most}, {who}.", en=f"{prefixes}: at most {at_most}, {who}.")
    return Paragraph(
        f"limits.{name}", text, ("X2",), say(fr=f"Limite {author.quoted(name)}", en=f"Limit {author.quoted(name)}")
    )


def callers(author: Author) -> Section:
    """State which callers are treated in their own way."""
    items = [
        _caller(author, f"callers.{name}", author.quoted(name), exception)
        for name, exception in author.document.callers.items()
    ]
    for person, section in author.present().items():
        for position, exception in enumerate(section.exceptions, start=1):
            items.append(
                _caller(author, f"callers.person.{person}.{position}", section.name, exception, of_person=True)
            )
    title = author.say(fr="Appelants particuliers", en="Special callers")
    if items:
        return Section("callers", title, (Bullets(tuple(items)),))
    text = author.say(fr="Tous les appelants sont traités de la même façon.", en="All callers are treated alike.")
    return Section("callers", title, (Paragraph("callers.none", text),))


def _caller(
    author: Author, id: str, term: str, exception: CallerExceptionSection, *, of_person: bool = False
) -> Paragraph:
    say = author.say
    numbers = author.language.either(
        f"{number[:-1]}\N{HORIZONTAL ELLIPSIS}" if number.endswith("*") else number for number in exception.numbers
    )
    effects = []
    if exception.rings_through:
        states = author.language.either(_passed(author, state) for state in exception.rings_through)
        effects.append(
            say(
                fr=f"fait sonner la personne même si elle est {states}",
                en=f"rings the person even while they are {states}",
            )
        )
    if exception.then is not None:
        target = author.target(exception.then)
        effects.append(say(fr=f"est renvoyé vers {target}", en=f"is forwarded to {target}"))
    if of_person:
        whom = ""
    elif exception.people:
        people = author.people_and_roles(exception.people)
        whom = say(fr=f" ; pour {people}", en=f"; for {people}")
    else:
        whom = say(fr=" ; pour tous", en="; for everybody")
    effect = author.language.also(effects) or say(fr="est traité comme les autres", en="is treated like any other")
    approved, until = author.person(exception.approved_by), author.until(exception.until)
    text = say(
        fr=f"un appel de {numbers} {effect}{whom}. Accordé par {approved}, {until}.",
        en=f"a call from {numbers} {effect}{whom}. Approved by {approved}, {until}.",
    )
    return Paragraph(id, capitalised(text), (exception.clause,), capitalised(term))


def _passed(author: Author, state: str) -> str:
    fr, en = {
        "busy_other": ("occupée ailleurs", "busy otherwise"),
        "absent": ("absente", "absent"),
        "on_call": ("en communication", "on a call"),
    }[state]
    return author.say(fr=fr, en=en)


def numbers(author: Author) -> Section:
    say = author.say
    company = author.document.company.name
    yes, no = say(fr="oui", en="yes"), say(fr="non", en="no")
    rows = []
    for entry in author.document.numbers:
        first, last = entry.range or (entry.number or "", "")
        what = say(fr=f"{first} à {last}", en=f"{first} to {last}") if last else first
        holder = author.person(entry.holder) if entry.holder is not None else company
        verified = yes if entry.verified else say(fr="pas encore", en="not yet")
        rows.append(Row(f"numbers.{first}", (what, holder, verified, yes if entry.port_out_lock else no)))
    columns = author.columns(
        fr="Numéro|Titulaire|Vérifié|Portage verrouillé", en="Number|Holder|Verified|Locked against porting"
    )
    caption = say(fr="Numéros de l'entreprise", en="Numbers of the company")
    rule = Paragraph(
        "numbers.rule",
        say(
            fr="Seul un numéro de cet inventaire, et vérifié, est affiché à l'extérieur.",
            en="Only a number of this inventory that is verified is shown outside.",
        ),
        ("S4", "S7"),
    )
    table = Table(caption, columns, tuple(rows), ("S7",))
    return Section("numbers", say(fr="Inventaire des numéros", en="Number inventory"), (rule, table))
