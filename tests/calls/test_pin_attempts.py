"""Nobody finds a PIN by trying (V1)."""

from __future__ import annotations

from router.calls.pin_attempts import FIRST_PAUSE, FORGOTTEN_AFTER, LONGEST_PAUSE, MAX_WRONG, PinAttempts

NOW = 1_000_000.0


def wrong_until_shut(attempts: PinAttempts, now: float) -> float:
    """Try until the mailbox is shut; return for how long."""
    while not attempts.shut_for("bob", now):
        assert attempts.may_try("bob", now)
    return attempts.shut_for("bob", now)


def test_three_in_a_row_shut_the_mailbox_and_no_other() -> None:
    attempts = PinAttempts()
    assert [attempts.may_try("bob", NOW) for _ in range(MAX_WRONG + 1)] == [True, True, True, False]
    assert attempts.shut_for("bob", NOW) == FIRST_PAUSE
    assert attempts.shut_for("bob", NOW + FIRST_PAUSE) == 0
    assert attempts.may_try("carol", NOW)


def test_the_right_pin_forgets_the_wrong_ones() -> None:
    attempts = PinAttempts()
    for _ in range(10):
        assert attempts.may_try("bob", NOW)
        assert attempts.may_try("bob", NOW)
        attempts.right("bob")


def test_each_pause_is_twice_as_long_up_to_a_bound() -> None:
    attempts, now, pauses = PinAttempts(), NOW, []
    for _ in range(30):
        pauses.append(wrong_until_shut(attempts, now))
        now += pauses[-1]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_wrong_pins_of_long_ago_do_not_count() -> None:
    attempts = PinAttempts()
    for day in range(10):
        assert attempts.may_try("bob", NOW + day * (FORGOTTEN_AFTER + 1))
        assert attempts.shut_for("bob", NOW + day * (FORGOTTEN_AFTER + 1)) == 0
