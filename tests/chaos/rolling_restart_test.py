"""Restarts every process of the pools, one after another, while sixteen users sync: no request fails."""

import concurrent.futures
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Wire
from promises import keep
from stack import Stack

PEOPLE = 16
PASSWORD = "a good password"

stack: Stack


def a_restart_of_all_processes_one_by_one_fails_no_sync_and_loses_no_request():
    def begin(n):
        stack.add_user(f"person{n}", PASSWORD)
        device = Device(Wire(stack.http).log_in(f"person{n}", PASSWORD))
        device.sync()
        return device

    over = threading.Event()
    all_sync = threading.Barrier(PEOPLE + 1)

    def sync_until_over(device):
        """Raises at the first request that is not answered with 200."""
        syncs = 0
        try:
            while not over.is_set() or syncs < 2:
                device.add_note(f"note {syncs}", reviews=1)
                device.sync()
                syncs += 1
                if syncs == 1:
                    all_sync.wait(60)
        except BaseException:
            all_sync.abort()
            raise
        return syncs

    with concurrent.futures.ThreadPoolExecutor(PEOPLE) as pool:
        # One after another, because the server limits concurrent password hashes.
        devices = [begin(n) for n in range(PEOPLE)]
        old = {service: stack.pids(service) for service in ("api", "edge", "transfer", "large")}
        running = [pool.submit(sync_until_over, device) for device in devices]
        try:
            all_sync.wait(60)
            for _ in range(2):
                stack.restart_one_by_one("api", "edge", "transfer", "large")
        finally:
            over.set()
        syncs = [call.result() for call in running]
        for service, pids in old.items():
            assert not set(pids.values()) & set(stack.pids(service).values())

        def is_all_there(pair):
            device, count = pair
            third = Device(Wire(stack.http, device.wire.key))
            third.sync()
            assert third.content() == device.content()
            assert len(third.rows["notes"]) == len(third.rows["revlog"]) == count
        list(pool.map(is_all_there, zip(devices, syncs)))
    return f"{sum(syncs)} syncs"


def main():
    global stack
    with Stack() as stack:
        return keep(a_restart_of_all_processes_one_by_one_fails_no_sync_and_loses_no_request)


if __name__ == "__main__":
    sys.exit(main())
