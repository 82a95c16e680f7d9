"""Redis killed, and Redis that takes connections and answers nothing: no sync notices."""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Wire
from promises import keep
from stack import Stack

PASSWORD = "a good password"

stack: Stack


def everything_of_a_sync_works(name):
    stack.add_user(name, PASSWORD)
    a = Device(Wire(stack.http).log_in(name, PASSWORD))
    a.sync()
    note = a.add_note("of A", reviews=1)
    a.sync()
    b = Device(Wire(stack.http, a.wire.key))
    b.sync()
    assert a.content() == b.content()
    b.edit_note(note, "edited by B")
    b.sync()
    a.sync()
    assert a.content() == b.content()
    a.wire.send("download", b"{}")


def while_redis_is_away_nothing_of_anki_notices():
    supervisor = int((stack.dir / "pids" / "supervise").read_text().split()[0])
    os.kill(supervisor, signal.SIGSTOP)  # or it would be back at once
    try:
        pid = stack.kill("redis")
        everything_of_a_sync_works("without")
    finally:
        os.kill(supervisor, signal.SIGCONT)
    stack.wait_for_another("redis", pid)
    stack.wait_until_ready()
    everything_of_a_sync_works("again")


def while_redis_does_not_answer_nothing_of_anki_notices():
    pid = stack.pids("redis")[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        everything_of_a_sync_works("silent")
    finally:
        os.kill(pid, signal.SIGCONT)
    stack.wait_until_ready()


def main():
    global stack
    with Stack() as stack:
        return keep(while_redis_is_away_nothing_of_anki_notices, while_redis_does_not_answer_nothing_of_anki_notices)


if __name__ == "__main__":
    sys.exit(main())
