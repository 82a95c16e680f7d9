"""Kills the process that serves any request of a media sync, during the request and after its commit; Redis is stopped.

Whatever is killed: a batch is committed or absent, the next sync is normal, all devices end with the same folder, and after the
sweep no blob is left that nobody references. "During" does not depend on luck: the test holds a lock that the request needs.
"""

import itertools
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire
from database import Session, everybody, kill, writers
from gate import Gate
from killed_request import killed_at
from media_wire import Folder, ServerMessage, sha1
from promises import keep, until
from stack import Stack

PASSWORD = "a good password"
HEAD = "SELECT 1 FROM anki_media FOR UPDATE"
MIB = 1 << 20
LARGE = 3 * MIB  # stored before the transaction


DURING = [
    ("begin", everybody("anki_media"), "api"),
    ("mediaChanges", everybody("anki_media_files"), "api"),
    ("downloadFiles", everybody("anki_media_files"), "transfer"),
    ("downloadFiles", everybody("blob_chunks"), "transfer"),
    ("uploadChanges", writers("blob_chunks"), "transfer"),
    ("uploadChanges", HEAD, "transfer"),
    ("uploadChanges", writers("blobs"), "transfer"),
    ("uploadChanges", writers("anki_media_history"), "transfer"),
    ("uploadChanges", writers("anki_media_files"), "transfer"),
    ("uploadChanges", writers("blob_refs"), "transfer"),  # the last statement before COMMIT
    ("mediaSanity", everybody("anki_media"), "api"),
]
CONVERSATION = ("begin", "mediaChanges", "downloadFiles", "uploadChanges", "mediaSanity")


class World:
    """One account with two devices. A connects through the gate, B directly."""

    def __init__(self, stack):
        self.stack = stack
        self.db = Session(stack.env["DATABASE_URL"])
        self.gate = Gate(stack.http)
        self.numbers = itertools.count(1)
        stack.add_user("alice", PASSWORD)
        wire = Wire(stack.http).log_in("alice", PASSWORD)
        self.b = Folder(wire)
        self.a = Folder(Wire(self.gate.base.rstrip("/"), wire.key))
        for n in range(100):
            self.b.put(f"old{n:02}", b"%d" % n)
        self.b.sync()
        self.a.sync()
        self.gate.clear()

    def both_change(self):
        """B's changes are on the server, A's are not. Returns the server's files before and after A's next sync."""
        n = next(self.numbers)
        self.b.put(f"b{n}", os.urandom(5000))
        self.b.put("old01", b"by b %d" % n)
        self.b.remove(next(name for name in sorted(self.b.files) if name.startswith("old") and name > "old02"))
        self.b.sync()
        before = self.listed()
        self.a.put(f"a{n}", os.urandom(5000))
        self.a.put(f"z{n}", os.urandom(LARGE))  # the last one, so that all of it is one batch
        self.a.put("old02", b"by a %d" % n)
        self.a.remove(next(name for name in sorted(self.a.files) if name.startswith("old") and name > "old02" and name in self.b.files))
        mine = {name: self.a.synced[name] for name in self.a.pending}
        return before, {name: fingerprint for name, fingerprint in {**before, **mine}.items() if fingerprint}

    def listed(self):
        return {name: fingerprint for name, fingerprint in self.b.media.all_changes().items() if fingerprint}

    def sync_fails(self):
        try:
            self.a.sync()
        except Refused as refused:
            assert self.gate.is_done()
            assert refused.status == 502
            return
        self.gate.is_done()
        raise AssertionError("the sync succeeded")

    def settle(self, after):
        """The next syncs are ordinary ones, and everybody has everything, byte for byte."""
        self.gate.clear()
        for folder in (self.a, self.b, self.a):
            folder.sync()
        assert self.listed() == after
        third = Folder(self.b.media.wire.again())
        third.sync()
        for name, folder in (("A", self.a), ("B", self.b), ("a new device", third)):
            assert {n: sha1(data) for n, data in folder.files.items()} == after, name
            assert not folder.pending, name

    def nothing_is_left_over(self):
        """What killed writers have left is removed by the sweep, and the counters are right."""
        wrong = self.db.ask(
            "SELECT m.last_usn, m.files, m.bytes, f.* FROM anki_media m JOIN LATERAL (SELECT max(usn), count(*) FILTER (WHERE"
            " size_bytes > 0) AS files, sum(size_bytes) AS bytes FROM anki_media_files f WHERE f.user_id = m.user_id) f ON true"
            " WHERE m.last_usn < f.max OR m.files <> f.files OR m.bytes <> f.bytes")
        assert wrong == [], wrong
        self.db.ask("UPDATE blobs b SET touched_at = now() - interval '2 days'")
        self.db.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn) VALUES ('blobs.sweep', '{}', 0, 'queued', now(), 0);"
                    " SELECT pg_notify('syncline_jobs', '')")
        orphans = ("SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)")
        until(lambda: self.db.number(orphans) == 0, 30, "the sweep removes what nobody references")
        wrong = self.db.ask(
            "SELECT r.blob_id, r.holders, count(h.blob_id) FROM blob_refs r LEFT JOIN (SELECT user_id, blob_id FROM anki_media_files"
            " UNION ALL SELECT user_id, blob_id FROM anki_media_history) h USING (user_id, blob_id)"
            " WHERE r.service = 'anki_media' GROUP BY 1, 2 HAVING r.holders <> count(h.blob_id)")
        assert wrong == [], wrong


world: World


def a_process_killed_during_any_request_leaves_all_or_nothing_and_the_next_sync_is_normal():
    for method, lock, pool in DURING:
        try:
            before, after = world.both_change()
            world.gate.at(method, killed_at(world.stack, lock, pool))
            world.sync_fails()
            now = world.listed()
            # The last statements go together with COMMIT: PostgreSQL may execute them after the kill.
            expected = (after,) if method == "mediaSanity" else (before, after) if method == "uploadChanges" else (before,)
            assert now in expected, sorted(set(now.items()) ^ set(before.items()))
            world.settle(after)
        except Exception as e:
            raise AssertionError(f"during {method}, {lock}") from e
    world.nothing_is_left_over()
    return f"{len(DURING)} kills"


def a_process_killed_after_the_commit_of_an_upload_has_taken_the_batch():
    before, after = world.both_change()
    world.gate.at("uploadChanges", killed_at(world.stack, writers("blob_refs"), "transfer", committed=True))
    world.sync_fails()
    assert before != after and world.listed() == after
    usn = world.b.media.begin()
    world.settle(after)
    # What the client sent again was no change.
    assert world.b.media.begin() == usn
    world.nothing_is_left_over()


def killing_all_processes_after_any_request_does_not_disturb_a_sync():
    def kill_all_after(forward):
        answer = forward()
        assert answer[0] == 200
        for pool in ("api", "transfer"):
            for copy, pid in world.stack.pids(pool).items():
                kill(pid)
                world.stack.wait_for_another(pool, pid, copy)
        return answer
    for method in CONVERSATION:
        _, after = world.both_change()
        world.gate.at(method, kill_all_after)
        world.a.sync()
        assert world.gate.is_done()
        world.settle(after)
    world.nothing_is_left_over()


def a_batch_whose_sender_has_left_is_taken_or_not_and_the_next_sync_is_normal():
    """A16: the connection breaks in the middle of a zip, and after its last byte. Another account goes on."""
    world.stack.add_user("bob", PASSWORD)
    other = Device(Wire(world.stack.http).log_in("bob", PASSWORD))
    other.sync()
    for part in (0.5, 1.0):
        before, after = world.both_change()

        def cut(forward, part=part):
            del forward
            wire = world.a.media.wire
            body = os.urandom(300_000)
            connection = wire.again()._connection  # pylint: disable=protected-access
            connection.putrequest("POST", "/msync/uploadChanges")
            for name, value in wire.headers().items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            connection.send(body[:int(len(body) * part)])
            connection.close()
            other.add_note("meanwhile")
            other.sync()
            return 502, {}, b""
        world.gate.at("uploadChanges", cut)
        world.sync_fails()
        assert world.listed() == before
        world.settle(after)


def media_sync_goes_on_without_redis():
    supervisor = int((world.stack.dir / "pids" / "supervise").read_text().split()[0])
    os.kill(supervisor, signal.SIGSTOP)  # otherwise Redis would be restarted at once
    try:
        pid = world.stack.kill("redis")
        _, after = world.both_change()
        world.a.sync()
        world.settle(after)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    world.stack.wait_for_another("redis", pid)
    pid = world.stack.pids("redis")[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        _, after = world.both_change()
        world.a.sync()
        world.settle(after)
    finally:
        os.kill(pid, signal.SIGCONT)
    world.stack.wait_until_ready()


def media_sync_goes_on_after_postgresql_was_killed():
    _, after = world.both_change()
    pid = world.stack.kill("postgres")
    world.stack.wait_for_another("postgres", pid)
    world.stack.wait_until_ready()
    world.db = Session(world.stack.env["DATABASE_URL"])
    world.a.sync()
    world.settle(after)
    world.nothing_is_left_over()


def a_nearly_full_disk_takes_no_files_but_deletions_and_downloads():
    with Stack({"SYNCLINE_DISK_RESERVE_MIB": str(shutil.disk_usage("/tmp").free // MIB + 10_000)}) as stack:
        stack.add_user("carol", PASSWORD)
        folder = Folder(Wire(stack.http).log_in("carol", PASSWORD))
        for data in (b"small", b"x" * LARGE):
            try:
                folder.media.upload([("a", data)])
                raise AssertionError("taken")
            except ServerMessage as message:
                assert "disk is nearly full" in str(message), message
        assert folder.media.upload([("gone", None)]) == [1, 0]
        assert folder.media.changes(0) == [] and folder.media.sanity(0) == "OK"


def main():
    global world
    with Stack() as stack:
        world = World(stack)
        return keep(a_process_killed_during_any_request_leaves_all_or_nothing_and_the_next_sync_is_normal,
                    a_process_killed_after_the_commit_of_an_upload_has_taken_the_batch,
                    killing_all_processes_after_any_request_does_not_disturb_a_sync,
                    a_batch_whose_sender_has_left_is_taken_or_not_and_the_next_sync_is_normal, media_sync_goes_on_without_redis,
                    media_sync_goes_on_after_postgresql_was_killed, a_nearly_full_disk_takes_no_files_but_deletions_and_downloads)


if __name__ == "__main__":
    sys.exit(main())
