"""One account floods the server, with a live session or without: the requests of others are answered quickly, no process
grows past its bound, and every refusal is one that clients understand.

A flood is a separate process with raw connections that send prepared requests as fast as they are answered; `meta` of
other accounts is timed meanwhile, in a third process. Prints the numbers. Left out on purpose: floods of many accounts,
and what nginx refuses before a process sees it.

Runs alone: it measures who waits for whom.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire, compress  # noqa: E402
from promises import keep  # noqa: E402
from stack import Stack  # noqa: E402

PASSWORD = "a good password"
MB = 1_000_000
PARALLEL = 24
FLOOD_S = 6
# p99 of `meta` during a flood, as a multiple of the idle one. Below FLOOR_S the scheduler of a busy machine decides.
MOST_TIMES, FLOOR_S = 5, 0.005
MOST_MIB = 256
# An honest message of 6 MB of another account, while one account floods the pool for large messages.
MOST_HONEST_S = 10

stack: Stack
flooder: Wire
flooding: Device
honest: Device
idle: dict


# --- The flood and the others: separate processes

def request_of(address, method, headers, body):
    lines = [f"POST /sync/{method} HTTP/1.1", f"Host: {address}", f"Content-Length: {len(body)}",
             *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def answer_of(connection):
    """Reads one answer; returns its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            raise ConnectionError("closed")
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1])


def flood(port, parallel, path):
    """Sends the request in `path` over and over; prints {status: count} when standard input closes."""
    request, counts, stop = pathlib.Path(path).read_bytes(), {}, threading.Event()

    def work():
        connection = None
        while not stop.is_set():
            try:
                if connection is None:
                    connection = socket.create_connection(("127.0.0.1", port), 60)
                connection.sendall(request)
                status = answer_of(connection)
            except OSError as problem:
                connection, status = None, type(problem).__name__
            counts[status] = counts.get(status, 0) + 1

    for _ in range(parallel):
        threading.Thread(target=work, daemon=True).start()
    sys.stdin.readline()
    stop.set()
    print(json.dumps(counts), flush=True)


def ask_meta(base, seconds, *keys):
    """Prints the sorted times of `meta`, in seconds, and the statuses of failures."""
    took, failed, end = [], [], time.monotonic() + float(seconds)

    def work(key):
        wire = Wire(base, key)
        while time.monotonic() < end:
            begin = time.monotonic()
            try:
                wire.ask("meta", {"v": 11, "cv": "x"})
                took.append(time.monotonic() - begin)
            except (Refused, OSError) as problem:
                failed.append(str(problem))
            time.sleep(0.01)

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([sorted(took), failed]))


@contextlib.contextmanager
def flooded_by(method, frame, parallel=PARALLEL):
    """Yields a dictionary that afterwards holds {status: count} of the flood."""
    path = stack.dir / "flood"
    path.write_bytes(request_of("127.0.0.1", method, flooder.headers(), frame))
    process = subprocess.Popen([sys.executable, __file__, "flood", str(stack.http_port), str(parallel), str(path)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    counts = {}
    try:
        yield counts
    finally:
        counts.update(json.loads(process.communicate("stop\n", timeout=60)[0]))


class Others:
    """`meta` of other accounts for some seconds."""

    keys: list

    def __init__(self, seconds):
        self.process = subprocess.Popen([sys.executable, __file__, "meta", stack.http, str(seconds), *self.keys],
                                        stdout=subprocess.PIPE, text=True)

    def times(self):
        took, failed = json.loads(self.process.communicate(timeout=120)[0])
        assert not failed, failed[:3]
        return {"count": len(took), "median": took[len(took) // 2], "p99": took[len(took) * 99 // 100], "most": took[-1]}


def shown(times):
    return f"{times['count']} answers, " + ", ".join(f"{name} {times[name] * 1000:.1f} ms" for name in ("median", "p99", "most"))


# --- Memory

def forget_peaks():
    for service in ("api", "large"):
        for pid in stack.pids(service).values():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets VmHWM


def peaks():
    """{service: MiB} of its largest process since forget_peaks."""
    def of(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    return {service: max(of(pid) for pid in stack.pids(service).values()) for service in ("api", "large")}


# --- The promises

def begin_session():
    flooder.new_session()
    flooder.ask("meta", {"v": 11, "cv": "x"})
    flooder.ask("start", {"minUsn": flooding.usn, "lnewer": True, "graves": None})


def million_keys():
    return "{" + ",".join(f'"a member {n:07}":0' for n in range(MB)) + "}"


def others_go_on_during(method, frame, statuses, parallel=PARALLEL, most_mib=MOST_MIB):
    forget_peaks()
    with flooded_by(method, frame, parallel) as counts:
        time.sleep(0.5)
        during = Others(FLOOD_S).times()
    memory = peaks()
    seen = f"{shown(during)}; idle p99 {idle['p99'] * 1000:.1f} ms; flood {counts}; MiB {memory}"
    assert during["p99"] < max(MOST_TIMES * idle["p99"], FLOOR_S), seen
    assert max(memory.values()) < most_mib, seen
    assert set(counts) <= set(map(str, statuses)), seen
    return seen


def a_million_keys_without_a_session():
    flooder.ask("abort")
    flooder.new_session()
    return others_go_on_during("applyChunk", compress(million_keys().encode()), {409, 503})


def a_million_keys_with_a_session():
    begin_session()
    return others_go_on_during("applyChunk", compress(million_keys().encode()), {400, 409, 503})


def a_million_keys_in_the_preferences():
    begin_session()
    message = '{"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":' + million_keys() + ',"crt":1}}'
    return others_go_on_during("applyChanges", compress(message.encode()), {200, 400, 409, 503})


def a_million_small_values():
    begin_session()
    message = '{"chunk":{"done":true,"x":[' + "0," * MB + "0]}}"
    return others_go_on_during("applyChunk", compress(message.encode()), {200, 503})


def messages_just_below_large():
    begin_session()
    message = '{"chunk":{"done":true,"x":[' + "0," * (2 * MB - 100) + "0]}}"
    return others_go_on_during("applyChunk", compress(message.encode()), {400, 409, 503})


def starts_of_blanks():
    return others_go_on_during("start", compress(b" " * 310 * MB), {400, 413, 503}, parallel=60)


def small_messages_of_one_session():
    begin_session()
    flooder.ask("applyChanges", {"changes": {"models": [], "decks": [[], []], "tags": []}})
    counts = [[0, 0, 0], 0, 0, 0, 0, *(len(some) for some in flooding.objects)]
    return others_go_on_during("chunk", compress(b"{}"), {200, 409, 503}) + "; " + \
        others_go_on_during("sanityCheck2", compress(json.dumps({"client": counts}).encode()), {200, 409, 503})


def an_honest_large_message_passes_a_flood_of_large_ones():
    begin_session()
    notetype = next(m["id"] for m in honest.objects[0].values() if len(m["flds"]) == 2)
    honest.wire.new_session()
    honest.wire.ask("meta", {"v": 11, "cv": "x"})
    honest.wire.ask("start", {"minUsn": honest.usn, "lnewer": False, "graves": None})
    note = [1, "g", notetype, 1, 0, "", "front\x1f" + "text " * (6 * MB // 5), "", "", 0, ""]
    frame = compress(json.dumps({"chunk": {"done": True, "notes": [note]}}).encode())
    with flooded_by("applyChunk", compress(b" " * 310 * MB), 160) as counts:
        time.sleep(2)
        begin = time.monotonic()
        honest.wire.send_frame("applyChunk", frame)
        took = time.monotonic() - begin
    honest.wire.ask("abort")
    assert took < MOST_HONEST_S, f"{took:.1f} s; flood {counts}"
    return f"{took:.1f} s; flood {counts}"


def large_requests_whose_clients_left_are_not_worked_off():
    begin_session()
    request = request_of("127.0.0.1", "applyChunk", flooder.headers(), compress(b" " * 310 * MB))
    connections = [socket.create_connection(("127.0.0.1", stack.http_port), 30) for _ in range(40)]
    for one in connections:
        one.sendall(request)
    time.sleep(0.5)
    for one in connections:
        one.close()
    time.sleep(1.5)  # the one that was running
    begin = time.monotonic()
    begin_session()
    message = compress(json.dumps({"chunk": {"done": True, "x": "a" * 5 * MB}}).encode())
    while True:
        try:
            flooder.send_frame("applyChunk", message)
            break
        except Refused as refused:
            assert refused.status == 503 and time.monotonic() < begin + 3, refused
            time.sleep(0.1)
    took = time.monotonic() - begin
    assert took < 3, f"{took:.1f} s"
    return f"{took:.1f} s"


def what_waited_too_long_for_a_slot_is_not_begun():
    """The process for large messages stands still; when it goes on, the client has given up."""
    honest.wire.new_session()
    honest.wire.ask("meta", {"v": 11, "cv": "x"})
    honest.wire.ask("start", {"minUsn": honest.usn, "lnewer": False, "graves": None})
    frame = compress(json.dumps({"chunk": {"done": True, "x": "a" * 5 * MB}}).encode())
    pid = stack.kill("large", sig=signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            call = pool.submit(honest.wire.send_frame, "applyChunk", frame)
            time.sleep(26)
            os.kill(pid, signal.SIGCONT)
            problem = call.exception()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert isinstance(problem, Refused) and problem.status == 503, problem
    log = (stack.dir / "log" / "large.log").read_text()
    assert "err=too_slow" in log, log[-1000:]
    honest.wire.ask("abort")


def large_preferences_cost_little_memory():
    begin_session()
    message = '{"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":{"x":"' + "y" * 60 * MB + '"},"crt":1}}'
    flooder.send("applyChanges", message.encode())
    counts = [[0, 0, 0], 0, 0, 0, 0, *(len(some) for some in flooding.objects)]
    assert flooder.ask("sanityCheck2", {"client": counts})["status"] == "ok"
    flooder.ask("finish")
    return others_go_on_during("start", compress(b'{"minUsn":0,"lnewer":true,"graves":null}'), {200, 409, 503}, 16)


def devices_of_one_account_do_not_meet_the_bound():
    """Six devices sync at the same time. Starts end each other's sessions (409), but nothing is refused as too much."""
    wires = [Wire(stack.http).log_in("family", PASSWORD) for _ in range(6)]

    def work(wire):
        for _ in range(40):
            wire.ask("meta", {"v": 11, "cv": "x"})
            wire.new_session()
            wire.ask("start", {"minUsn": 0, "lnewer": False, "graves": None})

    with concurrent.futures.ThreadPoolExecutor(len(wires)) as pool:
        for _ in pool.map(work, wires):
            pass


def main():
    global stack, flooder, flooding, honest, idle
    with Stack() as stack:
        for name in ("mallory", "honest", "family", *(f"other-{n}" for n in range(4))):
            stack.add_user(name, PASSWORD)
        flooder = Wire(stack.http).log_in("mallory", PASSWORD)
        flooding = Device(flooder)
        flooding.sync()
        honest = Device(Wire(stack.http).log_in("honest", PASSWORD))
        honest.sync()
        Others.keys = [Wire(stack.http).log_in(f"other-{n}", PASSWORD).key for n in range(4)]
        idle = Others(FLOOD_S).times()
        print(f"        idle: {shown(idle)}")
        return keep(a_million_keys_without_a_session, a_million_keys_with_a_session, a_million_keys_in_the_preferences,
                    a_million_small_values, messages_just_below_large, starts_of_blanks, small_messages_of_one_session,
                    an_honest_large_message_passes_a_flood_of_large_ones,
                    large_requests_whose_clients_left_are_not_worked_off, devices_of_one_account_do_not_meet_the_bound,
                    what_waited_too_long_for_a_slot_is_not_begun,
                    large_preferences_cost_little_memory)


if __name__ == "__main__":
    if sys.argv[1:2] == ["flood"]:
        flood(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1:2] == ["meta"]:
        ask_meta(*sys.argv[2:])
    else:
        sys.exit(main())
