"""Where an account needs an invitation: `syncline-admin user invite` makes a code, and each code is good for as many accounts
as it says, for as long as it says. Starts an installation of its own, because the setting holds for all of it."""

import concurrent.futures
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Hold, Session, writers
from promises import keep
from rest_wire import PASSWORD, Client, ask, new_email
from stack import Stack

stack = None


def invite(*options):
    return stack.admin("user", "invite", *options).strip()


def register(code=None, email=None, **more):
    body = {"email": email or new_email(), "password": PASSWORD, **({} if code is None else {"invitation": code}), **more}
    return ask("POST", "/auth/register", body, base=stack.http)


def accounts():
    with Session(stack.env["DATABASE_URL"]) as db:
        return db.number("SELECT count(*) FROM users")


def an_invitation_makes_one_account():
    code, email, before = invite(), new_email(), accounts()
    answer = register(code, email)
    assert answer.status == 201 and answer.json["token_type"] == "bearer", answer
    assert ask("GET", "/users/me", token=answer.json["access_token"], base=stack.http).json["email"] == email
    Client(email, base=stack.http).log_in()
    answer = register(code)
    assert (answer.status, answer.detail) == (403, "The invitation is used up, expired or wrong"), answer
    assert accounts() == before + 1


def without_an_invitation_nobody_registers():
    before = accounts()
    for code in (None, "", "x", "0" * 43, "\u043a\u043e\u0434", "x" * 4000):
        answer = register(code)
        assert answer.status in (403, 422), (code, answer)
    assert register().status == 403 and register("0" * 43).status == 403
    for code in (5, None, [], {}, True):
        assert register(email=new_email(), invitation=code).status in (403, 422), code
    # Whether somebody has an account is nothing that a guess finds out.
    known = Client(base=stack.http)
    assert register(invite(), known.email).status == 201
    assert repr(register("0" * 43, known.email)) == repr(register("0" * 43))
    assert accounts() == before + 1


def a_failed_registration_uses_nothing_up():
    code, taken = invite(), new_email()
    assert register(invite(), taken).status == 201
    answer = register(code, taken)
    assert (answer.status, answer.detail) == (409, "Email already registered"), answer
    assert register(code, new_email(), password="short").status == 422
    assert register(code).status == 201


def an_invitation_for_three_makes_three_accounts():
    code = invite("--uses", "3")
    assert [register(code).status for _ in range(4)] == [201, 201, 201, 403]


def of_two_at_once_one_gets_the_account():
    code, before = invite(), accounts()
    with concurrent.futures.ThreadPoolExecutor(2) as pool, Hold(stack.env["DATABASE_URL"], writers("users")) as hold:
        answers = [pool.submit(register, code) for _ in range(2)]
        hold.wait(2)  # both have found the code to be valid: one holds it, the other waits for that one
        hold.let_go()
        statuses = sorted(answer.result().status for answer in answers)
    assert statuses == [201, 403], statuses
    assert accounts() == before + 1


def an_invitation_ends_with_its_days():
    code = invite("--days", "1")
    with Session(stack.env["DATABASE_URL"]) as db:
        db.ask("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE uses_left = 1")
    assert register(code).status == 403


if __name__ == "__main__":
    with Stack({"SYNCLINE_ACCOUNT_REGISTRATION": "invitation"}) as stack:
        sys.exit(keep(an_invitation_makes_one_account, without_an_invitation_nobody_registers,
                      a_failed_registration_uses_nothing_up, an_invitation_for_three_makes_three_accounts,
                      of_two_at_once_one_gets_the_account, an_invitation_ends_with_its_days))
