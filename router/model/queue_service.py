"""What a queue is for those who wait in it and those who answer it; how they are brought together stands in `queue`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from router.model.queue import FIRST_TIER, USUAL_TIER, QueueRules, Skills


@dataclass(frozen=True, slots=True)
class QueueService:
    """One queue, as callers and agents know it.

    Args:
        name: in the configuration ("sales"); title: as people call it ("Service Commercial").
        rules: see `QueueRules`.
        first: numbers (E.164 with "+") and, ending in "*", prefixes of callers who go first (Q16).
        needs: what an agent has to know.
        music: WAV files that are played one after the other, again and again (Q6).
        welcome: an announcement that callers hear first, the id of a prompt or a WAV file; "": the usual one.
        script: what the agent says, by language (Q7); {company} and {agent} stand for their names.
        message_key, callback_key: keys that lead out of the queue at any moment (Q5, P3); "": there is none.
        whisper: the agent hears for which queue a call is before they talk.
        then: where the call goes after the longest wait, for the notice: "message", "callback" or "transfer".
    """

    name: str
    title: str
    rules: QueueRules
    first: tuple[str, ...] = ()
    needs: Skills = ()
    music: tuple[str, ...] = ()
    welcome: str = ""
    script: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    message_key: str = "1"
    callback_key: str = ""
    whisper: bool = False
    then: str = "message"

    def tier(self, number: str | None) -> int:
        """Return the tier of a caller (E.164 with "+", or None)."""
        if number is None:
            return USUAL_TIER
        for entry in self.first:
            if number == entry or (entry[-1] == "*" and number.startswith(entry[:-1])):
                return FIRST_TIER
        return USUAL_TIER

    def words(self, language: str, company: str, agent: str) -> str:
        """Return what an agent is to say to a caller (Q7); "" where nothing is written."""
        text = self.script.get(language) or self.script.get("") or ""
        return text.replace("{company}", company).replace("{agent}", agent)
