"""Decoders are made on the first document of their kind, which several threads may read at once."""

import subprocess
import sys

#: In a process of its own: it is new to every kind, and where this fails, it dies of a signal.
PROGRAM = """
import sys, threading
from openecs.store import codec, kinds

def read():
    together.wait()
    for kind in kinds.ALL:
        try:
            codec.decode(kind, '{"name": "x"}')
        except codec.UnreadableDocument:
            pass

sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_make_decoders_together():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
