"""A person with a vault: WebDAV and the API over HTTP, and the contents that vaults tell apart."""

import base64
import hashlib
import io
import os
import re
import secrets
import sqlite3
import struct
import subprocess
import tempfile
import time
import zipfile

from installation import admin
from rest_wire import PASSWORD, ask, basic, script_login

DOCUMENT = "cordiax_sync/cordiax.db"
ZIPPED = "cordiax_sync/cordiax_sync.zip"


def database(rows=1):
    """A plain SQLite file with a change counter that grows with `rows`."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cordiax.db")
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE t (x)")
        for row in range(rows):
            db.execute("INSERT INTO t VALUES (?)", (f"{row} {secrets.token_hex(8)}",))
            db.commit()
        db.close()
        with open(path, "rb") as file:
            return file.read()


def encrypted(blocks=4, at=None):
    """As the desktop encrypts: only the form is right."""
    token = b"\x80" + struct.pack(">Q", int(at or time.time())) + os.urandom(16 + 16 * blocks + 32)
    return os.urandom(16) + base64.urlsafe_b64encode(token)


def zipped(entries, stored=False):
    """`entries`: (name, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


class Person:
    """An account with one vault, and an app password for each of its devices."""

    def __init__(self, slug="aula-3", stack=None):
        self.base = stack.http if stack else None
        self.name = f"vault-{secrets.token_hex(6)}"
        add = stack.add_user if stack else self.add_user
        add(self.name, PASSWORD)
        self.slug = slug
        self.auth = {"authorization": script_login(self.name, PASSWORD, self.base)}
        self.devices = [self.auth]
        answer = self.api("POST", "/vault/vaults", {"name": slug, "slug": slug})
        assert answer.status == 201, answer

    @staticmethod
    def add_user(name, password):
        admin("user", "add", name, "--password-file", "-", stdin=password + "\n")

    def another_device(self):
        end = time.monotonic() + 60
        while True:
            answer = self.api("POST", "/account/app-passwords", {"name": "another", "password": PASSWORD})
            if answer.status == 201:
                return basic(self.name, answer.json["app_password"])
            assert answer.status == 429 and time.monotonic() < end, answer
            time.sleep(1)

    def dav(self, method, path, body=None, auth=None, **headers):
        """`path`: within the vault, already encoded. Names of headers with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(method, f"/dav/{self.slug}/{path}", body, headers={**(auth or self.auth), **named}, base=self.base)

    def api(self, method, path, body=None):
        return ask(method, path, body, headers=self.auth, base=self.base)

    def vault(self, method="GET", path="", body=None):
        return self.api(method, f"/vault/vaults/{self.slug}{path}", body)

    def versions(self, path=None):
        return self.vault(path="/versions" + (f"?path={path}" if path else "")).json["versions"]

    def kinds(self):
        return [event["kind"] for event in self.vault(path="/events").json["events"]]

    def url(self, path):
        return f"{self.base or os.environ['SYNCLINE_HTTP']}/dav/{self.slug}/{path}"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def token_of(answer):
    return re.fullmatch("<(.*)>", answer.headers["Lock-Token"])[1]


LOCK = (b'<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
        b'<owner><href>me</href></owner></lockinfo>')
SHARED = LOCK.replace(b"exclusive", b"shared")


def run_sql(statement):
    return subprocess.run(["psql", "-XAtqc", statement, os.environ["DATABASE_URL"]], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
