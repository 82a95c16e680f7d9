"""Redis is killed, or accepts connections and does not answer: syncs work anyway."""

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


def all_parts_of_a_sync_work(name):
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


def syncs_work_without_redis():
    supervisor = int((stack.dir / "pids" / "supervise").read_text().split()[0])
    os.kill(supervisor, signal.SIGSTOP)  # otherwise Redis would be restarted at once
    try:
        pid = stack.kill("redis")
        all_parts_of_a_sync_work("without")
    finally:
        os.kill(supervisor, signal.SIGCONT)
    stack.wait_for_another("redis", pid)
    stack.wait_until_ready()
    all_parts_of_a_sync_work("again")


def syncs_work_while_redis_does_not_answer():
    pid = stack.pids("redis")[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        all_parts_of_a_sync_work("silent")
    finally:
        os.kill(pid, signal.SIGCONT)
    stack.wait_until_ready()


def main():
    global stack
    with Stack() as stack:
        return keep(syncs_work_without_redis, syncs_work_while_redis_does_not_answer)


if __name__ == "__main__":
    sys.exit(main())
