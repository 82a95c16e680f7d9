"""SIGKILL of syncline-admin at every stage of a restore, of the worker that finishes it, and of PostgreSQL.

Whatever is killed: collection and media are both as they were before the restore, or both restored. The next sync is an ordinary
one, and after the sweep no blob is left that nobody references. "At a stage" does not depend on luck: the test holds a lock that
the stage needs.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Wire
from database import Hold, HoldCommits, Session, everybody, kill, wait_until_gone, writers
from media_wire import Folder
from promises import keep, until
from stack import Stack

PASSWORD = "a good password"
NOTES = 60

# In the order in which a restore needs them. From the fourth on, everything is one transaction.
STAGES = [
    everybody("anki_points"),
    everybody("anki_old_notes"),
    writers("blobs"),
    "SELECT 1 FROM anki_collections FOR UPDATE",
    "SELECT 1 FROM anki_media FOR UPDATE",
    writers("anki_history"),
    writers("jobs"),
    writers("anki_objects"),
    writers("anki_file_ids"),
    everybody("anki_media_history"),
    writers("anki_media_files"),
    writers("blob_refs"),
]


class World:
    """One account whose device has deleted notes and files by mistake."""

    def __init__(self, stack):
        self.stack = stack
        self.url = stack.env["DATABASE_URL"]
        self.db = Session(self.url)
        stack.add_user("alice", PASSWORD)
        self.wire = Wire(stack.http).log_in("alice", PASSWORD)
        device = Device(self.wire)
        device.sync()
        for n in range(NOTES):
            device.add_note(f"note {n}", reviews=1)
        device.sync()
        self.folder = Folder(self.wire.again())
        for n in range(20):
            self.folder.put(f"file {n}", b"%d" % n * 1000)
        self.folder.sync()
        self.good = self.state()
        self.bad = None

    def state(self):
        """What a new device gets: the rows, the files. Also that this is an ordinary sync."""
        self.wait_for_import()
        device = Device(self.wire.again())
        device.sync()
        files = self.folder.media.all_changes()
        return device.content(), {name: fingerprint for name, fingerprint in files.items() if fingerprint}

    def wait_for_import(self):
        until(lambda: self.db.number("SELECT count(*) FROM anki_collections WHERE import_step <> 3") == 0, 30, "the import ends")

    def spoil(self):
        """By a device of its own, because each restore asks for a download. Returns the id of the sync."""
        device = Device(self.wire.again())
        device.sync()
        for note in sorted(device.rows["notes"])[::2]:
            device.remove_note(note)
        device.sync()
        self.folder.sync()
        for n in range(0, 20, 2):
            self.folder.remove(f"file {n}")
        self.folder.put("file 1", os.urandom(2000))
        self.folder.put("new", os.urandom(2000))
        self.folder.sync()
        self.bad = self.state()
        assert self.bad != self.good
        return re.findall(r"^(\d+\.\d+) .*notes deleted", self.stack.admin("anki", "history", "alice"), re.M)[0]

    def start(self, *target):
        return subprocess.Popen([self.stack.env["SYNCLINE_ADMIN"], "anki", "restore", "alice", *target], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def outcome(self, *allowed):
        """The one of these states that is there, collection and media; nothing else."""
        found = self.state()
        for state in allowed:
            if found == state:
                return state
        raise AssertionError(f"rows: {[found[0] == s[0] for s in (self.good, self.bad)]},"
                             f" files: {[found[1] == s[1] for s in (self.good, self.bad)]} (restored, not restored)")

    def restore(self, point):
        if self.state() != self.good:
            self.stack.admin("anki", "restore", "alice", "--before", point)
        assert self.outcome(self.good)

    def nothing_is_left_over(self):
        until(lambda: self.db.number("SELECT count(*) FROM anki_history WHERE NOT is_archived") == 0, 30, "the archiving ends")
        assert "No problem" in self.stack.admin("anki", "check", "alice")
        self.db.ask("UPDATE blobs b SET touched_at = now() - interval '2 days'")
        self.db.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn) VALUES ('blobs.sweep', '{}', 0, 'queued', now(), 0);"
                    " SELECT pg_notify('syncline_jobs', '')")
        orphans = "SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)"
        until(lambda: self.db.number(orphans) == 0, 30, "the sweep removes what nobody references")


world: World


def killed(lock, end, *target, committed=False):
    """Starts a restore, and calls `end` with its pid and that of its backend when it waits for the lock; or, if `committed`, when
    its commit is on disk and not reported."""
    with contextlib.ExitStack() as holds:
        hold = holds.enter_context(Hold(world.url, lock))
        run = world.start(*target)
        blocked = hold.wait(1, "syncline-admin")[0]
        if committed:
            commits = holds.enter_context(HoldCommits(world.url))
            hold.let_go()
            blocked = commits.wait(1, "syncline-admin")[0]
        end(run.pid, blocked.backend)
        if not committed:
            hold.let_go()
    text, _ = run.communicate(timeout=60)
    wait_until_gone(world.url, blocked.backend)
    return run.returncode, text


def a_restore_killed_at_any_stage_is_done_or_not_and_the_next_sync_is_ordinary():
    done = 0
    for n, lock in enumerate(STAGES):
        point = world.spoil()
        code, text = killed(lock, lambda pid, _: kill(pid), "--before", point)
        assert code == -signal.SIGKILL, (lock, text)
        # Statements of the transaction are sent together, and PostgreSQL may execute those it has after the kill.
        allowed = (world.bad,) if n < 3 else (world.bad, world.good)
        try:
            done += world.outcome(*allowed) == world.good
        except AssertionError as e:
            raise AssertionError(f"at {lock}: {e}") from e
        world.restore(point)
    world.nothing_is_left_over()
    return f"{len(STAGES)} kills, {done} of them after the commit was on its way"


def a_restore_killed_after_its_commit_is_done():
    point = world.spoil()
    code, _ = killed(writers("blob_refs"), lambda pid, _: kill(pid), "--before", point, committed=True)
    assert code == -signal.SIGKILL
    assert world.outcome(world.good, world.bad) == world.good
    usn = world.folder.media.begin()
    # Whoever does not know that it is done does it again.
    assert "The media had not changed" in world.stack.admin("anki", "restore", "alice", "--before", point)
    assert world.folder.media.begin() == usn
    assert world.outcome(world.good)
    world.nothing_is_left_over()


def a_restore_whose_session_ends_is_done_or_says_that_it_is_not():
    for lock in STAGES:
        point = world.spoil()
        code, text = killed(lock, lambda _, backend: world.db.ask(f"SELECT pg_terminate_backend({backend})"), "--before", point)
        state = world.outcome(world.bad, world.good)
        assert (state == world.good) == (code == 0), (lock, code, text)
        world.restore(point)
    world.nothing_is_left_over()


def a_restore_during_which_postgresql_is_killed_is_done_or_not():
    for lock in ("SELECT 1 FROM anki_media FOR UPDATE", writers("anki_media_files")):
        point = world.spoil()
        hold = Hold(world.url, lock)
        run = world.start("--before", point)
        backend = hold.wait(1, "syncline-admin")[0].backend
        kill(backend)  # PostgreSQL ends all sessions and recovers
        hold.abandon()
        run.communicate(timeout=60)
        world.stack.wait_until_ready()
        world.db = Session(world.url)
        world.outcome(world.bad, world.good)
        world.restore(point)
    world.nothing_is_left_over()


def a_worker_killed_while_it_finishes_a_restore_finishes_it_later():
    """It imports the rows of the restored collection, and turns the replaced one into a file."""
    for table in ("anki_cards", "anki_notes", "anki_revlog"):
        point = world.spoil()
        with Hold(world.url, writers(table)) as hold:
            world.stack.admin("anki", "restore", "alice", "--before", point)
            hold.wait(1, "syncline-worker")
            world.stack.wait_for_another("worker", world.stack.kill("worker"))
        world.db.ask("UPDATE jobs SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")
        assert world.outcome(world.good)
    world.nothing_is_left_over()


def main():
    global world
    with Stack() as stack:
        world = World(stack)
        return keep(a_restore_killed_at_any_stage_is_done_or_not_and_the_next_sync_is_ordinary, a_restore_killed_after_its_commit_is_done,
                    a_restore_whose_session_ends_is_done_or_says_that_it_is_not,
                    a_worker_killed_while_it_finishes_a_restore_finishes_it_later,
                    a_restore_during_which_postgresql_is_killed_is_done_or_not)


if __name__ == "__main__":
    sys.exit(main())
