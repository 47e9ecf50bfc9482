"""A network of its own, whose loopback loses one UDP datagram of so many.  Needs root, iproute2 and nftables."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

RULES = """
table inet loss {{
  chain input {{
    type filter hook input priority 0;
    meta l4proto udp numgen inc mod {every} 0 counter drop
  }}
}}
"""


def why_not() -> str | None:
    """Why no loss box can be had here, or None when it can."""
    if os.geteuid() != 0:
        return "a loss box needs root (network namespace)"
    missing = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    return f"a loss box needs {' and '.join(missing)}" if missing else None


class LossBox:
    """One network namespace. Commands prefixed with `prefix` run inside it.

    Args:
        every: which datagram is lost. It is counted, not drawn: SIPp does not survive the loss of its 180 and its 200.
    """

    def __init__(self, every: int) -> None:
        self._name = f"renvoi-loss-{os.getpid()}"
        self.prefix = ("ip", "netns", "exec", self._name)
        subprocess.run(["ip", "netns", "add", self._name], check=True)
        try:
            subprocess.run([*self.prefix, "ip", "link", "set", "lo", "up"], check=True)
            rules = RULES.format(every=every)
            subprocess.run([*self.prefix, "nft", "-f", "-"], input=rules, text=True, check=True)
        except subprocess.CalledProcessError:
            self.close()
            raise

    @property
    def lost(self) -> int:
        """Datagrams lost so far."""
        listing = subprocess.run([*self.prefix, "nft", "list", "ruleset"], capture_output=True, text=True, check=True)
        match = re.search(r"counter packets (\d+)", listing.stdout)
        assert match, listing.stdout
        return int(match.group(1))

    def close(self) -> None:
        subprocess.run(["ip", "netns", "del", self._name], check=True)
