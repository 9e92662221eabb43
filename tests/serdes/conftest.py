"""A schema registry of a hundred lines: Confluent's answers over dictionaries, on a real socket, with a call count."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Event, RLock, Thread
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import pytest

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class Refused(Exception):
    def __init__(self, code, message):
        self.code, self.message = code, message


class TinyRegistry:
    """`calls` counts "METHOD path" without the query; `delay_seconds` slows every answer; `answer_with` replaces it."""

    def __init__(self):
        self.calls = Counter()
        self.delay_seconds = 0.0
        self._door, self._knocked = Event(), Event()
        self._door.set()
        self.answer_with = None
        self.wipe()
        self._lock = RLock()
        self._server = None
        self._connections = set()
        self.port = 0

    def wipe(self):
        self.schemas, self.subjects, self.associations = {}, {}, {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        tiny = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                tiny._connections.add(self.connection)

            def finish(self):
                super().finish()
                tiny._connections.discard(self.connection)

            def log_message(self, *_):
                pass

        for method in ("GET", "POST", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", lambda handler: tiny._serve(handler))
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in list(self._connections):
                with suppress(OSError):
                    connection.shutdown(SHUT_RDWR)

    @contextmanager
    def holding(self):
        """Nobody who asks inside is answered before it ends. What it gives waits until somebody has asked."""
        self._door.clear()
        self._knocked.clear()
        try:
            yield self._knocked.wait
        finally:
            self._door.set()

    def total(self):
        return sum(self.calls.values())

    def _serve(self, handler):
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            self.calls[f"{handler.command} {unquote(parts.path)}"] += 1
        self._knocked.set()
        self._door.wait()
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        status, media_type, content, headers = 200, MEDIA_TYPE, b"", {}
        if self.answer_with is not None:
            status, media_type, content, headers = self.answer_with(handler)
        else:
            try:
                with self._lock:
                    told = self._answer(handler.command, parts.path.strip("/").split("/"), parse_qs(parts.query), body)
                content = json.dumps(told).encode()
            except Refused as refused:
                status = int(str(refused.code)[:3])
                content = json.dumps({"error_code": refused.code, "message": refused.message}).encode()
        handler.send_response_only(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **headers}.items():
            handler.send_header(name, value)
        with suppress(OSError):  # whoever asked may have gone meanwhile
            handler.end_headers()
            handler.wfile.write(content)

    def _answer(self, method, raw, query, body):
        sent = json.loads(body) if body else None
        match method, [unquote(part) for part in raw]:
            case "POST", ["subjects", subject, "versions"]:
                return self._register(subject, sent)
            case "POST", ["subjects", subject]:
                return self._lookup(subject, sent)
            case "GET", ["subjects"]:
                return sorted(self.subjects)
            case "GET", ["subjects", subject, "versions"]:
                return [version for version, _ in self._versions(subject)]
            case "GET", ["subjects", subject, "versions", number]:
                return self._version(subject, number)
            case "GET", ["subjects", subject, "metadata"]:
                return self._with_metadata(subject, query)
            case "GET", ["schemas", "ids", number]:
                return self._by_id(int(number))
            case "GET", ["schemas", "guids", guid]:
                return self._by_guid(guid)
            case "GET", ["associations", "resources", _, name]:
                wanted = query.get("associationType", ["key", "value"])
                return [a for a in self.associations.get(name, []) if a["associationType"] in wanted]
        raise Refused(404, "HTTP 404 Not Found")

    def refuse(self, code, message="refused"):
        raise Refused(code, message)

    def _register(self, subject, sent):
        try:
            text = json.dumps(json.loads(sent["schema"]), separators=(",", ":"))
        except ValueError:
            raise Refused(42201, "Invalid schema") from None
        content = {k: v for k, v in sent.items() if k in ("references", "metadata", "ruleSet", "schemaType") and v}
        content["schema"] = text
        schema_id = next((i for i, known in self.schemas.items() if known == content), None)
        if schema_id is None:
            schema_id = len(self.schemas) + 1
            self.schemas[schema_id] = content
        versions = self.subjects.setdefault(subject, [])
        version = next((v for v, i in versions if i == schema_id), None)
        if version is None:
            version = len(versions) + 1
            versions.append((version, schema_id))
        return {"id": schema_id, "version": version, "guid": self._guid(schema_id), **content}

    def _lookup(self, subject, sent):
        text = json.dumps(json.loads(sent["schema"]), separators=(",", ":"))
        for version, schema_id in self._versions(subject):
            if self.schemas[schema_id]["schema"] == text:
                return self._row(subject, version, schema_id)
        raise Refused(40403, "Schema not found")

    def _versions(self, subject):
        if subject not in self.subjects:
            raise Refused(40401, f"Subject '{subject}' not found.")
        return self.subjects[subject]

    def _version(self, subject, number):
        for version, schema_id in reversed(self._versions(subject)):
            if number in ("latest", str(version)):
                return self._row(subject, version, schema_id)
        raise Refused(40402, f"Version {number} not found.")

    def _with_metadata(self, subject, query):
        wanted = dict(zip(query.get("key", []), query.get("value", []), strict=False))
        for version, schema_id in reversed(self._versions(subject)):
            properties = self.schemas[schema_id].get("metadata", {}).get("properties", {})
            if wanted.items() <= properties.items():
                return self._row(subject, version, schema_id)
        raise Refused(40403, "Schema not found")

    def _by_id(self, schema_id):
        if schema_id not in self.schemas:
            raise Refused(40403, f"Schema {schema_id} not found")
        return {**self.schemas[schema_id], "guid": self._guid(schema_id)}

    def _by_guid(self, guid):
        for schema_id in self.schemas:
            if self._guid(schema_id) == guid:
                return self._by_id(schema_id)
        raise Refused(40403, f"Schema {guid} not found")

    def _row(self, subject, version, schema_id):
        return {"subject": subject, "version": version, "id": schema_id, **self._by_id(schema_id)}

    def _guid(self, schema_id):
        content = json.dumps(self.schemas[schema_id], sort_keys=True).encode()
        return str(UUID(bytes=hashlib.md5(content).digest()))


@pytest.fixture
def registry():
    with TinyRegistry() as running:
        yield running


@pytest.fixture
def url(registry):
    return registry.url


@pytest.fixture
def second_registry():
    with TinyRegistry() as running:
        yield running


@pytest.fixture
def anyio_backend():
    return "asyncio"
