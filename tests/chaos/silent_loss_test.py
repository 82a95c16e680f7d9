"""The network between a slot and PostgreSQL or Redis loses all packets without a word: the slot is free again within the
deadline of its request, and everything goes on when packets flow again.

PostgreSQL and Redis of a separate installation listen in one network namespace; a pool and a worker of our own run in
another one (tests/support/silent_network.py). Skipped where namespaces cannot be made.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "wire")]
from anki_wire import Device, Wire, compress
from database import Hold, Session
from fastcgi import ask, request
from promises import Skip, keep, until
from silent_network import SilentNetwork
from stack import ROOT, Stack

PASSWORD = "a good password"
DEADLINE = 25  # of the routes used here, in seconds
SLOTS = 3
BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"))

stack: Stack
far: "Far"


class Far:
    """A pool and a worker whose PostgreSQL and Redis are at the other end of two links."""

    def __init__(self, network, to_postgres, to_redis):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="syncline-far.", dir="/tmp"))
        self.to_postgres, self.to_redis = to_postgres, to_redis
        self.socket = self.dir / "far.sock"
        self.redis = subprocess.Popen(["redis-server", "--bind", to_redis.here, "--port", "6379", "--save", "",
                                       "--protected-mode", "no", "--dir", str(self.dir)], stdout=subprocess.DEVNULL)
        env = {**os.environ, "SYNCLINE_DATABASE_URL": f"postgresql://syncline@{to_postgres.here}/syncline",
               "SYNCLINE_REDIS_URL": f"redis://{to_redis.here}:6379", "SYNCLINE_SECRET_FILE": str(stack.dir / "secret"),
               "SYNCLINE_TEMP_DIR": str(self.dir)}
        self.limited = self.dir / "limited.sock"  # of the one program that has a route which needs Redis
        log = (stack.dir / "log" / "far.log").open("ab")
        self.programs = [network.popen([BIN / name, *options], env=env, stderr=log) for name, options in (
            ("syncline-fcgi", ["--pool", "far", "--slots", str(SLOTS), "--socket", str(self.socket)]),
            ("syncline-worker", []),
            ("wire-server", [str(self.limited), "1", f"redis://{to_redis.here}:6379"]))]
        until(lambda: self.socket.exists() and self.limited.exists())

    def stop(self):
        for program in [*self.programs, self.redis]:
            program.terminate()
            program.wait()
        shutil.rmtree(self.dir)

    def ask(self, device, method, message):
        """The status of a request to the pool, and the seconds it took."""
        begin = time.monotonic()
        answer = ask(self.socket, request("POST", "/sync/" + method, compress(message), device.wire.headers()), 120)
        return answer.status, time.monotonic() - begin

    def is_free(self):
        """Whether every slot serves: as many requests as there are slots, at once."""
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(SLOTS) as pool:
            answers = list(pool.map(lambda _: ask(self.socket, request("GET", "/healthz")).status, range(SLOTS)))
        return answers == [200] * SLOTS and time.monotonic() - begin < 1


META = b'{"v":11,"cv":"26.08.1,c32cb291,linux"}'
START = b'{"minUsn":0,"lnewer":true,"graves":null}'


def person(name):
    stack.add_user(name, PASSWORD)
    device = Device(Wire(stack.http).log_in(name, PASSWORD))
    device.sync()
    return device


def a_slot_that_loses_postgresql_is_free_by_the_deadline():
    device, other, third = people = [person(name) for name in ("alice", "bob", "carol")]
    with concurrent.futures.ThreadPoolExecutor(SLOTS) as calls:
        # Every slot has a connection.
        with Hold(stack.env["DATABASE_URL"], "LOCK TABLE anki_sessions IN SHARE MODE") as hold:
            all_slots = [calls.submit(far.ask, one, "start", START) for one in people]
            hold.wait(SLOTS, "syncline-fcgi far")
        assert [call.result()[0] for call in all_slots] == [200] * SLOTS
        with Hold(stack.env["DATABASE_URL"], "LOCK TABLE anki_sessions IN SHARE MODE") as hold:
            # PostgreSQL has received this request's statement and acknowledged it. Its answer will be lost.
            waiting = calls.submit(far.ask, device, "start", START)
            hold.wait(1, "syncline-fcgi far")
            far.to_postgres.cut()
        # These are lost on the way there.
        lost = [calls.submit(far.ask, one, "meta", META) for one in (other, third)]
        answers = [call.result() for call in (waiting, *lost)]
    assert far.is_free()
    assert [status for status, _ in answers] == [503] * SLOTS, answers
    assert all(DEADLINE - 5 < seconds < DEADLINE + 2 for _, seconds in answers), answers
    far.to_postgres.mend()
    until(lambda: far.ask(other, "meta", META)[0] == 200, 10)
    until(lambda: far.ask(device, "start", START)[0] == 200, 40)
    with Session(stack.env["DATABASE_URL"]) as session:
        until(lambda: session.ask("SELECT count(*) FROM workers WHERE seen_at > now() - interval '10 s'") == [["2"]], 60,
              "the worker goes on", 0.2)
    return f"free after {answers[0][1]:.1f} s, {answers[1][1]:.1f} s, {answers[2][1]:.1f} s"


def a_slot_that_loses_redis_is_free_by_the_deadline():
    def limited():
        begin = time.monotonic()
        return ask(far.limited, request("GET", "/limited-closed")).status, time.monotonic() - begin

    assert limited()[0] == 200
    far.to_redis.cut()
    # The first one on a connection that was good, the second one without any.
    answers = [limited() for _ in range(2)]
    assert all(status == 503 and seconds < 5 for status, seconds in answers), answers
    far.to_redis.mend()
    # Redis is not asked for half a second after an answer that did not come.
    until(lambda: limited()[0] == 200, 5)
    return f"free after {answers[0][1]:.1f} s, {answers[1][1]:.1f} s"


def main():
    global stack, far
    promises = (a_slot_that_loses_postgresql_is_free_by_the_deadline, a_slot_that_loses_redis_is_free_by_the_deadline)
    with contextlib.ExitStack() as exits:
        try:
            network = SilentNetwork()
            exits.callback(network.close)
            to_postgres, to_redis = network.link(), network.link()
        except Skip as why:
            for promise in promises:
                print(f"skipped {promise.__name__}: {why}")
            print(f"0 passed, 0 failed, {len(promises)} skipped")
            return 0
        hba = exits.enter_context(tempfile.NamedTemporaryFile("w", prefix="syncline-hba.", dir="/tmp"))
        hba.write(f"local all all peer map=run\nhost all all {to_postgres.there}/32 trust\n")
        hba.flush()
        os.chmod(hba.name, 0o644)
        settings = os.environ.get("SYNCLINE_TEST_POSTGRES", "")
        stack = exits.enter_context(Stack({"SYNCLINE_TEST_POSTGRES": (
            f"{settings}\nlisten_addresses = '{to_postgres.here}'\nhba_file = '{hba.name}'\n")}))
        far = Far(network, to_postgres, to_redis)
        exits.callback(far.stop)
        return keep(*promises)


if __name__ == "__main__":
    sys.exit(main())
