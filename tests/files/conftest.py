"""A tus client of a few lines, a scanner that speaks clamd's protocol, and an S3-compatible store."""

import base64
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from django.test import Client
from moto.server import ThreadedMotoServer

from files.storage import configured

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
UPLOADS = "/files/uploads/"
BODY = "application/offset+octet-stream"


@dataclass
class Tus:
    """One person's tus client."""

    client: Client

    def begin(self, length: int | str, name: str = "core.tgz", **headers: str) -> Any:
        said = base64.b64encode(name.encode()).decode()
        about = {
            "Upload-Length": str(length),
            "Upload-Metadata": f"filename {said}",
            "Tus-Resumable": "1.0.0",
        }
        return self.client.post(UPLOADS, content_type="application/x", headers={**about, **headers})

    def send(self, url: str, offset: int | str, content: bytes, **headers: str) -> Any:
        said = {"Upload-Offset": str(offset), "Tus-Resumable": "1.0.0", "Content-Type": BODY, **headers}
        # Django's client leaves both out when there is no content
        plain = {} if content else {"CONTENT_TYPE": said["Content-Type"], "CONTENT_LENGTH": "0"}
        return self.client.patch(url, content, content_type=said["Content-Type"], headers=said, **plain)

    def look(self, url: str) -> Any:
        return self.client.head(url, headers={"Tus-Resumable": "1.0.0"})

    def cancel(self, url: str) -> Any:
        return self.client.delete(url, headers={"Tus-Resumable": "1.0.0"})

    def whole(self, content: bytes, name: str = "core.tgz") -> Any:
        """A file in one go; its last answer."""
        begun = self.begin(len(content), name)
        assert begun.status_code == 201, begun.content
        return self.send(begun["Location"], 0, content)


@dataclass
class Scanner:
    """A server on loopback that speaks clamd's INSTREAM; it finds EICAR's string and nothing else."""

    port: int
    seen: list[int] = field(default_factory=list)
    longest: int = 10**9
    says: bytes = b""

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def answer(self, line: socket.socket) -> bytes:
        stream = line.makefile("rb")
        assert stream.read(10) == b"zINSTREAM\0"
        content = b""
        while size := struct.unpack("!L", stream.read(4))[0]:
            content += stream.read(size)
            if len(content) > self.longest:
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.seen.append(len(content))
        return self.says or (b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


@contextmanager
def _serving(handle: Any) -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(handle(self.request))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def scanner(settings: Any) -> Iterator[Scanner]:
    found = Scanner(port=0)
    with _serving(found.answer) as port:
        found.port = port
        settings.CLAMD_URL = found.url
        yield found


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """An S3-compatible server over HTTP, with the bucket `portal`; its FILE_STORAGE_URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    bucket.create_bucket(Bucket="portal")
    yield f"s3://key:secret@{host}:{port}/portal/kept?region=us-east-1&tls=0"
    server.stop()


@pytest.fixture
def bucket(store: str, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": configured(store)}
