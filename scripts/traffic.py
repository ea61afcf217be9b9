"""Sends 50 requests a second to a URL until it is told to stop, then says what became of them.

python scripts/traffic.py http://NAME:PORT/
"""

import http.client
import signal
import sys
import time
from types import FrameType
from urllib.parse import urlsplit

RATE = 50


def main() -> None:
    """Send, count, tell."""
    target = urlsplit(sys.argv[1])
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    answered, failures = 0, list[str]()
    due = time.monotonic()
    while not stopping:
        due += 1 / RATE
        try:
            # The system may not know names in .localhost: the load balancer goes by the Host.
            connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
            headers = {"Host": target.netloc, "User-Agent": "openecs-demo"}
            connection.request("GET", target.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
        except OSError as error:
            failures.append(f"{type(error).__name__}: {error}")
        else:
            answered += answer.status == 200
            failures += [f"status {answer.status}"] if answer.status != 200 else []
        time.sleep(max(0, due - time.monotonic()))
    print(f"{answered} requests were answered, {len(failures)} failed.", *failures[:5], sep="\n")


if __name__ == "__main__":
    main()
