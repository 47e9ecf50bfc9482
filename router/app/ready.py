"""What is said on standard output when the router is ready."""

from __future__ import annotations

import sys
from typing import Final

from router import native
from router.app.router import Router
from router.configuration import Configuration
from router.transport.address import host_port

MAX_ACCOUNTS_SHOWN: Final = 30


def announce(router: Router) -> None:
    """Say what listens where, whose the sample phones are, and that calls can come."""
    configuration = router.configuration
    write = sys.stdout.write
    write(f"{configuration.company_name}: configuration {configuration.hash[:12]} from {configuration.directory}\n")
    for listener in router.transports.listeners:
        write(f"  sip   {listener.transport:4} {host_port(listener.host, listener.port)}\n")
    write(f"  http       {router.web.url}/metrics\n")
    _announce_accounts(configuration)
    hot_path = "compiled" if native.compiled() else "interpreted, at half the speed; `make native` compiles it"
    write(f"  hot path   {hot_path}\n")
    write("renvoi ready\n")
    sys.stdout.flush()


def _announce_accounts(configuration: Configuration) -> None:
    """List the phones' accounts of a small company; their secrets stand in the configuration, never here."""
    accounts = configuration.accounts.values()
    sys.stdout.write(f"  accounts   {len(accounts)}, in the realm {configuration.realm}")
    if len(accounts) > MAX_ACCOUNTS_SHOWN:
        sys.stdout.write("\n")
        return
    sys.stdout.write(" (secrets: see `devices` in the configuration)\n")
    for account in accounts:
        sys.stdout.write(f"             {account.user:<12} {account.connection:<10} {account.person}\n")
