"""The access log: one line of JSON for each response that its client took whole, on stdout."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

from gunicorn.glogging import Logger

# A pipe takes a line of up to so many bytes whole, or not at all.
LINE_BYTES = 4096
# Characters. Enough for what clients of an index send.
PATH_LENGTH, AGENT_LENGTH, FIELD_LENGTH = 1024, 256, 128

_USER_OF_URL = re.compile(r"//[^/]*@")
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class AccessLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, whose errors stay plain lines on stderr."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self._task = os.environ.get("HOSTNAME")
        self._lost_lines = 0
        self._stdout = None if sys.stdout is None else sys.stdout.fileno()
        if self._stdout is not None and stat.S_ISFIFO(os.fstat(self._stdout).st_mode):
            # Where the reader of the lines falls behind, or hangs, lines are lost and not requests.
            os.set_blocking(self._stdout, False)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write the line. What goes wrong with it never concerns the request."""
        if self._stdout is None:
            return
        try:
            line = _line(self._fields(resp, req, environ, request_time))
        except Exception:
            self.exception("no access log line for a request")
            return
        try:
            os.write(self._stdout, line)
        except OSError:
            self._lost_lines += 1
        else:
            self._lost_lines = 0

    def _fields(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        forwarded_for = environ.get("HTTP_X_FORWARDED_FOR")
        # The balancer appends the address that it saw; what stands before it is the client's own claim.
        client = forwarded_for.rpartition(",")[2].strip() if forwarded_for else environ.get("REMOTE_ADDR")
        fields = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "method": _bounded(req.method, FIELD_LENGTH),
            "path": _bounded(_without_user(req.uri), PATH_LENGTH),
            "status": int(resp.status.split(None, 1)[0]),
            "response_bytes": resp.sent + environ.get("pypiserver.sent_bytes", 0),
            "duration_s": request_time.total_seconds(),
            "client": _bounded(client, FIELD_LENGTH),
            "user": _bounded(environ.get("REMOTE_USER"), FIELD_LENGTH),
            "user_agent": _bounded(environ.get("HTTP_USER_AGENT"), AGENT_LENGTH),
            "task": self._task,
            "trace": _bounded(environ.get("HTTP_X_AMZN_TRACE_ID"), FIELD_LENGTH),
            **environ.get("pypiserver.timing", {}),
        }
        if self._lost_lines:
            fields["lost_lines"] = self._lost_lines
        return fields


def _bounded(text: str | None, length: int) -> str | None:
    return text if text is None else text[:length]


def _without_user(uri: str) -> str:
    # A URL in the request line, or in its query, may carry a user and a password.
    return _USER_OF_URL.sub("//", uri) if "@" in uri else uri


def _line(fields: dict[str, Any]) -> bytes:
    line = _encode(fields).encode("ascii") + b"\n"
    if len(line) > LINE_BYTES:  # escapes: a client that sends so many control characters loses them
        short = {name: value[:40] if isinstance(value, str) else value for name, value in fields.items()}
        line = _encode(short).encode("ascii") + b"\n"
    return line
