"""Registries that count who asks them, and a way to run our commands as a user does."""

import subprocess
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest


@pytest.fixture
def command():
    """Run `python -m MODULE ...` and return what it printed and its exit code."""

    def run(module, *arguments, env=None):
        line = [sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, env=env, check=False)

    return run


class CountingProxy:
    """Passes every request on to a registry and counts it; `down` closes the door."""

    def __init__(self, target):
        self.calls = Counter()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                proxy.calls[f"{self.command} {self.path.partition('?')[0]}"] += 1
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {"content-type": self.headers.get("content-type", "application/json")}
                found = httpx.request(self.command, target + self.path, content=body, headers=headers)
                self.send_response(found.status_code)
                self.send_header("content-length", str(len(found.content)))
                self.end_headers()
                self.wfile.write(found.content)

        for method in ("GET", "POST"):
            setattr(Handler, f"do_{method}", Handler.answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def counted(registry_url):
    proxy = CountingProxy(registry_url)
    yield proxy
    proxy.down()
