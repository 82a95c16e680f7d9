#!/usr/bin/env python3
"""Random operations on accounts, compared with a simple model: who can do what with which password, token, key and
invitation.

Starts an installation of its own, where registration needs an invitation. See random_work.py for the options.
"""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Wire, status_of
from database import Session
from promises import until
from random_work import run
from rest_wire import ask, basic
from stack import Stack

# A revoked key is refused everywhere within a second.
REFUSED_AFTER = 1.1

stack: Stack
database: Session


class Key:
    """A device: a session (kind refresh), an app password or one of Anki."""

    def __init__(self, kind, secret):
        self.kind, self.id, self.name = kind, None, None
        self.access, self.refresh, self.used = [], None, []
        if kind == "refresh":
            self.take(secret)
        else:
            self.secret = secret
        self.died_at = None

    def take(self, tokens):
        if self.refresh:
            self.used.append(self.refresh)
        self.refresh = tokens["refresh_token"]
        self.access.append(tokens["access_token"])


class Account:
    def __init__(self, email, password):
        self.email, self.password, self.id = email, password, None
        self.is_disabled = self.is_gone = self.deletes = False
        self.keys = []

    def live(self, kind=None):
        return [key for key in self.keys if key.died_at is None and kind in (None, key.kind)]


class Accounts:
    weights = {"register": 2, "log_in": 3, "refresh": 5, "use": 8, "use_a_dead_key": 6, "list_devices": 4, "disable_and_enable": 0.15,
               "remove": 0.15, "invite": 1, "log_in_wrongly": 0.7, "change_password": 1.5, "log_out_everywhere": 0.5}

    def __init__(self, rng):
        self.rng, self.accounts, self.count = rng, [], 0
        self.invitations = {}  # code: uses left
        self.run = f"{time.time_ns():x}"  # another one each time, and nothing depends on it
        for _ in range(3):
            self.do_register()

    # --- Choosing

    def one(self, things):
        return self.rng.choice(things) if things else None

    def account(self):
        """One that can be used."""
        return self.one([account for account in self.accounts if not account.is_gone])

    def session(self):
        """(account, live session)"""
        account = self.account()
        session = self.one(account.live("refresh"))
        if session is None:
            self.log_in(account)
            session = account.live("refresh")[0]
        return account, session

    def email(self):
        self.count += 1
        return f"n{self.count}-{self.run}@example.com"

    def new_password(self):
        self.count += 1
        return self.rng.choice([f"password {self.count}", f"gr\u00fcn {self.count} lang", f"gru\u0308n {self.count} lang", "x" * 200 + str(self.count)])

    # --- Asking

    @staticmethod
    def request(method, path, body=None, session=None, headers=None, token=None):
        token = token or (session.access[-1] if session else None)
        return ask(method, path, body, token, headers, stack.http)

    @staticmethod
    def expect(answer, *statuses):
        assert answer.status in statuses, (answer, statuses)
        return answer

    def log_in(self, account):
        email = account.email.upper() if self.rng.random() < 0.3 else account.email
        answer = self.request("POST", "/auth/login", {"email": email, "password": account.password})
        self.add(account, Key("refresh", self.expect(answer, 200).json))

    def add(self, account, key):
        """Finds out the id of a key that the server has just made."""
        asking = key if key.kind == "refresh" else account.live("refresh")[0]
        known = {one.id for one in account.keys}
        new = [device for device in self.request("GET", "/account/devices", session=asking).json if device["id"] not in known]
        assert len(new) == 1 and new[0]["kind"] == key.kind, new
        key.id, key.name = new[0]["id"], new[0]["name"]
        account.keys.append(key)

    def die(self, *keys):
        for key in keys:
            key.died_at = time.monotonic()

    def status(self, key):
        """What a request with it gets: 200, 401 (403 from Anki's calls) or 403."""
        if key.kind == "refresh":
            return self.request("GET", "/users/me", token=self.one(key.access)).status
        if key.kind == "app_password":
            return self.request("GET", "/account", headers=basic("any", key.secret)).status
        return status_of(lambda: Wire(stack.http, key.secret).ask("meta", {"v": 11, "cv": "x"}))

    # --- Operations

    def do_invite(self):
        uses = self.rng.choice([1, 1, 2])
        self.invitations[stack.admin("user", "invite", "--uses", str(uses)).strip()] = uses

    def do_register(self):
        code = self.one([code for code, left in self.invitations.items() if left])
        if code is None:
            self.do_invite()
            code = list(self.invitations)[-1]
        account = Account(self.email(), self.new_password())
        body = {"email": account.email, "password": account.password, "invitation": code}
        answer = self.expect(self.request("POST", "/auth/register", body), 201)
        self.invitations[code] -= 1
        self.add(account, Key("refresh", answer.json))
        account.id = self.request("GET", "/users/me", session=account.keys[0]).json["id"]
        assert account.id not in [other.id for other in self.accounts]
        self.accounts.append(account)

    def do_register_in_vain(self):
        body = {"email": self.email(), "password": self.new_password()}
        used = self.one([code for code, left in self.invitations.items() if not left])
        left = self.one([code for code, left in self.invitations.items() if left])
        kind = self.rng.randrange(4)
        if kind == 0:
            self.expect(self.request("POST", "/auth/register", body), 403)
        elif kind == 1 and used:
            self.expect(self.request("POST", "/auth/register", {**body, "invitation": used}), 403)
        elif kind == 2 and left:
            taken = self.account().email
            self.expect(self.request("POST", "/auth/register", {**body, "invitation": left, "email": taken}), 409)
        else:
            self.expect(self.request("POST", "/auth/register", {**body, "invitation": left or "x", "password": "short"}), 422)
        self.expect(self.request("POST", "/auth/login", {"email": body["email"], "password": body["password"]}), 401)
        database.ask("DELETE FROM login_failures")

    def do_log_in(self):
        self.log_in(self.account())

    def do_log_in_wrongly(self):
        account = self.account()
        for path, body in (("/auth/login", {"email": account.email, "password": account.password + "x"}),
                           ("/account/login", {"name": account.email, "password": "x" + account.password})):
            self.expect(self.request("POST", path, body), 401)
        assert status_of(lambda: Wire(stack.http).log_in(account.email, account.password[:-1])) == 403
        database.ask("DELETE FROM login_failures")

    def do_log_in_to_anki(self):
        account, _ = self.session()
        self.add(account, Key("anki", Wire(stack.http).log_in(account.email, account.password).key))

    def do_refresh(self):
        _, session = self.session()
        answer = self.expect(self.request("POST", "/auth/refresh", {"refresh_token": session.refresh}), 200)
        session.take(answer.json)

    def do_replay(self):
        """A refresh token that comes twice ends its session."""
        account, session = self.session()
        if session.used:
            answer = self.request("POST", "/auth/refresh", {"refresh_token": self.one(session.used)})
            assert answer.detail.startswith("Refresh token mismatch"), answer
            self.expect(answer, 401)
            self.die(session)
            self.expect(self.request("GET", "/users/me", token=self.one(session.access)), 401)
            return f"of account {account.id}"
        return None

    def do_use(self):
        account = self.account()
        key = self.one(account.live())
        if key:
            assert self.status(key) == 200, (key.kind, key.id)
            if key.kind == "refresh":
                me = self.request("GET", "/users/me", token=self.one(key.access)).json
                assert (me["id"], me["email"], me["is_active"]) == (account.id, account.email, True), (me, account.email)

    def do_use_a_dead_key(self):
        dead = sorted((key for account in self.accounts for key in account.keys if key.died_at), key=lambda one: one.died_at)
        # For the latest ones one would have to wait.
        key = self.one(dead[:-3] or dead)
        if key:
            time.sleep(max(0.0, key.died_at + REFUSED_AFTER - time.monotonic()))
            assert self.status(key) == (403 if key.kind == "anki" else 401), (key.kind, key.id)
            if key.kind == "refresh":
                self.expect(self.request("POST", "/auth/refresh", {"refresh_token": key.refresh}), 401)

    def do_list_devices(self):
        account, session = self.session()
        devices = self.request("GET", "/account/devices", session=session).json
        expected = sorted((key.id, key.kind, key.name, key is session) for key in account.live())
        assert sorted((d["id"], d["kind"], d["name"], d["is_current"]) for d in devices) == expected, (devices, expected)
        sessions = self.request("GET", "/auth/sessions", session=session).json
        assert sorted(one["id"] for one in sessions) == sorted(key.id for key in account.live("refresh")), sessions

    def do_rename(self):
        account, session = self.session()
        key, self.count = self.one(account.live()), self.count + 1
        name = f"name {self.count}"
        self.expect(self.request("PATCH", f"/account/devices/{key.id}", {"name": name}, session), 204)
        key.name = name

    def do_revoke(self):
        account, session = self.session()
        key = self.one(account.live())
        self.expect(self.request("DELETE", f"/account/devices/{key.id}", session=session), 204)
        self.die(key)

    def do_end_session(self):
        account, session = self.session()
        key = self.one(account.live())
        status = 204 if key.kind == "refresh" else 404
        self.expect(self.request("DELETE", f"/auth/sessions/{key.id}", session=session), status)
        if status == 204:
            self.die(key)
            self.expect(self.request("GET", "/users/me", token=self.one(key.access)), 401)

    def do_touch_others(self):
        """Nobody sees or changes the devices of another account."""
        _, session = self.session()
        other = self.one([key for account in self.accounts for key in account.live() if session not in account.keys])
        if other:
            for method, path, body in (("DELETE", "/account/devices/", None), ("PATCH", "/account/devices/", {"name": "x"}),
                                       ("DELETE", "/auth/sessions/", None)):
                self.expect(self.request(method, path + str(other.id), body, session), 404)

    def do_make_app_password(self):
        account, session = self.session()
        self.count += 1
        body = {"name": f"app {self.count}", "password": account.password + "x"}
        if self.rng.random() < 0.2:
            self.expect(self.request("POST", "/account/app-passwords", body, session), 401)
            database.ask("DELETE FROM login_failures")
        body["password"] = account.password
        answer = self.expect(self.request("POST", "/account/app-passwords", body, session), 201).json
        self.add(account, Key("app_password", answer["app_password"]))
        assert (account.keys[-1].name, account.keys[-1].id) == (body["name"], answer["id"]), answer

    def do_log_out(self):
        _, session = self.session()
        self.expect(self.request("POST", "/auth/logout", session=session), 200)
        self.die(session)
        self.expect(self.request("GET", "/users/me", token=self.one(session.access)), 401)

    def do_log_out_everywhere(self):
        account, session = self.session()
        self.expect(self.request("POST", "/auth/logout-all", session=session), 200)
        self.die(*account.live("refresh"))

    def do_change_password(self):
        account, session = self.session()
        new = self.new_password()
        if self.rng.random() < 0.3:
            body = {"password": account.password + "x", "new_password": new}
            self.expect(self.request("POST", "/account/password", body, session), 401)
            database.ask("DELETE FROM login_failures")
        self.expect(self.request("POST", "/account/password", {"password": account.password, "new_password": new}, session), 204)
        account.password, old = new, account.password
        self.die(*(key for key in account.live() if key is not session))
        self.expect(self.request("POST", "/auth/login", {"email": account.email, "password": old}), 401)
        database.ask("DELETE FROM login_failures")

    def do_change_email(self):
        account, session = self.session()
        taken = self.one([other.email for other in self.accounts if other is not account and not other.is_gone])
        if taken:
            self.expect(self.request("POST", "/account/email", {"email": taken, "password": account.password}, session), 409)
        old, new = account.email, self.email()
        self.expect(self.request("POST", "/account/email", {"email": new, "password": account.password}, session), 200)
        account.email = new
        self.expect(self.request("POST", "/auth/login", {"email": old, "password": account.password}), 401)
        database.ask("DELETE FROM login_failures")

    def do_delete_or_keep(self):
        account, session = self.session()
        if account.deletes:
            answer = self.request("DELETE", "/account/deletion", session=session)
        else:
            answer = self.request("POST", "/account/deletion", {"password": account.password}, session)
        account.deletes = not account.deletes
        own = self.request("GET", "/account", session=session).json
        assert self.expect(answer, 200).json["deletes_at"] == own["deletes_at"], (answer, own)
        assert bool(own["deletes_at"]) == account.deletes, own

    def do_disable_and_enable(self):
        account, session = self.session()
        stack.admin("user", "disable", account.email)
        until(lambda: self.status(session) == 403, REFUSED_AFTER)
        self.expect(self.request("POST", "/auth/login", {"email": account.email, "password": account.password}), 403)
        self.expect(self.request("POST", "/auth/refresh", {"refresh_token": session.refresh}), 403)
        self.die(session)
        stack.admin("user", "enable", account.email)
        # What a process has found out it remembers for half a second.
        time.sleep(REFUSED_AFTER)

    def do_remove(self):
        account, _ = self.session()
        if sum(not one.is_gone for one in self.accounts) > 2:
            stack.admin("user", "remove", account.email, "--yes")
            account.is_gone = True
            self.die(*account.live())
            self.expect(self.request("POST", "/auth/login", {"email": account.email, "password": account.password}), 401)
            database.ask("DELETE FROM login_failures")


if __name__ == "__main__":
    with Stack({"SYNCLINE_ACCOUNT_REGISTRATION": "invitation"}) as stack, Session(stack.env["DATABASE_URL"]) as database:
        sys.exit(run(Accounts))
