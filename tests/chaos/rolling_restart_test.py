"""Restarts every process of the pools, one after another, while sixteen users sync: no request fails."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Wire
from promises import keep
from stack import Stack
from syncing import Syncing

PEOPLE = 16
PASSWORD = "a good password"

stack: Stack


def a_restart_of_all_processes_one_by_one_fails_no_sync_and_loses_no_request():
    def begin(n):
        stack.add_user(f"person{n}", PASSWORD)
        device = Device(Wire(stack.http).log_in(f"person{n}", PASSWORD))
        device.sync()
        return device

    # One after another, because the server limits concurrent password hashes.
    devices = [begin(n) for n in range(PEOPLE)]
    old = {service: stack.pids(service) for service in ("api", "edge", "transfer", "large")}
    with Syncing(devices) as people:
        for _ in range(2):
            stack.restart_one_by_one("api", "edge", "transfer", "large")
    for service, pids in old.items():
        assert not set(pids.values()) & set(stack.pids(service).values())
    return f"{sum(people.syncs)} syncs"


def main():
    global stack
    with Stack() as stack:
        return keep(a_restart_of_all_processes_one_by_one_fails_no_sync_and_loses_no_request)


if __name__ == "__main__":
    sys.exit(main())
