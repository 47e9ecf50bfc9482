"""What goes wrong in a waiting line: misuse by our own code, never a caller's or an agent's doing."""

from __future__ import annotations


class LineError(Exception):
    """An event that cannot have happened; it has changed nothing."""
