"""The company's telephone policy as a pure function: `decide(facts, policy, now) -> Decision`."""

from router.policy.rules import decide
from router.policy.snapshot import Policy

__all__ = ["Policy", "decide"]
