"""Clients of the decks service, as the add-on speaks: JSON by POST to /functions/v1/addon-NAME."""

import os
import secrets
import subprocess

from installation import admin as run_admin
from rest_wire import ask

PASSWORD = "a good password"
TRAPS = ("expired", "invalid", "token", "unauthorized", "401", "auth")
CLIENT = {"X-API-Version": "4.0", "Content-Type": "application/json"}


def forget_rates():
    """So that a test may call more often than a person."""
    cli = ["redis-cli", "-s", os.environ["REDIS_URL"].removeprefix("unix://")]
    keys = subprocess.run([*cli, "--scan", "--pattern", "syncline:rate:calls:decks.*"], check=True, text=True, stdout=subprocess.PIPE)
    if keys.stdout:
        subprocess.run([*cli, "DEL", *keys.stdout.split()], check=True, stdout=subprocess.DEVNULL)


class Person:
    """An account with a login. `plan`: premium and the like; `collection`: it owns the collection. `stack`: of the test's own
    installation."""

    def __init__(self, plan=None, collection=False, is_admin=False, name=None, stack=None):
        self.name = name or f"deck-{secrets.token_hex(6)}"
        self.base = stack.http if stack else None
        admin = stack.admin if stack else run_admin
        admin("user", "add", self.name, *(["--admin"] if is_admin else []), "--password-file", "-", stdin=PASSWORD + "\n")
        if plan or collection:
            give = ["plan", "give", self.name, plan or "free"]
            if plan:
                give += ["--until", "2099-12-31"]
            if collection:
                give.append("--collection")
            admin(*give)
        self.log_in()

    @classmethod
    def of(cls, name, password=PASSWORD, base=None):
        """An account that exists."""
        person = object.__new__(cls)
        person.name, person.base = name, base
        return person.log_in(password)

    def log_in(self, password=PASSWORD):
        self.login = call("login", {"email": self.name, "password": password}, base=self.base)
        assert self.login.status == 200, self.login
        self.token = self.login.json["access_token"]
        self.refresh = self.login.json["refresh_token"]
        return self

    def again(self):
        """The same account on another computer."""
        return Person.of(self.name, base=self.base)

    def ask(self, name, body=None, **more):
        return call(name, {} if body is None else body, token=self.token, base=self.base, **more)

    def call(self, name, body=None, status=200, **more):
        """The JSON of an answer with this status."""
        answer = self.ask(name, body, **more)
        assert answer.status == status, (name, answer)
        if status >= 400:
            check_refusal(answer)
        return answer.json

    def deck(self, title="A deck of cards", **more):
        return self.call("create-deck", {"title": title, "description": secrets.token_hex(4), **more})["deck"]["id"]

    def make_maintainer(self, deck, person):
        """Asks, and is answered."""
        self.call("manage-members", {"deck_id": deck, "action": "add", "user": person.name})
        person.call("manage-members", {"deck_id": deck, "action": "accept"})

    def push(self, deck, cards, status=200, **more):
        return self.call("push-deck-cards", {"deck_id": deck, "cards": cards, **more}, status)

    def pull(self, deck, **more):
        return self.call("pull-changes", {"deck_id": deck, "full_sync": False, "offset": 0, "limit": 1000, **more})

    def download(self, deck, **more):
        return self.call("download-deck", {"deck_id": deck, "include_media": True, **more})

    def install(self, deck):
        """Downloads the deck, and goes on from there as the add-on does: its next pull names the cursor of the download."""
        got = self.download(deck)
        self.pull(deck, last_change_id=got["latest_change_id"])
        return got


def call(name, body, token=None, method="POST", headers=None, folder="/functions/v1", base=None):
    return ask(method, f"{folder}/addon-{name}", body, token=token, headers={**CLIENT, **(headers or {})}, base=base)


def check_refusal(answer):
    """Whatever fails says so in the words of the add-on, without those that mislead it."""
    body = answer.json
    assert body["success"] is False and body["message"] == body["error"] and body["message"], answer
    assert isinstance(body["code"], str) and body["code"], answer
    if answer.status != 401:
        found = [word for word in TRAPS if word in body["message"].lower()]
        assert not found, (found, answer)


def card(guid, fields=None, **more):
    return {"card_guid": guid, "note_type": "Basic",
            "fields": fields or {"Front": f"front of {guid}", "Back": f"back of {guid}"}, **more}


def cards(count, first=0):
    return [card(f"g{number:05}") for number in range(first, first + count)]


def field_of(download, guid, field):
    return next(one for one in download["cards"] if one["guid"] == guid)["fields"][field]
