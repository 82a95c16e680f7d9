"""Vaults and their desktops, for tests: what is in the database, and a desktop that sends over Socket.IO."""

import base64
import json
import os
import secrets
import sys
import time
import urllib.parse

from database import Session
from installation import admin, when_let_in

try:
    import requests
except ImportError:
    print(os.environ.get("SYNCLINE_VENV_PROBLEM") or "no Python package requests")
    sys.exit(77)

SYNC = "/cordiax-sync/"


def encrypted(rng, blocks=3):
    """A database as the desktop encrypts it, as far as anybody without the password can see. `rng`: a random.Random."""
    token = b"\x80" + (1_790_000_000).to_bytes(8, "big") + rng.randbytes(16 + 16 * blocks + 32)
    return rng.randbytes(16) + base64.urlsafe_b64encode(token)


class VaultOwner:
    """An account with one vault, and a token for its API. `http`: the server's address."""

    def __init__(self, http, database_url, command=None, encryption="off"):
        self.http, self.database_url, self.command = http, database_url, command
        self.user, self.password, self.slug = f"vault-{secrets.token_hex(5)}", secrets.token_hex(8), "aula-3"
        admin("user", "add", self.user, "--password-file", "-", stdin=self.password + "\n", command=command)
        admin("vault", "create", self.user, self.slug, command=command)
        if encryption != "off":
            admin("vault", "set", self.user, self.slug, "--encryption", encryption, command=command)

    def token(self):
        def log_in():
            answer = requests.post(self.http + "/account/login", json={"name": self.user, "password": self.password}, timeout=30)
            assert answer.status_code == 200, answer.status_code
            return answer.json()["access_token"]
        return when_let_in(log_in)

    def device(self, name="aula"):
        """(id, key) of a new desktop."""
        lines = admin("vault", "device", "add", self.user, self.slug, name, command=self.command).splitlines()
        return int(lines[0].split()[1].rstrip(";")), lines[1]

    def remove(self, device):
        admin("vault", "device", "remove", self.user, self.slug, str(device), command=self.command)

    def rows(self, statement):
        """`statement`: its %s is the condition of this vault."""
        where = f"(user_id, vault_id) = (SELECT user_id, vault_id FROM vaults JOIN users USING (user_id) WHERE users.name = '{self.user}')"
        with Session(self.database_url) as db:
            return db.ask(statement % where)

    def versions(self):
        """[(name, class, state, sha256, size)] in the order in which they came."""
        return self.rows("SELECT n.name, v.class, v.state, encode(v.sha256, 'hex'), v.size_bytes FROM vault_versions v "
                         "JOIN vault_nodes n USING (user_id, vault_id, node_id) WHERE %s ORDER BY v.version_id")

    def events(self):
        """[(kind, message)]"""
        return self.rows("SELECT kind, message FROM vault_events WHERE %s ORDER BY event_id")


class Polling:
    """A session of Engine.IO by long polling, request by request. `query`: more of the address."""

    def __init__(self, http, query=None, headers=None, path="/socket.io/"):
        self.http, self.path, self.headers = http, path, headers or {}
        self.query = {"EIO": "4", "transport": "polling", **(query or {})}
        self.sid = None
        self.received = []  # packets that nobody has taken yet

    def ask(self, method="GET", body=None, query=None, timeout=60, headers=None):
        query = {**self.query, **({"sid": self.sid} if self.sid else {}), **(query or {})}
        text = urllib.parse.urlencode({key: value for key, value in query.items() if value is not None})
        return requests.request(method, f"{self.http}{self.path}?{text}", data=body, timeout=timeout,
                                headers={**self.headers, **(headers or {})}, allow_redirects=False)

    def open(self):
        answer = self.ask()
        assert answer.status_code == 200 and answer.text[0] == "0", (answer.status_code, answer.text)
        handshake = json.loads(answer.text[1:])
        self.sid = handshake["sid"]
        return handshake

    def send(self, *packets, status=200):
        body = "\x1e".join(packets)
        answer = self.ask("POST", body.encode() if isinstance(body, str) else body, headers={"content-type": "text/plain"})
        assert answer.status_code == status, (answer.status_code, answer.text)
        if status == 200:
            assert answer.text == "ok", answer.text

    def poll(self, status=200):
        """The packets of one poll."""
        answer = self.ask()
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.text.split("\x1e") if status == 200 else answer.json()

    def until(self, prefix, seconds=20):
        """Polls, and answers pings, until a packet begins like that; returns it and those before it."""
        seen, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            self.received = self.received or self.poll()
            packet = self.received.pop(0)
            if packet == "2":
                self.send("3")
                continue
            seen.append(packet)
            if packet.startswith(prefix):
                return packet, seen
        raise AssertionError(f"no {prefix} in {seconds} s: {seen}")

    def join(self, namespace=SYNC, payload="{}"):
        """Connects to a namespace and returns the answer."""
        self.send(f"40{namespace},{payload}")
        return self.until("4")[0]


def upload(data, namespace=SYNC, ack="", **more):
    """The packet of a desktop's upload."""
    return f"42{namespace},{ack}" + json.dumps(["sync_data", {"data": data.hex(), **more}], separators=(",", ":"))


def completed(packet, namespace=SYNC):
    """The outcome in a sync_complete."""
    head = f"42{namespace},"
    assert packet.startswith(head), packet
    name, outcome = json.loads(packet[len(head):])
    assert name == "sync_complete", packet
    return outcome
