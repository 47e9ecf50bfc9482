"""The company of these tests, written out as a configuration directory for each router that a test starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .processes import Ports

MAIN_NUMBER = "+3242200100"
OUTSIDE = "+32475111222"  # somebody who is not of the company
WORKING_HOURS = "2026-11-24T10:00:00+01:00"  # a Tuesday
IN_A_MEETING = "2026-11-24T14:30:00+01:00"  # everybody of this company meets from 14:00 to 15:00
TARGETS = ("reception", "voicemail", "queue:sales", "queue:technical")
SECRET = "secret-{}"


class Company:
    """Peers' ports, and `document`: the configuration as one mapping, for a test to change before `write`.

    People: anna (standard; desk and mobile), benoit (standard; desk), claire and carl (sales), marc (technical),
    luc (standard, without a phone), eva (standard; a private phone whose exception is over).
    """

    def __init__(self, ports: Ports, folder: Path) -> None:
        self.sip_port = ports.free()
        self.http_port = ports.free()
        self.trunk_port = ports.free()  # trunk "first"
        self.second_trunk_port = ports.free()  # trunk "second"
        self.callers_port = ports.free()  # calls from here come from trunk "first"
        self.pbx_port = ports.free()
        self.target_ports = {name: ports.free() for name in TARGETS}
        self.folder = folder
        host = "127.0.0.1"
        self.document: dict[str, Any] = {
            "company": {
                "name": "Atelier des essais",
                "country": "BE",
                "time_zone": "Europe/Brussels",
                "main_number": MAIN_NUMBER,
                "languages": ["fr", "en"],
            },
            "sip": {
                "listen": [f"udp:{host}:{self.sip_port}", f"tcp:{host}:{self.sip_port}"],
                "realm": "renvoi",
                "registrar": {"min_expires": "60s", "max_expires": "1h", "default_expires": "10min"},
            },
            "http": {"listen": f"{host}:{self.http_port}"},
            "storage": {"directory": str(folder / "var"), "records": str(folder / "calls.jsonl")},
            "numbers": [
                {"range": "+3242200100..+3242200199", "verified": True},
                {"number": "+32470555012", "verified": True, "holder": "claire"},
            ],
            "calendars": {"en_semaine": {"days": "mon-fri"}},
            "hours": {"office": {"calendar": "en_semaine", "from": "08:00", "to": "17:00"}},
            "targets": {
                name: {"sip": f"sip:{name.replace(':', '-')}@{host}:{port}"} for name, port in self.target_ports.items()
            },
            "profiles": {
                "lunch": {"kind": "absent", "says": {"fr": "En pause déjeuner"}},
                "meeting": {"kind": "busy_other", "says": {"fr": "En réunion"}},
                "gone_for_the_day": {"kind": "absent", "says": {"fr": "Absent pour la journée"}},
            },
            "roles": {
                "standard": {
                    "shows": {"fixed": "direct_number", "mobile": "main_number"},
                    "when": {
                        "on_call": "voicemail",
                        "busy_other": "reception",
                        "absent": "voicemail",
                        "no_answer": {"after": "2s", "then": "voicemail"},
                        "unreachable": "voicemail",
                        "rejected": "voicemail",
                    },
                    "schedule": [
                        {"profile": "lunch", "calendar": "en_semaine", "from": "12:00", "to": "13:00"},
                        {"profile": "meeting", "calendar": "en_semaine", "from": "14:00", "to": "15:00"},
                        {"profile": "gone_for_the_day", "calendar": "en_semaine", "from": "17:00", "to": "08:00"},
                    ],
                },
                "sales": {
                    "based_on": "standard",
                    "shows": "personal_mobile",
                    "when": {"on_call": "reception", "busy_other": "queue:sales"},
                    "says": {"gone_for_the_day": {"fr": "Parti pour la journée"}},
                },
                "technical": {
                    "based_on": "standard",
                    "shows": "team_number",
                    "when": {"on_call": "queue:technical", "busy_other": "reception"},
                },
            },
            "teams": {"technical": {"name": "Service technique", "number": "+3242200160", "then": "queue:technical"}},
            "people": {
                "anna": _person(
                    "Anna Petit", "201", "+3242200121", {"desk": _device("201"), "mobile": _device("201m", "mobile")}
                ),
                "benoit": _person("Benoît Lambert", "202", "+3242200122", {"desk": _device("202")}),
                "claire": _person("Claire Dubois", "203", "+3242200123", {"desk": _device("203")}, role="sales")
                | {"mobile": "+32470555012"},
                "carl": _person("Carl Simon", "204", "+3242200124", {"desk": _device("204")}, role="sales")
                | {"mobile": "+32470999999"},
                "marc": _person("Marc Lejeune", "205", "+3242200125", {"desk": _device("205")}, role="technical")
                | {"team": "technical"},
                "luc": _person("Luc Renard", "206", "+3242200126", {}),
                "eva": _person(
                    "Eva Jacobs",
                    "207",
                    "+3242200127",
                    {"own": _device("207", "private") | {"until": "2026-01-31", "approved_by": "anna"}},
                ),
            },
            "trunks": {
                "first": {
                    "address": f"{host}:{self.trunk_port}",
                    "from": [f"{host}:{self.callers_port}"],
                    "priority": 10,
                    "options_interval": "0s",
                },
                "second": {"address": f"{host}:{self.second_trunk_port}", "priority": 20, "options_interval": "0s"},
            },
            "pbxs": {"central": {"from": f"{host}:{self.pbx_port}"}},
            "greylist": {"prefixes": ["+225", "+8816"]},
        }

    def write(self) -> Path:
        """Write the configuration and return its directory."""
        directory = self.folder / "config"
        directory.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(self.document, allow_unicode=True, sort_keys=False)
        (directory / "company.yaml").write_text(text)
        return directory


def _device(user: str, kind: str = "fixed") -> dict[str, str]:
    return {"kind": kind, "user": user, "secret": SECRET.format(user)}


def _person(
    name: str, extension: str, direct_number: str, devices: dict[str, dict[str, str]], role: str = "standard"
) -> dict[str, Any]:
    return {
        "name": name,
        "role": role,
        "extension": extension,
        "direct_number": direct_number,
        "devices": devices,
    }
