"""What each key of a configuration is for, as an editor shows it; and an example where one says more.

By the name of the section in `schema.py`, and the key as it is written.
"""

from __future__ import annotations

from typing import Any, Final

_TARGET: Final = "the name of a target, a person's id, or a number with + and country code"
_CLAUSE: Final = "the clause of the policy that is cited, where the usual one does not fit"
_APPROVED: Final = "who allowed it (S8)"
_UNTIL: Final = "the last day on which it holds; afterwards it has no effect (S8)"
_HOURS: Final = "a set of opening hours, by its name in hours:"
_CLOSED: Final = f"where calls go outside these hours: {_TARGET}"
_LANGUAGES: Final = "by language, such as {fr: En réunion, en: In a meeting}; one text holds for all"
_SHOWS: Final = (
    "number shown on outgoing calls: direct_number, main_number, personal_mobile, team_number or a number; one for all "
    "phones, or by kind of phone. One that is not owned and verified is never shown"
)

DESCRIPTIONS: Final[dict[str, dict[str, str]]] = {
    "Document": {
        "company": "Who the company is, and what holds for all.",
        "sip": "Where the router listens, and how phones register.",
        "http": "Where metrics, health and the API are served.",
        "storage": "Where the router keeps its data.",
        "numbers": "The numbers that the company owns. Nothing else is ever shown to anybody (S4).",
        "calendars": "Sets of days by name, for hours and schedules (G7).",
        "hours": "Opening hours by name: one window of a calendar, or several. The end is not part of it (G6).",
        "targets": "Where calls can go besides a person's phones, by name: reception, voicemail, queue:sales.",
        "roles": "What the policy says about kinds of people, by name. Every person has one (S1).",
        "profiles": "What people choose, or a schedule sets for them, by name: lunch, meeting.",
        "teams": "Shared numbers, by name (F5).",
        "people": "Everybody, by an id that other places use.",
        "trunks": "Ways to the outside world, by name, tried by priority.",
        "pbxs": "Telephone systems behind which people have their phones, by name, recognised by address.",
        "greylist": "Destinations that must not be called (X2), and callers who are not let in (G9).",
        "limits": "How much may be called of groups of destinations, by name (X2).",
        "codes": "What can be dialled besides numbers (P2). The codes of profiles stand with them.",
        "connections": "Number shown by kind of phone, where neither person nor role says otherwise (G1).",
        "callers": "Callers who are treated in their own way, by name (S8).",
        "calendar_feed": "How people's calendars are read.",
        "api": "Who may use the HTTP API.",
        "inventory": "What the written policy lists besides: phones, data packs, the dictionary (D3, S9).",
    },
    "Company": {
        "name": "as the company calls itself; shown with the main number",
        "country": "ISO 3166-1: emergency numbers, public holidays and the way of dialling",
        "region": "ISO 3166-2 subdivision with holidays of its own",
        "time_zone": "IANA name; all times of the configuration are its wall-clock times (G6)",
        "main_number": "shown wherever no other number may be (M1); must be listed as verified in numbers:",
        "main_line": "where calls to the main number go, and to own numbers that nobody has (S5)",
        "languages": "languages of what callers are told, the first one first",
        "short_numbers": "short codes of the country that go out as they are dialled",
        "shows": "number shown where nothing else says so (G1): main_number or a number",
        "when": "where calls go in each case, for all roles that do not say otherwise",
        "profile_order": "whose profile counts where several are in force, strongest first (G4)",
        "contacts": "whom to ask about the telephones (S9), for the written policy",
    },
    "MainLine": {
        "then": f"where these calls go: {_TARGET}",
        "hours": _HOURS,
        "closed": _CLOSED,
    },
    "Contact": {
        "name": "who",
        "subject": "what for",
        "number": "how to call them",
        "email": "how to write to them",
    },
    "Condition": {
        "then": f"where the call goes: {_TARGET}",
        "after": "how long the phones ring before that; for no_answer",
        "clause": _CLAUSE,
    },
    "When": {
        "on_call": "the person is on a call (M2, F2, R2, R6)",
        "busy_other": "the person is in a meeting or busy otherwise (M3, F3, R3, R7)",
        "absent": "the person is absent: at lunch, gone for the day, on leave",
        "no_answer": "nobody answered, after so long (G5)",
        "unreachable": "no phone is registered (G5)",
        "rejected": "the person rejected the call; usually as on_call",
    },
    "Shows": {
        "fixed": "shown by desk phones (F1)",
        "mobile": "shown by mobiles (M1)",
        "softphone": "shown by softphones; usually as fixed",
        "private": "shown by private phones; usually as mobile",
    },
    "Codes": {
        "back": "takes one's own choice back: the schedule holds again",
        "hide_number": "dialled before a number: this call shows none",
        "show": "dialled before a number: what this call shows, by code",
    },
    "CallerExceptionSection": {
        "numbers": "who calls: numbers with +; one that ends in * stands for all that begin so",
        "rings_through": "what these callers get past: busy_other, absent, on_call",
        "then": f"where their calls go instead: {_TARGET}",
        "people": "for whose calls this holds: ids, or role:NAME; nobody named: everybody",
        "approved_by": _APPROVED,
        "until": _UNTIL,
        "clause": _CLAUSE,
    },
    "Limit": {
        "prefixes": "what the group consists of: prefixes with + and country code",
        "except": "prefixes that do not belong to it",
        "per": "whether each person has this much, or all together",
        "calls_per_minute": "calls that may begin in one minute",
        "calls_per_day": "calls that may begin on one day",
        "cost_per_minute": "what a minute costs, for cost_per_day",
        "cost_per_day": "what may be spent on one day, in the same currency",
        "minutes": "how many minutes count in advance when a call begins",
    },
    "OwnedRange": {
        "number": "one number",
        "range": "the first and the last number of a range",
        "verified": "a test call has proved that it reaches the company; only then it is shown (R1)",
        "holder": "the person whose number it is",
        "port_out_lock": "it may not be ported out without permission (S7)",
    },
    "CalendarSection": {
        "days": "the days that belong to it",
        "except": "those that do not",
    },
    "HoursWindow": {
        "calendar": "on the days of this calendar",
        "from": "from this time on",
        "to": "up to this time, which is no part of it; not after `from`: on the next day",
    },
    "ScheduleEntry": {
        "profile": "which profile is then in force",
        "calendar": "on the days of this calendar",
        "from": "from this time on",
        "to": "up to this time, which is no part of it; not after `from`: on the next day",
        "clause": _CLAUSE,
    },
    "TargetSection": {
        "sip": "a SIP address; {extension} and {person} are filled in for whom the call was",
        "number": "a number outside, called by the trunks",
        "person": "a person's phones",
        "trunks": "the trunks by which a number is called; none named: all, by priority",
    },
    "May": {
        "profiles": "which profiles they may choose; none named: all that are for their role",
        "forward_to": "where they may send calls: inside (colleagues), own_mobile, outside, or names of targets",
        "for_at_most": "how long a choice may last",
    },
    "Role": {
        "based_on": "the role that it takes over; what stands here goes before",
        "may": "within which limits its people choose how to be reached (R8)",
        "shows": _SHOWS,
        "when": "where calls go in each case",
        "schedule": "profiles by time; the first line that covers the moment holds (M4, M5)",
        "says": f"the role's own words for a profile (R4), {_LANGUAGES}",
        "team": "the team whose number they show and belong to",
        "precedence": "on a call and in a meeting (G4): whether the profile or the call decides",
        "rings_within": "hours outside which phones do not ring (S6)",
    },
    "ProfileSection": {
        "kind": "what it means for calls: available, busy_other or absent",
        "says": f"what callers are told, {_LANGUAGES}",
        "offers": "what callers are offered (P3): message, callback, {transfer: TARGET}",
        "code": "the code by which people choose it (P2)",
        "from_calendar": "an entry of a person's calendar sets this profile",
        "clause": _CLAUSE,
        "then": f"where calls go in this profile, in place of the role's rule: {_TARGET}",
        "shows": f"while it is in force (P4): {_SHOWS}",
        "roles": "for whose people it is (R9); none named: everybody's",
        "ends_after": "how long a choice lasts that names no end",
    },
    "Team": {
        "name": "shown with the number (G2)",
        "number": "its shared number; must be listed as verified in numbers:",
        "then": f"where calls to it go: {_TARGET}",
        "hours": _HOURS,
        "closed": _CLOSED,
    },
    "Device": {
        "kind": "fixed, mobile, softphone or private (D1)",
        "secret": "its password, or better its HA1 as `renvoi secret` prints it; ${NAME} is not for devices",
        "user": "its account; usually the extension, or extension-device where a person has several",
        "until": "last day of a private phone's exception (D1); afterwards it is refused",
        "approved_by": _APPROVED,
    },
    "LaterDevice": {
        "device": "the device, by its name",
        "after": "how long after the first ones it rings",
    },
    "PersonSection": {
        "name": "as colleagues see it",
        "role": "the role whose rules hold for them (S1)",
        "rings": "all at once, or in which order their devices ring: [desk, {gsm: 10s}]; those not named do not ring",
        "may": "within which limits they choose how to be reached (R8)",
        "exceptions": "callers whom they treat in their own way (S8)",
        "email": "for the written policy",
        "extension": "dialled inside; also the name of their mailbox",
        "direct_number": "their own number; must be listed in numbers:",
        "mobile": "recognised as theirs when a PBX names it; shown only by a rule (S4)",
        "team": "the team that they belong to, where the role does not say",
        "shows": _SHOWS,
        "when": "where their calls go, where they differ from the role",
        "devices": "what registers here, by name; all of them ring (F4)",
        "pbx": "the PBX behind which they have their phone, in place of devices",
        "left": "the last day on which they worked here (S5)",
        "successor": "who answers their number afterwards (S5); else the reception",
        "calendar": "their calendar (iCalendar): a file or an https: address",
    },
    "Registration": {
        "registrar": "the provider's registrar",
        "user": "the account there",
        "auth_user": "the name in the credentials, where it is another",
        "password": "the password, or better ${NAME} for an environment variable",
        "password_file": "a file that holds the password, in place of it",
        "realm": "the realm in which the password is used; usually the first one that the provider names",
        "expires": "for how long a registration is asked for",
    },
    "TrunkSection": {
        "address": "where calls go",
        "transport": "udp or tcp",
        "from": "further addresses from which its calls come",
        "priority": "the lowest is tried first",
        "number_format": "how numbers are written towards it: +3242200121, 3242200121 or 042200121",
        "identity": "the header that carries the number that is shown",
        "domain": "domain in From, To and the request; usually the address",
        "options_interval": "how often it is asked whether it is well; 0s: never",
        "register": "for a provider who wants the router to register",
    },
    "PbxSection": {
        "from": "the addresses by which it is recognised; it needs no password",
        "address": "where its extensions are called",
        "transport": "udp or tcp",
    },
    "GreylistSection": {
        "files": "text files with one prefix a line; text after # is a remark",
        "prefixes": "prefixes that must not be called, with + and country code",
        "inbound": "prefixes of callers who are not let in, and must not be called either (G9)",
        "inbound_files": "the same, from files",
        "sources": "lists that somebody else keeps, fetched on a timer",
        "exceptions": "prefixes that may be called all the same, for a time (S8)",
    },
    "GreylistExceptionSection": {
        "prefix": "the prefix that may be called",
        "approved_by": _APPROVED,
        "until": _UNTIL,
    },
    "GreylistSource": {
        "url": "where it is: https:, http: or a file",
        "every": "how often it is fetched",
        "sha256": "its SHA-256, or the address of a file that begins with it",
        "signature": "the address of its Ed25519 signature",
        "signed_by": "the public key, base64",
        "stale_after": "how old the last good copy may be before it is reported",
        "inbound": "it blocks callers as well (G9)",
    },
    "CalendarFeed": {
        "every": "how often calendars are fetched",
        "stale_after": "how old the last good copy may be before it is reported",
        "profiles": 'the profile by a word in an event\'s title or category; "" is for all others',
    },
    "Api": {"tokens": "bearer tokens, by name"},
    "Token": {
        "hash": "what `renvoi token` prints; the token itself is written nowhere",
        "role": "what it may do",
        "person": "whose it is, for the role person",
        "until": "the last day on which it is valid",
    },
    "Inventory": {
        "phones": "phone models (D3), by what their User-Agent begins with",
        "data_packs": "data subscriptions (D3)",
        "wireless": f"about the wireless network, {_LANGUAGES}",
        "dictionary": f"words of the telephone, each explained, {_LANGUAGES} (S9)",
        "private_phone_days": "days after which a private phone is reported (D2)",
    },
    "DataPack": {
        "name": "what it is called",
        "gigabytes": "a month",
        "people": "who has it: ids, or role:NAME",
    },
    "Sip": {
        "listen": "transport, address and port; one or a list",
        "advertised": "host or host:port that others see, behind NAT or on a wildcard address",
        "realm": "realm of the accounts; part of every HA1: changing it makes them void",
        "digest": "what phones are offered: md5, sha-256",
        "user_agent": "value of User-Agent and Server",
        "registrar": "for how long phones register",
    },
    "RegistrarSection": {
        "min_expires": "shorter registrations are refused (423)",
        "max_expires": "longer ones are cut",
        "default_expires": "where a phone does not say",
    },
    "Http": {"listen": "address and port"},
    "Storage": {
        "directory": "where databases lie; relative to the directory in which the router runs",
        "records": "file of the call records; usually calls.jsonl in that directory",
    },
}

EXAMPLES: Final[dict[str, dict[str, list[Any]]]] = {
    "Company": {"country": ["BE", "FR"], "time_zone": ["Europe/Brussels"], "languages": [["fr", "en"]]},
    "Condition": {"then": ["reception", "voicemail", "queue:sales"]},
    "Role": {"when": [{"on_call": "voicemail", "no_answer": {"after": "20s", "then": "voicemail"}}]},
    "ProfileSection": {"code": ["*21"], "offers": [["message", {"transfer": "reception"}]]},
    "TargetSection": {"sip": ["sip:{extension}@203.0.113.9:5060"]},
    "Device": {"secret": ["$HA1$md5:…,sha256:…"]},
    "Registration": {"registrar": ["sip:provider.example"], "password": ["${TRUNK_PASSWORD}"]},
    "CallerExceptionSection": {"numbers": [["+32475111222", "+324422*"]]},
}
