"""Accounts of a real official server are adopted and handed over again, and their devices continue: no login, no full
sync, no media sent twice."""

import contextlib
import os
import pathlib
import re
import secrets
import shlex
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from devices import HTTP, PASSWORD, Device, Proxy, Required, SyncError, admin, assert_same, log_in, main, sql, try_admin
from official_server import OfficialServer, environment, hashed

MIB = 1 << 20
MEDIA_CALLS = ("begin", "mediaChanges", "downloadFiles", "uploadChanges", "mediaSanity")


class Owner:
    """A user of the official server."""

    def __init__(self, folder, name):
        self.name, self.folder, self.devices = name, folder, []

    def device(self, endpoint):
        device = Device(self, endpoint)
        self.devices.append(device)
        return device

    def id(self):
        return int(sql(f"SELECT user_id FROM users WHERE name = '{self.name}'")[0][0])


def head_of(path):
    """mod, scm, usn of a collection file, read from a copy with its log."""
    with tempfile.TemporaryDirectory() as folder:
        for end in ("", "-wal"):
            if (source := pathlib.Path(str(path) + end)).exists():
                shutil.copy(source, pathlib.Path(folder) / ("col" + end))
        db = sqlite3.connect(pathlib.Path(folder) / "col")
        return db.execute("select mod, scm, usn from col").fetchone()


def run_and_kill(arguments, seconds, after_kill):
    """Kills syncline-admin `seconds` after its start, and again, each time a little later, until a run ends before that.
    Returns its exit code and output, and the number of kills."""
    command = [*shlex.split(os.environ["SYNCLINE_ADMIN"]), *arguments]
    killed = 0
    while True:
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)
        try:
            text, _ = run.communicate(timeout=seconds + 0.01 * killed)
            return run.returncode, text, killed
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            killed += 1
            after_kill()


class Moving(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="syncline-moving."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.base = self.folder / "base"
        self.owners = []
        self.users = {f"{name}-{secrets.token_hex(4)}": PASSWORD for name in ("ann", "B\u00f6b", "cem")}
        self.addCleanup(lambda: [device.col.close() for owner in self.owners for device in owner.devices])

    def owner(self, name):
        folder = self.folder / f"devices {len(self.owners)}"
        folder.mkdir()
        self.owners.append(Owner(folder, next(known for known in self.users if known.startswith(name))))
        return self.owners[-1]

    def users_file(self):
        path = self.folder / "users.env"
        path.write_text("# of the container\n" + environment(self.users))
        return str(path)

    def adopt(self, *arguments):
        return admin("anki", "adopt", str(self.base), *arguments)

    def pair(self, owner, url, notes=20):
        """Two equal devices on the official server, with media."""
        one = owner.device(url)
        one.add_notes(notes, tags=["of", owner.name])
        one.answer("Default", 3)
        one.put_media("\u00e9t\u00e9 & 1.jpg", secrets.token_bytes(3000))
        one.put_media("large.mp3", secrets.token_bytes(2 * MIB + 5))
        one.put_media("twice 1.jpg", b"equal bytes")
        one.put_media("twice 2.jpg", b"equal bytes")
        one.put_media("gone.jpg", b"gone")
        one.upload().sync_media()
        one.remove_media("gone.jpg")
        one.sync_media()
        two = owner.device(url).download().sync_media()
        self.assertEqual(one.media(), two.media())
        return one, two

    def fill(self, url):
        """Three users with five devices that all have something to send; some have not seen what others sent."""
        ann, bob, cem = self.owner("ann"), self.owner("B\u00f6b"), self.owner("cem")
        for owner in (ann, bob):
            one, two = self.pair(owner, url)
            one.add_notes(5, "of one", "Deck::Of one", ["later"])
            one.col.remove_notes(one.col.find_notes("note*")[:2])
            one.put_media("of one.jpg", b"of one " + owner.name.encode())
            one.sync().sync_media()
            # Two has not seen this, and has changes of its own.
            two.add_notes(3, "of two")
            two.answer("Default", 2)
            two.put_media("of two.jpg", b"of two " + owner.name.encode())
            two.remove_media("twice 2.jpg")
            one.add_notes(2, "pending of one", "Deck")
            one.put_media("pending of one.jpg", b"pending")
        alone = cem.device(url)
        alone.add_notes(4)
        alone.upload().sync_media()
        alone.add_notes(1, "pending")
        return ann, bob, cem

    def all_sync_normally(self, url, owners):
        for owner in owners:
            for device in owner.devices * 2:
                device.at(url).sync().sync_media()
            for device in owner.devices[1:]:
                assert_same(owner.devices[0], device)
                self.assertEqual(owner.devices[0].media(), device.media())
            for device in owner.devices:
                self.assertEqual(device.required(), Required.NO_CHANGES)

    def test_devices_go_on_here(self):
        with OfficialServer(self.base, self.users) as server:
            owners = self.fill(server.url)
            code, text = try_admin("anki", "adopt", str(self.base), "--users", self.users_file())
            self.assertEqual(code, 1)
            self.assertIn("is running", text)
        heads = {owner.name: head_of(self.base / owner.name / "collection.anki2") for owner in owners}
        text = self.adopt("--users", self.users_file())
        self.assertNotIn(PASSWORD, text)
        self.assertNotIn("left out", text)
        self.assertNotIn("no password", text)
        for owner in owners:
            self.assertIn(f"{owner.name}: adopted:", text)
            found = sql(f"SELECT mod_ms, schema_ms, usn FROM anki_collections WHERE user_id = {owner.id()}")[0]
            self.assertEqual(tuple(map(int, found)), heads[owner.name])
        self.all_sync_normally(HTTP + "/", owners)
        # The old password works for a new device, which gets everything.
        new = owners[1].device(HTTP + "/").download().sync_media()
        assert_same(owners[1].devices[0], new)
        self.assertEqual(new.media(), owners[1].devices[0].media())
        self.assertEqual(sorted(self.adopt().splitlines()), sorted(f"{owner.name}: adopted before" for owner in owners))

    def test_an_unchanged_device_has_nothing_to_do(self):
        with OfficialServer(self.base, self.users) as server:
            ann = self.owner("ann")
            for device in self.pair(ann, server.url):
                device.sync().sync_media()
        self.adopt("--users", self.users_file())
        for device in ann.devices:
            with Proxy() as proxy:
                device.at(proxy.url).sync().sync_media()
                self.assertEqual([call for call in proxy.seen if call in MEDIA_CALLS], ["begin"])

    def test_devices_that_share_a_key_get_each_others_files(self):
        """All devices of an adopted account send one key, so the server cannot tell them apart. Each in turn sends its batch
        just after the other one has replaced a file, and the numbers fit by chance."""
        with OfficialServer(self.base, self.users) as server:
            ann = self.owner("ann")
            one, two = self.pair(ann, server.url)
            two.sync_media()
        self.adopt("--users", self.users_file())
        for turn, (late, early) in enumerate([(one, two), (two, one)] * 2):
            for device in (late, early):
                device.at(HTTP + "/").sync_media()
            # A file that came and went between two syncs is sent as a deletion, and is no change here.
            with Proxy(before=lambda method: method != "begin") as broken, contextlib.suppress(Exception):
                late.put_media(f"never {turn}", b"x")
                late.at(broken.url).sync_media()
            late.remove_media(f"never {turn}")
            late.put_media(f"of {turn}.jpg", b"new %d" % turn)
            early.put_media("twice 1.jpg", b"replaced %d" % turn)
            left = [1]

            def first_the_other(method):
                if method == "uploadChanges" and left:
                    left.pop()
                    early.sync_media()
                return True
            with Proxy(before=first_the_other) as proxy:
                late.at(proxy.url).sync_media()
            self.assertFalse(left)
            for device in (late, early, late):
                device.at(HTTP + "/").sync_media()
            self.assertEqual(late.media()["twice 1.jpg"], b"replaced %d" % turn)
            self.assertEqual(late.media(), early.media())

    def test_devices_go_back_to_an_official_server(self):
        with OfficialServer(self.base, self.users) as server:
            owners = self.fill(server.url)
        self.adopt("--users", self.users_file())
        self.all_sync_normally(HTTP + "/", owners)
        for owner in owners:
            one = owner.devices[0]
            one.add_notes(2, "only here")
            one.put_media("only here.jpg", b"only here")
            if len(owner.devices) > 1:
                one.remove_media("large.mp3")
            one.sync().sync_media()
            one.add_notes(2, "pending again")
            one.put_media("pending again.jpg", b"pending again")
        left = self.folder / "left"
        for owner in owners:
            text = admin("anki", "hand-over", str(left), "--account", owner.name)
            self.assertIn(f"{owner.name}: written: the collection", text)
        for owner in owners:
            found = sql(f"SELECT mod_ms, schema_ms, usn FROM anki_collections WHERE user_id = {owner.id()}")[0]
            self.assertEqual(tuple(map(int, found)), head_of(left / owner.name / "collection.anki2"))
        # A second run has nothing to write.
        text = admin("anki", "hand-over", str(left), "--account", owners[0].name)
        files, kept = (int(word) for word in re.search(r"(\d+) media files? \((\d+) kept", text).groups())
        self.assertEqual((kept, kept > 0), (files, True))
        self.assertIn(f"SYNC_USER1={owners[0].name}:\n", (left / "users.env").read_text())
        with OfficialServer(left, self.users) as server:
            self.all_sync_normally(server.url, owners)
            new = owners[0].device(server.url).download().sync_media()
            self.assertEqual(new.media(), owners[0].devices[0].media())
            for device in owners[0].devices:
                device.sync()
            assert_same(owners[0].devices[0], new)
        # What devices have sent to that server is not overwritten.
        code, text = try_admin("anki", "hand-over", str(left), "--account", owners[0].name)
        self.assertEqual(code, 1)
        self.assertIn("an official server has used", text)

    def test_all_accounts_are_handed_over_at_once(self):
        with OfficialServer(self.base, self.users) as server:
            owners = self.fill(server.url)
        self.adopt("--users", self.users_file())
        self.all_sync_normally(HTTP + "/", owners)
        empty = f"empty-{secrets.token_hex(4)}"
        admin("user", "add", empty, "--password-file", "-", stdin=PASSWORD + "\n")
        left = self.folder / "left"
        # Accounts of other tests are in the folder, too, and what one of them lacks does not stop the others.
        code, text = try_admin("anki", "hand-over", str(left))
        self.assertIn(code, (0, 1), text)
        lines = (left / "users.env").read_text().splitlines()
        for owner in owners:
            self.assertIn(f"{owner.name}: written: the collection", text)
            self.assertTrue(any(re.fullmatch(rf"SYNC_USER\d+={owner.name}:", line) for line in lines), lines)
            self.assertIn(f"# {owner.name} was taken over from an official server.", lines)
        numbers = [int(found.group(1)) for line in lines if (found := re.match(r"SYNC_USER(\d+)=", line))]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertIn(f"{empty}: ", text)
        with OfficialServer(left, self.users) as server:
            self.all_sync_normally(server.url, owners)

    def test_without_the_old_passwords_devices_log_in(self):
        with OfficialServer(self.base, self.users) as server:
            ann = self.owner("ann")
            one, _ = self.pair(ann, server.url)
            one.add_notes(1, "pending")
        text = self.adopt()
        self.assertIn(f"{ann.name} has no password yet", text)
        with self.assertRaises(SyncError):
            one.at(HTTP + "/").sync()
        with self.assertRaises(SyncError):
            log_in(one.col, ann.name, PASSWORD)
        admin("user", "password", ann.name, "--password-file", "-", stdin="another one 8\n")
        one.auth = log_in(one.col, ann.name, "another one 8")
        one.at(HTTP + "/").sync().sync_media()
        # A later run with the passwords adds the keys.
        self.adopt("--users", self.users_file())
        two = ann.devices[1].at(HTTP + "/").sync().sync_media()
        assert_same(one, two)

    def test_hashed_passwords(self):
        name = next(iter(self.users))
        other = f"dan-{secrets.token_hex(4)}"
        self.users = {name: hashed(PASSWORD), other: hashed(PASSWORD, "sha512")}
        with OfficialServer(self.base, self.users, is_hashed=True) as server:
            ann = self.owner("ann")
            one = ann.device(server.url)
            one.add_notes(2)
            one.upload()
            one.add_notes(1, "pending")
            self.assertTrue(one.col.sync_login(other, PASSWORD, server.url).hkey)
        users = self.folder / "users.env"
        users.write_text(environment(self.users, is_hashed=True))
        self.adopt("--users", str(users))
        one.at(HTTP + "/").sync()
        new = ann.device(HTTP + "/").download()
        assert_same(one, new)
        self.assertTrue(log_in(one.col, other, PASSWORD).hkey)
        with self.assertRaises(SyncError):
            log_in(one.col, ann.name, PASSWORD + "x")

    def test_what_cannot_be_taken_over_is_named(self):
        with OfficialServer(self.base, self.users) as server:
            ann, bob, cem = (self.owner(name) for name in ("ann", "B\u00f6b", "cem"))
            one, two = self.pair(ann, server.url)
            two.sync_media()
            for owner in (bob, cem):
                device = owner.device(server.url)
                device.add_notes(2)
                device.upload()
        media = self.base / ann.name / "media"
        (media / "large.mp3").unlink()
        (media / "twice 1.jpg").write_bytes(b"other bytes")
        (media / "twice 2.jpg").write_bytes(b"")
        (media / "a stray file.jpg").write_bytes(b"nobody knows it")
        # A damaged collection, a name that is not allowed, and an account with data.
        broken = self.base / bob.name / "collection.anki2"
        broken.write_bytes(broken.read_bytes()[:9000])
        broken.with_name("collection.anki2-wal").unlink(missing_ok=True)
        shutil.copytree(self.base / cem.name, self.base / "no:colon")
        admin("user", "add", cem.name, "--password-file", "-", stdin=PASSWORD + "\n")
        taken = cem.device(HTTP + "/")
        taken.add_notes(7, "of another life")
        taken.upload()
        self.users["nobody"] = PASSWORD
        code, text = try_admin("anki", "adopt", str(self.base), "--users", self.users_file())
        self.assertEqual(code, 1)
        self.assertIn("media file large.mp3: is not in the folder", text)
        self.assertIn("media file twice 1.jpg: has other bytes", text)
        self.assertIn("media file twice 2.jpg: is empty", text)
        self.assertIn(f"{bob.name}: left out: The collection file is damaged", text)
        self.assertIn("no:colon: left out: the name is not allowed here", text)
        self.assertIn(f"{cem.name}: left out: there is an account of this name with data already", text)
        self.assertIn("nobody: left out: the folder has nothing of this user", text)
        self.assertEqual(sql(f"SELECT count(*) FROM users WHERE name = '{bob.name}'"), [["0"]])
        self.assertEqual(taken.required(), Required.NO_CHANGES)
        # Devices that have the files bring them back: the numbers of files differ, so they compare all.
        one.at(HTTP + "/").sync()
        one.put_media("a new one.jpg", b"a new one")
        with contextlib.suppress(Exception):
            one.sync_media()
        one.sync_media()
        new = ann.device(HTTP + "/").download().sync_media()
        self.assertEqual(new.media(), one.media())
        code, text = try_admin("anki", "adopt", str(self.base), "--users", self.users_file())
        self.assertIn(f"{ann.name}: adopted before", text)

    def test_a_killed_run_is_gone_on_with(self):
        with OfficialServer(self.base, self.users) as server:
            owners = self.fill(server.url)
            many = owners[0].devices[0]
            for n in range(400):
                (many.folder() / f"many {n}.jpg").write_bytes(secrets.token_bytes(5000))
            many.add_notes(1500, "many")
            many.sync().sync_media()
            many.add_notes(1, "still pending")
        states = set()
        code, text, killed = run_and_kill(["anki", "adopt", str(self.base), "--users", self.users_file()], 0.05,
                                          lambda: states.add(self.state(owners[0])))
        self.assertEqual(code, 0, text)
        print(f"killed {killed} runs, in these states of the first account: {sorted(states)}")
        self.assertGreater(len(states), 3)
        self.assertNotIn("no password", text)
        self.all_sync_normally(HTTP + "/", owners)
        found = sql("SELECT count(*) FROM blob_refs r JOIN users u USING (user_id) WHERE r.service = 'anki_media'"
                    f" AND u.name = '{owners[0].name}'")
        contents = set(owners[0].devices[0].media().values())
        self.assertLessEqual(len(contents), int(found[0][0]))
        self.assertLess(int(found[0][0]), len(contents) + 5)  # what was replaced

    def test_a_killed_hand_over_is_gone_on_with(self):
        with OfficialServer(self.base, self.users) as server:
            ann = self.owner("ann")
            one, _ = self.pair(ann, server.url)
            for n in range(300):
                (one.folder() / f"many {n}.jpg").write_bytes(secrets.token_bytes(20_000))
            one.add_notes(500, "many")
            one.sync().sync_media()
        self.adopt("--users", self.users_file())
        one.at(HTTP + "/").add_notes(3, "only here")
        one.sync()
        left = self.folder / "left"
        home, states = left / ann.name, set()

        def look():
            states.add((home.exists(), (home / "collection.anki2").exists(), (home / "media.db").exists(),
                        len(list((home / "media").glob("*"))) // 100))
            self.assertFalse((home / "media.db").exists() and not (home / "collection.anki2").exists())
        code, text, killed = run_and_kill(["anki", "hand-over", str(left), "--account", ann.name], 0.02, look)
        self.assertEqual(code, 0, text)
        print(f"killed {killed} runs, in these states: {sorted(states)}")
        self.assertGreater(len(states), 2)
        one.add_notes(1, "pending")
        with OfficialServer(left, self.users) as server:
            self.all_sync_normally(server.url, [ann])
            new = ann.device(server.url).download().sync_media()
            self.assertEqual(new.media(), one.media())

    def state(self, owner):
        """How far the account is: begun, media usn, collection, rows imported, finished."""
        return tuple(sql("SELECT count(*), coalesce(max(m.last_usn), 0) / 100, coalesce(max(c.import_step), -1), count(a.finished_at)"
                         " FROM users u LEFT JOIN anki_adoptions a USING (user_id) LEFT JOIN anki_media m USING (user_id)"
                         f" LEFT JOIN anki_collections c USING (user_id) WHERE u.name = '{owner.name}'")[0])


if __name__ == "__main__":
    main()
