"""The generator of traffic misses no failure: what it says of deployments rests on that."""

from __future__ import annotations

import socketserver
import threading
import time
from contextlib import contextmanager

from openecs.testing.traffic import FRESH, KEPT, traffic


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address=("127.0.0.1", 0)):
        super().__init__(address, Handler)
        self.reply, self.connections, self.lock = ok, 0, threading.Lock()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        with self.server.lock:
            self.server.connections += 1
        while self.wants_one():
            reply = self.server.reply()
            if reply is None:
                return
            self.wfile.write(reply)

    def wants_one(self):
        try:
            while line := self.rfile.readline():
                if line == b"\r\n":
                    return True
        except OSError:
            pass
        return False


def ok():
    return b"HTTP/1.1 200 OK\r\nX-Target: one\r\nContent-Length: 2\r\n\r\nme"


def busy():
    return b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def hang_up():
    return None


@contextmanager
def serving():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def url(server):
    return f"http://127.0.0.1:{server.server_address[1]}/"


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_everything_served():
    with serving() as server, traffic(url(server), "app", 400, header="X-Target") as seen:
        until(lambda: seen.answered >= 100)
    assert seen.failures == []
    assert seen.sent == seen.answered == seen.bodies["me"] == seen.headers["one"]
    assert KEPT < server.connections <= KEPT + seen.sent // 2 + FRESH


def test_errors_and_resets_are_failures():
    with serving() as server, traffic(url(server), "app", 400) as seen:
        for reply in (busy, hang_up):
            before = len(seen.failures)
            server.reply = reply
            until(lambda: len(seen.failures) > before + 5)  # noqa: B023 - called within its turn
        server.reply = ok
        until(lambda: seen.answered >= 50)
    kinds = {failure.what.partition(":")[0] for failure in seen.failures}
    assert "status 503" in kinds
    assert kinds & {"RemoteDisconnected", "ConnectionResetError"}
    assert seen.sent == seen.answered + len(seen.failures)
    assert all(failure.sent <= failure.failed for failure in seen.failures)


def test_nobody_there_is_a_failure():
    with serving() as server:
        pass
    with traffic(url(server), "app", 400) as seen:
        until(lambda: len(seen.failures) >= 20)
    assert {failure.what.partition(":")[0] for failure in seen.failures} == {
        "ConnectionRefusedError"
    }


def test_no_answer_is_a_failure():
    never = threading.Event()

    def silent():
        never.wait()

    with serving() as server:
        server.reply = silent
        with traffic(url(server), "app", 400, timeout=0.1) as seen:
            until(lambda: len(seen.failures) >= 20)
        never.set()
    assert {failure.what for failure in seen.failures} == {"TimeoutError: timed out"}
