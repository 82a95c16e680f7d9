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

import base64
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import threading
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


class Bearer:
    """Routes with access tokens. There are several accounts, which ask in turns: one whose request was refused waits a while for
    its next answer. Of another one nothing can be seen."""

    def __init__(self):
        accounts = [(email, self.register(email)) for email in (f"conformance-{secrets.token_hex(6)}@example.com" for _ in range(7))]
        self.others_email, self.others_tokens = accounts.pop()
        self.accounts = collections.deque(accounts)
        self.all_tokens = [self.others_tokens, *(tokens for _, tokens in accounts)]
        self.tokens = accounts[0][1]
        head, body, signature = self.tokens["access_token"].split(".")
        others_body = self.others_tokens["access_token"].split(".")[1]
        self.made_up = [f"{head}.{others_body}.{signature}", f"{head}.{body}.{signature[::-1]}", SECRET]

    def register(self, email):
        status, _, body = ask("POST", "/auth/register", {}, json.dumps({"email": email, "password": PASSWORD}).encode())
        assert status == 201, f"register: {status}"
        return json.loads(body)

    @staticmethod
    def headers(token):
        return {"authorization": f"Bearer {token}"}

    def without_login(self, _method, _operation):
        yield 401, {}, b"{}"
        yield 401, {"authorization": "Digest x"}, b"{}"
        for token in ("", *self.made_up, self.tokens["refresh_token"]):
            yield 401, self.headers(token), b"{}"

    def of_others(self, _operation):
        return []

    def is_other_undisturbed(self):
        return ask("GET", "/users/me", self.headers(self.others_tokens["access_token"]))[0] == 200

    def login(self):
        """Of the next account. Some routes end a session."""
        email, tokens = self.accounts.popleft()
        if ask("GET", "/users/me", self.headers(tokens["access_token"]))[0] != 200:
            status, _, body = ask("POST", "/auth/login", {}, json.dumps({"email": email, "password": PASSWORD}).encode())
            assert status == 200, f"login: {status}"
            tokens = json.loads(body)
            self.all_tokens.append(tokens)
        self.accounts.append((email, tokens))
        return self.headers(tokens["access_token"])

    def other_forms(self, _body):
        return []

    def secrets(self):
        return [*self.made_up, *(token for tokens in self.all_tokens
                                 for token in (tokens["access_token"], tokens["refresh_token"]))]


class Account(Bearer):
    # Their paths name a device: that of the other account is not found.
    OF_DEVICES = {"account.rename_device": b'{"name":"x"}', "account.revoke_device": None, "account.end_session": None}

    def of_others(self, operation):
        if operation in self.OF_DEVICES:
            # The walk fills "1" in, the first device of this installation.
            yield 404, self.login(), self.OF_DEVICES[operation]


class Jobs(Bearer):
    def of_others(self, _operation):
        yield 404, self.login(), None


class Anime(Bearer):
    """The other account has an entry for the title with the id 1."""

    # There is no upstream in this installation.
    UPSTREAM = ("anime.jikan_top", "anime.jikan_search", "anime.jikan_title", "anime.title_by_mal", "anime.put_entry")
    WITHOUT_BODY = ("anime.delete_entry", "anime.increment")
    OF_AN_ENTRY = {"anime.entry": None, "anime.change_entry": b'{"score":1}', "anime.delete_entry": None, "anime.increment": None}

    def __init__(self):
        super().__init__()
        for path, message in (("/anime/", b'{"mal_id":1,"title":"One"}'), ("/users/me/list", b'{"anime_id":1,"status":"watching"}')):
            status, _, _ = ask("POST", path, self.headers(self.others_tokens["access_token"]), message)
            assert status == 201, f"{path}: {status}"

    def without_login(self, method, operation):
        yield from super().without_login(method, operation)
        # Broken JSON comes before the login, but for files, which nobody reads without one.
        if operation != "anime.start_import":
            yield 422, {"content-type": "application/json"}, b"{"

    def of_others(self, operation):
        if operation in self.OF_AN_ENTRY:
            yield 404, self.login(), self.OF_AN_ENTRY[operation]

    def is_other_undisturbed(self):
        status, headers, _ = ask("GET", "/users/me/list/1", self.headers(self.others_tokens["access_token"]))
        return status == 200 and headers["ETag"] == '"1"'

    def other_forms(self, body):
        return [({**self.login(), "content-type": "text/plain"}, body)]


class Decks(Bearer):
    """Bodies are read before the deck is looked for, so a call about another account's deck names one. There is none of the
    caller's: what is not theirs and hidden is refused with 403, as the add-on's contract says."""

    LINKS = ("decks.file", "decks.media_file", "decks.upload")
    # Calls about one deck that need nothing else, and what a stranger gets for a hidden one.
    OF_A_DECK = {"decks.download": 403, "decks.pull": 403, "decks.update_deck": 403, "decks.tags": 403, "decks.suspend_state": 403,
                 "decks.media": 403, "decks.note_types": 403, "decks.protected_fields": 403, "decks.get_protected_fields": 403,
                 "decks.list_suggestions": 403, "decks.changelog": 403, "decks.check_updates": 403, "decks.subscription": 403,
                 "decks.delivery": 403,
                 "decks.members": 403, "decks.delete_deck": 403}

    def __init__(self):
        super().__init__()
        subprocess.run([os.environ["SYNCLINE_ADMIN"], "plan", "give", self.others_email, "premium", "--until", "2099-01-01"],
                       check=True, stdout=subprocess.DEVNULL)
        status, _, body = ask("POST", "/functions/v1/addon-create-deck", self.headers(self.others_tokens["access_token"]),
                              b'{"title":"Hidden deck","is_public":false}')
        assert status == 200, f"create-deck: {status} {body}"
        self.others_deck = json.loads(body)["deck"]["id"]

    def without_login(self, method, operation):
        if operation in self.LINKS:
            yield 403, {}, b"{}"
            return
        yield from super().without_login(method, operation)

    def of_others(self, operation):
        if operation in self.OF_A_DECK:
            yield self.OF_A_DECK[operation], self.login(), json.dumps({"deck_id": self.others_deck}).encode()

    def is_other_undisturbed(self):
        status, _, body = ask("POST", "/functions/v1/addon-get-my-decks", self.headers(self.others_tokens["access_token"]), b"{}")
        return status == 200 and [deck["id"] for deck in json.loads(body)["decks"]] == [self.others_deck]

    def other_forms(self, body):
        return [({**self.login(), "content-type": "text/plain"}, body)]


class Schedule(Bearer):
    """The other account has a calendar, with the id 1."""

    OF_A_FEED = {"schedule.change_feed": b'{"name":"x"}', "schedule.revoke_feed": None}

    def __init__(self):
        super().__init__()
        status, _, body = ask("POST", "/api/schedule/feeds/", self.headers(self.others_tokens["access_token"]), b'{"kind":"own"}')
        assert status == 201, f"feeds: {status}"
        self.others_feed = json.loads(body)["path"]

    def of_others(self, operation):
        if operation in self.OF_A_FEED:
            yield 404, self.login(), self.OF_A_FEED[operation]

    def is_other_undisturbed(self):
        return ask("GET", self.others_feed)[0] == 200

    def other_forms(self, body):
        return [({**self.login(), "content-type": "text/plain"}, body)]

    def secrets(self):
        return [*super().secrets(), self.others_feed.split("/")[-1]]


class Vault(Bearer):
    """WebDAV takes Basic only. The other account has a vault, with the name 1."""


    def __init__(self):
        super().__init__()
        self.passwords = {}
        status, _, body = ask("POST", "/vault/vaults", self.headers(self.others_tokens["access_token"]), b'{"name":"x","slug":"1"}')
        assert status == 201, f"vaults: {status} {body}"
        for email, tokens in self.accounts:
            self.passwords[email] = self.app_password(tokens)

    def app_password(self, tokens):
        end = time.monotonic() + 60
        while True:
            status, _, body = ask("POST", "/account/app-passwords", self.headers(tokens["access_token"]),
                                  json.dumps({"name": "dav", "password": PASSWORD}).encode())
            if status == 201:
                return json.loads(body)["app_password"]
            assert status == 429 and time.monotonic() < end, f"app-passwords: {status}"
            time.sleep(1)

    def login(self):
        email, tokens = self.accounts.popleft()
        self.accounts.append((email, tokens))
        text = base64.b64encode(f"{email}:{self.passwords[email]}".encode()).decode()
        return {"authorization": f"Basic {text}"}

    def of_others(self, operation):
        name = operation.split(".")[1]
        if name in ("get_vault", "list_versions", "get_version", "list_events", "get_file", "get_root"):
            yield 404, self.login(), None
        if name in ("delete_file", "propfind", "restore_version", "resolve_version", "list_devices", "remove_device", "request_upload"):
            yield 404, self.login(), None if name == "list_devices" else b""
        if name == "add_device":
            yield 404, self.login(), b'{"name":"x"}'

    def is_other_undisturbed(self):
        return ask("GET", "/vault/vaults/1", self.headers(self.others_tokens["access_token"]))[0] == 200

    def secrets(self):
        return [*super().secrets(), *self.passwords.values()]


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


SERVICES = {"account": Account, "anki": Anki, "anime": Anime, "decks": Decks, "front": Front, "jobs": Jobs,
            "schedule": Schedule, "vault": Vault}
BROKEN = [b"", b"\0", b"{", b"\xff\xfe\xfd", b"A" * 1000, zstd_frame(b"{"), zstd_frame(b"[]"), zstd_frame(b"null"),
          zstd_frame(b'{"a":' + b"[" * 200), zstd_frame(b"\xff"), b"\x28\xb5\x2f\xfd" + b"\xff" * 40]


class Results:
    def __init__(self):
        self.passed, self.failed, self.ids = 0, 0, []
        self.lock = threading.Lock()

    def check(self, ok, what):
        with self.lock:
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


def walk(row, service, results, methods):
    """`methods`: all that the table has for this path."""
    method, pattern, operation, auth, _, limit = row
    path = "/".join("1" if part.startswith("{") else part for part in pattern.split("/"))
    other = next(name for name in ("PATCH", "PUT", "DELETE", "LOCK") if name not in methods)
    allowed = results.answer(ask(other, path), 405, f"{other} {path}").get("Allow", "")
    results.check(method in allowed.split(", "), f"{other} {path}: Allow is {allowed!r}")
    if auth in ("login", "admin"):
        for wanted, headers, body in service.without_login(method, operation):
            # Too large a body is refused before the login is looked at.
            answer = ask(method, path, headers, body if int(limit) > 0 else None)
            # Without a body there is nothing to be wrong with it.
            wanted = 401 if wanted == 422 and (int(limit) == 0 or operation in getattr(service, "WITHOUT_BODY", ())) else wanted
            results.answer(answer, wanted, f"{operation} without login {headers} {(body or b'')[:200]}")
    for wanted, headers, body in service.of_others(operation):
        results.answer(ask(method, path, headers, body), wanted, f"{operation} on another account's data")
    for body in BROKEN:
        # Methods that ignore their body may succeed; uploads refuse with 200 and a sentence.
        for headers, sent in ((service.login(), body), *service.other_forms(body)):
            results.answer(ask(method, path, headers, sent), lambda status: status < 500 or (
                status > 500 and operation in getattr(service, "UPSTREAM", ())), f"{operation} {sent[:20]!r}")
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
    names = {row[2].split(".")[0] for row in rows}
    for name in names - set(SERVICES):
        results.check(False, f"the service {name} is not in SERVICES of this test")
    services = {name: SERVICES[name]() for name in sorted(names & set(SERVICES))}

    def walk_all(name):
        for row in rows:
            if row[2].split(".")[0] == name:
                walk(row, services[name], results, {other[0] for other in rows if other[1] == row[1]})
        results.check(services[name].is_other_undisturbed(), f"{name}: the other account's session was disturbed")
    # Side by side, because most of the time is the hashing of passwords that are wrong.
    with concurrent.futures.ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(walk_all, services))
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
