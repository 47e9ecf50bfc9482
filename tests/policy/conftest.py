"""Fixtures of the policy's tests."""

from __future__ import annotations

import pytest

from tests.policy.company import Desk, configuration


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk(configuration().policy)
