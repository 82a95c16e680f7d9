"""Anki's sync protocol, versions 8 to 10, as its clients of 2013 to 2022 speak it: multipart forms, gzip, plain answers.

Such clients cannot be installed any more, so this follows the protocol's reference. FormWire takes the place of
anki_wire.Wire, for tests and for anki_wire.Device. The clients differ in what they send; see CLIENTS.
"""

import gzip
import json
import secrets
import urllib.parse
from dataclasses import dataclass

from anki_wire import Wire

MEDIA_VERSION = "ankidesktop,2.1.49,lin:debian:10"


@dataclass(frozen=True)
class Client:
    version: int
    data_comes_first: bool = False  # else behind key, session and c
    is_chunked: bool = False
    begins_with_get: bool = False   # media; and never compresses its media messages
    graves_in_start: bool = False
    sends_empty_data: bool = True   # for methods without arguments
    ends_without_data: bool = True  # with a final boundary, even if there is no data
    agent: str = ""


CLIENTS = {
    "desktop 2.0": Client(8, graves_in_start=True, agent="Anki 2.0.47"),
    "desktop 2.1.0": Client(9, agent="Anki 2.1.0"),
    "desktop 2.1.49": Client(10, data_comes_first=True, is_chunked=True, begins_with_get=True),
    "AnkiDroid 2.8": Client(8, graves_in_start=True, sends_empty_data=False, ends_without_data=False,
                            agent="AnkiDroid-2.8.4"),
    "AnkiDroid 2.15": Client(10, sends_empty_data=False, agent="AnkiDroid-2.15.6"),
}


def form(parts, boundary, ends=True):
    """`parts`: pairs of name and value; bytes become a file."""
    out = b""
    for name, value in parts:
        out += b"--" + boundary + b"\r\n"
        if isinstance(value, bytes):
            out += (f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
                    "Content-Type: application/octet-stream\r\n\r\n").encode()
        else:
            out += f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
            value = str(value).encode()
        out += value + b"\r\n"
    return out + (b"--" + boundary + b"--\r\n" if ends else b"")


class FormWire(Wire):
    """As Wire, for a client of before version 11. `client`: a key of CLIENTS."""

    def __init__(self, base, key="", client="desktop 2.1.49"):
        super().__init__(base, key)
        self.name, self.client = client, CLIENTS[client]
        self.version, self.graves_in_start = self.client.version, self.client.graves_in_start
        self.media_key = key  # that begin has returned

    def again(self):
        return FormWire(self.base, self.key, self.name)

    def send(self, method, body):
        """`body` None: nothing to say. `method`: of the collection, or with its path. Returns the answer's bytes."""
        if method.startswith("/msync/"):
            return self.send_media(method, body)
        login = [("k", self.key), ("s", self.session)] if self.key else []
        if body is None and not self.client.sends_empty_data:
            return self.send_parts("sync/" + method, [*login, ("c", 1)])
        data = ("data", gzip.compress(b"{}" if body is None else body))
        return self.send_parts("sync/" + method, [data, ("c", 1), *login] if self.client.data_comes_first
                               else [*login, ("c", 1), data])

    def send_media(self, path, body):
        if path == "/msync/begin":
            if self.client.begins_with_get:
                query = urllib.parse.urlencode({"k": self.key, "v": MEDIA_VERSION})
                answer = self.exchange("GET", f"msync/begin?{query}")
            else:
                answer = self.send_parts("msync/begin", [("k", self.key), ("v", MEDIA_VERSION), ("c", 1),
                                                         ("data", gzip.compress(b"{}"))])
            self.media_key = json.loads(answer)["data"]["sk"]
            return answer
        login = ("sk", self.media_key)
        if self.client.begins_with_get:
            return self.send_parts(path[1:], [("data", body), login])
        if path == "/msync/uploadChanges":  # compressed already
            return self.send_parts(path[1:], [login, ("c", 0), ("data", body)])
        return self.send_parts(path[1:], [login, ("c", 1), ("data", gzip.compress(body))])

    def send_parts(self, path, parts):
        has_data = any(name == "data" for name, _ in parts)
        boundary = secrets.token_hex(20).encode() if self.client.data_comes_first else b"Anki-sync-boundary"
        body = form(parts, boundary, has_data or self.client.ends_without_data)
        return self.send_body(path, body, boundary)

    def send_body(self, path, body, boundary=b"Anki-sync-boundary"):
        headers = {"content-type": f"multipart/form-data; boundary={boundary.decode()}"}
        return self.exchange("POST", path, body, headers)

    def exchange(self, verb, path, body=None, headers=None):
        headers = headers or {}
        if self.client.agent:
            headers["user-agent"] = self.client.agent
        chunked = self.client.is_chunked and body is not None
        found, data = self._answer(path.partition("?")[0], verb, "/" + path, iter([body]) if chunked else body, headers,
                                   encode_chunked=chunked)
        assert found["anki-original-size"] is None, "an answer of version 11"
        assert int(found["Content-Length"]) == len(data), found
        return data

    def ask(self, method, message=None):
        return json.loads(self.send(method, None if message is None else json.dumps(message).encode()))

    def download(self):
        return self.send("download", None)
