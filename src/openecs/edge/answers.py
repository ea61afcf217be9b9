"""What a load balancer itself answers, in its own words.

User Guide for Application Load Balancers, "Troubleshoot your Application Load Balancers".
"""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

_PHRASES = {
    400: "400 Bad Request",
    401: "401 Authorization Required",
    405: "405 Not Allowed",
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    463: "463 Too Many Proxies",
    501: "501 Not Implemented",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}

_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


def _flags(*flags: str) -> Resource:
    return {"response_flag_filter": {"flags": list(flags)}}


def _and_status(status: int, found: Resource) -> Resource:
    value = {"default_value": status, "runtime_key": "openecs.none"}
    compared = {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
    return {"and_filter": {"filters": [found, compared]}}


def _details(part: str) -> Resource:
    return _expression(f"response.code_details.contains('{part}')")


def _expression(expression: str) -> Resource:
    config = {"@type": _CEL, "expression": expression}
    name = "envoy.access_loggers.extension_filters.cel"
    return {"extension_filter": {"name": name, "typed_config": config}}


def _refused() -> Resource:
    """What filters that authenticate refuse, which rules themselves do not ask for."""
    return _expression(
        "response.code == 401 && !(response.code_details in ['direct_response', 'lua_response'])"
    )


#: What Envoy found, as a status of the load balancer's own: the first that is so.
_STATUSES = (
    (501, _details("http1.invalid_transfer_encoding")),
    (400, _details("http1.")),
    (400, _details("missing_host_header")),
    (401, _refused()),
    (408, _and_status(408, _flags("SI"))),
    (504, _details("connection_timeout")),
    (502, _flags("UF", "UC", "UPE", "URX", "LR", "UR", "OM")),
    (504, _flags("UT", "SI")),
    (503, _flags("UH", "NC", "UO")),
)


def mapping() -> Resource:
    """How Envoy words its own answers; those that rules ask for it leaves alone."""
    return {
        "mappers": [
            {
                "filter": found,
                "status_code": status,
                "headers_to_add": [_header("server", "awselb/2.0")],
                "body_format_override": {
                    "content_type": "text/html",
                    "text_format_source": {"inline_string": page(status)},
                },
            }
            for status, found in _STATUSES
        ]
    }


def answer(status: int) -> Resource:
    """The part of a route that has it answer with a page."""
    return {
        "direct_response": {"status": status, "body": {"inline_string": page(status)}},
        "response_headers_to_add": [
            _header("content-type", "text/html"),
            _header("server", "awselb/2.0"),
        ],
    }


def page(status: int) -> str:
    """The text of an answer."""
    title = _PHRASES[status]
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )


def _header(name: str, value: str) -> Resource:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
