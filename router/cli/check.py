"""`renvoi check`: what is wrong with a configuration, proved on the policy that would decide its calls."""

from __future__ import annotations

import time

import typer

from router.cli.findings import ConfigOption, JsonOption, print_findings, print_json
from router.proof.check import check as check_configuration


def check(config: ConfigOption, json: JsonOption = False) -> None:
    """Say what is wrong with a configuration: exit code 0 for nothing, 1 for findings, 2 for a wrong command line."""
    began = time.perf_counter()
    findings = check_configuration(config, time.time())
    if json:
        print_json({"findings": [finding.as_dict() for finding in findings]})
    else:
        print_findings(findings)
        count = "no finding" if not findings else "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        print(f"{count} · {config} · {time.perf_counter() - began:.1f} s")
    raise typer.Exit(1 if findings else 0)


def register(app: typer.Typer) -> None:
    """Add `check` to the command line."""
    app.command()(check)
