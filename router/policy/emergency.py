"""Emergency numbers by country: dated data, each pack with its source.

What is listed goes out first, for everybody and unmodified, whatever else a configuration says. Help lines and doctors
on duty are listed only where the national regulator counts them as emergency numbers (France does; Belgium's 102 to
107 are help lines that send nobody).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class EmergencyPack:
    """Emergency numbers of a country.

    Args:
        country: ISO 3166-1 alpha-2.
        valid_from: the list has been in force, as it stands here, at least since this date.
        source: where the list is laid down.
        numbers: number and service, in words of the country.
    """

    country: str
    valid_from: date
    source: str
    numbers: dict[str, str]


PACKS: dict[str, EmergencyPack] = {
    pack.country: pack
    for pack in (
        EmergencyPack(
            "AT",
            date(2021, 11, 1),
            "Telekommunikationsgesetz 2021; RTR",
            {"112": "Euronotruf", "122": "Feuerwehr", "133": "Polizei", "144": "Rettung"},
        ),
        EmergencyPack(
            "BE",
            date(2005, 6, 30),
            "Loi du 13 juin 2005 relative aux communications électroniques, art. 107; 112.be",
            {"112": "Pompiers, ambulance, police", "100": "Pompiers, ambulance", "101": "Police"},
        ),
        EmergencyPack(
            "CH",
            date(2007, 4, 1),
            "Verordnung über Fernmeldedienste (FDV)",
            {"112": "Euronotruf", "117": "Polizei", "118": "Feuerwehr", "144": "Sanität"},
        ),
        EmergencyPack(
            "DE",
            date(2009, 3, 6),
            "Notrufverordnung (NotrufV), § 1",
            {"112": "Feuerwehr, Rettung", "110": "Polizei"},
        ),
        EmergencyPack("DK", date(1996, 12, 31), "Directive 91/396/EEC", {"112": "Alarmcentralen"}),
        EmergencyPack("ES", date(1997, 6, 27), "Real Decreto 903/1997", {"112": "Emergencias"}),
        EmergencyPack(
            "FR",
            date(2024, 1, 1),
            "Arcep, liste des numéros d'urgence (décision n° 02-1179 modifiée)",
            {
                "112": "Numéro d'urgence européen",
                "15": "SAMU",
                "17": "Police, gendarmerie",
                "18": "Pompiers",
                "114": "Personnes sourdes et malentendantes",
                "115": "Urgence sociale",
                "116000": "Enfants disparus",
                "116117": "Permanence des soins ambulatoires",
                "119": "Enfance maltraitée",
                "191": "Sauvetage aéronautique",
                "196": "Sauvetage maritime",
                "197": "Alerte attentat, alerte enlèvement",
            },
        ),
        EmergencyPack(
            "GB",
            date(2018, 10, 1),
            "Ofcom, General Conditions of Entitlement, A3",
            {"112": "Emergency services", "999": "Emergency services", "18000": "Emergency services by text relay"},
        ),
        EmergencyPack(
            "IE",
            date(2002, 4, 27),
            "Communications Regulation Act 2002; ComReg",
            {"112": "Emergency services", "999": "Emergency services"},
        ),
        EmergencyPack(
            "LU", date(2005, 5, 30), "Institut luxembourgeois de régulation", {"112": "Secours", "113": "Police"}
        ),
        EmergencyPack("NL", date(1998, 12, 15), "Telecommunicatiewet, art. 7.7", {"112": "Alarmcentrale"}),
        EmergencyPack("PT", date(1996, 12, 31), "ANACOM, Plano Nacional de Numeração", {"112": "Emergência"}),
    )
}
