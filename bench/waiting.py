"""What an event on a long waiting line costs.  The last line is one JSON object.

    python bench/waiting.py [--waiting 1000] [--events 20000]

Figures of the last line, in microseconds of CPU per event, with so many callers waiting all the time:

    enter_us, hang_up_us    a caller comes, and hears the position; any caller hangs up, and all behind have improved
    serve_us                one of the five events of a conversation: the ringing agent answers, the two are connected,
                            they end it, and what the agent's line does besides; with the next caller being offered
    sweep_us                one step of telling those who have improved (`advance`), 50 a second while there are any
    event_p99_us            of all of these, the one that only a hundredth exceeds
    event_longest_us        the longest of all (a run of the garbage collector is in it)
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from router.model.decision import LineState  # noqa: E402
from router.model.queue import AgentRules, Member, QueueRules, Strategy  # noqa: E402
from router.model.queue_events import (  # noqa: E402
    AgentAnswered,
    CallerEntered,
    CallerHungUp,
    Connected,
    ConversationEnded,
    LineChanged,
    QueueEvent,
)
from router.waiting.floor import Floor  # noqa: E402

AGENTS = 20
EVENTS_PER_SECOND = 20  # so that everybody has been told within the gap, and is to be told of the next improvement


class Bench:
    """Callers and agents of one queue; each event is timed."""

    def __init__(self, waiting: int) -> None:
        self.chance = random.Random(1)
        self.now = 1_795_420_800.0
        self.spent: dict[str, list[int]] = defaultdict(list)
        self.number = 0
        self.waiting: list[str] = []
        self.floor = Floor()
        names = [f"agent {number}" for number in range(AGENTS)]
        members = tuple(Member(name) for name in names)
        rules = QueueRules(
            "sales", members, Strategy.LONGEST_IDLE, max_length=2 * waiting, max_wait=None, announce_gap=5.0
        )
        self.floor.configure([rules], map(AgentRules, names), self.now)
        for _ in range(waiting + AGENTS):
            self.enters()
        self.spent.clear()

    def happens(self, what: str, event: QueueEvent) -> None:
        begun = time.thread_time_ns()
        self.floor.receive(event, self.now)
        self.spent[what].append(time.thread_time_ns() - begun)

    def enters(self) -> None:
        self.number += 1
        place = f"place {self.number}"
        self.waiting.append(place)
        tier = 0 if self.chance.random() < 0.1 else 1
        self.happens("enter", CallerEntered(place, "sales", self.now, place, tier))

    def hangs_up(self) -> None:
        index = self.chance.randrange(len(self.waiting))
        self.waiting[index], self.waiting[-1] = self.waiting[-1], self.waiting[index]
        self.happens("hang_up", CallerHungUp(self.waiting.pop()))

    def is_served(self) -> None:
        """One agent takes a call and ends it."""
        ringing = [agent for agent in self.floor.staff.agents.values() if agent.place]
        agent = self.chance.choice(ringing)
        place = agent.place
        self.waiting.remove(place)
        self.happens("serve", AgentAnswered(agent.name, place))
        self.happens("serve", LineChanged(agent.name, LineState.ON_CALL))
        self.happens("serve", Connected(place))
        self.passes(0.5 / EVENTS_PER_SECOND)
        self.happens("serve", ConversationEnded(place))
        self.happens("serve", LineChanged(agent.name, LineState.IDLE))

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.floor.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            begun = time.thread_time_ns()
            self.floor.advance(self.now)
            self.spent["sweep"].append(time.thread_time_ns() - begun)
        self.now = end

    def run(self, events: int, waiting: int) -> None:
        for _ in range(events):
            self.passes(1.0 / EVENTS_PER_SECOND)
            if len(self.waiting) < waiting:
                self.enters()
            elif self.chance.random() < 0.5:
                self.hangs_up()
            else:
                self.is_served()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=1000)
    parser.add_argument("--events", type=int, default=20_000)
    arguments = parser.parse_args()
    bench = Bench(arguments.waiting)
    bench.run(arguments.events, arguments.waiting)
    figures: dict[str, float] = {}
    for what, spent in sorted(bench.spent.items()):
        figures[f"{what}_us"] = round(sum(spent) / len(spent) / 1000, 1)
        print(f"{what}: {len(spent)} times, {figures[f'{what}_us']} us each, longest {max(spent) / 1000:.0f} us")
    everything = sorted(one for spent in bench.spent.values() for one in spent)
    figures["event_p99_us"] = round(everything[len(everything) * 99 // 100] / 1000, 1)
    figures["event_longest_us"] = round(everything[-1] / 1000, 1)
    print(json.dumps({"waiting": arguments.waiting, **figures}))


if __name__ == "__main__":
    main()
