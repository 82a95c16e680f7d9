#!/usr/bin/env python3
"""Every route of every service keeps the promises of the front: walks the table of `syncline-fcgi --print-routes`.

For each row: another method is a 405 with Allow; a body one byte over the limit is a 413 before it is read; without a
login, or with a forged key of another account, the answer is the dialect's refusal; data of another account does not
exist; malformed bytes are a 4xx; no answer is a 500 or lacks its request id; each request leaves exactly one line in
the log, and no line contains a token. A service missing from SERVICES fails: the table states how its clients log in,
what a refusal looks like and what one account could try to access of another.

SYNCLINE_HTTP, SYNCLINE_DIR and SYNCLINE_ADMIN locate the server (`<dir>/env` of ./run), SYNCLINE_BIN the programs
(build/).
"""

import http.client
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "wire"))
import fastcgi  # noqa: E402

BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"))
DIR = pathlib.Path(os.environ["SYNCLINE_DIR"])
PASSWORD = secrets.token_hex(8)
SECRET = "never-in-a-log-" + secrets.token_hex(8)


def zstd_frame(data):
    """One raw block, which needs no zstd library."""
    assert len(data) < 256
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + (1 | len(data) << 3).to_bytes(3, "little") + data


FORM = {"content-type": "multipart/form-data; boundary=b"}


def form(key, data, session="abcdef"):
    """A request of before version 11."""
    parts = (("k", key.encode()), ("s", session.encode()), ("data", data))
    return b"".join(b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
                    for name, value in parts) + b"--b--\r\n"


def ask(method, path, headers=None, body=None):
    base = urllib.parse.urlsplit(os.environ["SYNCLINE_HTTP"])
    connection = (MetricsConnection if path == "/metrics" else http.client.HTTPConnection)(base.hostname, base.port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Anki:
    """The key is sent in a header; 403 without a valid one (401 in the API for packages), 400 for a malformed request.
    There are two accounts: the other one has an open session throughout."""

    OTHERS_SESSION = "others"
    # Operations that need a session, each with a valid message.
    IN_SESSION = {
        "anki.apply_graves": b'{"chunk":{"cards":[],"notes":[],"decks":[]}}',
        "anki.apply_changes": b'{"changes":{"models":[],"decks":[[],[]],"tags":[]}}',
        "anki.chunk": b'{"_pad":null}',
        "anki.apply_chunk": b'{"chunk":{"done":true}}',
        "anki.sanity_check": b'{"client":[[0,0,0],0,0,0,0,0,0,0]}',
        "anki.finish": b'{"_pad":null}',
    }

    API = ("anki.import_package", "anki.import_state", "anki.export")

    def __init__(self):
        self.key, self.others_key = self.new_account(), self.new_account()
        status, _, _ = ask("POST", "/sync/start", self.headers(self.others_key, self.OTHERS_SESSION),
                           zstd_frame(b'{"minUsn":0,"lnewer":true}'))
        assert status == 200, f"start of the other account: {status}"
        # A key is "<account>.<secret>": forged keys combine known parts of both accounts' keys.
        account, secret = self.others_key.split(".")[0], self.key.split(".")[1]
        self.made_up = [f"{account}.{secret}", f"{account}.{secret[::-1]}", f"zzzzzz.{secret}"]

    def new_account(self):
        user = f"conformance-{secrets.token_hex(6)}"
        subprocess.run([os.environ["SYNCLINE_ADMIN"], "user", "add", user, "--password-file", "-"], text=True,
                       input=PASSWORD + "\n", check=True, stdout=subprocess.DEVNULL)
        message = zstd_frame(json.dumps({"u": user, "p": PASSWORD}).encode())
        status, _, body = ask("POST", "/sync/hostKey", self.headers(""), message)
        assert status == 200, f"hostKey of {user}: {status}"
        return json.loads(body[body.index(b"{"):body.rindex(b"}") + 1])["key"]

    def headers(self, key, session="abcdef"):
        return {"anki-sync": json.dumps({"v": 11, "k": key, "c": "conformance", "s": session})}

    def without_login(self, method, operation):
        if operation in self.API:
            for key in ("", SECRET, *self.made_up):
                yield 401, self.headers(key), zstd_frame(b"{}")
            yield 401, {}, zstd_frame(b"{}")
            yield 400, {"anki-sync": SECRET}, zstd_frame(b"{}")
            return
        for key in ("", SECRET, *self.made_up):
            yield 403, self.headers(key), zstd_frame(b"{}")
        yield 400, {}, zstd_frame(b"{}")
        yield 400, {"anki-sync": SECRET}, zstd_frame(b"{}")
        if method != "POST":
            return
        # Clients of before version 11: the key is in a form. A large one is taken from the network of a known client only.
        status, _, _ = ask("POST", "/sync/meta", FORM, form(self.key, b'{"v":10,"cv":"conformance"}'))
        assert status == 200, f"meta of an old client: {status}"
        for key in ("", SECRET, *self.made_up):
            yield 403, FORM, form(key, b"{}")
        yield 400, FORM, b"--b\r\n" + SECRET.encode()
        yield 400, {"content-type": "multipart/form-data"}, form(self.key, b"{}")

    def of_others(self, operation):
        """A valid key with the session of another account: as if there were no session."""
        if operation in self.IN_SESSION:
            yield 409, self.headers(self.key, self.OTHERS_SESSION), zstd_frame(self.IN_SESSION[operation])
            yield 409, FORM, form(self.key, self.IN_SESSION[operation], self.OTHERS_SESSION)
        elif operation == "anki.import_state":
            yield 404, self.headers(self.key), None
        elif operation == "anki.abort":  # always 200
            yield 200, self.headers(self.key, self.OTHERS_SESSION), zstd_frame(b"{}")

    def is_other_undisturbed(self):
        status, _, _ = ask("POST", "/sync/applyGraves", self.headers(self.others_key, self.OTHERS_SESSION),
                           zstd_frame(self.IN_SESSION["anki.apply_graves"]))
        return status == 200

    def login(self):
        return self.headers(self.key)

    def other_forms(self, body):
        return [(FORM, form(self.key, body))]

    def secrets(self):
        return [self.key, self.others_key, *self.made_up, PASSWORD, SECRET]


class MetricsConnection(http.client.HTTPConnection):
    """Connects to the socket that is only reachable from this machine."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.environ["SYNCLINE_METRICS"])


class Front:
    """/healthz and the like: public, except /metrics, which nginx serves on a separate socket."""

    def without_login(self, _method, _operation):
        return []

    def of_others(self, _operation):
        return []

    def is_other_undisturbed(self):
        return True

    def login(self):
        return {}

    def other_forms(self, _body):
        return []

    def secrets(self):
        return []


SERVICES = {"anki": Anki, "front": Front}
BROKEN = [b"", b"\0", b"{", b"\xff\xfe\xfd", b"A" * 1000, zstd_frame(b"{"), zstd_frame(b"[]"), zstd_frame(b"null"),
          zstd_frame(b'{"a":' + b"[" * 200), zstd_frame(b"\xff"), b"\x28\xb5\x2f\xfd" + b"\xff" * 40]


class Results:
    def __init__(self):
        self.passed, self.failed, self.ids = 0, 0, []

    def check(self, ok, what):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED  {what}")

    def answer(self, answer, wanted, what):
        """`wanted`: a status, or a predicate. Also checks that there is a request id and that the status is not 500."""
        status, headers, _ = answer
        ok = wanted(status) if callable(wanted) else status == wanted
        self.check(ok, f"{what}: {status}")
        request_id = headers.get("X-Request-Id")
        self.check(status != 500 and request_id, f"{what}: {status}, X-Request-Id {request_id}")
        self.ids.append((request_id, what))
        return headers


def walk(row, service, results):
    method, pattern, operation, auth, _, limit = row
    path = "/".join("1" if part.startswith("{") else part for part in pattern.split("/"))
    other = "PATCH" if method != "PATCH" else "PUT"
    allowed = results.answer(ask(other, path), 405, f"{other} {path}").get("Allow", "")
    results.check(method in allowed.split(", "), f"{other} {path}: Allow is {allowed!r}")
    if auth in ("login", "admin"):
        for wanted, headers, body in service.without_login(method, operation):
            # Too large a body is refused before the login is looked at.
            answer = ask(method, path, headers, body if int(limit) > 0 else None)
            results.answer(answer, wanted, f"{operation} without login {headers} {(body or b'')[:200]}")
    for wanted, headers, body in service.of_others(operation):
        results.answer(ask(method, path, headers, body), wanted, f"{operation} on another account's data")
    for body in BROKEN:
        # Methods that ignore their body may succeed; uploads refuse with 200 and a sentence.
        for headers, sent in ((service.login(), body), *service.other_forms(body)):
            results.answer(ask(method, path, headers, sent), lambda status: status < 500, f"{operation} {sent[:20]!r}")
    # Sent to the socket, because nginx has its own limit; without a body, so that it is not read.
    answer = fastcgi.ask(DIR / "sockets" / "api.sock", fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs({
        "REQUEST_METHOD": method, "REQUEST_URI": path, "CONTENT_LENGTH": str(int(limit) + 1)})) + fastcgi.stream(
            fastcgi.STDIN, b""))
    results.check(answer.status == 413, f"{operation} with {int(limit) + 1} bytes: {answer.status}")


def log_lines():
    """Counts the request lines of all our processes by request id; also returns the full text of all logs."""
    lines, everything = {}, []
    for path in (DIR / "log").rglob("*"):
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        everything.append(text)
        for line in text.splitlines():
            if " op=" in line and " req=" in line:
                request_id = line.split(" req=", 1)[1].split(" ", 1)[0]
                lines[request_id] = lines.get(request_id, 0) + 1
    return lines, "\n".join(everything)


def main():
    results = Results()
    printed = subprocess.run([str(BIN / "syncline-fcgi"), "--print-routes"], text=True, check=True, stdout=subprocess.PIPE)
    rows = [line.split(" ") for line in printed.stdout.splitlines()]
    services = {}
    for row in rows:
        name = row[2].split(".")[0]
        if name not in SERVICES:
            results.check(False, f"the service {name} is not in SERVICES of this test")
            continue
        if name not in services:
            services[name] = SERVICES[name]()
        walk(row, services[name], results)
    for name, service in services.items():
        results.check(service.is_other_undisturbed(), f"{name}: the other account's session was disturbed")
    results.answer(ask("GET", "/sync/no-such-method"), 404, "GET /sync/no-such-method")
    # The last line is written after its answer was sent.
    end = time.monotonic() + 5
    while True:
        lines, everything = log_lines()
        wrong = [(what, request_id) for request_id, what in results.ids if lines.get(request_id) != 1]
        if not wrong or time.monotonic() > end:
            break
        time.sleep(0.05)
    results.check(not wrong, f"{len(wrong)} requests without exactly one log line, such as {wrong[:3]}")
    found = [secret for service in services.values() for secret in service.secrets() if secret in everything]
    results.check(not found, f"in the logs: {found}")
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
