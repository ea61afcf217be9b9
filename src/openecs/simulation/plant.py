"""A service as far as scaling is concerned: tasks that take time to start, and carry so much."""

from __future__ import annotations

from dataclasses import dataclass, field

FULL = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one task is like. Times in seconds."""

    #: Requests a second that one task can carry.
    requests_per_task: float = 100.0
    #: Of its CPU and its memory, in percent: without requests.
    idle_cpu: float = 2.0
    idle_memory: float = 30.0
    #: With as many requests as it can carry.
    full_memory: float = 60.0
    #: From a higher desired count to a task that takes requests, and to one that is gone.
    start_up: float = 40.0
    stop: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How things stand at a time. ``seconds`` from the beginning, rates in requests a second."""

    seconds: float
    load: float
    desired: int
    running: int
    #: Tasks that are there in some way: those that start and stop, too.
    present: int
    served: float
    cpu: float
    memory: float

    @property
    def missed(self) -> float:
        """Requests a second that nobody served."""
        return self.load - self.served

    @property
    def requests_per_target(self) -> float:
        """Requests a second that each running task was sent."""
        return self.load / self.running if self.running else 0.0


@dataclass(slots=True)
class Plant:
    """The tasks, moved on in steps."""

    model: Model
    #: When each task that starts, or runs, came or comes to run; and when those that stop are gone.
    _ready: list[float] = field(default_factory=list)
    _gone: list[float] = field(default_factory=list)

    def begin(self, count: int) -> None:
        """So many tasks run from the start."""
        self._ready = [0.0] * count

    def step(self, seconds: float, desired: int, load: float) -> Moment:
        """Start and stop tasks for the desired count, and share the load among those that run."""
        while len(self._ready) < desired:
            self._ready.append(seconds + self.model.start_up)
        while len(self._ready) > desired:
            # The one that came last goes first: it may not even run yet.
            ready = self._ready.pop()
            self._gone.append(seconds + (self.model.stop if ready <= seconds else 0.0))
        self._gone = [at for at in self._gone if at > seconds]
        running = sum(at <= seconds for at in self._ready)
        carries = running * self.model.requests_per_task
        served = min(load, carries)
        busy = served / carries if carries else 0.0
        model = self.model
        return Moment(
            seconds=seconds,
            load=load,
            desired=desired,
            running=running,
            present=len(self._ready) + len(self._gone),
            served=served,
            cpu=model.idle_cpu + (FULL - model.idle_cpu) * busy,
            memory=model.idle_memory + (model.full_memory - model.idle_memory) * busy,
        )
