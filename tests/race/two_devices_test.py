"""Two devices of one account syncing at the same moment, in every order that can be forced.

Nothing is lost or duplicated, no full sync is forced, and a third device gets the content of both. The loser gets 409
and syncs again, as every client does.
"""

import concurrent.futures
import itertools
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import anki_wire
from database import Hold, Session
from gate import Gate
from promises import Skip, keep
from stack import Stack

try:
    from anki.errors import SyncError

    from anki_device import FULL, Device, changed, changes, difference
    no_client = None
except ImportError as e:
    no_client = os.environ.get("SYNCLINE_VENV_PROBLEM") or str(e)

PASSWORD = "a good password"
CONVERSATION = ("meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish")
# Locks at which the request stops after its transaction has begun: the first one it needs, and some that it needs while
# holding others.
INSIDE = {
    "start": ("LOCK TABLE anki_sessions IN SHARE MODE",),
    "applyGraves": ("SELECT 1 FROM anki_sessions FOR UPDATE", "LOCK TABLE anki_staged_graves IN SHARE MODE"),
    "applyChanges": ("SELECT 1 FROM anki_sessions FOR UPDATE", "LOCK TABLE anki_staged_objects IN SHARE MODE"),
    "chunk": ("LOCK TABLE anki_sessions IN ACCESS EXCLUSIVE MODE",),  # with nothing to send it only reads
    "applyChunk": ("SELECT 1 FROM anki_sessions FOR UPDATE", "LOCK TABLE anki_staged_notes IN SHARE MODE"),
    "sanityCheck2": ("SELECT 1 FROM anki_sessions FOR UPDATE",),
    "finish": ("SELECT 1 FROM anki_collections FOR UPDATE", "SELECT 1 FROM anki_sessions FOR UPDATE",
               "LOCK TABLE anki_graves IN SHARE MODE", "LOCK TABLE anki_staged_notes IN SHARE MODE"),
}

stack: Stack
directory: pathlib.Path
numbers = itertools.count(1)
calls = concurrent.futures.ThreadPoolExecutor(8)


def new_account():
    name = f"person{next(numbers)}"
    stack.add_user(name, PASSWORD)
    return name


def wire_devices(count):
    """Devices of a new account that all have its notes."""
    name = new_account()
    devices = [anki_wire.Device(anki_wire.Wire(stack.http).log_in(name, PASSWORD)) for _ in range(count)]
    devices[0].sync()
    for n in range(10):
        devices[0].add_note(f"old {n}")
    for device in devices:
        device.sync()
    return devices


def new_device_like(device):
    third = anki_wire.Device(anki_wire.Wire(stack.http, device.wire.key))
    third.sync()
    return third


def go_on(requests, how_far):
    """Sends `how_far` requests of a sync, or all; returns False if another device has taken the session."""
    try:
        for _ in itertools.islice(requests, how_far):
            pass
        return True
    except anki_wire.Refused as refused:
        assert refused.status == 409, refused
        return False


def change(device, label):
    notes = sorted(device.rows["notes"])
    added = device.add_note(f"{label} new", reviews=2)
    edited = notes[0 if label.startswith("A") else 1]
    device.edit_note(edited, f"{label} edited")
    removed = notes[-1 if label.startswith("A") else -2]
    device.remove_note(removed)
    return added, edited, removed


def settled(one, other):
    """Both sync again and then have the same content."""
    for device in (one, other, one):
        device.sync()
    assert one.content() == other.content()


def reviews_of(content):
    return sum(key[0] == "revlog" for key in content)


def two_devices_lose_nothing_in_any_order_of_their_requests():
    everything = 9  # eight requests, and the code after the last one
    a, b = wire_devices(2)
    orders = lost = 0
    for of_a, of_b in itertools.product(range(1, everything + 1), repeat=2):
        reviews = reviews_of(a.content())
        changes = {a: change(a, f"A {orders}"), b: change(b, f"B {orders}")}
        mine = {device: device.content() for device in changes}
        sync_a, sync_b = a.requests(), b.requests()
        a_lives = go_on(sync_a, of_a)
        b_lives = go_on(sync_b, of_b)
        a_lives = a_lives and go_on(sync_a, None)
        b_lives = b_lives and go_on(sync_b, None)
        orders += 1
        lost += (not a_lives) + (not b_lives)
        settled(a, b)
        now = a.content()
        for device, (added, edited, removed) in changes.items():
            assert now["notes", added] == mine[device]["notes", added]
            assert now["notes", edited] == mine[device]["notes", edited]
            assert ("notes", removed) not in now
        assert reviews_of(now) == reviews + 4, f"{reviews_of(now) - reviews} reviews instead of 4"
    assert new_device_like(a).content() == a.content()
    return f"{orders} orders, {lost} times 409"


def one_of_two_concurrent_starts_wins():
    a, b = wire_devices(2)
    change(a, "A")
    change(b, "B")
    sync_a, sync_b = a.requests(), b.requests()
    go_on(sync_a, 2)  # meta is done, start is next
    go_on(sync_b, 2)
    with Hold(stack.env["DATABASE_URL"], "LOCK TABLE anki_sessions IN SHARE MODE") as hold:
        start_a = calls.submit(go_on, sync_a, 1)
        hold.wait(1)
        start_b = calls.submit(go_on, sync_b, 1)
        hold.wait(2)
    assert start_a.result() and start_b.result()
    assert [go_on(sync_a, None), go_on(sync_b, None)].count(True) == 1
    settled(a, b)
    assert new_device_like(a).content() == a.content()


def a_start_after_a_finish_gets_its_changes_and_one_before_it_ends_that_sync():
    for first in ("finish", "start"):
        a, b = wire_devices(2)
        added, *_ = change(a, "A")
        change(b, "B")
        sync_a, sync_b = a.requests(), b.requests()
        assert go_on(sync_b, 2)
        steps = 0
        for name in sync_a:
            steps += 1
            if name == "finish":
                break
        with Hold(stack.env["DATABASE_URL"], "SELECT 1 FROM anki_sessions FOR UPDATE") as hold:
            order = [(sync_a, None), (sync_b, 1)] if first == "finish" else [(sync_b, 1), (sync_a, None)]
            running = []
            for n, (sync, how_far) in enumerate(order, 1):
                running.append(calls.submit(go_on, sync, how_far))
                hold.wait(n)
        went_well = [call.result() for call in running]
        if first == "finish":
            # B's session began before A's finish; it finishes on the state after it.
            assert went_well == [True, True]
            assert go_on(sync_b, None)
            assert ("notes", added) in b.content()
        else:
            assert went_well == [True, False]
            assert go_on(sync_b, None)
        settled(a, b)
        assert new_device_like(a).content() == a.content()


class RealPair:
    """Two real clients of one account; A connects through the gate."""

    def __init__(self):
        if no_client:
            raise Skip(f"the real client is not available: {no_client}")
        self.gate = Gate(stack.http)
        name = new_account()
        n = next(numbers)
        self.b = Device(directory, f"b{n}", stack.http + "/")
        self.key = self.b.log_in(name, PASSWORD)
        for deck in ("of A", "of B"):
            for i in range(60):
                self.b.add_note(f"{deck} {i}", deck)
        self.b.allow_many_new_cards()
        assert self.b.sync() in FULL
        self.b.upload()
        self.a = Device(directory, f"a{n}", self.gate.base, self.key)
        assert self.a.sync() in FULL
        self.a.download()

    def change(self):
        """Both make changes that do not conflict; returns the content expected if nothing is lost."""
        was = self.a.content()
        for device, deck in ((self.a, "of A"), (self.b, "of B")):
            n = next(numbers)
            notes = device.notes(f'deck:"{deck}"')
            device.add_note(f"new {n}", deck, tags=[f"tag{n}"])
            device.edit_note(notes[0], f"edited {n}")
            device.remove_note(notes[1])
            device.review(deck)
        return changed(was, changes(was, self.a.content()), changes(was, self.b.content()))

    def settle(self, expected):
        self.gate.clear()
        for device in (self.a, self.b, self.a):
            device.sync_normally()
        third = Device(directory, f"third{next(numbers)}", stack.http + "/", self.key)
        third.download()
        for name, device in (("A", self.a), ("B", self.b), ("a third device", third)):
            assert device.content() == expected, f"{name}:\n{difference(device.content(), expected)}"
        third.close()

    @staticmethod
    def try_to_sync(device):
        """Returns False if another device was in the way."""
        try:
            device.sync_normally()
            return True
        except SyncError:
            return False


def a_real_client_held_before_any_request_while_another_syncs_loses_nothing():
    pair = RealPair()
    lost = 0
    for method in CONVERSATION:
        expected = pair.change()

        def meanwhile(forward):
            pair.b.sync_normally()
            return forward()
        pair.gate.clear()
        pair.gate.at(method, meanwhile)
        lost += not pair.try_to_sync(pair.a)
        assert pair.gate.is_done()
        pair.settle(expected)
    return f"{len(CONVERSATION)} orders, A had to sync again {lost} times"


def a_real_client_held_inside_any_request_while_another_syncs_loses_nothing():
    pair = RealPair()
    lost = orders = 0
    for method, locks in INSIDE.items():
        for lock in locks:
            expected = pair.change()
            others = []

            def meanwhile(forward, lock=lock):
                with Hold(stack.env["DATABASE_URL"], lock) as hold:
                    call = calls.submit(forward)
                    hold.wait(1)
                    others.append(calls.submit(pair.try_to_sync, pair.b))
                    hold.wait(2)
                return call.result()
            pair.gate.clear()
            pair.gate.at(method, meanwhile)
            lost += not pair.try_to_sync(pair.a)
            assert pair.gate.is_done()
            lost += not others[0].result()
            orders += 1
            pair.settle(expected)
    return f"{orders} orders, a device had to sync again {lost} times"


def main():
    global stack, directory
    with Stack() as stack, tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        return keep(two_devices_lose_nothing_in_any_order_of_their_requests,
                    one_of_two_concurrent_starts_wins,
                    a_start_after_a_finish_gets_its_changes_and_one_before_it_ends_that_sync,
                    a_real_client_held_before_any_request_while_another_syncs_loses_nothing,
                    a_real_client_held_inside_any_request_while_another_syncs_loses_nothing)


if __name__ == "__main__":
    sys.exit(main())
