"""Transforms of rules: requests that go on with another host or URL.

User Guide for Application Load Balancers, "Transforms for listener rules". A filter of Envoy's
makes the new text by the regular expression, the program here puts it into the request; what would
be no host or no path is answered with status 500.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from openecs.model.load_balancing import Rewrite, Transform

Resource = dict[str, Any]

#: The program's name in Envoy.
PROGRAM = "rewriting"
#: Where the filter leaves the new text, and the program what was asked for, for access logs.
REWRITTEN, ASKED = "openecs.rewritten", "openecs.asked"

_FILTER = "envoy.filters.http.header_to_metadata"
_CONFIG = "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config"
_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute"
_HEADERS = {"host-header-rewrite": ":authority", "url-rewrite": ":path"}
_PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)

REWRITE = f"""
local function rewrite_one(handle, name, made, allowed)
  local headers, kept = handle:headers(), handle:streamInfo():dynamicMetadata()
  local asked = headers:get(name) or ""
  if made == nil or made == asked then return true end
  if not string.find(made, allowed) then
    kept:set("{ASKED}", "status", name == ":path" and "InvalidPath" or "InvalidHost")
    return false
  end
  kept:set("{ASKED}", name == ":path" and "path" or "host", asked)
  kept:set("{ASKED}", "status", "Success")
  headers:replace(name, made)
  return true
end

local function rewrite(handle)
  local made = handle:streamInfo():dynamicMetadata():get("{REWRITTEN}")
  if not made then return end
  if not rewrite_one(handle, ":path", made.path, "^/[^%s%c]*$")
    or not rewrite_one(handle, ":authority", made.host, "^[%w._-]+:?%d*$") then
    handle:respond({{[":status"] = "500", ["server"] = "awselb/2.0"}}, "")
  end
end
"""

SOURCE = f"""{REWRITE}
function envoy_on_request(handle)
  trace(handle)
  rewrite(handle)
end
"""


def rewriting_filter() -> Resource:
    """Envoy's filter, which does nothing but where a route says so."""
    return {"name": _FILTER, "typed_config": {"@type": _CONFIG}}


def filters(transforms: Sequence[Transform]) -> Resource:
    """What Envoy's filters do with the requests of a rule."""
    rules = [_rule(each, rewrite) for each in transforms for rewrite in each.rewrites]
    if not rules:
        return {}
    return {
        _FILTER: {"@type": _CONFIG, "request_rules": rules},
        "envoy.filters.http.lua": {"@type": _PER_ROUTE, "name": PROGRAM},
    }


def before_port(regex: str) -> str:
    """A regular expression for hosts whose end is before the port."""
    pieces = _PIECES.findall(regex)
    return "".join("(?::[0-9]+)?$" if piece == "$" else piece for piece in pieces)


def _rule(transform: Transform, rewrite: Rewrite) -> Resource:
    is_host = transform.type == "host-header-rewrite"
    regex = before_port(rewrite.regex) if is_host else rewrite.regex
    return {
        "header": _HEADERS[transform.type],
        "on_header_present": {
            "metadata_namespace": REWRITTEN,
            "key": "host" if is_host else "path",
            "regex_value_rewrite": {
                "pattern": {"regex": f"(?i){regex}" if is_host else regex},
                "substitution": _substitution(rewrite.replace),
            },
        },
    }


def _substitution(replace: str) -> str:
    """A replacement in RE2's form, whose groups begin with a backslash."""
    return re.sub(r"\$(\d)", r"\\\1", replace.replace("\\", "\\\\"))
