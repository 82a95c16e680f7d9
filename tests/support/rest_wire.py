"""Clients of the REST services: JSON over HTTP with the standard library."""

import base64
import http.client
import json
import os
import secrets
import threading
import urllib.parse

from installation import when_let_in

HTTP = os.environ.get("SYNCLINE_HTTP", "")
PASSWORD = "a good password"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        return self.json["detail"]

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def ask(method, path, body=None, token=None, headers=None, base=None):
    """`body`: bytes as they are, anything else as JSON."""
    address = urllib.parse.urlsplit(base or HTTP)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("content-type", "application/json")
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def basic(name, password):
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


_scripts = {}
_scripts_lock = threading.Lock()


def script_login(name, password=PASSWORD, base=None):
    """The header Authorization of a script: Basic with an app password, which is made once. Making it needs Redis."""
    with _scripts_lock:  # fifty threads may ask at once
        if (name, base) not in _scripts:
            _scripts[name, base] = _new_script_login(name, password, base)
        return _scripts[name, base]


def _new_script_login(name, password, base):
    def new(path, body, status, token=None):
        answer = ask("POST", path, body, token, base=base)
        assert answer.status == status, answer
        return answer.json

    login = when_let_in(lambda: new("/account/login", {"name": name, "password": password}, 200))
    made = when_let_in(lambda: new("/account/app-passwords", {"name": "a script", "password": password}, 201, login["access_token"]))
    return basic(name, made["app_password"])["authorization"]


def new_email():
    return f"{secrets.token_hex(6)}@example.com"


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Client:
    """One device of an account: its tokens, and requests with them."""

    def __init__(self, email=None, password=PASSWORD, base=None):
        self.email, self.password, self.base = email or new_email(), password, base
        self.access = self.refresh_token = None

    def _take(self, answer, status):
        assert answer.status == status, answer
        self.access, self.refresh_token = answer.json["access_token"], answer.json["refresh_token"]
        return self

    def register(self):
        return self._take(ask("POST", "/auth/register", self.credentials(), base=self.base), 201)

    def log_in(self):
        return self._take(ask("POST", "/auth/login", self.credentials(), base=self.base), 200)

    def refresh(self):
        return self._take(self.try_refresh(self.refresh_token), 200)

    def try_refresh(self, token):
        return ask("POST", "/auth/refresh", {"refresh_token": token}, base=self.base)

    def credentials(self):
        return {"email": self.email, "password": self.password}

    def another(self):
        return Client(self.email, self.password, self.base).log_in()

    def get(self, path, **more):
        return ask("GET", path, token=self.access, base=self.base, **more)

    def post(self, path, body=None, **more):
        return ask("POST", path, body, token=self.access, base=self.base, **more)

    def patch(self, path, body=None, **more):
        return ask("PATCH", path, body, token=self.access, base=self.base, **more)

    def put(self, path, body=None, **more):
        return ask("PUT", path, body, token=self.access, base=self.base, **more)

    def delete(self, path, **more):
        return ask("DELETE", path, token=self.access, base=self.base, **more)

    def me(self):
        return self.get("/users/me")
