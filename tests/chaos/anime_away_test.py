"""Redis, PostgreSQL and the upstream are down, one at a time: requests that need them get an error in JSON, all others
work, nothing fails open, and everything recovers without a restart of ours. Reference: the anime API's scenario 30."""

import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from jikan import Jikan
from promises import keep, until
from rest_wire import PASSWORD, Client, ask, script_login
from stack import Stack

UNKNOWN = iter(range(90_100, 90_290))

stack: Stack
jikan: Jikan
client: Client
calls: dict
ours: dict


def processes():
    return {service: stack.pids(service) for service in ("api", "edge", "transfer", "large", "realtime", "worker", "nginx")}


def prepare():
    """The calls by name, each a function that makes it."""
    known = client.get("/anime/mal/90001").json["id"]
    assert client.post("/users/me/list", {"anime_id": known, "status": "watching"}).status == 201
    basic = {"authorization": script_login(client.email, PASSWORD, stack.http)}

    def get(path, **more):
        return lambda: ask("GET", path, base=stack.http, **more)
    return {
        "health": get("/health"), "catalogue": get("/anime/"), "search": get("/anime/?search=minato"), "genres": get("/genres/"),
        "title": get(f"/anime/{known}"), "known": get("/anime/mal/90001"), "relations": get(f"/anime/{known}/relations"),
        "unknown": lambda: ask("GET", f"/anime/mal/{next(UNKNOWN)}", base=stack.http),
        "me": lambda: client.me(), "list": lambda: client.get("/users/me/list"),  # pylint: disable=unnecessary-lambda
        "list of a script": get("/users/me/list", headers=basic), "sync": lambda: client.post("/anime/sync/90002"),
        "change": lambda: client.patch(f"/users/me/list/{known}", {"score": 7}),
        "login": lambda: ask("POST", "/auth/login", client.credentials(), base=stack.http),
        "proxy": lambda: ask("GET", f"/anime/jikan/{next(UNKNOWN)}", base=stack.http)}


def check(**expected):
    """Statuses, or several of them, by the names of calls; 200 where none is given. Every answer is JSON, and every 503 says when to come back."""
    for name, call in calls.items():
        answer = call()
        wanted = expected.get(name.replace(" ", "_"), expected.get("others", 200))
        assert answer.status in (wanted if isinstance(wanted, tuple) else (wanted,)), (name, answer, wanted)
        assert answer.headers["content-type"] == "application/json", (name, dict(answer.headers))
        assert answer.status < 400 or isinstance(answer.detail, str), (name, answer)
        assert answer.status != 503 or int(answer.headers["retry-after"]) >= 1, (name, dict(answer.headers))


def is_as_before():
    # Connections are made again at the first request, which may still fail.
    until(lambda: all(calls[name]().status == 200 for name in ("health", "title", "me", "list")), 30)
    until(lambda: calls["unknown"]().status == 200, 60, pause=1)
    check(sync=202)
    assert processes() == ours, (processes(), ours)


def everything_works():
    assert calls["health"]().json == {"status": "AniSync \u043e\u043d\u043b\u0430\u0439\u043d!"}
    check(sync=202)


def without_redis_the_catalogue_is_read_and_no_token_is_accepted():
    with stack.without("redis"):
        check(me=503, list=503, sync=503, change=503, unknown=503, proxy=503)
        # What a process has found out about a token a moment ago changes nothing.
        assert {client.me().status for _ in range(20)} == {503}
    # A Redis that has just started may not know what was sent, so no upstream is asked for a minute: here it knows.
    subprocess.run(["redis-cli", "-s", stack.env["REDIS_URL"].removeprefix("unix://"), "EVAL",
                    "return redis.call('SET', KEYS[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'))", "1",
                    "syncline:upstream:known"], check=True, stdout=subprocess.DEVNULL)
    is_as_before()


def without_postgresql_everything_is_away():
    with stack.without("postgres", signal.SIGINT):
        until(lambda: calls["health"]().status != 200, 10)
        # The genres are kept in Redis for a minute.
        check(others=503, genres=200)
    is_as_before()


def without_the_upstream_only_what_must_be_asked_there_is_missing():
    jikan.stop_listening()
    try:
        until(lambda: calls["unknown"]().status != 200, 5)
        # After ten failures nobody asks for a while.
        check(unknown=(502, 503), proxy=(502, 503), sync=202)
    finally:
        jikan.listen()
    is_as_before()


if __name__ == "__main__":
    with Jikan(per_second=50, per_minute=3000) as jikan, Stack({
            "SYNCLINE_ANIME_JIKAN_URL": jikan.url, "SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8",
            "SYNCLINE_ANIME_JIKAN_PER_SECOND": "50", "SYNCLINE_ANIME_JIKAN_PER_MINUTE": "3000",
            "SYNCLINE_ANIME_MISSES_PER_MINUTE": "10000"}) as stack:
        client = Client(base=stack.http).register()
        calls = prepare()
        ours = processes()
        sys.exit(keep(everything_works, without_postgresql_everything_is_away,
                      without_the_upstream_only_what_must_be_asked_there_is_missing,
                      without_redis_the_catalogue_is_read_and_no_token_is_accepted))
