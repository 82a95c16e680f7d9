#!/usr/bin/env python3
"""Shared decks: pushes, full syncs and pulls, against a service that works as PostgREST does (decks_reference.py) on the same
PostgreSQL; prints one table. See README.md.

    ./run --detach --dir DIR
    python3 -m venv build/venv-bench && build/venv-bench/bin/pip install -r tests/bench/requirements.txt
    tests/bench/decks.py --dir DIR [--python build/venv-bench/bin/python] [--cards N]

A deck of 50,000 cards and 32 subscribers. Both get the same bodies from the same threads, in turns; the table has medians. Ours
goes through nginx, merges, and keeps history; the other one does not. Below stands the memory of our largest process before and
after a download of the whole deck. Left out on purpose: TLS, media.
"""

import argparse
import concurrent.futures
import gzip
import http.client
import json
import os
import pathlib
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rest import WORKERS, Installation, free_port, say, wait_for

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SUBSCRIBERS, ROUNDS, PULLS = 32, 5, 5
PAGE, BATCH, EDITS = 1000, 500, 100
PASSWORD = "a good password"


def batch(first, count, edition=0):
    """Cards as long as those of a deck for medical students."""
    return [{"card_guid": f"guid{number:08}", "note_type": "Basic", "tags": [f"chapter{number % 40}", f"part{number % 7}"], "subdeck_path": "",
             "fields": {"Front": f"question {number}, edition {edition} " + "what is asked " * 8, "Back": f"answer {number} " + "and why " * 40}}
            for number in range(first, first + count)]


class Caller:
    """One connection, kept open."""

    def __init__(self, base, token=None):
        address = urllib.parse.urlsplit(base)
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=300)
        self.headers = {"content-type": "application/json", "x-api-version": "4.0"} | ({"authorization": f"Bearer {token}"} if token else {})

    def bytes(self, path, body):
        self.connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {text[:500]}")
        return gzip.decompress(text) if answer.headers.get("content-encoding") == "gzip" else text

    def json(self, path, body):
        return json.loads(self.bytes(path, body))


class Ours:
    title, push_path, pull_path = "ours", "/functions/v1/addon-push-deck-cards", "/functions/v1/addon-pull-changes"

    def __init__(self, installation):
        self.installation = installation
        self.owner = self.person("--plan")
        self.deck = self.owner.json("/functions/v1/addon-create-deck", {"title": "A deck to measure"})["deck"]["id"]
        self.subscribers = [self.person() for _ in range(SUBSCRIBERS)]

    def person(self, plan=None):
        name, admin = f"bench-{secrets.token_hex(6)}", self.installation.env["SYNCLINE_ADMIN"]
        subprocess.run([admin, "user", "add", name, "--password-file", "-"], input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL)
        if plan:
            subprocess.run([admin, "plan", "give", name, "premium", "--until", "2099-12-31"], check=True, stdout=subprocess.DEVNULL)
        login = Caller(self.installation.http).json("/functions/v1/addon-login", {"email": name, "password": PASSWORD})
        return Caller(self.installation.http, login["access_token"])

    def subscribe(self):
        for one in self.subscribers:
            one.json("/functions/v1/addon-manage-subscription", {"action": "subscribe", "deck_id": self.deck})

    def last(self):
        return self.subscribers[0].json(self.pull_path, {"deck_id": self.deck, "full_sync": True, "offset": 0, "limit": 1})["latest_change_id"]

    def allow(self):
        """Forgets what was counted: one account may call twice a second only."""
        cli = ["redis-cli", "-s", self.installation.env["REDIS_URL"].removeprefix("unix://")]
        keys = subprocess.run([*cli, "--scan", "--pattern", "syncline:rate:calls:decks.*"], check=True, text=True, stdout=subprocess.PIPE)
        if keys.stdout:
            subprocess.run([*cli, "DEL", *keys.stdout.split()], check=True, stdout=subprocess.DEVNULL)

    def memory(self):
        """MiB of the largest process."""
        pids = subprocess.run(["pgrep", "-f", f"{self.installation.dir}/bin/syncline-fcgi"], text=True, stdout=subprocess.PIPE).stdout.split()
        return max(int(line.split()[1]) / 1024 for pid in pids for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                   if line.startswith("VmRSS"))


class Other:
    title, push_path, pull_path = "other", "/rpc/push", "/rpc/pull"

    def __init__(self, installation, python):
        self.database, secret = f"decks_reference_{secrets.token_hex(4)}", secrets.token_hex(32)
        installation.sql(f"CREATE DATABASE {self.database}")
        self.installation, self.deck, port = installation, "deck", free_port()
        self.base = f"http://127.0.0.1:{port}"
        sockets = urllib.parse.parse_qs(urllib.parse.urlsplit(installation.env["DATABASE_URL"]).query)["host"][0]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [python, "-m", "uvicorn", "decks_reference:app", "--workers", str(WORKERS), "--port", str(port), "--no-access-log",
             "--timeout-keep-alive", "600"],
            env=os.environ | {"DATABASE_URL": f"postgresql://syncline@/{self.database}?host={sockets}", "JWT_SECRET": secret},
            cwd=HERE, stdout=self.log, stderr=self.log)
        token = subprocess.run([python, "-c", "import jwt, sys; print(jwt.encode({'sub': '1'}, sys.argv[1], algorithm='HS256'))", secret],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        wait_for(lambda: self.last() == 0, self)
        self.owner = Caller(self.base, token)
        self.subscribers = [Caller(self.base, token) for _ in range(SUBSCRIBERS)]

    def why(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def subscribe(self):
        pass

    def allow(self):
        pass

    def last(self):
        caller = Caller(self.base)
        caller.connection.request("GET", f"/last/{self.deck}")
        return json.loads(caller.connection.getresponse().read())

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.installation.sql(f"DROP DATABASE {self.database} WITH (FORCE)")


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def push(server, first, count, edition=0):
    server.allow()
    return server.owner.json(server.push_path, {"deck_id": server.deck, "cards": batch(first, count, edition)})


def fill(server, cards):
    say(f"{server.title}: {cards} cards")
    for first in range(0, cards, BATCH):
        push(server, first, min(BATCH, cards - first))
    server.subscribe()


def full_sync(server, cards):
    server.allow()
    got, caller = set(), server.subscribers[0]
    for offset in range(0, cards, PAGE):
        if offset % (100 * PAGE) == 0:
            server.allow()
        page = caller.json(server.pull_path, {"deck_id": server.deck, "full_sync": True, "offset": offset, "limit": PAGE})
        got.update(card["guid"] for card in page["cards"])
    if len(got) != cards:
        sys.exit(f"{server.title}: {len(got)} of {cards} cards")


def pull(server, since):
    """All subscribers at once, each a few times."""
    server.allow()
    body = json.dumps({"deck_id": server.deck, "full_sync": False, "since": since, "offset": 0, "limit": PAGE}).encode()

    def one(caller):
        for _ in range(PULLS):
            if len(json.loads(caller.bytes(server.pull_path, body))["changes"]) != EDITS:
                sys.exit(f"{server.title}: not {EDITS} changes")
    with concurrent.futures.ThreadPoolExecutor(SUBSCRIBERS) as pool:
        list(pool.map(one, server.subscribers))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=pathlib.Path, required=True, help="folder of a running installation")
    options.add_argument("--python", default=str(ROOT / "build/venv-bench/bin/python"), help="with the packages of requirements.txt")
    options.add_argument("--cards", type=int, default=50_000)
    options = options.parse_args()
    installation = Installation(options.dir)
    other = Other(installation, options.python)
    try:
        servers = (Ours(installation), other)
        for server in servers:
            fill(server, options.cards)
        rows = {}
        next_card, times = options.cards, {server: [] for server in servers}
        for _ in range(ROUNDS):
            for server in servers:
                times[server].append(timed(lambda server=server: push(server, next_card, BATCH)))
            next_card += BATCH
        rows["push of 500 new cards"] = times
        times = {server: [] for server in servers}
        for edition in range(1, ROUNDS + 1):
            for server in servers:
                times[server].append(timed(lambda server=server, edition=edition: push(server, 0, BATCH, edition)))
        rows["push of 500 cards with an edit each"] = times
        times = {server: [timed(lambda server=server: push(server, 0, BATCH, ROUNDS)) for _ in range(ROUNDS)] for server in servers}
        rows["push of 500 cards that are there"] = times
        times = {server: [] for server in servers}
        for _ in range(3):
            for server in servers:
                times[server].append(timed(lambda server=server: full_sync(server, next_card)))
        rows[f"full sync of {next_card} cards by pages"] = times
        since = {server: server.last() for server in servers}
        for server in servers:
            push(server, 2000, EDITS, 1)
        times = {server: [] for server in servers}
        for _ in range(ROUNDS):
            for server in servers:
                times[server].append(timed(lambda server=server: pull(server, since[server])))
        rows[f"{SUBSCRIBERS * PULLS} pulls of {EDITS} changes by {SUBSCRIBERS}"] = times
        print(f"\n| {'work':<42} | ours ms | other ms | ratio |\n|---|---|---|---|")
        for name, times in rows.items():
            ours, their = (1000 * statistics.median(times[server]) for server in servers)
            print(f"| {name:<42} | {ours:7.0f} | {their:8.0f} | {their / ours:5.2f} |")
        before = servers[0].memory()
        servers[0].allow()
        seconds = timed(lambda: servers[0].subscribers[1].bytes("/functions/v1/addon-download-deck", {"deck_id": servers[0].deck}))
        print(f"\ndownload of the whole deck: {seconds:.1f} s; the largest process {before:.0f} MiB before, {servers[0].memory():.0f} MiB after")
    finally:
        other.close()


if __name__ == "__main__":
    main()
