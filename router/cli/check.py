"""`renvoi check`: what is wrong with a configuration, proved on the policy that would decide its calls."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import typer

from router.cli.findings import ConfigOption, JsonOption, print_findings, print_json, with_fetched_lists
from router.configuration.findings import Severity
from router.proof.check import Proof, prove


def check(config: ConfigOption, json: JsonOption = False) -> None:
    """Say what is wrong with a configuration: exit code 0 for nothing, 1 for findings, 2 for a wrong command line.

    Notes are worth knowing, but nothing is wrong with them.
    """
    began = time.perf_counter()
    proof = prove(config, time.time(), with_fetched_lists)
    took = time.perf_counter() - began
    if json:
        print_json(
            {
                "findings": [finding.as_dict() for finding in proof.findings],
                "people": proof.people,
                "targets": proof.targets,
                "greylist_prefixes": proof.prefixes,
                "cases": proof.cases,
                "seconds": round(took, 3),
            }
        )
    else:
        print_findings(proof.findings)
        print(_summary(proof, config, took))
    raise typer.Exit(1 if proof.at_fault else 0)


def register(app: typer.Typer) -> None:
    """Add `check` to the command line."""
    app.command()(check)


def _summary(proof: Proof, directory: Path, took: float) -> str:
    counts = Counter(finding.severity is Severity.NOTE for finding in proof.findings)
    parts = [_count(counts[False], "finding")]
    if counts[True]:
        parts.append(_count(counts[True], "note"))
    if not proof.cases:
        return " · ".join([*parts, f"{directory} cannot be loaded, so nothing was proved"])
    parts += [_count(proof.people, "person", "people"), _count(proof.targets, "target")]
    parts.append(_count(proof.prefixes, "greylist prefix", "greylist prefixes"))
    return " · ".join([*parts, f"proved over {proof.cases:,} cases in {took:.1f} s"])


def _count(number: int, one: str, many: str = "") -> str:
    if number == 1:
        return f"1 {one}"
    return f"{number:,} {many or one + 's'}" if number else f"no {many or one + 's'}"
