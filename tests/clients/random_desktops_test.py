#!/usr/bin/env python3
"""Random work of several desktops on one vault, packet by packet, beside a model: what was acknowledged is a version, and nothing else.

    random_desktops_test.py [--seed N] [--steps N]

SYNCLINE_HTTP, SYNCLINE_ADMIN and DATABASE_URL locate the installation.
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from vault import SYNC, Polling, VaultOwner, completed, encrypted, upload

HTTP = os.environ["SYNCLINE_HTTP"]
DESKTOPS = 4


class Model:
    """The versions that the vault must have, by what its desktops were told."""

    def __init__(self):
        self.hashes, self.head = [], None

    def saved(self, data, outcome):
        found = hashlib.sha256(data).hexdigest()
        assert outcome["status"] == "success", outcome
        if found == self.head:
            assert outcome["state"] == "unchanged", outcome
        else:
            assert outcome["state"] == "ok", outcome
            self.hashes.append(found)
            self.head = found


class Worker:
    def __init__(self, rng, owner, model, name):
        self.rng, self.owner, self.model = rng, owner, model
        self.device, self.key = owner.device(name)
        self.session, self.namespace = None, SYNC
        self.data = encrypted(rng)

    def step(self):
        if self.session is None:
            return self.connect()
        choices = (self.send_text, self.send_text, self.send_binary, self.send_in_pieces, self.send_wrong, self.leave_and_join,
                   self.say_goodbye, self.break_off, self.pong, self.vanish)
        return self.rng.choice(choices)()

    def connect(self):
        way = self.rng.randrange(3)
        self.namespace = f"{SYNC}{self.key}/" if way == 1 else SYNC
        self.session = Polling(HTTP, {"token": self.key} if way == 0 else None)
        self.session.open()
        answer = self.session.join(self.namespace, json.dumps({"token": self.key}) if way == 2 else "{}")
        assert answer.startswith(f"40{self.namespace},{{"), answer
        return f"connect by {('query', 'namespace', 'payload')[way]}"

    def next_data(self):
        if self.rng.random() < 0.7:
            self.data = encrypted(self.rng, self.rng.choice((1, 2, 3, 100, 5000)))
        return self.data

    def outcome(self):
        return completed(self.session.until(f"42{self.namespace},[\"sync_complete\"")[0], self.namespace)

    def send_text(self):
        data = self.next_data()
        self.session.send(*self.mixed(upload(data, self.namespace)))
        self.model.saved(data, self.outcome())
        return f"text of {len(data)}"

    def mixed(self, packet):
        """With pongs and events that nobody knows around it."""
        others = ["3", f'42{self.namespace},["other",{{"data":"00"}}]']
        return [*self.rng.choices(others, k=self.rng.randrange(2)), packet, *self.rng.choices(others, k=self.rng.randrange(2))]

    def binary(self, data):
        return (f'451-{self.namespace},["sync_data",{{"data":{{"_placeholder":true,"num":0}}}}]', "b" + base64.b64encode(data).decode())

    def send_binary(self):
        data = self.next_data()
        self.session.send(*self.binary(data))
        self.model.saved(data, self.outcome())
        return f"attachment of {len(data)}"

    def send_in_pieces(self):
        data = self.next_data()
        head, attachment = self.binary(data)
        self.session.send(head)
        self.session.send("3")
        self.session.send(attachment)
        self.model.saved(data, self.outcome())
        return f"attachment of {len(data)} in a request of its own"

    def send_wrong(self):
        wrong = self.rng.choice(('{"data":"0"}', '{"data":"xy"}', "{}", '{"data":7}', '{"data":"00","base_version":999999}'))
        self.session.send(f'42{self.namespace},["sync_data",{wrong}]')
        assert self.outcome()["status"] == "error", wrong
        return f"wrong {wrong}"

    def leave_and_join(self):
        self.session.send(f"41{self.namespace},")
        self.session.send(upload(b"between", self.namespace))
        answer = self.session.join(self.namespace, json.dumps({"token": self.key}))
        assert answer.startswith((f"40{self.namespace},{{", f"42{self.namespace},")), answer
        return "leave and join"

    def say_goodbye(self):
        self.session.send(f"41{self.namespace},", "1")
        self.session = None
        return "goodbye"

    def break_off(self):
        """Half an upload, then nothing."""
        self.session.send(f'42{self.namespace},["sync_data",{{"data":"00', status=400)
        self.session.poll(400)
        self.session = None
        return "broken packet"

    def pong(self):
        self.session.send("3")
        return "pong"

    def vanish(self):
        self.session = None
        return "vanish"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--steps", type=int, default=250)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng, model = random.Random(options.seed), Model()
    owner = VaultOwner(HTTP, os.environ["DATABASE_URL"])
    workers = [Worker(rng, owner, model, f"desktop {n}") for n in range(DESKTOPS)]
    for step in range(options.steps):
        worker = rng.choice(workers)
        try:
            done = worker.step()
        except AssertionError as error:
            print(f"FAILED  step {step} of seed {options.seed}, {worker.key[:4]}...: {error}")
            print("0 passed, 1 failed")
            return 1
        if step % 25 == 24:
            assert [row[3] for row in owner.versions()] == model.hashes, (step, done)
    assert [row[3] for row in owner.versions()] == model.hashes
    print(f"{options.steps} steps, {len(model.hashes)} versions\n1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
