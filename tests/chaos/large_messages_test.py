"""Eight messages of 40 MB at once, and small syncs of other users meanwhile: checks the memory of the processes, that
they release it, and the latency of the small syncs. Prints the numbers.

Half of the messages expand from almost nothing, half hardly compress. All must be accepted: the last one waits for
seven. Then the second device of each account downloads the rows, again all eight at once. Then follow more large
messages than all processes of api have slots, one of the maximum size, and bombs.

Runs alone: it measures who waits for whom.
"""

import concurrent.futures
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire, compress  # noqa: E402
from stack import Stack  # noqa: E402

PASSWORD = "large messages 7"
MB = 1_000_000
MIB = 1 << 20
LARGE, SMALL = 8, 4
CROWD = 20  # more than all slots of api
MAX_MESSAGE = 300 * MIB
# A process of api holds the beginnings of messages until it knows that they are large.
MOST_API_MIB = 150
# One message of 40 MB: its text, its parsed notes, and the data on its way to PostgreSQL; and beginnings.
MOST_MIB = 350
# One message of 300 MiB.
MOST_OF_ALL_MIB = 1100
# The memory left at the end.
MOST_LEFT_MIB = 80
# For a small sync, on a busy machine. A small sync that waits for a large message takes several times as long.
MOST_P99_S = 1


def memory(stack, service, what):
    """The largest peak (VmHWM) or current (VmRSS) memory of any process of a service, in MiB."""
    def of(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(what))

    return max(of(pid) for pid in stack.pids(service).values())


def texts(count, size, noisy):
    """Base64 of noise that repeats only outside zstd's window, or one letter."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    piece = "".join(random.choices(letters, k=2 * MB)) if noisy else "a" * 2 * MB
    for n in range(count):
        first = n * size % len(piece)
        yield (piece[first:] + piece * (size // len(piece) + 1))[:size]


class Person:
    """An account with two devices: one will send a large message, the other one will receive it."""

    def __init__(self, stack, name, password=PASSWORD):
        stack.add_user(name, password)
        self.wires = [Wire(stack.http + "/").log_in(name, password) for _ in range(2)]
        self.devices = [Device(wire) for wire in self.wires]
        for one in self.devices:
            one.sync()

    def begin(self, number):
        """Runs a session up to the point where rows are sent."""
        wire = self.wires[number]
        wire.new_session()
        usn = wire.ask("meta", {"v": 11, "cv": "anki,26.08.1 (c32cb291),lin:debian:12"})["usn"]
        wire.ask("start", {"minUsn": self.devices[number].usn, "lnewer": number == 0, "graves": None})
        changes = {"models": [], "decks": [[], []], "tags": []}
        if number == 0:
            changes.update(conf={}, crt=1_577_836_800)
        wire.ask("applyChanges", {"changes": changes})
        return usn

    def frame(self, count, size, noisy):
        notetype = next(m["id"] for m in self.devices[0].objects[0].values() if len(m["flds"]) == 2)
        notes = [[n + 1, f"g{n}", notetype, 1, 0, "", "front\x1f" + text, "", "", 0, ""]
                 for n, text in enumerate(texts(count, size, noisy))]
        return compress(json.dumps({"chunk": {"done": True, "notes": notes}}).encode())

    def send(self, frame):
        begin = time.monotonic()
        self.wires[0].send_frame("applyChunk", frame)
        return time.monotonic() - begin

    def finish(self, notes):
        objects = [len(some) for some in self.devices[0].objects]
        verdict = self.wires[0].ask("sanityCheck2", {"client": [[0, 0, 0], 0, notes, 0, 0, *objects]})
        assert verdict["status"] == "ok", verdict
        begin = time.monotonic()
        self.wires[0].ask("finish")
        return time.monotonic() - begin

    def receive(self):
        """Fetches all chunks: returns the bytes of their fields, and the time of the slowest in seconds."""
        size = slowest = 0
        while True:
            begin = time.monotonic()
            chunk = self.wires[1].ask("chunk")
            slowest = max(slowest, time.monotonic() - begin)
            size += sum(len(row[6]) for row in chunk.get("notes", []))
            if chunk["done"]:
                self.wires[1].ask("abort")
                return size, slowest


class SmallSyncs:
    """Other users who sync a note now and then, in a separate process, until stop()."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, __file__, "small", *arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self):
        """Returns (count, median, p99, maximum) of the seconds, and the number of failures."""
        took, failed = json.loads(self.process.communicate("stop\n", timeout=60)[0])
        took.sort()
        return len(took), took[len(took) // 2], took[len(took) * 99 // 100], took[-1], failed


def sync_until_stopped(base, *keys):
    took, failed, stop = [], 0, threading.Event()

    def work(key):
        nonlocal failed
        device = Device(Wire(base, key))
        device.sync()
        while not stop.is_set():
            device.add_note("small")
            begin = time.monotonic()
            try:
                device.sync()
                took.append(time.monotonic() - begin)
            except (Refused, OSError):
                failed += 1
            time.sleep(0.02)

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    sys.stdin.readline()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps([took, failed]))


def show(numbers):
    count, median, p99, largest, failed = numbers
    return f"{count} syncs, median {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, slowest {largest * 1000:.0f} ms, {failed} failed"


def main():
    passed = failed = 0

    def expect(what, holds, seen):
        nonlocal passed, failed
        passed, failed = passed + bool(holds), failed + (not holds)
        print(f"{'ok     ' if holds else 'FAILED '} {what}: {seen}", flush=True)

    def all_at_once(work, people):
        with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
            return list(pool.map(work, people))

    with Stack() as stack:
        crowd = [Person(stack, f"large-{n}") for n in range(CROWD)]
        people = crowd[:LARGE]
        for n in range(SMALL):
            stack.add_user(f"small-{n}", PASSWORD)
        keys = [Wire(stack.http + "/").log_in(f"small-{n}", PASSWORD).key for n in range(SMALL)]
        small = (stack.http + "/", *keys)
        # One note of 40 MB each, or 250 of 160 KB.
        shapes = [(1, 40 * MB) if n % 4 < 2 else (250, 160_000) for n in range(LARGE)]
        frames = [person.frame(*shapes[n], noisy=n % 2 == 0) for n, person in enumerate(people)]
        start = {service: memory(stack, service, "VmRSS") for service in ("api", "large")}

        others = SmallSyncs(*small)
        time.sleep(5)
        before = others.stop()

        for person in people:
            person.begin(0)
        others = SmallSyncs(*small)
        time.sleep(0.5)
        work = dict(zip(people, zip(frames, shapes)))
        sent = all_at_once(lambda person: person.send(work[person][0]), people)
        applied = all_at_once(lambda person: person.finish(work[person][1][0]), people)
        for person in people:
            person.begin(1)
        received = all_at_once(lambda person: person.receive(), people)
        during = others.stop()

        print(f"        a message of 40 MB was answered after {min(sent):.1f} to {max(sent):.1f} s, finish after at "
              f"most {max(applied):.1f} s, one of its chunks after at most {max(s for _, s in received):.1f} s")
        expect("all of it was downloaded", all(size == count * (bytes_of + 6) for (size, _), (count, bytes_of)
                                          in zip(received, shapes)), [size for size, _ in received])
        expect("small syncs before", before[4] == 0, show(before))
        expect("small syncs during eight large messages", during[4] == 0 and during[2] < MOST_P99_S, show(during))
        most = memory(stack, "large", "VmHWM")
        expect("memory of the process with the large ones", most < MOST_MIB, f"{most} MiB, {start['large']} at the start")
        most = memory(stack, "api", "VmHWM")
        expect("memory of a process of api", most < MOST_API_MIB, f"{most} MiB, {start['api']} at the start")

        for person in crowd:
            person.begin(0)
        frames = {person: person.frame(125, 160_000, noisy=False) for person in crowd}
        refused = []

        def push(person):
            try:
                person.send(frames[person])
            except Refused as problem:
                refused.append(problem.status)

        others = SmallSyncs(*small)
        time.sleep(0.5)
        all_at_once(push, crowd)
        during = others.stop()
        expect(f"small syncs while {CROWD} messages of 20 MB wait", during[4] == 0 and during[2] < MOST_P99_S, show(during))
        expect("messages that waited too long got 503", set(refused) <= {503}, f"{refused} of {CROWD}")
        most = memory(stack, "api", "VmHWM")
        expect("memory of a process of api", most < MOST_API_MIB, f"{most} MiB")

        largest = people[0]
        for shape, notes in (((1900, 160_000), 1900), ((1, 304 * MB), 1900)):
            frame = largest.frame(*shape, noisy=True)
            largest.begin(0)
            took = largest.send(frame)
            took_finish = largest.finish(notes)
            most = memory(stack, "large", "VmHWM")
            expect(f"memory for a message of {shape[0]} x {shape[1] // 1000} KB", most < MOST_OF_ALL_MIB,
                   f"{most} MiB so far, answered after {took:.1f} s, finish after {took_finish:.1f} s")
        largest.begin(0)
        bombs = {"spaces": b" " * (MAX_MESSAGE + 1), "one long text": b'"' + b"a" * (MAX_MESSAGE - 2) + b'"'}
        for what, body in bombs.items():
            frame, statuses = compress(body), []

            def bomb(wire):
                try:
                    wire.send_frame("applyChunk", frame)
                except Refused as refused:
                    statuses.append(refused.status)

            wires = [Wire(stack.http + "/", largest.wires[0].key) for _ in range(LARGE)]
            for wire in wires:
                wire.session = largest.wires[0].session
            all_at_once(bomb, wires)
            expect(f"eight bombs of {what}", len(statuses) == LARGE and set(statuses) <= {400, 413, 503}, sorted(statuses))
        most = memory(stack, "large", "VmHWM")
        expect("memory after all of these", most < MOST_OF_ALL_MIB, f"{most} MiB")
        end = time.monotonic() + 5
        while memory(stack, "large", "VmRSS") > MOST_LEFT_MIB and time.monotonic() < end:
            time.sleep(0.1)
        left = {service: memory(stack, service, "VmRSS") for service in start}
        expect("memory that remains", max(left.values()) < MOST_LEFT_MIB, left)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(sync_until_stopped(*sys.argv[2:]) if sys.argv[1:2] == ["small"] else main())
