"""Usual names for the holes of security statements: for examples in the docs and for the secrets written in."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from ctm.bugs.security.rewrite import chosen

NAMES: dict[str, tuple[str, ...]] = {
    "url": ("url", "endpoint", "link", "base_url", "uri"),
    "cmd": ("command", "cmd", "command_line"),
    "user": ("username", "user_id", "name", "user", "email"),
    "value": ("value", "item", "text", "comment", "title"),
    "file": ("filename", "path", "file_name", "target"),
    "folder": ("base_dir", "root", "upload_dir", "directory", "folder"),
    "data": ("data", "payload", "body", "raw", "content"),
    "secret": ("password", "secret", "token", "passphrase"),
    "key": ("key", "secret_key", "aes_key"),
    "host": ("host", "hostname", "server"),
    "port": ("port", "server_port"),
    "out": ("result", "output", "response", "loaded", "found"),
    "number": ("count", "port", "age", "size", "limit", "index"),
    "real": ("ratio", "price", "weight", "rate", "scale"),
    "table": ("users", "orders", "items", "products", "sessions", "events"),
    "column": ("name", "email", "owner", "status", "title", "code"),
    "log": ("logger", "log", "logging", "LOG"),
    "event": ("login failed for", "unknown user", "request from", "cannot open", "rejected", "deleted"),
    "failure": ("request failed", "cannot load settings", "upload failed", "invalid input"),
    "call": ("handle", "process", "load", "dispatch", "run_job"),
    "tag": ("p", "b", "h1", "h2", "li", "td", "span", "div", "em", "label"),
    "holder": ("password", "db_password", "api_key", "secret_key", "smtp_password", "access_token"),
    "literal": ("hunter2", "admin123", "changeme", "s3cr3t", "letmein", "password1", "qwerty", "root1234"),
    "app": ("app", "application"),
    "pool": ("string.ascii_letters", "string.digits", "string.ascii_lowercase", "string.hexdigits"),
    "size": ("32", "16", "8", "12", "24", "64"),
    "program": (
        "ls",
        "grep",
        "tar",
        "convert",
        "ping",
        "git",
        "rm",
        "cat",
        "gzip",
        "ffmpeg",
        "unzip",
        "file",
    ),
    "driver": ("cursor.execute", "cur.execute"),  # drivers of servers, which write %s
    "sqlite": ("conn.execute", "db.execute", "connection.execute"),  # sqlite3, which writes ?
    "tar": ("tar", "tf", "tarball"),
    "stem": ("output", "data", "cache", "work", "report"),
}
"""Words for the holes of a statement, the usual ones of such code; `env` follows `holder`."""


def examples(holes: Iterable[str], rng: Random) -> dict[str, str]:
    """A usual word for each hole, without a snippet."""
    values = {hole: chosen(hole, NAMES.get(hole, (hole,)), rng) for hole in holes}
    if "env" in values:
        values["env"] = values.get("holder", values.get("secret", "password")).upper()
    return values
