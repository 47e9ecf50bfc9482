"""Places of work with a main number of their own (S2, M1, Q12)."""

from __future__ import annotations

import pytest

from router.configuration import ConfigurationError
from router.model.decision import Action, Connection
from tests.policy.company import COMPANY, Desk, configuration

SITES = """
sites:
  namur: {name: Atelier de Namur, main_number: "+3242200180", then: reception, hours: office, closed: voicemail,
          address: "rue de Fer 1, Namur"}
"""


def at_namur(person: str, text: str = COMPANY) -> str:
    """Let a person of the company work at Namur."""
    return text.replace(f"  {person}:\n", f"  {person}:\n    site: namur\n", 1) + SITES


@pytest.fixture
def desk() -> Desk:
    return Desk(configuration(at_namur("paul")).policy)


def test_people_of_a_site_show_its_main_number(desk: Desk) -> None:
    """M1."""
    decision = desk.person("paul", "+32475111222", connection=Connection.MOBILE)
    assert (decision.shown_number, decision.shown_name) == ("+3242200180", "Atelier de Namur")
    assert desk.person("claire", "+32475111222", connection=Connection.PRIVATE).shown_number != "+3242200180"


def test_a_sites_main_number_is_answered_by_its_own_hours(desk: Desk) -> None:
    """Q12."""
    assert str(desk.outside("+3242200180").target) == "reception"
    assert str(desk.outside("+3242200180", "2026-11-24T20:00").target) == "voicemail"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (at_namur("paul").replace("+3242200180", "+3299999999"), "+3299999999 is not a verified number of the company"),
        (at_namur("paul").replace("site: namur", "site: liege"), "there is no site 'liege'"),
        (at_namur("paul").replace("+3242200180", "+3242200100"), "+3242200100 is already the main number"),
    ],
)
def test_a_site_that_cannot_be_used_is_found(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        configuration(text)
    assert said in str(error.value)


def test_emergency_services_see_the_site_rather_than_a_team() -> None:
    """G1: whoever has no number of their own is looked for where they work."""
    text = at_namur("thomas").replace('    direct_number: "+3242200131"\n', "")
    decision = Desk(configuration(text).policy).person("thomas", "112")
    assert (decision.action, decision.shown_number) == (Action.EMERGENCY, "+3242200180")
