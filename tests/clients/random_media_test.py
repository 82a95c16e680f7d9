"""Three real clients do random things to their media folders and sync at random; in the end all folders are equal.

    random_media_test.py                     a few fixed seeds, then fresh ones for some seconds
    random_media_test.py --seconds 3600      fresh seeds for that long
    random_media_test.py --seed 17           one script, with its diary

A seed determines a script: files added, replaced, deleted, renamed, and syncs. It is played against this server and against the
server of the package, and must end the same on both. A second time it is played with cuts (requests that do not arrive,
answers that get lost, two devices at once): then all devices must end equal, and every file must hold what some device once
wrote under that name, or, if it was deleted, be gone or hold that. A fault that the other server shows with the same
cuts is reported but is not a failure.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback

import anki.lang
from anki.errors import NetworkError, SyncError

from devices import HTTP, PASSWORD, Device, Proxy, admin
from official_server import OfficialServer, hashed

DEVICES = 3
FIXED_SEEDS = (1, 2, 3, 4)
SECONDS = 20
REFERENCE_USERS = 250
NAMES = [f"f{n}" for n in range(12)] + ["\u6f22.png", "\U0001f50a.mp3", "a b&c.jpg", "A.png", "a.png", "_x.css"]
METHODS = ("begin", "mediaChanges", "downloadFiles", "uploadChanges", "mediaSanity")


def script(seed):
    """A list of steps: (device, what, arguments)."""
    rng = random.Random(seed)
    steps = []
    for n in range(rng.randrange(10, 40)):
        device = rng.randrange(DEVICES)
        kind = rng.choices(("put", "remove", "rename", "many", "sync"), (8, 4, 3, 1, 8))[0]
        if kind == "put":
            size = rng.choice((1, 10, 3000, 70_000, 1_200_000 if rng.random() < 0.1 else 500))
            steps.append((device, "put", rng.choice(NAMES), content(n % 6 if rng.random() < 0.3 else n + 100, size)))
        elif kind == "remove":
            steps.append((device, "remove", rng.random()))
        elif kind == "rename":
            steps.append((device, "rename", rng.random(), rng.choice(NAMES)))
        elif kind == "many":
            steps.append((device, "many", [(f"m{i}", content(n * 100 + i, 50)) for i in range(rng.randrange(20, 60))]))
        else:
            steps.append((device, "sync"))
    return steps


def content(number, size):
    return random.Random(number).randbytes(size)


def sync_patiently(device):
    """As a user does it, who is told to sync again."""
    for _ in range(3):
        try:
            return device.sync_media()
        except SyncError:
            pass
    raise AssertionError("the counts of files still differ after three syncs")


class World:
    """Devices of one account, and what was ever written under each name."""

    def __init__(self, user, endpoint):
        self.name, self.folder = user, pathlib.Path(tempfile.mkdtemp(prefix="syncline-media."))
        self.devices = []
        for _ in range(DEVICES):
            self.devices.append(Device(self, endpoint))
        self.written, self.deleted = {}, set()

    def close(self):
        for device in self.devices:
            device.col.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def act(self, device, what, *arguments):
        """A change of a folder. Names are chosen by position, so that a script fits whatever is there."""
        device = self.devices[device]
        if what == "put":
            self.put(device, *arguments)
        elif what == "many":
            for name, data in arguments[0]:
                self.put(device, name, data)
        else:
            files = device.media()
            if not files:
                return
            name = sorted(files)[int(arguments[0] * len(files))]
            device.remove_media(name)
            self.deleted.add(name)
            if what == "rename":
                self.put(device, arguments[1], files[name])

    def put(self, device, name, data):
        device.put_media(name, data)
        self.written.setdefault(name, []).append(data)

    def settle(self):
        """Syncs until nothing changes any more; all folders must then be equal."""
        for _ in range(3):
            for device in self.devices:
                sync_patiently(device)
        folders = [device.media() for device in self.devices]
        for n, files in enumerate(folders):
            differing = sorted(name for name in files.keys() | folders[0].keys() if files.get(name) != folders[0].get(name))
            assert not differing, f"device {n} differs from device 0 in {differing[:5]}"
        return folders[0]

    def check(self, files):
        """Nothing was invented, and nothing is lost that nobody deleted."""
        for name, data in files.items():
            assert data in self.written.get(name, []), f"{name} has a content that was never written under this name"
        lost = [name for name in self.written if name not in files and name not in self.deleted]
        assert not lost, f"lost: {lost}"


def play(seed, user, endpoint, cuts=None):
    """Plays the script; returns the folder that all end with. `cuts`: a random.Random that cuts connections."""
    world = World(user, endpoint)
    try:
        for step in script(seed):
            device, what, *arguments = step
            if what != "sync":
                world.act(device, what, *arguments)
            elif cuts is None:
                sync_patiently(world.devices[device])
            else:
                sync_with_cuts(world, device, cuts, endpoint.rstrip("/"))
        files = world.settle()
        world.check(files)
        return files
    finally:
        world.close()


def sync_with_cuts(world, number, rng, server):
    """A sync whose request or answer may get lost, or during which another device syncs."""
    device, auth = world.devices[number], world.devices[number].auth
    kind = rng.choice(("none", "request", "answer", "other"))
    method, at = rng.choice(METHODS), rng.randrange(1, 3)
    seen = [0]

    def reached(found):
        seen[0] += found == method
        return found == method and seen[0] == at

    def before(found):
        if kind == "other" and reached(found):
            other = world.devices[(number + 1) % DEVICES]
            thread = threading.Thread(target=lambda: quietly(other.sync_media))
            thread.start()
            if rng.random() < 0.7:
                thread.join()
            threads.append(thread)
        return not (kind == "request" and reached(found))

    def after(found):
        return None if kind == "answer" and reached(found) else True

    threads = []
    with Proxy(before=before, after=after, to=server) as proxy:
        device.at(proxy.url)
        try:
            quietly(device.sync_media)
        finally:
            device.auth = auth
            for thread in threads:
                thread.join()


def quietly(sync):
    try:
        sync()
    except (NetworkError, SyncError):
        pass


@dataclasses.dataclass(frozen=True)
class Fault:
    text: str


def end_of(seed, user, endpoint):
    """The folder that all devices end with, or what is wrong with them. Without any cut, too, a client may keep a file that
    another has deleted, on any server."""
    try:
        return play(seed, user, endpoint)
    except AssertionError as fault:
        return Fault(str(fault))


def told(end):
    return end.text if isinstance(end, Fault) else f"{len(end)} equal files, {hash(tuple(sorted(end.items()))):x}"


def differs_there(seed, number, reference):
    """Whether the same cuts make the devices differ on the other server, too."""
    try:
        play(seed, f"c{number}", reference.url, random.Random(seed))
    except AssertionError:
        return True
    return False


def run(seed, number, reference, is_told=False):
    if is_told:
        for step in script(seed):
            print("  ", step[0], step[1], *(repr(argument)[:60] for argument in step[2:]))
    names = []
    for kind in ("plain", "cut"):
        names.append(f"rm-{os.getpid()}-{number}-{kind}")
        admin("user", "add", names[-1], "--password-file", "-", stdin=PASSWORD + "\n")
    try:
        ours = end_of(seed, names[0], HTTP + "/")
        if reference is not None and number < REFERENCE_USERS:
            theirs = end_of(seed, f"u{number}", reference.url)
            assert ours == theirs, f"{told(ours)}; on the other server {told(theirs)}"
            if isinstance(ours, Fault):
                print(f"reference too: seed {seed}: {ours.text}")
        else:
            assert not isinstance(ours, Fault), ours.text
        try:
            play(seed, names[1], HTTP + "/", random.Random(seed))
        except AssertionError as fault:
            # A client that loses the answer to one upload and is told of a deletion later keeps the file, on any server.
            if reference is None or number >= REFERENCE_USERS or not differs_there(seed, number, reference):
                raise
            print(f"reference too: seed {seed}: {fault}")
    finally:
        for name in names:
            admin("user", "remove", "--yes", name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    anki.lang.set_lang("en")
    passed = failed = 0
    password = hashed(PASSWORD)
    users = {f"{kind}{n}": password for kind in "uc" for n in range(REFERENCE_USERS)}
    with tempfile.TemporaryDirectory(prefix="syncline-reference.") as folder, \
            OfficialServer(folder, users, is_hashed=True) as reference:
        seeds = [options.seed] if options.seed is not None else list(FIXED_SEEDS)
        end = time.monotonic() + (0 if options.seed is not None else options.seconds)
        number = 0
        while seeds or time.monotonic() < end:
            seed = seeds.pop(0) if seeds else random.randrange(1 << 30)
            try:
                run(seed, number, reference, options.seed is not None)
                passed += 1
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"FAILED  --seed {seed}\n{traceback.format_exc()}", flush=True)
                if failed == 5:
                    break
            number += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
