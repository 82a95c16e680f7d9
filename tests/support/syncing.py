"""Many people who sync again and again, for tests of what must not disturb them.

    with Syncing(devices) as people:
        ...                         # everybody has synced once; now processes are restarted
    people.syncs                    # how often each of them did

Every request must be answered with 200: the first other answer is raised at the end of the block. What everybody wrote is
then compared with what a new device gets.
"""

import concurrent.futures
import threading

from anki_wire import Device, Refused
from promises import until


def sync_in_the_end(device, seconds, pause=0.1):
    """Retries as long as the answer is 503. The sync itself is a normal one."""
    def went_well():
        try:
            device.sync()
            return True
        except Refused as refused:
            assert refused.status == 503, refused
            return False
    until(went_well, seconds, pause=pause)


class Syncing:
    def __init__(self, devices):
        self._devices = devices
        self._over = threading.Event()
        self._all_sync = threading.Barrier(len(devices) + 1)
        self._pool = concurrent.futures.ThreadPoolExecutor(len(devices))
        self.syncs = []

    def _sync_until_over(self, device):
        syncs = 0
        try:
            while not self._over.is_set() or syncs < 2:
                device.add_note(f"note {syncs}", reviews=1)
                device.sync()
                syncs += 1
                if syncs == 1:
                    self._all_sync.wait(60)
        except BaseException:
            self._all_sync.abort()
            raise
        return syncs

    def __enter__(self):
        self._before = [len(device.rows["notes"]) for device in self._devices]
        self._running = [self._pool.submit(self._sync_until_over, device) for device in self._devices]
        try:
            self._all_sync.wait(60)
        except threading.BrokenBarrierError:
            self.__exit__(None, None, None)
        return self

    def __exit__(self, error, *_):
        self._over.set()
        with self._pool:
            concurrent.futures.wait(self._running)
            if error is not None:
                return
            self.syncs = [call.result() for call in self._running]
            list(self._pool.map(self._is_all_there, self._devices, self._before, self.syncs))

    @staticmethod
    def _is_all_there(device, before, syncs):
        new = Device(device.wire.again())
        new.sync()
        assert new.content() == device.content()
        assert len(new.rows["notes"]) == before + syncs
