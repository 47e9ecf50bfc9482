"""The comments of a first configuration, in English and in French."""

from __future__ import annotations

from typing import Final

COMMENTS: Final[dict[str, tuple[str, str]]] = {
    "c_company": (
        """\
# The company: who it is, which numbers it owns, when it works, and where calls end that nobody answers.
#
# A configuration is a directory of .yaml files; a section may stand in any of them. After a change, `renvoi check
# --config DIR` says what is wrong and where; `renvoi simulate` says what would happen to a call; a running router takes
# the change over on SIGHUP. `renvoi schema` makes an editor complete the keys and explain them.""",
        """\
# L'entreprise : qui elle est, ses numéros, ses heures, et où finissent les appels auxquels personne ne répond.
#
# Une configuration est un dossier de fichiers .yaml ; une section peut se trouver dans n'importe lequel. Après un
# changement, `renvoi check --config DOSSIER` dit ce qui ne va pas et où ; `renvoi simulate` dit ce qu'il adviendrait
# d'un appel ; un routeur en marche reprend le changement sur SIGHUP. `renvoi schema` apprend les clés à un éditeur.""",
    ),
    "c_numbers": (
        """\
# What the company owns. Nothing else is ever shown (S4), and only what is verified: take `verified` away from numbers
# that no test call has reached yet, once the main number is proved.""",
        """\
# Les numéros de l'entreprise. Rien d'autre n'est jamais affiché (S4), et seulement ce qui est vérifié : ôtez `verified`
# aux numéros qu'aucun appel d'essai n'a encore atteints, une fois le numéro principal prouvé.""",
    ),
    "c_calendars": (
        "# Sets of days, and opening hours on them: from 08:00 up to, but not including, 17:00 (G6, G7).",
        "# Des ensembles de jours, et les heures d'ouverture : de 08:00 jusqu'à 17:00 non compris (G6, G7).",
    ),
    "c_targets": (
        """\
# Where a call can go besides a person's phones: a SIP address, a person, or a number. {extension} is filled in with
# that of the person who was called: each has a mailbox of their own on the voicemail system at this address.""",
        """\
# Où un appel peut aller, hormis les téléphones d'une personne : une adresse SIP, une personne ou un numéro. {extension}
# est celle de la personne appelée : chacun a sa boîte sur le système de messagerie vocale à cette adresse.""",
    ),
    "c_sip": (
        """\
# Where the router listens. The realm is part of every secret in people.yaml: changing it makes them void. Metrics and
# health are served by HTTP, on this machine only.""",
        """\
# Où le routeur écoute. Le realm fait partie de chaque secret de people.yaml : le changer les rend caducs. Mesures et
# état sont servis par HTTP, sur cette machine seulement.""",
    ),
    "c_roles": (
        """\
# What the policy says about kinds of people: which number they show, and where calls go in each case. Every person has
# a role (S1). Another role takes this one over with `based_on: standard` and says only what differs.
# Letters and numbers such as M2 are the clauses of the policy; `renvoi simulate` cites them.""",
        """\
# Ce que la politique dit des catégories de personnes : quel numéro elles affichent, et où vont les appels dans chaque
# cas. Chacun a un rôle (S1). Un autre rôle reprend celui-ci par `based_on: standard` et ne dit que ce qui diffère.
# M2 et les autres sigles sont les clauses de la politique ; `renvoi simulate` les cite.""",
    ),
    "c_reception": (
        "  # The reception answers for the others: at lunch, too, but not outside office hours.",
        "  # La réception répond pour les autres : à midi aussi, mais pas hors des heures de bureau.",
    ),
    "c_profiles": (
        """\
# What people choose, or the schedule sets for them. The kind decides where calls go (`when` of the role); absent:
# phones do not ring. `code` is dialled to choose a profile (P2), `back` to return to the schedule, `hide_number` before
# a number to show none.""",
        """\
# Ce que les personnes choisissent, ou que l'horaire fixe pour elles. Le genre décide où vont les appels (`when` du
# rôle) ; absent : les téléphones ne sonnent pas. `code` se compose pour choisir un profil (P2), `back` pour revenir à
# l'horaire, `hide_number` devant un numéro pour n'en afficher aucun.""",
    ),
    "c_people": (
        """\
# Everybody, with their phones. The account of a phone is the extension. The secret holds no password: `renvoi secret`
# makes one from a password. A person who leaves keeps their entry, with `left: DATE` and `successor: ID` (S5).""",
        """\
# Chacun, avec ses téléphones. Le compte d'un téléphone est le numéro interne. Le secret ne contient pas de mot de
# passe : `renvoi secret` en fait un. Qui part garde son entrée, avec `left: DATE` et `successor: ID` (S5).""",
    ),
    "c_trunks": (
        """\
# Ways to the outside world, tried by priority (lowest first). The provider knows the router by its address. Calls that
# come from there are recognised by it; `from:` names further addresses.""",
        """\
# Les lignes vers l'extérieur, essayées par priorité (la plus basse d'abord). L'opérateur connaît le routeur par son
# adresse. Ses appels sont reconnus à la sienne ; `from:` en nomme d'autres.""",
    ),
    "c_trunks_registered": (
        """\
# Ways to the outside world, tried by priority (lowest first). The router registers with the provider; the password
# stands in a file of its own, which only the router's user may read.""",
        """\
# Les lignes vers l'extérieur, essayées par priorité (la plus basse d'abord). Le routeur s'enregistre chez l'opérateur ;
# le mot de passe est dans un fichier à part, que seul l'utilisateur du routeur peut lire.""",
    ),
}
