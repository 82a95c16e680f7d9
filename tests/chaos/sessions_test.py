"""Sessions while Redis and PostgreSQL are stopped and killed under load: nobody who was logged out gets in, everybody else
goes on by themselves, and a refusal says when to come again."""

import os
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from promises import keep, until
from rest_wire import Client
from stack import Stack

stack: Stack


def client():
    return Client(base=stack.http).register()


class Load:
    """Devices that ask all the time. Collects every answer that is neither a 200 nor a refusal to be repeated."""

    def __init__(self, count=6):
        self.ended, self.wrong, self.counts = threading.Event(), [], {}
        self.devices = [client() for _ in range(count)]
        self.threads = [threading.Thread(target=self.run, args=(device,)) for device in self.devices]

    def run(self, device):
        while not self.ended.is_set():
            answer = device.me()
            self.counts[answer.status] = self.counts.get(answer.status, 0) + 1
            if answer.status == 200 or (answer.status == 503 and int(answer.headers["Retry-After"]) > 0):
                continue
            if answer.status != 502:  # what was in flight in a process that lost its socket
                self.wrong.append(answer)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def goes_on(self, count=100):
        before = self.counts.get(200, 0)
        until(lambda: self.counts.get(200, 0) > before + count, 20)

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert self.wrong == [], self.wrong[:3]
        for device in self.devices:
            assert device.me().status == 200


def without_redis_no_token_is_accepted_and_nobody_is_logged_out():
    gone, stays = client(), client()
    with Load() as load:
        gone.post("/auth/logout")
        pid = stack.pids("redis")[1]
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: stays.me().status == 503, 5)
            for device in (gone, stays):
                answer = device.me()
                assert answer.status == 503 and answer.json["detail"] and int(answer.headers["Retry-After"]) > 0, answer
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: stays.me().status == 200, 10)
        assert gone.me().status == 401
        load.goes_on()
    return str(load.counts)


def what_redis_forgets_postgresql_still_refuses():
    gone, stays = client(), client()
    with Load() as load:
        gone.post("/auth/logout")
        pid = stack.kill("redis")
        stack.wait_for_another("redis", pid)
        until(lambda: stays.me().status == 200, 10)
        # Redis came back empty. What a process remembers of a session is half a second old at most.
        until(lambda: gone.me().status == 401, 1)
        for _ in range(20):
            answer = gone.me()
            assert (answer.status, answer.detail) == (401, "Token has been revoked"), answer
        assert gone.try_refresh(gone.refresh_token).status == 401
        stays.refresh()
        load.goes_on()
    return str(load.counts)


def a_killed_postgresql_logs_nobody_out():
    gone, stays = client(), client()
    with Load() as load:
        gone.post("/auth/logout")
        pid = stack.kill("postgres")
        stack.wait_for_another("postgres", pid)
        stack.wait_until_ready()
        until(lambda: stays.me().status == 200, 10)
        assert gone.me().status == 401
        stays.refresh()
        load.goes_on()
    return str(load.counts)


def a_killed_process_fails_no_session():
    with Load() as load:
        for copy in (1, 2):
            pid = stack.kill("api", copy)
            stack.wait_for_another("api", pid, copy)
            load.goes_on()
    return str(load.counts)


if __name__ == "__main__":
    with Stack() as stack:
        code = keep(without_redis_no_token_is_accepted_and_nobody_is_logged_out,
                    what_redis_forgets_postgresql_still_refuses, a_killed_postgresql_logs_nobody_out,
                    a_killed_process_fails_no_session)
    sys.exit(code)
