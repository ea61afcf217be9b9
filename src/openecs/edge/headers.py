"""Headers that listeners add to answers or take from them.

User Guide for Application Load Balancers, "HTTP header modification".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openecs.model.listener_headers import ANSWERED, SERVER
from openecs.model.load_balancing import Listener

Resource = dict[str, Any]

_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3"
#: A name of its own, so that programs of routes do not take its place.
_FILTER = "listener_headers"

#: What a target says of itself stays.
_PROGRAM = """
function envoy_on_response(handle)
  local headers, wanted = handle:headers(), handle:filterContext()
  for name, value in pairs(wanted:get("headers") or {}) do headers:replace(name, value) end
  if wanted:get("nameless") and headers:get("server") == "awselb/2.0" then
    headers:remove("server")
  end
end
"""


def filters(listeners: Iterable[Listener]) -> list[Resource]:
    """The filter of listeners that share a port, where one of them changes headers of answers."""
    if not any(map(_wanted, listeners)):
        return []
    config = {"@type": f"{_LUA}.Lua", "default_source_code": {"inline_string": _PROGRAM}}
    return [{"name": _FILTER, "typed_config": config}]


def of_host(listener: Listener) -> Resource:
    """The part of a virtual host's settings that tells the filter what to do."""
    wanted = _wanted(listener)
    if not wanted:
        return {}
    config = {"@type": f"{_LUA}.LuaPerRoute", "filter_context": wanted}
    return {_FILTER: config}


def _wanted(listener: Listener) -> Resource:
    attributes = listener.attributes
    given = {name: value for key, name in ANSWERED.items() if (value := attributes.get(key))}
    nameless = attributes.get(SERVER) == "false"
    return {"headers": given, "nameless": nameless} if given or nameless else {}
