"""Where log lines go and how they look: standard error, for people or as JSON."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from openecs.config import Settings

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(settings: Settings) -> None:
    """Write our lines and those of libraries alike."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    ending = _ending(settings.log_format)
    structlog.configure(
        processors=[*_SHARED, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _ending(log_format: str) -> list[Processor]:
    """How a line is written; ``auto`` is for people on a terminal and JSON elsewhere."""
    on_terminal = sys.stderr.isatty()
    if log_format == "console" or (log_format == "auto" and on_terminal):
        return [structlog.dev.ConsoleRenderer(colors=on_terminal)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
