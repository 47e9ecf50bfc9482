"""Where calls go in each case, and within which limits people choose: the words that roles and people share."""

from __future__ import annotations

from typing import Final

from router.configuration.roles import USUAL_NO_ANSWER, usual_clause
from router.configuration.schema import Condition, May
from router.document.author import Author

LIMITS: Final = ("profiles", "forward_to", "for_at_most")
_INSIDE: Final = {
    "inside": ("un collègue", "a colleague"),
    "own_mobile": ("son propre portable", "their own mobile"),
    "outside": ("un numéro extérieur que la liste grise admet", "an outside number that the greylist allows"),
}


def same_rule(condition: str, one: Condition, other: Condition) -> bool:
    """Say whether a condition would be stated in the same words."""
    after = condition != "no_answer" or (one.after or USUAL_NO_ANSWER) == (other.after or USUAL_NO_ANSWER)
    return after and (one.then, one.clause) == (other.then, other.clause)


def condition_clauses(condition: str, written: Condition, *, technical: bool) -> tuple[str, ...]:
    """Return the clauses that a condition keeps, on mobiles and on fixed lines."""
    found = (usual_clause(condition, written, mobile=mobile, technical=technical) for mobile in (True, False))
    return tuple(dict.fromkeys(found))


def condition_title(author: Author, condition: str, written: Condition) -> str:
    """Name a condition: "en communication", "no answer within 20 seconds"."""
    after = author.language.duration(written.after or USUAL_NO_ANSWER)
    fr, en = {
        "on_call": ("en communication", "on a call"),
        "busy_other": ("en réunion ou occupé ailleurs", "in a meeting or busy otherwise"),
        "absent": ("absent", "absent"),
        "no_answer": (f"sans réponse après {after}", f"no answer within {after}"),
        "unreachable": ("aucun appareil joignable", "no device can be reached"),
        "rejected": ("appel refusé d'une touche", "call rejected by a key"),
    }[condition]
    return author.say(fr=fr, en=en)


def limit(author: Author, key: str, may: May) -> tuple[str, str]:
    """Return what one limit is about (R8) and what it says, both as parts of a sentence."""
    say = author.say
    match key:
        case "profiles":
            named = author.language.also(author.quoted(profile) for profile in may.profiles or ())
            every = say(fr="tous ceux de leur rôle", en="all that are for their role")
            text = every if may.profiles is None else named or say(fr="aucun", en="none")
            return say(fr="profils au choix", en="profiles to choose from"), text
        case "forward_to":
            words = []
            for to in may.forward_to:
                fr, en = _INSIDE.get(to, ("", ""))
                words.append(say(fr=fr, en=en) or author.target(to))
            nowhere = say(fr="nulle part", en="nowhere")
            return say(fr="renvoi personnel permis vers", en="may forward their own calls to"), (
                author.language.either(words) or nowhere
            )
    most = author.language.duration(may.for_at_most or 0.0)
    text = say(fr=f"{most} au plus", en=f"{most} at most")
    if may.for_at_most is None:
        text = say(fr="sans limite", en="without limit")
    return say(fr="durée d'un choix", en="how long a choice lasts"), text
