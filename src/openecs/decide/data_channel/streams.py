"""The two streams of a data channel: nothing is lost, nothing comes twice, all is in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openecs.decide.data_channel.messages import Message

#: So many messages may be on their way; whoever has more to send waits.
WINDOW = 64
#: So many messages are kept that came before their turn.
AHEAD = 1024
#: An unacknowledged message is sent again after this time, so often.
RESEND_AFTER = timedelta(milliseconds=500)
RESENDS = 120


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A message on its way."""

    message: Message
    sent_at: datetime
    resends: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What was sent: the next number, and what is not acknowledged, in order."""

    next: int = 0
    waiting: tuple[Unacknowledged, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether more has to wait for acknowledgements."""
        return len(self.waiting) >= WINDOW

    @property
    def is_lost(self) -> bool:
        """Whether a message was sent so often that nobody can be there."""
        return any(each.resends >= RESENDS for each in self.waiting)

    def sent(self, message: Message, now: datetime) -> tuple[Outgoing, Message]:
        """The stream with one message more, and that message with its number."""
        numbered = replace(message, sequence=self.next)
        waiting = (*self.waiting, Unacknowledged(numbered, now))
        return Outgoing(self.next + 1, waiting), numbered

    def acknowledged(self, sequence: int) -> Outgoing:
        """The stream without a message that arrived."""
        left = tuple(each for each in self.waiting if each.message.sequence != sequence)
        return replace(self, waiting=left)

    def due(self, now: datetime) -> tuple[Outgoing, tuple[Message, ...]]:
        """The stream having sent again what is due, and that."""
        again = tuple(e.message for e in self.waiting if now - e.sent_at >= RESEND_AFTER)
        waiting = tuple(
            Unacknowledged(e.message, now, e.resends + 1) if e.message in again else e
            for e in self.waiting
        )
        return replace(self, waiting=waiting), again


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came: the number expected next, and what came before its turn, in order."""

    expected: int = 0
    ahead: tuple[Message, ...] = ()

    def came(self, message: Message) -> tuple[Incoming, tuple[Message, ...], bool]:
        """The stream then, the messages whose turn it is, whether it is to be acknowledged."""
        known = {each.sequence for each in self.ahead}
        if message.sequence < self.expected or message.sequence in known:
            return self, (), True
        if message.sequence != self.expected and len(self.ahead) >= AHEAD:
            return self, (), False
        there = sorted((*self.ahead, message), key=lambda each: each.sequence)
        ready = tuple(m for number, m in enumerate(there, self.expected) if m.sequence == number)
        left = tuple(there[len(ready) :])
        return Incoming(self.expected + len(ready), left), ready, True
