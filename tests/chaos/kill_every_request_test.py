"""Kills a process of the server during, and after, every request of a sync of two real clients.

Whatever is killed: the collection is exactly as before or as after; the next sync is a normal one; nothing is lost.
"During" does not depend on luck: the test holds a lock that the request needs, waits until PostgreSQL reports the
request as waiting, and kills the process that sent it.
"""

import itertools
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
try:
    from anki_device import Device, FULL, changed, changes, difference
except ImportError as e:
    print(f"the real client is not available: {os.environ.get('SYNCLINE_VENV_PROBLEM') or e}")
    sys.exit(77)

from anki.errors import NetworkError, SyncError

from database import Session, everybody, kill, writers
from gate import Gate
from killed_request import killed_at
from promises import keep
from stack import Stack

# Locks at which a request stops, from its beginning to its end. FOR UPDATE blocks writers of the row, SHARE writers of
# the table, ACCESS EXCLUSIVE also readers.
COLLECTION = "SELECT 1 FROM anki_collections FOR UPDATE"
SESSION = "SELECT 1 FROM anki_sessions FOR UPDATE"


DURING = [
    ("meta", everybody("anki_collections")),
    ("start", writers("anki_sessions")),
    ("applyGraves", SESSION),
    ("applyGraves", writers("anki_staged_graves")),
    ("applyChanges", SESSION),
    ("applyChanges", writers("anki_staged_objects")),
    ("chunk", SESSION),
    ("chunk", everybody("anki_cards")),
    ("applyChunk", SESSION),
    ("applyChunk", writers("anki_staged_notes")),
    ("sanityCheck2", SESSION),
    ("sanityCheck2", everybody("anki_collections")),
    ("finish", COLLECTION),
    ("finish", SESSION),
    ("finish", writers("anki_graves")),
    ("finish", writers("anki_cards")),
    ("finish", writers("anki_staged_notes")),  # the last statement before COMMIT
]
CONVERSATION = ("meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish")
BROKEN = (NetworkError, SyncError)


class World:
    """One account with two devices, in a known state between tests. A connects through the gate, B directly."""

    def __init__(self, stack, directory):
        self.stack, self.directory = stack, directory
        self.db = Session(stack.env["DATABASE_URL"])
        self.gate = Gate(stack.http)
        self._numbers = itertools.count(1)
        stack.add_user("alice", "a good password")
        self.b = Device(directory, "b", stack.http + "/")
        self.key = self.b.log_in("alice", "a good password")
        for deck in ("of A", "of B"):
            for n in range(60):
                self.b.add_note(f"{deck} {n}", deck)
        self.b.allow_many_new_cards()
        assert self.b.sync() in FULL
        self.b.upload()
        self.a = Device(directory, "a", self.gate.base, self.key)
        assert self.a.sync() in FULL
        self.a.download()
        self.gate.clear()

    def third(self):
        """The content of a new device after a download."""
        device = Device(self.directory, f"third-{next(self._numbers)}", self.stack.http + "/", self.key)
        device.download()
        content = device.content()
        device.close()
        return content

    def change(self, device, deck):
        n = next(self._numbers)
        notes = device.notes(f'deck:"{deck}"')
        device.add_note(f"new {n}", deck, tags=[f"tag{n}"])
        device.add_note(f"in a new deck {n}", f"{deck}::{n}")
        device.edit_note(notes[0], f"edited {n}")
        device.remove_note(notes[1])
        device.review(deck)

    def both_change(self):
        """B's changes are on the server, A's are not. Returns the server's content before and after A's next sync."""
        was = self.a.content()
        self.change(self.b, "of B")
        self.b.sync_normally()
        before = self.third()
        self.change(self.a, "of A")
        return before, changed(before, changes(was, self.a.content()))

    def settle(self, after):
        """The next syncs are normal ones, and all devices have everything."""
        self.gate.clear()
        self.a.sync_normally()
        self.b.sync_normally()
        for name, content in (("a new device", self.third()), ("A", self.a.content()), ("B", self.b.content())):
            assert content == after, f"{name} differs:\n{difference(content, after)}"
        left = self.db.ask(" UNION ALL ".join(
            f"SELECT '{table}' FROM anki_{table}" for table in
            ("sessions", "staged_cards", "staged_notes", "staged_revlog", "staged_graves", "staged_objects",
             "staged_tags")))
        assert left == [], f"left behind: {left}"

    def sync_fails(self):
        try:
            wants = self.a.sync()
        except BROKEN:
            assert self.gate.is_done()
            return
        self.gate.is_done()
        raise AssertionError(f"the sync succeeded: {wants}")

    def which(self, before, after):
        now = self.third()
        if now == before:
            return "before"
        assert now == after, (f"the server has neither the old nor the new state; compared with the old:\n"
                              f"{difference(now, before)}\ncompared with the new:\n{difference(now, after)}")
        return "after"


world: World


def a_process_killed_during_any_request_leaves_all_or_nothing_and_the_next_sync_is_normal():
    for method, lock in DURING:
        try:
            before, after = world.both_change()
            world.gate.at(method, killed_at(world.stack, lock, "api"))
            world.sync_fails()
            # finish sends its last statements together with COMMIT: PostgreSQL may execute both after the kill.
            state = world.which(before, after)
            assert state == "before" or method == "finish", state
            world.settle(after)
        except Exception as e:
            raise AssertionError(f"during {method}, {lock}") from e
    return f"{len(DURING)} kills"


def a_process_killed_after_the_commit_of_finish_has_finished_the_sync():
    before, after = world.both_change()
    world.gate.at("finish", killed_at(world.stack, writers("anki_staged_notes"), "api", committed=True))
    world.sync_fails()
    assert world.which(before, after) == "after"
    world.settle(after)


def killing_all_processes_after_any_request_does_not_disturb_a_sync():
    def kill_all_after(forward):
        answer = forward()
        assert answer[0] == 200
        for copy, pid in world.stack.pids("api").items():
            kill(pid)
            world.stack.wait_for_another("api", pid, copy)
        return answer
    for method in CONVERSATION:
        _, after = world.both_change()
        world.gate.at(method, kill_all_after)
        world.a.sync_normally()
        assert world.gate.is_done()
        world.settle(after)


def a_process_killed_during_a_full_upload_leaves_the_old_or_the_new_collection():
    last = writers("anki_objects")  # when everything else of the new collection is in place
    for lock, committed in ((everybody("blobs"), False), (writers("blob_chunks"), False), (COLLECTION, False),
                            (last, False), (last, True)):
        before, _ = world.both_change()
        world.a.col.mod_schema(check=False)
        assert world.a.sync() in FULL
        mine = world.a.content()
        world.gate.at("upload", killed_at(world.stack, lock, "transfer", committed))
        try:
            world.a.upload()
            raise AssertionError("the upload succeeded")
        except BROKEN:
            assert world.gate.is_done()
        state = world.which(before, mine)
        assert state == ("after" if committed else "before"), (lock, state)
        wants = world.a.sync()
        if committed:
            assert wants == "NO_CHANGES", wants
        else:
            assert wants in FULL
            world.a.upload()
        assert world.b.sync() in FULL
        world.b.download()
        world.settle(mine)


def a_full_upload_survives_a_kill_after_its_answer():
    world.both_change()
    world.a.col.mod_schema(check=False)
    assert world.a.sync() in FULL
    mine = world.a.content()

    def kill_after(forward):
        answer = forward()
        for copy, pid in world.stack.pids("transfer").items():
            kill(pid)
            world.stack.wait_for_another("transfer", pid, copy)
        return answer
    world.gate.at("upload", kill_after)
    world.a.upload()
    assert world.gate.is_done()
    assert world.b.sync() in FULL
    world.b.download()
    world.settle(mine)


def a_process_killed_during_a_full_download_changes_nothing():
    for lock in (writers("anki_sessions"), everybody("anki_cards"), everybody("blob_chunks")):
        before, after = world.both_change()
        mine = world.a.content()
        world.gate.at("download", killed_at(world.stack, lock, "transfer"))
        try:
            world.a.download()
            raise AssertionError("the download succeeded")
        except BROKEN:
            assert world.gate.is_done()
        assert world.a.content() == mine
        assert world.which(before, after) == "before"
        world.settle(after)


def main():
    global world
    with Stack() as stack, tempfile.TemporaryDirectory() as directory:
        world = World(stack, pathlib.Path(directory))
        return keep(a_process_killed_during_any_request_leaves_all_or_nothing_and_the_next_sync_is_normal,
                    a_process_killed_after_the_commit_of_finish_has_finished_the_sync,
                    killing_all_processes_after_any_request_does_not_disturb_a_sync,
                    a_process_killed_during_a_full_upload_leaves_the_old_or_the_new_collection,
                    a_full_upload_survives_a_kill_after_its_answer,
                    a_process_killed_during_a_full_download_changes_nothing)


if __name__ == "__main__":
    sys.exit(main())
