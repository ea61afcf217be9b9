"""The schema brought up to date: migrations, and index entries of the code that runs now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from types import CodeType
from typing import Any

from alembic import command
