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

    ``running`` are the tasks each has already: base and weights hold for all together. A provider
    of weight 0 gets its base only, unless it is the only one; of several, one must weigh something
    (``is_usable``).
    """
    have = {item.capacity_provider: 0 for item in strategy} | (running or {})
    chosen: list[str] = []
    for _ in range(count):
        name = _next(strategy, have)
        have[name] += 1
        chosen.append(name)
    return tuple(chosen)


def is_usable(strategy: tuple[CapacityProviderStrategyItem, ...]) -> bool:
    """Whether tasks can be split by the strategy: one provider, or several with some weight."""
    return len(strategy) == 1 or any(item.weight > 0 for item in strategy)


def _next(strategy: tuple[CapacityProviderStrategyItem, ...], have: dict[str, int]) -> str:
    for item in strategy:
        if have[item.capacity_provider] < item.base:
            return item.capacity_provider
    if len(strategy) == 1:
        return strategy[0].capacity_provider

    def fullness(item: CapacityProviderStrategyItem) -> float:
        beyond = max(have[item.capacity_provider] - item.base, 0)
        return (beyond + 1) / item.weight

    weighted = (item for item in strategy if item.weight > 0)
    return min(weighted, key=fullness).capacity_provider
