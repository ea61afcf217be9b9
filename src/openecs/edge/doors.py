"""Doors that listeners share: one whose rules Envoy refuses does not hold back the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from openecs.edge import answers

Resource = dict[str, Any]


def held(
    door: Resource, owners: Sequence[str], refused: Collection[str], before: Sequence[Resource]
) -> Resource:
    """The routes of a door where some of its ``owners``, the files of its hosts, are refused.

    Their hosts stay as they were ``before``; where there was nothing good, they answer with 503.
    """
    known = {host["name"]: host for each in before for host in each["virtual_hosts"]}
    pairs = zip(door["virtual_hosts"], owners, strict=True)
    hosts = [_held(h, known.get(h["name"])) if owner in refused else h for h, owner in pairs]
    return {**door, "virtual_hosts": hosts}


def _held(host: Resource, before: Resource | None) -> Resource:
    if before is not None and _written(before["routes"]) != _written(host["routes"]):
        return before
    return {**host, "routes": [{"match": {"prefix": "/"}, **answers.answer(503)}]}


def _written(routes: Sequence[Resource]) -> bytes:
    return msgspec.json.encode(routes, order="deterministic")
