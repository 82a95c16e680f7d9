"""SIGKILL of the worker at many moments of a delivery: each batch is in the collection with its place in the log, or not at all, and
in the end the subscriber has every card once. Needs the package `anki`.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "support"))
from database import Session  # noqa: E402
from promises import keep  # noqa: E402
from stack import Stack  # noqa: E402

try:
    from anki_device import Device
except ImportError as problem:
    print(f"skipped: {problem}")
    sys.exit(77)

from decks_wire import PASSWORD, Person, card  # noqa: E402
from delivery_wire import Deliveries  # noqa: E402

CARDS, REMOVED = 3000, 300
# Fractions of the time that an undisturbed delivery takes.
MOMENTS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65]

stack: Stack
folder: pathlib.Path
owner: Person


def ask(statement):
    with Session(stack.env["DATABASE_URL"]) as session:
        return session.ask(statement)


def numbers(statement):
    return [int(value) for value in ask(statement)[0]]


def rescue():
    ask("UPDATE jobs SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")


class Subscriber:
    def __init__(self, deck, name):
        self.person = Person(stack=stack, name=name)
        self.name, self.deck = name, deck
        self.device = Device(folder, name, stack.http + "/")
        self.device.log_in(name, PASSWORD)
        self.device.upload()
        self.deliveries = Deliveries(ask, deck)

    def manage(self, action, **more):
        self.person.call("manage-delivery", {"deck_id": self.deck, "action": action, **more})

    def expect_whole_batches(self):
        """What the collection has and what was noted as delivered are of one moment."""
        notes, counted, delivered, suspended, asleep = numbers(
            "SELECT (SELECT count(*) FROM anki_notes n WHERE n.user_id = u.user_id),"
            " coalesce((SELECT notes FROM anki_collections n WHERE n.user_id = u.user_id), 0),"
            " (SELECT count(*) FROM decks_delivered_notes n WHERE n.user_id = u.user_id),"
            " (SELECT count(*) FROM decks_delivered_notes n WHERE n.user_id = u.user_id AND state = 'suspended'),"
            " (SELECT count(*) FROM anki_cards n WHERE n.user_id = u.user_id AND queue = -1)"
            f" FROM users u WHERE u.name = '{self.name}'")
        assert notes == counted == delivered and suspended == asleep, (notes, counted, delivered, suspended, asleep)

    def finish(self, notes, asleep=0):
        rescue()
        self.deliveries.wait()
        self.expect_whole_batches()
        self.device.sync_normally()
        guids = self.device.col.db.list("SELECT guid FROM notes")
        assert len(guids) == len(set(guids)) == notes, (len(guids), notes)
        assert self.device.col.db.scalar("SELECT count() FROM cards WHERE queue = -1") == asleep
        assert self.device.col.fix_integrity()[1], "the check of the client"


def killed_at(subscriber, action, moments, took, notes, asleep=0):
    """Kills the worker at each of the moments, of the same delivery."""
    action()
    states = []
    for moment in moments:
        time.sleep(took * moment)
        pid = stack.kill("worker")
        states.append(len(subscriber.deliveries.unfinished()))
        subscriber.expect_whole_batches()
        stack.wait_for_another("worker", pid)
        rescue()
    subscriber.finish(notes, asleep)
    return sum(states)


def a_killed_worker_delivers_every_card_once():
    deck = owner.deck("Killed while delivering")
    for first in range(0, CARDS, 500):
        owner.push(deck, [card(f"g{n:05}") for n in range(first, first + 500)])
    undisturbed = Subscriber(deck, "undisturbed")
    begin = time.monotonic()
    undisturbed.manage("start")
    undisturbed.deliveries.wait()
    took = time.monotonic() - begin
    undisturbed.finish(CARDS)
    subscriber = Subscriber(deck, "killed")
    met = killed_at(subscriber, lambda: subscriber.manage("start"), MOMENTS, took / 3, CARDS)
    assert met >= 2, f"the delivery was over when the worker was killed: {met}"
    begin = time.monotonic()

    def remove():
        owner.push(deck, [card("new")], deleted_guids=[f"g{n:05}" for n in range(REMOVED)])
        subscriber.deliveries.hurry()
    killed_at(subscriber, remove, [0.2, 0.5, 0.8], 1.0, CARDS + 1, REMOVED)
    undisturbed.finish(CARDS + 1, REMOVED)
    killed_at(undisturbed, lambda: undisturbed.manage("stop", keep_notes=False), [0.2, 0.5], 0.5, 0)
    return f"a delivery takes {took:.1f} s; killed in {met} of {len(MOMENTS)}"


def main():
    global stack, folder, owner
    folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-kill-delivery."))
    try:
        with Stack() as stack:
            os.environ.setdefault("SYNCLINE_HTTP", stack.http)
            owner = Person(plan="premium", stack=stack)
            return keep(a_killed_worker_delivers_every_card_once)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
