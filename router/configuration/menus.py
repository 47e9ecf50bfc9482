"""Compiles the menus: where each key leads, and who presses none (Q1, Q5, S3)."""

from __future__ import annotations

from typing import Final

from router.configuration.compilation import Compilation
from router.configuration.menu_sections import MenuSection
from router.configuration.targets import SOUND, TargetBook
from router.model.decision import TIMEOUT, WRONG, LeaveMessage, Reason, Target
from router.policy.snapshot import Menu, MenuLanguage, Treatment, frozen_mapping

KEYS: Final = "0123456789*#"
REPEAT: Final = "repeat"  # in place of a target: who presses a wrong key is asked again
_ANSWER: Final = ("reception", "voicemail")  # who presses nothing comes to the first of them that there is
_MESSAGE: Final = "voicemail"
_LANGUAGES: Final = {"fr": ("French", "en français"), "en": ("English", "en anglais")}


def compile_menus(compilation: Compilation, targets: TargetBook) -> dict[str, Menu]:
    """Return the menus by name. One with a fault that is a finding may lack a way."""
    return {name: _Compiler(compilation, targets, name).menu() for name in compilation.document.menus}


def takes_a_message(target: Target) -> bool:
    """Say whether a caller leaves a message there: in a mailbox of the router's own, or in a voicemail system."""
    return isinstance(target, LeaveMessage) or str(target) == _MESSAGE


class _Compiler:
    """Compiles one menu."""

    def __init__(self, compilation: Compilation, targets: TargetBook, name: str) -> None:
        self._compilation = compilation
        self._targets = targets
        self._name = name
        self._section: MenuSection = compilation.document.menus[name]
        self._ways: dict[str, Treatment] = {}

    def menu(self) -> Menu:
        section, name = self._section, self._name
        self._check()
        for key, written in section.keys.items():
            text, french = f"key {key} of menu {name}", f"touche {key} du menu {name}"
            self._add(key, written.then, ("keys", key), "Q1", text, french)
        self._add_message()
        self._add_without_a_choice()
        return Menu(
            name,
            frozen_mapping(self._ways),
            frozen_mapping({code: self._sound(written) for code, written in section.says.items()}),
            frozen_mapping({key: frozen_mapping(written.says) for key, written in section.keys.items()}),
            section.timeout,
            section.repeats,
            section.on_wrong != REPEAT,
            frozen_mapping({key: self._language(key, code) for key, code in section.languages.items()}),
            str(self._compilation.mark("menus", name)),
        )

    def _add(self, key: str, then: str, location: tuple[str, ...], clause: str, text: str, french: str) -> None:
        mark = self._compilation.mark("menus", self._name, *location)
        target = self._targets.template(then, mark)
        if target is not None:
            reason = Reason(clause, f"{text} → {then}", str(mark), f"{french} → {then}", "menu")
            self._ways[key] = Treatment(target, reason, "unconditional")

    def _add_message(self) -> None:
        """Q5: a message can be left in every menu, unless the key has another meaning."""
        key, name = self._section.message, self._name
        taken = key in self._section.keys or key in self._section.languages
        if taken or _MESSAGE not in self._targets or any(takes_a_message(way.target) for way in self._ways.values()):
            return
        self._add(key, _MESSAGE, ("message",), "Q5", f"key {key} of menu {name}", f"touche {key} du menu {name}")

    def _add_without_a_choice(self) -> None:
        section, name = self._section, self._name
        usual = next((target for target in _ANSWER if target in self._targets), "")
        nothing = section.on_timeout or usual
        if not nothing:
            mark = self._compilation.mark("menus", name)
            message = f"who presses nothing in the menu {name} reaches nobody"
            self._compilation.error(mark, message, "write on_timeout: with a target", "S3")
            return
        text, french = f"no key in menu {name}", f"aucune touche dans le menu {name}"
        self._add(TIMEOUT, nothing, ("on_timeout",), "S3", text, french)
        wrong = nothing if section.on_wrong == REPEAT else section.on_wrong
        text, french = f"no key that menu {name} has", f"aucune des touches du menu {name}"
        self._add(WRONG, wrong, ("on_wrong",), "S3", text, french)

    def _check(self) -> None:
        compilation, section, name = self._compilation, self._section, self._name
        if not section.keys and not compilation.gaps.covers("menus", name, "keys"):
            compilation.error(compilation.mark("menus", name, "keys"), f"the menu {name} has no keys", "", "Q1")
        for where in ("keys", "languages"):
            for key in getattr(section, where):
                if len(key) != 1 or key not in KEYS:
                    mark = compilation.mark("menus", name, where, key)
                    compilation.error(mark, f"{key!r} is no key of a telephone", "write 0 to 9, * or #", "Q1")
        if len(section.message) != 1 or section.message not in KEYS:
            mark = compilation.mark("menus", name, "message")
            compilation.error(mark, f"{section.message!r} is no key of a telephone", "write 0 to 9, * or #", "Q5")
        for key in section.languages:
            if key in section.keys:
                mark = compilation.mark("menus", name, "languages", key)
                compilation.error(mark, f"key {key} has two meanings in the menu {name}", "take one of them away", "Q1")
        for code, written in section.says.items():
            if written.endswith(SOUND) and not self._targets.sound(written).is_file():
                mark = compilation.mark("menus", name, "says", *((code,) if code else ()))
                compilation.error(mark, f"there is no file {written}", "put it beside this one")

    def _sound(self, written: str) -> str:
        return str(self._targets.sound(written)) if written.endswith(SOUND) else written

    def _language(self, key: str, code: str) -> MenuLanguage:
        english, french = _LANGUAGES.get(code, (code, code))
        mark = self._compilation.mark("menus", self._name, "languages", key)
        text = f"key {key} of menu {self._name}: {english} from here on"
        french = f"touche {key} du menu {self._name} : la suite {french}"
        return MenuLanguage(code, Reason("", text, str(mark), french, "menu"))
