"""Real clients sync their media folders through our nginx: every file arrives on the other devices byte for byte.

SYNCLINE_MEDIA_FILES: how many small files the first test syncs (10,000 for the full size; some hundred by default).
"""

import os
import random
import secrets
import time
import threading

import devices
from devices import HTTP, PASSWORD, ClientTest, Proxy, admin, sql
from anki_wire import Wire
from media_wire import Media
from official_server import OfficialServer

from anki.errors import NetworkError, SyncError

MANY = int(os.environ.get("SYNCLINE_MEDIA_FILES", "400"))
MIB = 1 << 20

SCRIPTS = [
    "\u00e9t\u00e9 fran\u00e7ais.jpg", "\u0440\u0443\u0441\u0441\u043a\u0438\u0439.mp3", "\u6f22\u5b57\u4eee\u540d.png",
    "\ud55c\uad6d\uc5b4.ogg", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629.mp3", "\u05e2\u05d1\u05e8\u05d9\u05ea.jpg",
    "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22.png", "\u0939\u093f\u0928\u094d\u0926\u0940.jpg", "\u1780\u17d2\u1793\u17bb\u1784.png",
    "\U0001f50a loud \U0001f600.mp3", "\U00020000 plane two.png", "Bibi & Bubu 100%.mp4", "it's; a = 'name', (really)!.jpg",
    "_under.css", "A.png", "a.png", "no extension", ".hidden", "x" * 116 + ".jpg", "\u00e9" * 58 + ".png",
]


class MediaFolders(ClientTest):
    def equal(self, *some):
        """All have the same folder, and nothing is left to do for any of them."""
        first = some[0].media()
        for device in some[1:]:
            found = device.media()
            self.assertEqual(sorted(first), sorted(found))
            for name, data in first.items():
                self.assertTrue(found[name] == data, f"{name} differs")
        self.assertEqual(int(sql(f"SELECT files FROM anki_media WHERE user_id = {self.account.id()}")[0][0]),
                         len([name for name, data in first.items() if data]))

    def two(self):
        return self.account.device(), self.account.device()

    def test_many_files_go_up_and_down(self):
        one, two = self.two()
        rng = random.Random(1)
        for n in range(MANY):
            (one.folder() / f"file {n:05}.jpg").write_bytes(rng.randbytes(10_240))
        one.sync_media()
        two.sync_media()
        self.equal(one, two)

    def test_names_of_every_script_and_files_of_every_size(self):
        one, two = self.two()
        for n, name in enumerate(SCRIPTS):
            one.put_media(name, secrets.token_bytes(1 + n * 3001))
        one.put_media("exactly one chunk", secrets.token_bytes(MIB))
        one.put_media("one more", secrets.token_bytes(MIB + 1))
        one.put_media("several.mp4", secrets.token_bytes(7 * MIB))
        one.put_media("one byte", b"1")
        one.sync_media()
        two.sync_media()
        self.equal(one, two)

    def test_an_empty_file_stays_where_it_is_and_one_of_100_mib_travels(self):
        one, two = self.two()
        one.put_media("empty.jpg", b"")
        one.put_media("small.jpg", b"small")
        one.put_media("huge.mp4", secrets.token_bytes(100 * MIB))
        one.sync_media()
        two.sync_media()
        one.remove_media("empty.jpg")
        self.equal(one, two)

    def test_changes_and_deletions_go_both_ways(self):
        """Upstream's media_roundtrip."""
        one, two = self.two()
        for name in ("manual1", "manual2"):
            one.put_media(name, name.encode())
        one.col.media.write_data("auto1", b"auto1")
        one.sync_media()
        two.sync_media()
        self.equal(one, two)
        two.put_media("manual1", b"changed1")
        two.remove_media("manual2")
        two.sync_media()
        one.sync_media()
        self.assertEqual(one.media(), {"manual1": b"changed1", "auto1": b"auto1"})
        one.remove_media("manual1")
        two.remove_media("auto1")
        for device in (one, two, one):
            device.sync_media()
        self.assertEqual((one.media(), two.media()), ({}, {}))

    def test_of_two_versions_the_first_one_that_is_synced_stays(self):
        one, two = self.two()
        one.put_media("diff", b"1")
        two.put_media("diff", b"2")
        one.put_media("same", b"same")
        two.put_media("same", b"same")
        one.sync_media()
        two.sync_media()
        one.sync_media()
        self.assertEqual(two.media(), {"diff": b"1", "same": b"same"})
        self.equal(one, two)

    def test_what_two_devices_do_at_the_same_time_counts_once(self):
        """Upstream's parallel_requests: a second device that has not asked for changes sends what the first one has sent."""
        one, two = self.two()
        late = Media(Wire(HTTP, two.auth.hkey))
        for device in (one, two):
            device.col.media.write_data("auto", b"auto")
        one.sync_media()
        usn = late.begin()
        late.upload([("auto", b"auto")])
        self.assertEqual(late.begin(), usn)
        for device in (one, two):
            device.col.media.trash_files(["auto"])
        one.sync_media()
        self.assertGreater(late.begin(), usn)
        usn = late.begin()
        late.upload([("auto", None)])
        self.assertEqual(late.begin(), usn)
        one.col.media.write_data("diff", b"1")
        two.col.media.write_data("diff", b"2")
        one.sync_media()
        two.sync_media()
        self.assertEqual((one.media(), two.media()), ({"diff": b"1"}, {"diff": b"1"}))
        self.assertEqual((late.sanity(1), late.sanity(2)), ("OK", "mediaSanity"))

    def test_a_file_that_one_deletes_and_the_other_changes_stays(self):
        one, two = self.two()
        one.put_media("a", b"1")
        one.sync_media()
        two.sync_media()
        one.remove_media("a")
        two.put_media("a", b"2")
        for device in (one, two, one, two):
            device.sync_media()
        self.assertEqual(one.media(), {"a": b"2"})
        self.equal(one, two)

    def test_more_than_a_thousand_changes_arrive(self):
        one, two = self.two()
        for n in range(1001):
            (one.folder() / f"{n}").write_bytes(b"%d" % n)
        one.sync_media()
        two.sync_media()
        self.equal(one, two)
        for n in range(0, 1001, 2):
            (two.folder() / f"{n}").unlink()
        time.sleep(0.01)
        two.sync_media()
        one.sync_media()
        self.equal(one, two)

    def test_media_follow_a_collection_sync(self):
        """The client takes the media position from meta, not from begin."""
        one, two = self.pair()
        one.put_media("pic.jpg", b"pic")
        one.add_note("<img src='pic.jpg'>")
        one.col.sync_collection(one.auth, True)
        one.wait_for_media()
        with Proxy() as proxy:
            two.at(proxy.url)
            two.col.sync_collection(two.auth, True)
            two.wait_for_media()
            self.assertNotIn("begin", proxy.seen)
        self.assertEqual(two.media(), {"pic.jpg": b"pic"})
        self.equal(one, two)

    def test_a_position_of_another_server_is_no_position_here(self):
        """The counts agree, and the client's position lies above ours: without looking at everything it would keep its own
        files for ever."""
        one, two = self.two()
        two.put_media("a", b"of this server")
        two.put_media("only here", b"x")
        two.sync_media()
        with OfficialServer(self.account.folder / "other", {"u": PASSWORD}) as other:
            auth, one.auth = one.auth, one.col.sync_login("u", PASSWORD, other.url)
            for n in range(6):
                one.put_media("a", b"of the other %d" % n)
                one.put_media("only there", b"%d" % n)
                one.sync_media()
        one.auth = auth
        for _ in range(3):
            self.sync_patiently(one)
            self.sync_patiently(two)
        self.assertEqual(one.media()["a"], b"of this server")
        self.assertIn("only here", one.media())
        self.equal(one, two)

    def sync_patiently(self, device):
        """As a user does it, who is told to sync again."""
        try:
            device.sync_media()
        except SyncError:
            device.sync_media()

    def test_a_lost_request_or_answer_costs_nothing_but_another_sync(self):
        for method in ("begin", "mediaChanges", "downloadFiles", "uploadChanges", "mediaSanity"):
            for is_sent in (False, True):
                with self.subTest(method=method, is_sent=is_sent):
                    self.lose(method, is_sent)

    def lose(self, method, is_sent):
        account = devices.Account()
        self.addCleanup(account.close)
        one, two = account.device(), account.device()
        two.put_media("of two", b"2")
        two.sync_media()
        for n in range(40):
            one.put_media(f"of one {n}", b"%d" % n)
        left = [1]

        def lose_once(found):
            if found == method and left:
                left.pop()
                return False if not is_sent else None
            return True
        with Proxy(**({"after": lose_once} if is_sent else {"before": lose_once})) as proxy:
            one.at(proxy.url)
            with self.assertRaises((NetworkError, SyncError)):
                one.sync_media()
        self.assertFalse(left)
        one.at(HTTP + "/")
        self.sync_patiently(one)
        self.sync_patiently(two)
        self.assertEqual(one.media(), two.media())
        self.assertEqual(len(one.media()), 41)

    def test_a_full_account_is_told_so_and_its_collection_goes_on(self):
        one, two = self.pair()
        admin("user", "quota", self.account.name, "1")
        one.put_media("fits", secrets.token_bytes(300_000))
        one.sync_media()
        one.put_media("does not", secrets.token_bytes(900_000))
        with self.assertRaises(Exception) as caught:
            one.sync_media()
        self.assertIn("storage on this server is full", str(caught.exception))
        one.add_note("goes on")
        one.sync()
        two.sync()
        self.assertEqual(len(two.col.find_notes('"goes on"')), 1)
        two.sync_media()
        self.assertEqual(sorted(two.media()), ["fits"])
        # What was deleted counts for the retention time, but with more room the rest arrives.
        admin("user", "quota", self.account.name, "5")
        one.sync_media()
        two.sync_media()
        self.equal(one, two)

    def test_devices_that_sync_at_the_same_moment_end_equal(self):
        some = [self.account.device() for _ in range(3)]
        for n, device in enumerate(some):
            for i in range(60):
                device.put_media(f"{n} {i}", b"%d %d" % (n, i))
            device.put_media("of all", b"%d" % n)
        threads = [threading.Thread(target=self.sync_patiently, args=(device,)) for device in some]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in range(2):
            for device in some:
                self.sync_patiently(device)
        self.assertEqual(len(some[0].media()), 181)
        self.equal(*some)


if __name__ == "__main__":
    devices.main()
