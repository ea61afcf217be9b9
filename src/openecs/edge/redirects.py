"""Redirects, with AWS's placeholders, as small Lua programs that Envoy runs.

User Guide for Application Load Balancers, "Redirect actions".
"""

from __future__ import annotations

import re

from openecs.model.load_balancing import RedirectAction

_PLACEHOLDER = re.compile(r"#\{(protocol|host|port|path|query)\}")

_PARTS = """
  local headers = handle:headers()
  local protocol = headers:get(":scheme") or "http"
  local host, port = string.match(headers:get(":authority") or "", "^(.-):?(%d*)$")
  if port == "" then port = protocol == "https" and "443" or "80" end
  local path, query = string.match(headers:get(":path") or "/", "^/?([^?]*)%??(.*)$")
"""


def program(redirect: RedirectAction) -> str:
    """The Lua program that answers a request with the redirect."""
    status = redirect.status_code.removeprefix("HTTP_")
    query = _text(redirect.query)
    return (
        f"function envoy_on_request(handle)\n{_PARTS}"
        f"  local asked = {query}\n"
        '  if asked ~= "" then asked = "?" .. asked end\n'
        f'  local location = string.lower({_text(redirect.protocol)}) .. "://" .. '
        f'{_text(redirect.host)} .. ":" .. {_text(redirect.port)} .. {_text(redirect.path)}'
        " .. asked\n"
        f'  handle:respond({{[":status"] = "{status}", ["location"] = location, '
        '["server"] = "awselb/2.0"}, "")\n'
        "end\n"
    )


def _text(template: str) -> str:
    """A Lua expression for a text with placeholders."""
    parts = _PLACEHOLDER.split(template)
    named = (part if number % 2 else _quoted(part) for number, part in enumerate(parts))
    return " .. ".join(part for part in named if part != '""') or '""'


def _quoted(text: str) -> str:
    escaped = (f"\\{byte:03d}" if not chr(byte).isalnum() else chr(byte) for byte in text.encode())
    return f'"{"".join(escaped)}"'
