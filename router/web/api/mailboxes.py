"""Mailboxes: what callers said, the greetings that they hear, and the erasure of a caller (V1).

Whoever opens a mailbox that is not theirs leaves an entry in the audit.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from router.configuration.findings import closest
from router.model.access import ApiRole
from router.model.audit import AuditEntry
from router.model.mailbox import Mailbox
from router.model.message import Message, MessageKind, MessageState
from router.policy.snapshot import ProfileKind
from router.ports import MailboxFullError, SoundRefusedError, StoreError, StoreFullError
from router.web.api import moments
from router.web.endpoint import ADMINISTRATORS, Asked, Endpoint, Resource, SentFile
from router.web.office import Office
from router.web.problems import Problem

WAV = "audio/wav"
MAX_WAV = 6 * 1024 * 1024  # octets; three minutes at 16 kHz
_OWNERS = frozenset((ApiRole.ADMINISTRATOR, ApiRole.PERSON))


class MailboxResource(Resource):
    """A mailbox, and how many messages it has (RFC 3842: old ones were heard or saved)."""

    name: str
    title: str
    new: int
    old: int
    urgent_new: int
    urgent_old: int
    greetings: list[str] = Field(description="kinds of profile for which there is an own greeting")


class MailboxesResource(Resource):
    mailboxes: list[MailboxResource]


class Which(Resource):
    """Which mailboxes are listed."""

    without_greeting: bool = Field(default=False, description="only those of people who recorded no greeting (V2)")


class MessageResource(Resource):
    """A message."""

    id: str
    kind: MessageKind
    state: MessageState
    caller: str | None = Field(description="null: withheld")
    caller_name: str | None
    received: str
    seconds: float
    urgent: bool
    reason: str = Field(description="why the caller got here")
    has_sound: bool


class MessagesResource(Resource):
    messages: list[MessageResource] = Field(description="new ones first, among them the urgent ones")


class MarkMessage(Resource):
    """What became of a message."""

    state: MessageState


class ForwardMessage(Resource):
    """To whom a copy goes."""

    mailbox: str = Field(max_length=200)


class Erase(Resource):
    """Whose messages are erased."""

    number: str = Field(min_length=2, max_length=64, examples=["+32475111222"])


class ErasedResource(Resource):
    messages: int
    recordings: int


class MailboxesApi:
    """The operations on mailboxes."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        mailbox = "/api/v1/mailboxes/{mailbox}"
        message = f"{mailbox}/messages/{{message}}"
        greeting = f"{mailbox}/greetings/{{kind}}"
        copy = f"{message}/copies"
        return [
            Endpoint(
                "GET", "/api/v1/mailboxes", "One's mailboxes", _OWNERS, self.list_mailboxes, MailboxesResource, Which
            ),
            Endpoint("GET", mailbox, "One mailbox", _OWNERS, self.get_mailbox, MailboxResource),
            Endpoint("GET", f"{mailbox}/messages", "Its messages", _OWNERS, self.list_messages, MessagesResource),
            Endpoint("GET", message, "Hear a message", _OWNERS, self.hear_message, WAV),
            Endpoint("PATCH", message, "Mark it", _OWNERS, self.mark_message, MessageResource, body=MarkMessage),
            Endpoint("DELETE", message, "Delete it", _OWNERS, self.delete_message, None, status=204),
            Endpoint(
                "POST", copy, "Forward it", _OWNERS, self.forward_message, MessageResource, None, ForwardMessage, 201
            ),
            Endpoint("GET", greeting, "Hear a greeting", _OWNERS, self.hear_greeting, WAV),
            Endpoint(
                "PUT", greeting, "Greet so", _OWNERS, self.set_greeting, MailboxResource, body=WAV, max_body=MAX_WAV
            ),
            Endpoint("DELETE", greeting, "Be greeted for", _OWNERS, self.remove_greeting, MailboxResource),
            Endpoint(
                "DELETE", "/api/v1/people-data", "Erase a caller", ADMINISTRATORS, self.erase, ErasedResource, Erase
            ),
        ]

    async def list_mailboxes(self, asked: Asked) -> MailboxesResource:
        """Those that the token opens: a person's own and those shared with them, or all."""
        boxes = [box for box in self._office.configuration.mailboxes.values() if _opens(asked, box)]
        listed = [self._mailbox(box) for box in boxes if box.person is not None or not asked.query.without_greeting]
        if asked.query.without_greeting:
            listed = [box for box in listed if not box.greetings]
        return MailboxesResource(mailboxes=listed)

    async def get_mailbox(self, asked: Asked) -> MailboxResource:
        """How many messages it has, and which greetings."""
        return self._mailbox(self._named(asked))

    async def list_messages(self, asked: Asked) -> MessagesResource:
        """All that were not deleted yet; none is marked by this."""
        box = self._named(asked)
        try:
            messages = await self._office.mailboxes.messages(box.name)
            await self._note(asked, box, "read mailbox")
        except StoreError as error:
            raise _unavailable(error) from error
        return MessagesResource(messages=[self._message(message) for message in messages])

    async def hear_message(self, asked: Asked) -> SentFile:
        """The sound. The message is not marked by this: say so with PATCH when it was heard."""
        box = self._named(asked)
        try:
            message = await self._found(asked, box)
            await self._note(asked, box, "listen to message", self._when(message))
        except StoreError as error:
            raise _unavailable(error) from error
        if not message.has_sound:
            raise Problem(404, "the caller said nothing and wishes to be called back")
        received = datetime.fromtimestamp(message.received_at, self._office.configuration.policy.zone)
        return SentFile(self._office.mailboxes.sound(message), f"{received:%Y%m%d-%H%M%S}.wav")

    async def mark_message(self, asked: Asked) -> MessageResource:
        """Puts it among the heard, the saved or the new ones; the lamps of the phones follow."""
        box = self._named(asked)
        try:
            found = await self._found(asked, box)
            marked = await self._office.mailboxes.mark(found.id, asked.body.state)
            await self._note(asked, box, "mark message", self._when(found))
        except StoreError as error:
            raise _unavailable(error) from error
        if marked is None:
            raise _gone()
        return self._message(marked)

    async def delete_message(self, asked: Asked) -> None:
        """For good."""
        box = self._named(asked)
        try:
            found = await self._found(asked, box)
            await self._office.mailboxes.delete(found.id)
            await self._note(asked, box, "delete message", self._when(found))
        except StoreError as error:
            raise _unavailable(error) from error

    async def forward_message(self, asked: Asked) -> MessageResource:
        """Puts a copy into another mailbox, where it is new."""
        box = self._named(asked)
        to = asked.body.mailbox
        if to not in self._office.configuration.mailboxes:
            raise Problem(422, self._unknown(to), [{"where": "body.mailbox", "what": "there is no such mailbox"}])
        try:
            found = await self._found(asked, box)
            copy = await self._office.mailboxes.forward(found.id, to)
            await self._note(asked, box, "forward message", f"{self._when(found)} to {to}")
        except StoreError as error:
            raise _unavailable(error) from error
        if copy is None:
            raise _gone()
        return self._message(copy)

    async def hear_greeting(self, asked: Asked) -> SentFile:
        """One's own recording."""
        box, kind = self._named(asked), _kind(asked)
        path = self._office.mailboxes.greeting(box.name, kind)
        if path is None:
            raise Problem(404, f"{box.title} has no greeting of their own for {kind}")
        return SentFile(path, f"{kind}.wav")

    async def set_greeting(self, asked: Asked) -> MailboxResource:
        """A WAV file of 8 or 16 kHz, mono, 16 bits, up to three minutes. Callers hear it in every profile of this
        kind."""
        box, kind = self._named(asked), _kind(asked)
        try:
            await self._office.mailboxes.set_greeting(box.name, kind, asked.body)
            await self._note(asked, box, "set greeting", kind)
        except SoundRefusedError as error:
            raise Problem(422, str(error), [{"where": "body", "what": str(error)}]) from error
        except StoreError as error:
            raise _unavailable(error) from error
        return self._mailbox(box)

    async def remove_greeting(self, asked: Asked) -> MailboxResource:
        """Callers then hear what is composed from the profile."""
        box, kind = self._named(asked), _kind(asked)
        try:
            if await self._office.mailboxes.remove_greeting(box.name, kind):
                await self._note(asked, box, "remove greeting", kind)
        except StoreError as error:
            raise _unavailable(error) from error
        return self._mailbox(box)

    async def erase(self, asked: Asked) -> ErasedResource:
        """Deletes every message of a caller, from all mailboxes, and the e-mails about them that were not sent yet; the
        recordings of all calls from and to them; and calls them back no more.
        E-mails that were sent, and the call records, are not touched."""
        plan, number = self._office.configuration.policy.plan, asked.query.number
        wanted = plan.normalise(number) or number
        try:
            await self._office.callbacks.erase(wanted)
            count = await self._office.mailboxes.erase(wanted, plan.normalise)
            recordings = await self._office.recordings.erase(wanted, plan.normalise)
            # The number itself must not come back by way of the audit.
            what = f"{count} messages" + (f", {recordings} recordings" if recordings else "")
            entry = AuditEntry(self._office.clock(), asked.actor, "erase caller", f"…{wanted[-2:]}", what)
            await self._office.state_store.record(entry)
        except StoreError as error:
            raise _unavailable(error) from error
        return ErasedResource(messages=count, recordings=recordings)

    # ------------------------------------------------------------------------------------------------ in parts

    def _named(self, asked: Asked) -> Mailbox:
        """Return the mailbox that the path names, if the token opens it. Raises `Problem`."""
        name = asked.path["mailbox"]
        box = self._office.configuration.mailboxes.get(name)
        if box is not None and _opens(asked, box):
            return box
        if asked.token.role is ApiRole.PERSON:  # who may not open it does not learn either whether it exists
            raise Problem(403, f"this token opens the mailboxes of {asked.token.person} alone")
        raise Problem(404, self._unknown(name))

    def _unknown(self, name: str) -> str:
        return f"there is no mailbox {name!r}; {closest(name, self._office.configuration.mailboxes)}".rstrip("; ")

    async def _found(self, asked: Asked, box: Mailbox) -> Message:
        """Return the message that the path names. Raises `Problem`, `StoreError`."""
        message = await self._office.mailboxes.message(asked.path["message"])
        if message is None or message.mailbox != box.name:
            raise _gone()
        return message

    async def _note(self, asked: Asked, box: Mailbox, action: str, what: str = "") -> None:
        """Keep in the audit what somebody did to a mailbox that is not theirs. Raises `StoreError`."""
        if asked.token.person not in box.people:
            entry = AuditEntry(self._office.clock(), asked.actor, action, f"mailbox {box.name}", after=what)
            await self._office.state_store.record(entry)

    def _when(self, message: Message) -> str:
        return f"of {moments.written(message.received_at, self._office.configuration.policy.zone)}"

    def _mailbox(self, box: Mailbox) -> MailboxResource:
        store = self._office.mailboxes
        counts = store.counts(box.name)
        return MailboxResource(
            name=box.name,
            title=box.title,
            new=counts.new,
            old=counts.old,
            urgent_new=counts.urgent_new,
            urgent_old=counts.urgent_old,
            greetings=[kind.value for kind in ProfileKind if store.greeting(box.name, kind.value)],
        )

    def _message(self, message: Message) -> MessageResource:
        zone = self._office.configuration.policy.zone
        return MessageResource(
            id=message.id,
            kind=message.kind,
            state=message.state,
            caller=message.caller,
            caller_name=message.caller_name,
            received=moments.written(message.received_at, zone) or "",
            seconds=round(message.seconds, 1),
            urgent=message.urgent,
            reason=message.reason,
            has_sound=message.has_sound,
        )


def _opens(asked: Asked, box: Mailbox) -> bool:
    return asked.token.role is ApiRole.ADMINISTRATOR or asked.token.person in box.people


def _kind(asked: Asked) -> str:
    kind = asked.path["kind"]
    kinds = [known.value for known in ProfileKind]
    if kind not in kinds:
        raise Problem(404, f"there is no kind of profile {kind!r}; write one of: {', '.join(kinds)}")
    return kind


def _gone() -> Problem:
    return Problem(404, "there is no such message; perhaps it was deleted")


def _unavailable(error: StoreError) -> Problem:
    if isinstance(error, MailboxFullError):
        return Problem(409, str(error))
    return Problem(507 if isinstance(error, StoreFullError) else 503, f"this cannot be done now: {error}")
