"""Questions about logs that are in a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from openecs.model.log_queries import Answer, Question
from openecs.store.log_questions import answered, answered_of

_EVENTS = "log_events e LEFT JOIN log_streams s ON s.id = e.stream"
_OF_TIME = "e.moment BETWEEN :from_time AND :to_time"


def ask(connection: Connection, question: Question, is_over: Callable[[], bool]) -> Answer:
    """The answer. Raises ``QuestionStopped`` and ``QuestionFailed``."""
    known: dict[str, Any] = {"from_time": question.start, "to_time": question.end}
    known |= {f"group{number}": group for number, group in enumerate(question.groups)}
    among = ", ".join(f":group{number}" for number in range(len(question.groups)))
    where = f"WHERE e.group_id IN ({among}) AND {_OF_TIME}"
    if connection.dialect.name != "sqlite":
        columns = "e.id, e.moment, e.ingested, e.message, s.name, e.group_id"
        query = text(f"SELECT {columns} FROM {_EVENTS} {where}")
        streaming = connection.execution_options(stream_results=True, max_row_buffer=5_000)
        return answered_of(
            (tuple(row) for row in streaming.execute(query, known)), question, is_over
        )
    known |= {f"log{number}": name for number, name in enumerate(question.groups.values())}
    cases = " ".join(f"WHEN :group{n} THEN :log{n}" for n in range(len(question.groups)))
    source = (
        "SELECT e.id, e.moment AS timestamp, e.ingested, e.message, s.name AS stream, "
        f"CASE e.group_id {cases} END AS log, CAST(e.id AS TEXT) AS ptr FROM {_EVENTS} {where}"
    )
    raw: Any = connection.connection.driver_connection
    return answered(raw, question, source, known, is_over)
