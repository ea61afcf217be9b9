"""Which capacity provider each of several tasks goes to: base first, then by weight.

API Reference, ``CapacityProviderStrategyItem``.
"""

from __future__ import annotations

from openecs.model.clusters import CapacityProviderStrategyItem


def split(
    strategy: tuple[CapacityProviderStrategyItem, ...],
    count: int,
    running: dict[str, int] | None = None,
) -> tuple[str, ...]:
    """The provider of each of ``count`` new tasks, in order.

    ``running`` are the tasks each has already: base and weights hold for all together. Without any
    weight above 0 only bases are filled, and the rest has no provider: the answer is shorter.
    """
    have = {item.capacity_provider: 0 for item in strategy} | (running or {})
    chosen: list[str] = []
    for _ in range(count):
        name = _next(strategy, have)
        if name is None:
            break
        have[name] += 1
        chosen.append(name)
    return tuple(chosen)


def _next(strategy: tuple[CapacityProviderStrategyItem, ...], have: dict[str, int]) -> str | None:
    for item in strategy:
        if have[item.capacity_provider] < item.base:
            return item.capacity_provider
    weighted = [item for item in strategy if item.weight > 0]
    if not weighted:
        return None

    def fullness(item: CapacityProviderStrategyItem) -> float:
        beyond = max(have[item.capacity_provider] - item.base, 0)
        return (beyond + 1) / item.weight

    return min(weighted, key=fullness).capacity_provider
