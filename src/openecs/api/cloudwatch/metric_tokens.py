"""The tokens of pages: texts that mean something to this module's neighbours only."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode

from openecs.api.cloudwatch import metric_errors as errors


def encoded(text: str) -> str:
    """The token of a text."""
    return urlsafe_b64encode(text.encode()).decode()


def decoded(token: str) -> str:
    """The text of a token. Raises ``InvalidNextToken``."""
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise errors.invalid_token() from error
