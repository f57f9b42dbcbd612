"""An HTTP endpoint on loopback above a LiveRelay: health, result, metrics, and changes.

It is for programs of this machine, not for browsers. A web page could otherwise change the relay,
so a request that names another host (a rebound DNS name) or comes from a page is refused. The
metrics have the format that Prometheus reads, and every number comes from the result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..errors import ScenarioError
from ..measure import Result
from ..relay.forced import PASSWORD
from ..relay.kinds import KINDS
from ..text import one_line, shown
from ..units import seconds
from .live_relay import LiveRelay

HOST = "127.0.0.1"
MOST_BYTES = 65_536
"""The most bytes of a request's body."""
METRICS = "text/plain; version=0.0.4; charset=utf-8"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """``start`` opens ``port`` of loopback in the running loop. 0 is any free port; ``port`` is
    then the one that was opened.
    """

    def __init__(self, live: LiveRelay, port: int) -> None:
        self._live = live
        self.port = port
        app = web.Application(middlewares=[_in_words, _for_programs], client_max_size=MOST_BYTES)
        for method, path, handler, _ in self._routes():
            app.router.add_route(method, path, handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Opens the port. Raises ScenarioError if that is not possible."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await self._runner.cleanup()
            # asyncio's own text repeats the address
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            problem = (
                f"cannot listen on {HOST} port {self.port}: {why}; take another port, or 0 "
                "for a free one"
            )
            raise ScenarioError("command line", "--http", problem) from None
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Closes the port."""
        await self._runner.cleanup()

    def _routes(self) -> list[tuple[str, str, Handler, str]]:
        return [
            ("GET", "/", self._index, "this list"),
            ("GET", "/health", self._health, "whether it runs, and where"),
            ("GET", "/result", self._result, "the result so far, as at the end"),
            ("GET", "/metrics", self._metrics, "the numbers for Prometheus"),
            ("GET", "/state", self._state, "policy, network, faults and what is refused next"),
            (
                "PATCH",
                "/policy",
                self._patch_policy,
                'lays a table over the policy: {"logins_per_username": 3}',
            ),
            (
                "PATCH",
                "/network",
                self._patch_network,
                'lays a table over the network: {"rtt": "40ms"}',
            ),
            (
                "PUT",
                "/faults",
                self._put_faults,
                (
                    "these faults and no others, from now: "
                    '{"slow": {"at": 0, "for": "10s", "factor": 20}}'
                ),
            ),
            ("DELETE", "/faults", self._delete_faults, "no faults"),
            (
                "PUT",
                "/next/{limit}",
                self._put_next,
                f'refuses the next of that limit, or of "{PASSWORD}": {{"times": 1}}',
            ),
            ("DELETE", "/next/{limit}", self._delete_next, "takes that back"),
            ("DELETE", "/counts", self._delete_counts, "empties every count, lifts every block"),
        ]

    async def _index(self, request: web.Request) -> web.Response:
        return _json({f"{method} {path}": about for method, path, _, about in self._routes()})

    async def _health(self, request: web.Request) -> web.Response:
        live = self._live
        return _json(
            {
                "status": "ok",
                "port": live.port,
                "tls_port": live.tls_port or None,
                "uptime_s": seconds(live.now),
            }
        )

    async def _result(self, request: web.Request) -> web.Response:
        return _json(self._live.result().to_dict())

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=exposed(self._live), headers={"Content-Type": METRICS})

    async def _state(self, request: web.Request) -> web.Response:
        return _json(self._live.conditions())

    async def _patch_policy(self, request: web.Request) -> web.Response:
        return self._changed(self._live.change_policy, await _body(request), "PATCH /policy")

    async def _patch_network(self, request: web.Request) -> web.Response:
        return self._changed(self._live.change_network, await _body(request), "PATCH /network")

    async def _put_faults(self, request: web.Request) -> web.Response:
        return self._changed(self._live.change_faults, await _body(request), "PUT /faults")

    async def _delete_faults(self, request: web.Request) -> web.Response:
        return self._changed(self._live.change_faults, {}, "DELETE /faults")

    async def _put_next(self, request: web.Request) -> web.Response:
        table = await _body(request) if request.can_read_body else {}
        wrong = [key for key in table if key != "times"] if isinstance(table, dict) else [table]
        if wrong:
            raise ScenarioError(
                "PUT /next",
                "",
                f'{shown(wrong[0])} is not allowed; write {{"times": 2}}, or nothing for once',
            )
        self._live.refuse_next(request.match_info["limit"], table.get("times", 1), "PUT /next")
        return _json(self._live.conditions())

    async def _delete_next(self, request: web.Request) -> web.Response:
        self._live.refuse_next(request.match_info["limit"], 0, "DELETE /next")
        return _json(self._live.conditions())

    async def _delete_counts(self, request: web.Request) -> web.Response:
        self._live.forget()
        return _json(self._live.conditions())

    def _changed(
        self, change: Callable[[object, str], None], table: object, place: str
    ) -> web.Response:
        change(table, place)
        return _json(self._live.conditions())


def _json(data: Any, status: int = 200, **headers: str) -> web.Response:
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    return web.Response(
        text=text + "\n", status=status, content_type="application/json", headers=headers
    )


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except (ValueError, LookupError, RecursionError):  # LookupError: a charset that does not exist
        raise ScenarioError(
            f"{request.method} {request.path}", "", "the body is not JSON; write a table like {}"
        ) from None


@web.middleware
async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers a mistake with status 4xx and a remedy, as JSON."""
    try:
        return await handler(request)
    except ScenarioError as error:
        return _json({"errors": [one_line(line) for line in str(error).splitlines()]}, 400)
    except web.HTTPException as error:
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        said = f"{request.method} {request.path}: {error.reason}; GET / lists what there is"
        return _json({"errors": [one_line(said)]}, error.status, **allowed)


@web.middleware
async def _for_programs(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses requests that a browser sends on behalf of a page, and host names other than
    loopback's.
    """
    host = request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if not _is_loopback(host):
        raise ScenarioError(
            f"{request.method} {request.path}",
            "Host",
            f"{shown(host)} is not allowed; write 127.0.0.1 or localhost",
        )
    if (origin is not None and origin != f"http://{host}") or request.headers.get(
        "Sec-Fetch-Site"
    ) in (
        "cross-site",
        "same-site",
    ):
        raise web.HTTPForbidden(reason="a page of another site may not ask")
    return await handler(request)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def exposed(live: LiveRelay) -> bytes:
    """The text of one scrape, in the classic text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Numbers(live))
    return generate_latest(registry)


class _Numbers(Collector):
    """One scrape. Nothing is counted here: every number comes from the result."""

    def __init__(self, live: LiveRelay) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        live = self._live
        result = self._live.result()
        yield _count(
            "messages_accepted",
            "Messages answered 250 after DATA, each once",
            result.messages.accepted,
        )
        yield _count(
            "messages_duplicated",
            "Further acceptances of the same message",
            result.messages.duplicated,
        )
        yield _gauge("messages_lost", "Messages seen and not accepted so far", result.messages.lost)
        yield _count(
            "connections_opened", "Connections that TCP accepted", result.connections.opened
        )
        yield _count(
            "connections_refused",
            "Connections refused in place of the greeting",
            result.connections.refused,
        )
        yield _gauge("connections_open", "Connections open now", len(live.connections))
        yield _counts("logins", "Logins by how they ended", "outcome", _logins(result))
        yield _counts("incidents", "Refusals caused by a limit", "limit", result.incidents.by_limit)
        yield _counts("blocks", "Blocks that began", "limit", _blocks(result, since=None))
        running = GaugeMetricFamily(
            "relaysim_blocks_running", "Blocks in force now", labels=["limit"]
        )
        for limit, number in _blocks(result, since=seconds(live.now)).items():
            running.add_metric([limit], number)
        yield running
        counts = GaugeMetricFamily(
            "relaysim_limit_count", "What each limit of the policy allows", labels=["limit"]
        )
        for kind, spec in live.relay.policy.by_kind():
            counts.add_metric([kind.name], spec.count)
        yield counts
        yield _gauge("uptime_seconds", "Seconds since the relay started", seconds(live.now))


def _count(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"relaysim_{name}", about, value=value)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"relaysim_{name}", about, value=value)


def _counts(name: str, about: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"relaysim_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _logins(result: Result) -> dict[str, int]:
    logins = result.logins
    return {"accepted": logins.accepted, "failed": logins.failed, "refused": logins.refused}


def _blocks(result: Result, since: float | None) -> dict[str, int]:
    """Blocks by limit: all, or those in force at ``since`` seconds. A limit on failed logins
    without a block has 0.
    """
    found = {limit: 0 for limit in result.incidents.by_limit if KINDS[limit].failures}
    for block in result.blocks:
        if since is None or block.from_s <= since < block.until_s:
            found[block.limit] = found.get(block.limit, 0) + 1
    return found
