"""Exceptions (S8, D1): each has an end that lies ahead, and an approver who works here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from router.configuration.findings import Finding
from router.configuration.peers import end_of_exception
from router.configuration.schema import CallerExceptionSection
from router.policy.snapshot import Person
from router.proof.examination import Examination
from router.proof.survey import number_with
from router.proof.walk import Call

WARN_BEFORE_EXPIRY: Final = 30 * 86_400.0  # seconds; an exception that ends sooner is announced
_AGAIN: Final = "have it approved again if it is still needed"


class _Exception(NamedTuple):
    what: str
    until: date
    approved_by: str | None
    clause: str
    location: tuple[str | int, ...]
    call: Call | None = None  # one that it is about


def exceptions_are_in_force(examination: Examination) -> Iterator[Finding]:
    """S8 D1: an exception that has expired has no effect; one that soon will is announced."""
    zone, now = examination.policy.zone, examination.now
    for exception in _exceptions(examination):
        end = end_of_exception(exception.until, zone)
        if end <= now:
            verb = "is refused since" if exception.clause == "D1" else "ended on"
            finding = examination.warning(
                f"{exception.what} {verb} {exception.until}",
                "remove it, or have it approved again",
                exception.clause,
                *exception.location,
            )
            yield finding if exception.call is None else examination.by_call(finding, exception.call)
        elif end - now < WARN_BEFORE_EXPIRY:
            days = int((end - now) // 86_400)
            verb = "is refused" if exception.clause == "D1" else "ends"
            message = f"{exception.what} {verb} in {days} days, after {exception.until}"
            yield examination.warning(message, _AGAIN, exception.clause, *exception.location)


def approvers_work_here(examination: Examination) -> Iterator[Finding]:
    """S8: whoever approved an exception is somebody here, and still is."""
    people, zone = examination.document.people, examination.policy.zone
    for exception in _exceptions(examination):
        approver = exception.approved_by
        if approver is None:
            continue  # a private phone without one is not even loaded
        section = people.get(approver) or next((p for p in people.values() if p.name == approver), None)
        if section is None:
            message = f"{exception.what} was approved by {approver!r}, who is nobody here"
            yield examination.warning(message, "name a person by their id", "S8", *exception.location)
        elif section.left is not None and end_of_exception(section.left, zone) <= examination.now:
            message = f"{exception.what} was approved by {section.name}, who has left"
            yield examination.warning(message, "have it approved again", "S8", *exception.location)


def _exceptions(examination: Examination) -> Iterator[_Exception]:
    document, survey, people = examination.document, examination.survey, examination.policy.people
    somebody = next(iter(people.values()), None)
    for index, listed in enumerate(document.greylist.exceptions):
        number = number_with(listed.prefix)
        call = survey.inside_call(number, somebody) if somebody is not None else None
        place = ("greylist", "exceptions", index)
        yield _Exception(f"the exception for {listed.prefix}", listed.until, listed.approved_by, "S8", place, call=call)
    for name, caller in document.callers.items():
        concerned = (person for person in people.values() if not caller.people or _is_named(person, caller.people))
        call = next((call for person in concerned if (call := _call_from(examination, caller, person))), None)
        yield _Exception(
            f"the exception {name}", caller.until, caller.approved_by, caller.clause, ("callers", name), call=call
        )
    for name, section in document.people.items():
        for index, caller in enumerate(section.exceptions):
            what = f"the exception of {section.name} for {', '.join(caller.numbers)}"
            call = _call_from(examination, caller, people[name])
            own = ("people", name, "exceptions", index)
            yield _Exception(what, caller.until, caller.approved_by, caller.clause, own, call=call)
        for device_name, device in section.devices.items():
            if device.until is not None:
                what = f"{device_name} of {section.name}"
                phone = ("people", name, "devices", device_name)
                yield _Exception(what, device.until, device.approved_by, "D1", phone)


def _is_named(person: Person, named: list[str]) -> bool:
    return person.id in named or f"role:{person.role}" in named


def _call_from(examination: Examination, caller: CallerExceptionSection, person: Person) -> Call | None:
    dialled = examination.survey.dialled_from_outside(person)
    if dialled is None or not caller.numbers:
        return None
    return examination.survey.outside_call(dialled, number_with(caller.numbers[0].rstrip("*")))
