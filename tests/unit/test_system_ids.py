from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

from openecs.app import SystemIds

IDS = SystemIds()


def test_identifiers_have_their_forms():
    assert uuid.UUID(IDS.uuid()).version == 4
    assert len(IDS.hex32()) == 32
    assert int(IDS.hex32(), 16) >= 0
    digits = IDS.digits(19)
    assert len(digits) == 19
    assert digits.isdecimal()
    assert digits[0] != "0"


def test_no_two_are_the_same_in_whatever_thread():
    with ThreadPoolExecutor(8) as pool:
        made = [one for many in pool.map(_many, range(8)) for one in many]
    assert len(set(made)) == len(made)


def _many(_: int) -> list[str]:
    return [IDS.hex32() for _ in range(2000)]
