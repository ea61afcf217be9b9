"""What a protocol does for the gateway: parse a request, write a reply or a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from openecs.gateway.exchange import Reply, Request
from openecs.gateway.protocol.shape import Operation, Shape

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error as it goes out.

    ``code`` is the name of the error's shape; ``query_code`` what the query protocol calls it,
    without "Exception" for most. ``shape`` is None for errors that no model has; ``members`` are
    what the shape has beyond the message, which is called ``message_name`` there.
    """

    code: str
    query_code: str
    message: str
    status: int
    shape: Shape | None = None
    members: Members = field(default_factory=dict)
    message_name: str = "message"

    @property
    def type(self) -> str:
        """Whose fault it is, in the query protocol's words."""
        return "Sender" if self.status < 500 else "Receiver"


class Wire(Protocol):
    """One protocol of one service."""

    def parse(
        self, operation: Operation, request: Request, labels: Mapping[str, str], /
    ) -> dict[str, Any]:
        """The input of a request; ``labels`` are variables of its path. Raises ``Refused``."""
        ...

    def reply(self, operation: Operation, members: Members, request_id: str, /) -> Reply:
        """The output as a reply."""
        ...

    def fault(self, fault: Fault, request_id: str, /) -> Reply:
        """An error as a reply."""
        ...
