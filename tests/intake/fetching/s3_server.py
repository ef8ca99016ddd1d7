"""A real S3 server (SeaweedFS, from its wheel) on this machine, with two logins."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_IDENTITIES = [
    {"name": "admin", "credentials": [{"accessKey": "adminkey", "secretKey": "adminsecret"}],
     "actions": ["Admin", "Read", "Write", "List"]},
    {"name": "reader", "credentials": [{"accessKey": "readerkey", "secretKey": "readersecret"}],
     "actions": ["Read:feed", "List:feed"]},
]  # fmt: skip
_SECONDS = 60


def weed() -> str | None:
    """The server's program, where its wheel is installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


class S3:
    """The server."""

    def __init__(self, program: str, folder: Path) -> None:
        self._folder = folder
        configuration = folder / "s3.json"
        configuration.write_text(json.dumps({"identities": _IDENTITIES}))
        master, volume, filer, port = _free_ports(4)
        self.url = f"http://127.0.0.1:{port}"
        self._log = (folder / "weed.log").open("wb")
        self._process = subprocess.Popen(
            [
                program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}",
                f"-volume.port={volume}", "-volume.max=20", "-master.volumeSizeLimitMB=64", "-filer",
                f"-filer.port={filer}", "-s3", f"-s3.port={port}", f"-s3.config={configuration}",
            ],
            stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._wait()
        self.files = self.login("adminkey", "adminsecret")

    def options(self, key: str = "readerkey", secret: str = "readersecret") -> dict[str, Any]:
        """Arguments of the file system."""
        return {"key": key, "secret": secret, "endpoint_url": self.url, "client_kwargs": {"region_name": "us-east-1"}}

    def login(self, key: str, secret: str) -> Any:
        """A file system."""
        from s3fs import S3FileSystem

        return S3FileSystem(**self.options(key, secret), skip_instance_cache=True, use_listings_cache=False)

    def close(self) -> None:
        """Stop."""
        self._process.kill()  # it would take twenty seconds to say goodbye to nobody
        self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        files = self.login("adminkey", "adminsecret")
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                files.mkdir("feed")
                files.pipe("feed/ready", b"yes")
                files.rm("feed/ready")
                return
            except Exception:
                time.sleep(0.3)
        log = (self._folder / "weed.log").read_text()[-2000:]
        self.close()
        raise RuntimeError(f"the S3 server did not start: {log}")


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and of which the one 10000 above is free as well: the server speaks gRPC there."""
    found: list[int] = []
    for port in range(20_000, 50_000, 7):
        if len(found) == count:
            break
        if _is_free(port) and _is_free(port + 10_000):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
