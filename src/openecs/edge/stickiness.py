"""Sticky sessions: which target, and which target group of an action, a client had before.

User Guide for Application Load Balancers, "Sticky sessions". A cookie of the load balancer's tells;
it is kept for 7 days and counts for as long as the target group or the action says, anew with each
answer. Envoy's session filter takes the target from a header that the program here makes of the
cookie; a target that is gone or unhealthy gives way to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openecs.model.load_balancing import ForwardAction, TargetGroup

Resource = dict[str, Any]

#: The program's name in Envoy, and headers between it and Envoy that nobody else sees.
PROGRAM = "sticky"
TARGET, GROUP = "x-openecs-target", "x-openecs-group"

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_FILTER = "envoy.filters.http.stateful_session"

_DAY = "86400"

SOURCE = f"""
local function cookies(sent)
  return string.gmatch(";" .. sent, "[;%s]([^=;%s]+)=([^;]*)")
end

local function has(sent, wanted)
  for name in cookies(sent) do
    if name == wanted then return true end
  end
  return false
end

-- What a cookie says, by target groups: until when, and which target.
local function known(sent, ...)
  local found, now = {{}}, os.time()
  for _, wanted in ipairs({{...}}) do
    for name, value in cookies(sent) do
      if name == wanted then
        for group, ends, target in string.gmatch(value, "(%x+)%.(%d+)%.([%w_-]*)") do
          if tonumber(ends) > now then found[group] = {{ends = ends, target = target}} end
        end
      end
    end
  end
  return found
end

-- Base64 as it is in headers, from what needs no quotes in cookies and back.
local function in_header(target)
  local plain = string.gsub(target, "[-_]", {{["-"] = "+", ["_"] = "/"}})
  return plain .. string.rep("=", -#plain % 4)
end

local function in_cookie(target)
  return (string.gsub(target, "[+/=]", {{["+"] = "-", ["/"] = "_", ["="] = ""}}))
end

local function give(headers, name, found, attributes)
  local parts = {{}}
  for group, each in pairs(found) do
    table.insert(parts, group .. "." .. each.ends .. "." .. each.target)
  end
  local kept = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 604800)
  local value = table.concat(parts, "|") .. "; Expires=" .. kept .. "; Path=/" .. attributes
  headers:add("set-cookie", name .. "=" .. value)
end

local function give_both(headers, name, found)
  give(headers, name, found, "")
  give(headers, name .. "CORS", found, "; SameSite=None; Secure")
end

local function is_set(headers, wanted)
  for index = 0, headers:getNumValues("set-cookie") - 1 do
    local name = string.match(headers:getAtIndex("set-cookie", index), "^%s*([^=%s]+)")
    if name == wanted then return true end
  end
  return false
end

local function known_target(sent, group, way)
  local found = {{}}
  if way.kind == "lb_cookie" then
    found = known(sent, "AWSALBCORS", "AWSALB")
  elseif way.kind == "app_cookie" and has(sent, way.cookie) then
    found = known(sent, "AWSALBAPP-0")
  end
  return found[group] and in_header(found[group].target)
end

-- The group of the action that the client had before.
local function known_group(sent, groups)
  local found = known(sent, "AWSALBTGCORS", "AWSALBTG")
  for _, group in ipairs(groups) do
    if found[group] then return group end
  end
end

function envoy_on_request(handle)
  trace(handle)
  local headers, context = handle:headers(), handle:filterContext()
  local sent, group = headers:get("cookie") or "", context:get("group")
  headers:remove("{GROUP}")
  headers:remove("{TARGET}")
  local known_before = known_group(sent, context:get("groups"))
  if known_before then
    group = known_before
    headers:add("{GROUP}", group)
    handle:clearRouteCache()
  end
  local target = known_target(sent, group, context:get("ways")[group] or {{}})
  if target then headers:add("{TARGET}", target) end
  local kept = handle:streamInfo():dynamicMetadata()
  kept:set("openecs", "sent", sent)
  kept:set("openecs", "target", target or "")
  rewrite(handle)
end

function envoy_on_response(handle)
  local headers, context = handle:headers(), handle:filterContext()
  local group, groups = context:get("group"), context:get("groups")
  local way, seconds = context:get("ways")[group] or {{}}, context:get("seconds")
  local kept, now = handle:streamInfo():dynamicMetadata():get("openecs") or {{}}, os.time()
  local sent, target = kept.sent or "", headers:get("{TARGET}") or kept.target or ""
  headers:remove("{TARGET}")
  if way.kind == "lb_cookie" and target ~= "" then
    local found = known(sent, "AWSALBCORS", "AWSALB")
    found[group] = {{ends = now + way.seconds, target = in_cookie(target)}}
    give_both(headers, "AWSALB", found)
  elseif way.kind == "app_cookie" and target ~= "" and is_set(headers, way.cookie) then
    local found = known(sent, "AWSALBAPP-0")
    found[group] = {{ends = now + way.seconds, target = in_cookie(target)}}
    give(headers, "AWSALBAPP-0", found, "")
  end
  if #groups > 0 then
    local found = known(sent, "AWSALBTGCORS", "AWSALBTG")
    for _, each in ipairs(groups) do found[each] = nil end
    found[group] = {{ends = now + seconds, target = ""}}
    give_both(headers, "AWSALBTG", found)
  end
end
"""


def is_sticky(group: TargetGroup) -> bool:
    """Whether clients go to the target they had before."""
    return group.attributes.get("stickiness.enabled") == "true"


def filters(forward: ForwardAction, groups: Sequence[TargetGroup]) -> dict[str, Resource]:
    """What Envoy's filters do with requests that go to a group of a forward action, by its ARN."""
    ways = {group.id: _way(group) for group in groups if is_sticky(group)}
    if not ways and not forward.stickiness_enabled:
        return {}
    context = {
        "ways": ways,
        "groups": [group.id for group in groups] if forward.stickiness_enabled else [],
        "seconds": forward.stickiness_seconds or 0,
    }
    return {group.arn: _filters(group, context) for group in groups}


def session_filter() -> Resource:
    """Envoy's session filter, which does nothing but where a route says so."""
    config = {"@type": f"{_EXTENSIONS}.filters.http.stateful_session.v3.StatefulSession"}
    return {"name": _FILTER, "typed_config": config}


def _session() -> Resource:
    state = f"{_EXTENSIONS}.http.stateful_session.header.v3.HeaderBasedSessionState"
    return {
        "session_state": {
            "name": "envoy.http.stateful_session.header",
            "typed_config": {"@type": state, "name": TARGET},
        }
    }


def _filters(group: TargetGroup, context: Resource) -> Resource:
    lua = {
        "@type": f"{_EXTENSIONS}.filters.http.lua.v3.LuaPerRoute",
        "name": PROGRAM,
        "filter_context": {**context, "group": group.id},
    }
    made = {"envoy.filters.http.lua": lua}
    if is_sticky(group):
        per_route = "filters.http.stateful_session.v3.StatefulSessionPerRoute"
        made[_FILTER] = {"@type": f"{_EXTENSIONS}.{per_route}", "stateful_session": _session()}
    return made


def _way(group: TargetGroup) -> Resource:
    kind = group.attributes.get("stickiness.type", "lb_cookie")
    return {
        "kind": kind,
        "cookie": group.attributes.get("stickiness.app_cookie.cookie_name", ""),
        "seconds": int(group.attributes.get(f"stickiness.{kind}.duration_seconds", _DAY)),
    }
