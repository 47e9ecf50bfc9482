"""What a monitoring system sees over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from router.model.tally import Counts
from router.observe.metrics import Metrics
from router.web.application import create_app
from router.web.server import WebServer


class Router:
    """A router reduced to what the web room sees of it, and a client that asks."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.checks = {"serving": True, "configuration": True}
        self.requests = Counts()
        self.metrics = Metrics()
        self.metrics.counter("sip_requests_total", "Requests.", ["method"], self.requests)
        self.server: WebServer
        self.client = client

    async def asked(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        response = await self.client.get(self.server.url + path, headers=headers)
        await response.read()
        return response


@pytest.fixture(params=["127.0.0.1", "::1"])
async def router(request: pytest.FixtureRequest) -> AsyncIterator[Router]:
    async with aiohttp.ClientSession() as client:
        router = Router(client)
        router.server = await WebServer.start(
            create_app(router.metrics.registry, lambda: router.checks), request.param, 0
        )
        yield router
        await router.server.close()


async def test_metrics_show_the_numbers_of_the_moment(router: Router) -> None:
    router.requests[("INVITE",)] += 2
    assert 'sip_requests_total{method="INVITE"} 2.0' in await (await router.asked("/metrics")).text()
    router.requests[("INVITE",)] += 1
    response = await router.asked("/metrics", Accept="application/openmetrics-text; version=nonsense; q=x")
    assert 'sip_requests_total{method="INVITE"} 3.0' in await response.text()
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")


async def test_health_is_about_the_process_alone(router: Router) -> None:
    router.checks["serving"] = False
    response = await router.asked("/healthz")
    assert response.status == 200
    assert await response.json() == {"status": "alive"}


async def test_ready_only_when_every_check_holds(router: Router) -> None:
    assert (await router.asked("/readyz")).status == 200

    router.checks["serving"] = False
    response = await router.asked("/readyz")
    assert response.status == 503
    assert await response.json() == {
        "status": "not ready",
        "checks": {"serving": False, "configuration": True},
        "failing": ["serving"],
    }


async def test_not_ready_before_there_is_anything_to_check(router: Router) -> None:
    router.checks.clear()
    assert (await router.asked("/readyz")).status == 503


async def test_other_paths_and_methods_are_refused(router: Router) -> None:
    assert (await router.asked("/etc/passwd")).status == 404
    async with router.client.post(router.server.url + "/metrics", data=b"x") as response:
        assert response.status == 405


async def test_after_closing_the_port_is_free_again(router: Router) -> None:
    await router.server.close()
    with pytest.raises(aiohttp.ClientConnectionError):
        await router.asked("/healthz")


async def test_a_taken_port_is_named_in_the_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"HTTP cannot listen on 127.0.0.1:{port}"):
            await WebServer.start(create_app(Metrics().registry, dict), "127.0.0.1", port)
