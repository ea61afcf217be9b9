"""A steady stream of requests, to say of a deployment that no request was lost."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: How many connections keep alive, and how many clients make a new one for each request.
KEPT, FRESH = 8, 8


@dataclass(frozen=True)
class Failure:
    """A request that was not served."""

    #: Seconds from the beginning of the traffic to the sending of the request.
    sent: float
    #: The same of when it was known to have failed.
    failed: float
    #: ``status 503``, or the exception: ``ConnectionResetError: ...``, ``TimeoutError: ...``.
    what: str
    #: Whether the connection was a kept one; else it was made for the request.
    kept: bool


@dataclass
class Traffic:
    """What has become of the requests so far. Complete once the context is left."""

    #: How many requests have been sent.
    sent: int = 0
    failures: list[Failure] = field(default_factory=list)
    #: Answers that are no failures: by status, by body, by the value of the header asked for.
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: Counter[str] = field(default_factory=Counter)
    headers: Counter[str] = field(default_factory=Counter)
    #: What ended a client for a reason of its own; raised when the context is left.
    broken: list[Exception] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def answered(self) -> int:
        """How many requests were served."""
        return self.statuses.total()


@contextmanager
def traffic(
    url: str, host: str, rate: int = 200, *, header: str = "Server", timeout: float = 10.0
) -> Iterator[Traffic]:
    """``rate`` requests a second to ``url`` with that Host until the context is left.

    The requests under way are waited for then, so that all are accounted for.
    """
    run = _Run(url=url, host=host, header=header, timeout=timeout, every=(KEPT + FRESH) / rate)
    clients = [_Client(run, n / rate, keeps=n < KEPT) for n in range(KEPT + FRESH)]
    threads = [threading.Thread(target=client.work, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield run.seen
    finally:
        run.stop.set()
        for thread in threads:
            thread.join()
    if run.seen.broken:
        raise run.seen.broken[0]


@dataclass(kw_only=True)
class _Run:
    """What all clients share. Seconds."""

    url: str
    host: str
    header: str
    timeout: float
    #: Between two requests of one client.
    every: float
    seen: Traffic = field(default_factory=Traffic)
    stop: threading.Event = field(default_factory=threading.Event)
    begun: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return time.monotonic() - self.begun


class _Client:
    """Asks at its times; where it is late it makes up for it, so that the rate stays."""

    def __init__(self, run: _Run, due: float, *, keeps: bool) -> None:
        target = urlsplit(run.url)
        self.run, self.due, self.keeps = run, due, keeps
        self.path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        self.headers = {"Host": run.host} | ({} if keeps else {"Connection": "close"})
        self.connection = http.client.HTTPConnection(
            target.hostname or "localhost", target.port, timeout=run.timeout
        )

    def work(self) -> None:
        try:
            while not self.run.stop.wait(max(self.due - self.run.now(), 0)):
                self.due += self.run.every
                self.ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the user is to know
            self.run.seen.broken.append(error)
        finally:
            self.connection.close()

    def ask(self) -> None:
        sent, kept = self.run.now(), self.connection.sock is not None
        with self.run.seen.lock:
            self.run.seen.sent += 1
        try:
            self.connection.request("GET", self.path, headers=self.headers)
            answer = self.connection.getresponse()
            body = answer.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.note(Failure(sent, self.run.now(), f"{type(error).__name__}: {error}", kept))
        else:
            if answer.status >= 500:
                self.note(Failure(sent, self.run.now(), f"status {answer.status}", kept))
            else:
                self.count(answer, body)
            if not self.keeps:
                self.connection.close()

    def note(self, failure: Failure) -> None:
        with self.run.seen.lock:
            self.run.seen.failures.append(failure)

    def count(self, answer: http.client.HTTPResponse, body: str) -> None:
        seen = self.run.seen
        with seen.lock:
            seen.statuses[answer.status] += 1
            seen.bodies[body] += 1
            seen.headers[answer.headers.get(self.run.header, "")] += 1
