"""How schemathesis logs in (SCHEMATHESIS_HOOKS): as one account, with a session of its own for what ends sessions."""

import os
import pathlib
import sys
import time

import schemathesis

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rest_wire import ask

HTTP = os.environ["SYNCLINE_HTTP"]
ACCOUNT = {"email": os.environ["SYNCLINE_TEST_EMAIL"], "password": os.environ["SYNCLINE_TEST_PASSWORD"]}
ENDS_SESSIONS = ("/auth/logout", "/auth/logout-all", "/auth/sessions/{sid}")
# An access token lives for 15 minutes.
RENEWED = 300


def new_token(account=None):
    answer = ask("POST", "/auth/login", account or ACCOUNT, base=HTTP)
    assert answer.status == 200, answer
    return answer.json["access_token"]


@schemathesis.auth(refresh_interval=None)
class Login:
    token = None
    until = 0.0

    def get(self, case, _context):
        if case.operation.path in ENDS_SESSIONS:
            # Of another account: all sessions end.
            return new_token({**ACCOUNT, "email": "other-" + ACCOUNT["email"]})
        if time.monotonic() > self.until:
            Login.token, Login.until = new_token(), time.monotonic() + RENEWED
        return self.token

    def set(self, case, data, _context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
