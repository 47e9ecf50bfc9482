"""Who talks to the router in a test: callers and callees from the trunk, phones, strangers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .company import OUTSIDE, SECRET
from .processes import Ports
from .router_process import Router
from .sipp import Sipp

DEFAULT_KEYS = {"caller": OUTSIDE, "caller_name": "Paul Outside", "header": "Subject: interop", "max_forwards": "70"}


class Peers:
    """Starts SIPps round one router, and ends what is left of them."""

    def __init__(self, router: Router, ports: Ports, folder: Path, prefix: tuple[str, ...] = ()) -> None:
        self.router, self._ports, self._folder, self._prefix = router, ports, folder, prefix
        self._running: list[Sipp] = []
        self._phone_ports: dict[str, int] = {}

    # -- callees

    def trunk(self, scenario: str, **options: Any) -> Sipp:
        """Run a callee as the far end of trunk "first"."""
        return self._callee(scenario, self.router.company.trunk_port, options)

    def second_trunk(self, scenario: str, **options: Any) -> Sipp:
        """Run a callee as the far end of trunk "second"."""
        return self._callee(scenario, self.router.company.second_trunk_port, options)

    def target(self, name: str, scenario: str = "callee_answers", **options: Any) -> Sipp:
        """Run a callee as reception, voicemail, queue:sales or queue:technical."""
        return self._callee(scenario, self.router.company.target_ports[name], options)

    def phone(self, account: str, scenario: str = "callee_answers", **options: Any) -> Sipp:
        """Register a phone and run a callee on the port it registered from."""
        return self.callee_at(self.register(account), scenario, **options)

    def callee_at(self, port: int, scenario: str, **options: Any) -> Sipp:
        """Run a callee on a given port."""
        return self._callee(scenario, port, options)

    def _callee(self, scenario: str, port: int, options: dict[str, Any]) -> Sipp:
        return self._start(scenario, port, options).listening()

    # -- callers

    def call(self, scenario: str, dial: str, **options: Any) -> Sipp:
        """Call from the outside world, by trunk "first"."""
        return self._start(scenario, self.router.company.callers_port, {**options, "dial": dial})

    def call_by_second_trunk(self, scenario: str, dial: str, **options: Any) -> Sipp:
        """Call from the outside world by trunk "second", for a test that needs two calls at once."""
        return self._start(scenario, self.router.company.second_trunk_port, {**options, "dial": dial})

    def pbx_calls(self, scenario: str, dial: str, **options: Any) -> Sipp:
        """Call from the trusted PBX."""
        return self._start(scenario, self.router.company.pbx_port, {**options, "dial": dial})

    def phone_calls(self, account: str, scenario: str, dial: str, **options: Any) -> Sipp:
        """Call from a phone that proves itself by digest; it need not be registered."""
        keys = {"caller": account, "caller_name": account, **options.pop("keys", {})}
        options = {"user": account, "password": SECRET.format(account), **options, "keys": keys, "dial": dial}
        return self._start(scenario, self._ports.free(), options)

    def from_port(self, port: int, scenario: str, dial: str, **options: Any) -> Sipp:
        """Call from a given port."""
        return self._start(scenario, port, {**options, "dial": dial})

    def stranger(self, scenario: str, dial: str, **options: Any) -> Sipp:
        """Come from a source that the router does not know."""
        return self._start(scenario, self._ports.free(), {**options, "dial": dial})

    # -- registration

    def register(self, account: str, *, expires: int = 600, password: str | None = None) -> int:
        """Register a phone, by default at a port of its own; returns that port."""
        port = self._phone_ports.setdefault(account, self._ports.free())
        self.registers(
            account, "phone_registers", f"<sip:{account}@127.0.0.1:{port}>", expires, port=port, password=password
        ).succeeds()
        return port

    def registers(
        self,
        account: str,
        scenario: str,
        contact: str,
        expires: int | str,
        *,
        port: int | None = None,
        password: str | None = None,
    ) -> Sipp:
        """Send a REGISTER with digest by one of the registration scenarios."""
        return self._start(
            scenario,
            self._ports.free() if port is None else port,
            {
                "dial": account,
                "user": account,
                "password": SECRET.format(account) if password is None else password,
                "keys": {"contact": contact, "expires": str(expires)},
            },
        )

    def register_port(self, account: str) -> int:
        """The port that a phone registered from."""
        return self._phone_ports[account]

    def free_port(self) -> int:
        """A port for one more phone."""
        return self._ports.free()

    # --

    def _start(self, scenario: str, port: int, options: dict[str, Any]) -> Sipp:
        options = {"remote": self.router.address, **options, "keys": {**DEFAULT_KEYS, **options.get("keys", {})}}
        sipp = Sipp(
            scenario,
            self._folder,
            port=port,
            media_port=self._ports.free(4),
            prefix=self._prefix,
            **options,
        )
        self._running.append(sipp)
        return sipp

    def end(self) -> None:
        """End every SIPp that still runs."""
        for sipp in self._running:
            sipp.stop()
