"""Two devices of one account that sync media at the same moment, held half-way inside the server.

No usn is shared or goes back, no file is lost or mixed up, and all devices end with the same folder. A third device syncs its
collection meanwhile and notices nothing.
"""

import concurrent.futures
import itertools
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import anki_wire
from anki_wire import Wire
from database import Hold, Session, writers
from media_wire import CountsDiffer, Folder, Media, sha1
from promises import keep
from stack import Stack

PASSWORD = "a good password"

stack: Stack
numbers = itertools.count(1)
calls = concurrent.futures.ThreadPoolExecutor(60)
HEAD = "SELECT 1 FROM anki_media FOR UPDATE"


# Where an upload stops, from its beginning to its end.
INSIDE = (HEAD, writers("blobs"), writers("blob_chunks"), writers("anki_media_files"), writers("blob_refs"))


def new_folders(count):
    name = f"person{next(numbers)}"
    stack.add_user(name, PASSWORD)
    return [Folder(Wire(stack.http).log_in(name, PASSWORD)) for _ in range(count)]


def sync(folder):
    """As a user does it: once more if the counts differ, because another device was faster."""
    try:
        folder.sync()
    except CountsDiffer:
        folder.sync()


def converge(*folders):
    """After at most three rounds nothing is left to do, and all folders are equal."""
    for _ in range(3):
        for folder in folders:
            sync(folder)
    for folder in folders:
        assert not folder.pending
        assert folder.files == folders[0].files, sorted(set(folder.files.items()) ^ set(folders[0].files.items()))[:3]
    listed = {name: fingerprint for name, fingerprint in folders[0].media.all_changes().items() if fingerprint}
    assert listed == {name: sha1(data) for name, data in folders[0].files.items()}
    usns = [usn for _, usn, _ in folders[0].media.changes(0)]
    assert len(usns) == len(set(usns)) and max(usns, default=0) <= folders[0].media.begin()


def an_upload_waits_for_one_that_is_half_way_and_both_are_whole():
    for lock in INSIDE:
        one, two = new_folders(2)
        one.put("first", b"0")
        one.sync()
        two.sync()
        with Hold(stack.env["DATABASE_URL"], lock) as hold:
            mine = calls.submit(one.media.upload, [("a", b"1"), ("shared", b"one"), ("first", None)])
            hold.wait(1)
            theirs = calls.submit(two.media.upload, [("b", b"2"), ("shared", b"two")])
            hold.wait(2)
        done = sorted([mine.result(20), theirs.result(20)])
        # Three changes and two, in either order, each on top of the other.
        assert done in ([[2, 3], [3, 6]], [[2, 6], [3, 4]]), (lock, done)
        found = one.media.all_changes()
        last = sha1(b"two") if [2, 6] in done else sha1(b"one")
        assert found == {"first": "", "a": sha1(b"1"), "b": sha1(b"2"), "shared": last}, (lock, found)
        three = Folder(one.media.wire.again())
        three.sync()
        assert set(three.files) == {"a", "b", "shared"}


def a_list_of_changes_never_skips_an_upload_that_is_half_way():
    """A usn that is given and not committed would be passed over by whoever asks in between."""
    for lock in INSIDE[1:]:
        one, two = new_folders(2)
        one.media.upload([("a", b"1")])
        with Hold(stack.env["DATABASE_URL"], lock) as hold:
            mine = calls.submit(one.media.upload, [("b", b"2")])
            hold.wait(1)
            three = Media(two.media.wire.again())
            assert [usn for _, usn, _ in three.changes(0)] == [1]
            assert three.begin() == 1 and three.sanity(1) == "OK"
            later = calls.submit(two.media.upload, [("c", b"3")])
            hold.wait(2)
            assert [usn for _, usn, _ in three.changes(0)] == [1]
        assert mine.result(20) == [1, 2] and later.result(20) == [1, 3]


def a_device_that_uploads_between_the_requests_of_another_loses_nothing():
    """B does a whole sync before each request of A's."""
    total = 0
    for at in itertools.count():
        a, b = new_folders(2)
        for n in range(30):
            a.put(f"old{n}", b"%d" % n)
        a.sync()
        b.sync()
        for n in range(0, 30, 3):
            a.put(f"old{n}", b"by a %d" % n)
            b.put(f"old{n + 1}", b"by b %d" % n)
        a.remove("old5")
        b.remove("old8")
        a.put("of both", b"a")
        b.put("of both", b"b")
        # What the server does not know, so that the numbers of files and of changes differ.
        a.pending.add("never there")
        a.synced["never there"] = ""
        b.media.upload([(f"seen later {n}", b"%d" % n) for n in range(30)])
        reached = 0
        try:
            for reached, _ in enumerate(a.requests()):
                if reached == at:
                    sync(b)
        except CountsDiffer:
            pass
        if reached < at:
            return f"{total} requests"
        total += 1
        converge(a, b)


def a_download_meets_a_file_that_is_deleted_meanwhile():
    one, two = new_folders(2)
    one.put("a", b"1")
    one.put("b", b"2")
    one.sync()
    requests = two.requests()
    for name in requests:
        if name == "downloadFiles":
            one.remove("a")
            one.sync()
            try:
                next(requests)
                raise AssertionError("the download succeeded")
            except anki_wire.Refused as refused:
                assert refused.status == 409
            break
    converge(two, one)
    assert set(two.files) == {"b"}


def many_devices_at_once_end_with_the_same_folder():
    folders = new_folders(8)
    for round_number in range(3):
        for n, folder in enumerate(folders):
            for i in range(12):
                folder.put(f"f{(i * 5 + n * 3 + round_number) % 40}", b"%d %d %d" % (n, i, round_number))
            for name in list(folder.files)[:n % 3]:
                folder.remove(name)
        waiting = list(folders)
        for _ in range(6):
            done = [(folder, calls.submit(folder.sync)) for folder in waiting]
            waiting = []
            for folder, call in done:
                try:
                    call.result(60)
                except (anki_wire.Refused, CountsDiffer):
                    waiting.append(folder)  # it syncs again, as its user would
            if not waiting:
                break
        converge(*folders)


def a_collection_syncs_while_its_media_do():
    one, two = new_folders(2)
    device = anki_wire.Device(one.media.wire.again())
    device.sync()
    with Hold(stack.env["DATABASE_URL"], HEAD) as hold:
        one.media.begin()
        one.media.wire.ask("meta", {"v": 11, "cv": "x"})
        one.put("a", b"1")
        first = calls.submit(one.sync)
        device.add_note("meanwhile", reviews=1)
        device.sync()
        del hold
    first.result(20)
    converge(one, two)


def parallel_uploads_to_an_account_with_a_quota_never_pass_it():
    name = f"person{next(numbers)}"
    stack.add_user(name, PASSWORD)
    stack.admin("user", "quota", name, "3")
    wire = Wire(stack.http).log_in(name, PASSWORD)

    def upload(n):
        media = Media(wire.again())
        try:
            media.upload([(f"f{n}", os.urandom(100_000 if n % 2 else 1_100_000))])
            return True
        except Exception as e:  # pylint: disable=broad-except
            assert "storage on this server is full" in str(e) or getattr(e, "status", 0) in (429, 503), e
            return False
    took = sum(call.result(120) for call in [calls.submit(upload, n) for n in range(50)])
    with Session(stack.env["DATABASE_URL"]) as db:
        used = db.number("SELECT sum(bytes) FROM account_bytes b JOIN users u USING (user_id) WHERE u.name = '%s'" % name)
        files = db.number("SELECT count(*) FROM anki_media_files f JOIN users u USING (user_id) WHERE u.name = '%s'" % name)
        orphans = db.number("SELECT count(*) FROM blobs b WHERE b.size_bytes >= 0 AND NOT EXISTS"
                            " (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)")
    assert files == took and used <= 3 << 20 and orphans == 0, (files, took, used, orphans)
    return f"{took} of 50, {used} bytes"


def main():
    global stack
    with Stack() as stack:
        return keep(an_upload_waits_for_one_that_is_half_way_and_both_are_whole,
                    a_list_of_changes_never_skips_an_upload_that_is_half_way,
                    a_device_that_uploads_between_the_requests_of_another_loses_nothing,
                    a_download_meets_a_file_that_is_deleted_meanwhile, many_devices_at_once_end_with_the_same_folder,
                    a_collection_syncs_while_its_media_do, parallel_uploads_to_an_account_with_a_quota_never_pass_it)


if __name__ == "__main__":
    sys.exit(main())
