"""Samples that are in no block yet, as one process knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from openecs.store.metric_blocks import Known, samples
from openecs.store.sql.driver import rows_of
from openecs.store.sql.metric_tables import journal

#: A moment, its unit and what is known.
Found = tuple[int, str, Known]

_IDS = select(journal.c.id)
_SAMPLES = select(journal.c.samples).where(journal.c.id == bindparam("wanted"))


class Tail:
    """The journal by series, kept as it was last seen: only what is new is read."""

    def __init__(self) -> None:
        self._rows: dict[int, bytes] = {}
        self._series: defaultdict[int, list[Found]] = defaultdict(list)

    def look(self, connection: Connection) -> None:
        """See the journal as this transaction does."""
        seen = {row[0] for row in rows_of(connection, _IDS, {})}
        if not seen.issuperset(self._rows):
            # Folded: what is left is mostly little.
            self._series.clear()
            self._rows = {number: packed for number, packed in self._rows.items() if number in seen}
            for packed in self._rows.values():
                self._add(packed)
        for number in seen - self._rows.keys():
            ((packed,),) = rows_of(connection, _SAMPLES, {"wanted": number})
            self._rows[number] = packed
            self._add(packed)

    def of(self, series: int) -> Sequence[Found]:
        """The samples of a series."""
        return self._series.get(series, ())

    def active(self, since: int) -> Iterator[int]:
        """The series that have a sample since."""
        for series, found in self._series.items():
            if any(moment >= since for moment, _, _ in found):
                yield series

    def _add(self, packed: Any) -> None:
        for series, moment, resolution, unit, known in samples(packed):
            self._series[series].append((moment // resolution * resolution, unit, known))
