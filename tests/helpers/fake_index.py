"""A package index on loopback, and the archives in it."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: {license}\n\nAbout it.\n"


def sdist(
    name: str, files: Mapping[str, str], version: str = "1.0", license: str = "MIT", metadata: str = METADATA
) -> bytes:
    """A source distribution (.tar.gz)."""
    texts = {"PKG-INFO": metadata.format(name=name, version=version, license=license), **files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in texts.items():
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def wheel(name: str, files: Mapping[str, str], version: str = "1.0", license: str = "MIT") -> bytes:
    """A wheel."""
    metadata = METADATA.format(name=name, version=version, license=license)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in {f"{name}-{version}.dist-info/METADATA": metadata, **files}.items():
            archive.writestr(path, text)
    return buffer.getvalue()


@dataclass
class FakeIndex:
    """What it has (file name -> content, by project) and was asked for."""

    url: str
    projects: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    """How often the answer for a file breaks off."""
    silent: set[str] = field(default_factory=set)
    """Files that are asked for in vain: no answer comes."""

    def add(self, name: str, file: str, content: bytes, version: str = "1.0") -> str:
        """Offer an archive; returns its line of a pinned list."""
        self.projects.setdefault(name, {})[file] = content
        return f"{name},{version},{hashlib.sha256(content).hexdigest()},{file}"


@contextmanager
def running() -> Iterator[FakeIndex]:
    """The index while it runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            parts = self.path.strip("/").split("/")
            body, cut = b"", 0
            if parts[0] == "simple" and parts[-1] in index.projects:
                links = (
                    f'<a href="/files/{parts[-1]}/{file}#sha256={hashlib.sha256(data).hexdigest()}">{file}</a>'
                    for file, data in index.projects[parts[-1]].items()
                )
                body = f"<html><body>{''.join(links)}</body></html>".encode()
            elif parts[0] == "files":
                if parts[2] in index.silent:
                    ended.wait()
                body = index.projects[parts[1]][parts[2]]
                if index.broken.get(parts[2], 0):
                    index.broken[parts[2]] -= 1
                    cut = len(body) // 2
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html" if parts[0] == "simple" else "application/gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut] if cut else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index = FakeIndex(f"http://127.0.0.1:{server.server_address[1]}/simple")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield index
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
