"""`renvoi init`: a first configuration from a few answers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from router.cli.findings import Language, LanguageOption, load_or_exit
from router.configuration.first_steps import (
    COUNTRIES,
    PASSWORD_FILE,
    Answers,
    first_configuration,
    first_people,
    read_address,
    read_number,
    read_range,
    usual_main_number,
    usual_range,
)

SECRET_FILES = ("people.yaml", PASSWORD_FILE)
PASSWORD_VARIABLE = "TRUNK_PASSWORD"

_Read = TypeVar("_Read")

_QUESTIONS = {
    "company": ("Name of the company", "Nom de l'entreprise"),
    "country": ("Country (two letters)", "Pays (deux lettres)"),
    "main_number": ("Main number", "Numéro principal"),
    "numbers": ("Range of numbers, first..last", "Plage de numéros, premier..dernier"),
    "person": ("First person, who is the reception too", "Première personne, qui est aussi la réception"),
    "next_person": ("Next person (nothing: enough)", "Personne suivante (rien : assez)"),
    "trunk": ("Address of the provider, host or host:port", "Adresse de l'opérateur, hôte ou hôte:port"),
    "trunk_user": (
        "Account at the provider (nothing: it knows our address)",
        "Compte chez l'opérateur (rien : il connaît notre adresse)",
    ),
    "trunk_password": ("Password of this account", "Mot de passe de ce compte"),
    "listen": ("Address and port where the router listens", "Adresse et port où le routeur écoute"),
    "voicemail": ("Address of the voicemail system", "Adresse de la messagerie vocale"),
    "a_company": ("My company", "Mon entreprise"),
    "somebody": ("Reception", "Réception"),
    "written": ("written:", "écrit :"),
    "passwords": (
        "Passwords of the phones, shown this once (account, password):",
        "Mots de passe des téléphones, montrés cette seule fois (compte, mot de passe) :",
    ),
    "next": ("Next:", "Ensuite :"),
    "to_replace": (
        f"Put the provider's password into {PASSWORD_FILE}.",
        f"Mettez le mot de passe de l'opérateur dans {PASSWORD_FILE}.",
    ),
}


def init(
    directory: Annotated[Path, typer.Argument(help="Where to write it; made where it is missing.", metavar="DIR")],
    company: Annotated[str | None, typer.Option(help="Name of the company.")] = None,
    country: Annotated[str | None, typer.Option(help="Country, ISO 3166-1: " + ", ".join(COUNTRIES))] = None,
    main_number: Annotated[str | None, typer.Option(help="Main number.")] = None,
    numbers: Annotated[str | None, typer.Option(help="Range of numbers, as FIRST..LAST.")] = None,
    person: Annotated[
        list[str] | None, typer.Option(help="Name of a person; may be repeated. The first is the reception, too.")
    ] = None,
    trunk: Annotated[str | None, typer.Option(help="Address of the provider, as HOST or HOST:PORT.")] = None,
    trunk_user: Annotated[
        str | None,
        typer.Option(help=f"Account at the provider, where the router registers; password from ${PASSWORD_VARIABLE}."),
    ] = None,
    listen: Annotated[str | None, typer.Option(help="Address and port where the router listens.")] = None,
    voicemail: Annotated[str | None, typer.Option(help="Address of a voicemail system, as HOST:PORT.")] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Write a first configuration, commented and valid, from a few answers. Nothing is overwritten."""
    _refuse_to_overwrite(directory)
    asking = _Asking(lang, defaults)
    name = asking.for_(company, "company", asking.words("a_company"), _not_empty)
    land = asking.for_(country, "country", "FR" if lang is Language.FRENCH else "BE", _country)
    main = asking.for_(main_number, "main_number", usual_main_number(land), lambda text: read_number(text, land))
    bounds = asking.for_(numbers, "numbers", "..".join(usual_range(main)), lambda text: read_range(text, land))
    people = first_people(_names(person, asking), bounds, main, _passwords())
    provider = asking.for_(trunk, "trunk", "127.0.0.1:5080", read_address)
    user = asking.for_(trunk_user, "trunk_user", "", str)
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if user and not password and not defaults:
        password = typer.prompt(asking.words("trunk_password"), hide_input=True)
    answers = Answers(
        company=name,
        country=land,
        main_number=main,
        first_number=bounds[0],
        last_number=bounds[1],
        people=people,
        trunk=provider,
        trunk_user=user,
        trunk_password=password or "to-be-replaced",
        listen=asking.for_(listen, "listen", "127.0.0.1:5060", read_address),
        voicemail=asking.for_(voicemail, "voicemail", "127.0.0.1:5091", read_address),
        language=lang.value,
    )
    files = first_configuration(answers)
    _write(directory, files)
    load_or_exit(directory)
    print(asking.words("written"), *(f"  {directory / file}" for file in files), sep="\n")
    print(asking.words("passwords"), *(f"  {one.extension}  {one.password}  ({one.name})" for one in people), sep="\n")
    if user and not password:
        print(asking.words("to_replace"))
    print(asking.words("next"), *(f"  renvoi {step} --config {directory}" for step in ("check", "serve")), sep="\n")


def register(app: typer.Typer) -> None:
    """Add `init` to the command line."""
    app.command()(init)


class _Asking:
    """Asks what was not given as an option."""

    def __init__(self, language: Language, defaults: bool) -> None:
        self._index = 1 if language is Language.FRENCH else 0
        self._defaults = defaults

    def words(self, key: str) -> str:
        return _QUESTIONS[key][self._index]

    def for_(self, given: str | None, key: str, default: str, read: Callable[[str], _Read]) -> _Read:
        """Return what `read` makes of the option that was given, else of the answer; it raises `ValueError`."""
        if given is not None or self._defaults:
            try:
                return read(default if given is None else given)
            except ValueError as error:
                raise typer.BadParameter(str(error), param_hint="--" + key.replace("_", "-")) from None
        while True:
            answer: str = typer.prompt(self.words(key), default=default, show_default=bool(default))
            try:
                return read(answer.strip())
            except ValueError as error:
                print(error)

    def more_people(self) -> Iterator[str]:
        """Yield the names that are given, until nothing is."""
        key = "person"
        while not self._defaults:
            name: str = typer.prompt(self.words(key), default="", show_default=False).strip()
            if not name and key == "next_person":
                return
            if name:
                key = "next_person"
                yield name


def _names(given: list[str] | None, asking: _Asking) -> list[str]:
    names = [name.strip() for name in given or asking.more_people() if name.strip()]
    return names or [asking.words("somebody")]


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("this has to be something")
    return text


def _country(text: str) -> str:
    if text.upper() not in COUNTRIES:
        raise ValueError(f"{text!r} is none of {', '.join(COUNTRIES)}")
    return text.upper()


def _passwords() -> Iterator[str]:
    while True:
        yield secrets.token_urlsafe(12)


def _refuse_to_overwrite(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise typer.BadParameter(f"{directory} is a file", param_hint="DIR")
    found = sorted(path.name for path in directory.glob("*") if path.suffix in (".yaml", ".yml"))
    if (directory / PASSWORD_FILE).exists():
        found.append(PASSWORD_FILE)
    if found:
        raise typer.BadParameter(
            f"{directory} holds {', '.join(found)} already, and nothing is overwritten; name another directory",
            param_hint="DIR",
        )


def _write(directory: Path, files: dict[str, str]) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            # What helps to pass for somebody's phone is for the router's user only.
            mode = 0o600 if name in SECRET_FILES else 0o644
            descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="DIR") from None
