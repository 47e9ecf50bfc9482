"""Fixtures of the tests with real peers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .baresip import Phone
from .company import SECRET, WORKING_HOURS, Company
from .peers import Peers
from .processes import Ports
from .router_process import Router
from .tones import write_tone

StartRouter = Callable[..., Router]
StartPhone = Callable[..., Phone]

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed (Debian: sip-tester)")
needs_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None or shutil.which("sox") is None,
    reason="baresip or sox is not installed (Debian: baresip-core, sox)",
)


@pytest.fixture(scope="session")
def ports() -> Ports:
    return Ports()


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company to change before the router is started with it."""
    return Company(ports, tmp_path)


@pytest.fixture
def start_router(company: Company) -> Iterator[StartRouter]:
    """Starts routers, with `company`; at the end each must end well, without a fault in its log."""
    routers: list[Router] = []

    def start(*, clock: str | None = WORKING_HOURS, prefix: tuple[str, ...] = (), name: str = "router") -> Router:
        router = Router(company, clock=clock, prefix=prefix, name=name)
        routers.append(router)
        return router

    yield start
    codes = [router.end() for router in routers]
    for router, code in zip(routers, codes, strict=True):
        assert not router.faults(), router.log[-6000:]
        assert code == 0, f"the router ended with {code}:\n{router.log[-4000:]}"


@pytest.fixture
def router(start_router: StartRouter) -> Router:
    """A router in working hours."""
    return start_router()


@pytest.fixture
def peers(router: Router, ports: Ports, tmp_path: Path) -> Iterator[Peers]:
    """SIPps round `router`."""
    peers = Peers(router, ports, tmp_path / "sipp")
    yield peers
    peers.end()


@pytest.fixture
def peers_of(ports: Ports, tmp_path: Path) -> Iterator[Callable[..., Peers]]:
    """SIPps round a router that the test started itself."""
    groups: list[Peers] = []

    def make(router: Router, prefix: tuple[str, ...] = ()) -> Peers:
        groups.append(Peers(router, ports, tmp_path / "sipp", prefix))
        return groups[-1]

    yield make
    for group in groups:
        group.end()


@pytest.fixture
def start_phone(ports: Ports) -> Iterator[StartPhone]:
    """Starts baresip phones: `start_phone("201", router.address, speaks=440, transport="tcp", answers=True)`."""
    phones: list[Phone] = []
    folder = Path(tempfile.mkdtemp(prefix="phones-"))  # of a short name: baresip cuts the paths of its sounds

    def start(
        account: str,
        registrar: str | None = None,
        *,
        speaks: int,
        transport: str = "udp",
        answers: bool = False,
        protects: str = "",
        port: int | None = None,
    ) -> Phone:
        tone = folder / f"{speaks}.wav"
        phone = Phone(
            account,
            folder / f"phone-{account}",
            sip_port=port or ports.free(10),
            control_port=ports.free(),
            media_port=ports.free(40),
            speaks=tone if tone.exists() else write_tone(tone, speaks),
            registrar=registrar,
            password=SECRET.format(account),
            transport=transport,
            answers=answers,
            protects=protects,
        )
        phones.append(phone)
        return phone.start()

    yield start
    for phone in phones:
        phone.end()
    shutil.rmtree(folder)
