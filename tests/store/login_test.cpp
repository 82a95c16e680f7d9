// Logins and keys against a real PostgreSQL: successful logins, delays after failures, and the immediate
// effects of revoking and disabling.
#include "handlers/account/login/login_failure_store.h"
#include "handlers/account/login/login_flow.h"

#include <sodium.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/authorization_flow.h"
#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::account;
using tests::TestDatabase;

namespace {

constexpr const char* kHome = "192.0.2.1";
constexpr LoginScheme kSchemes[] = {{"basic", AuthenticateBasic}};

// Fulfils a promise when its first statement has been answered.
class WatchedContext : public Context {
 public:
  WatchedContext(const Config& config, sql::Database& database, Redis& redis, std::promise<void>& first)
      : Context(config, database, redis, "watched"), first_(first) {}
  void OnStatement(const char*, std::chrono::microseconds) override {
    if (!std::exchange(told_, true)) first_.set_value();
  }

 private:
  std::promise<void>& first_;
  bool told_ = false;
};

struct Accounts {
  Accounts() {
    db.Empty("users, login_failures");
    // One hash for all tests, because hashing is slow.
    static const std::string hash = HashPassword(HashSlot(std::chrono::seconds(5)), "right horse");
    ann = context.Write<AccountStore>(
        [&](AccountStore& accounts) { return accounts.Add({.name = "Ann", .password_hash = hash}); });
  }

  std::string Enter(std::string_view name = "Ann", std::string_view password = "right horse",
                    std::string_view address = kHome) {
    return LogIn(context, name, password, address, "anki", "test");
  }
  std::string CodeOf(const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      last_retry_after = e.retry_after();
      return e.code();
    }
    return "";
  }
  std::string Refusal(std::string_view name, std::string_view password, std::string_view address = kHome) {
    return CodeOf([&] { Enter(name, password, address); });
  }
  std::string KeyRefusal(std::string_view key, std::string_view kind = "anki") {
    return CodeOf([&] { LookUpKey(context, key, kind); });
  }
  std::optional<Identity> Authorize(const std::string& header) {
    Request request;
    request.remote_address = kHome;
    request.headers.emplace_back("authorization", header);
    return AuthenticateByHeader(request, context, kSchemes);
  }
  std::optional<Identity> Basic(const std::string& name, const std::string& password) {
    const std::string text = name + ":" + password;
    std::string base64(sodium_base64_ENCODED_LEN(text.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(base64.data(), base64.size(), reinterpret_cast<const unsigned char*>(text.data()),
                      text.size(), sodium_base64_VARIANT_ORIGINAL);
    return Authorize("Basic " + std::string(base64.c_str()));
  }
  std::string BasicRefusal(const std::string& name, const std::string& password) {
    return CodeOf([&] { Basic(name, password); });
  }
  std::string HeaderRefusal(const std::string& header) {
    return CodeOf([&] { Authorize(header); });
  }
  std::string Count(const std::string& where) {
    return db.Value("SELECT count(*) FROM devices WHERE " + where);
  }

  TestDatabase& db = TestDatabase::Instance();
  Config config = db.config();
  sql::Database database{db.settings()};
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};
  UserId ann{};
  std::optional<std::chrono::seconds> last_retry_after;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(login, Accounts)

BOOST_AUTO_TEST_CASE(every_login_gets_its_own_key) {
  const std::string first = Enter();
  const std::string second = Enter("aNN");
  BOOST_TEST(first != second);
  const Identity identity = AuthenticateKey(context, first, "anki");
  BOOST_TEST((identity.user == ann));
  BOOST_TEST((identity.device != AuthenticateKey(context, second, "anki").device));
  BOOST_TEST(Count("name = 'test' AND last_seen_at IS NOT NULL") == "2");
}

BOOST_AUTO_TEST_CASE(a_key_costs_one_statement) {
  const std::string key = Enter();
  const int before = context.statements();
  AuthenticateKey(context, key, "anki");
  BOOST_TEST(context.statements() == before + 1);
}

BOOST_AUTO_TEST_CASE(a_wrong_password_and_an_unknown_name_look_alike) {
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  BOOST_TEST(Refusal("nobody", "right horse") == "bad_login");
  BOOST_TEST(Refusal("", "right horse") == "bad_login");
  BOOST_TEST(Refusal("Ann", "") == "bad_login");
  BOOST_TEST(Count("true") == "0");
}

BOOST_AUTO_TEST_CASE(only_who_knows_the_password_learns_that_an_account_is_disabled) {
  db.Run("UPDATE users SET is_disabled = true");
  BOOST_TEST(Refusal("Ann", "right horse") == "account_inactive");
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  BOOST_TEST(Count("true") == "0");
}

BOOST_AUTO_TEST_CASE(invalid_bytes_in_a_login_are_only_a_bad_login) {
  BOOST_TEST(Refusal(std::string("An\0n", 4), "right horse") == "bad_login");
  BOOST_TEST(Refusal("\xff\xfe", "right horse") == "bad_login");
  BOOST_TEST(Refusal(std::string(1'000'000, 'a'), "right horse") == "bad_login");
  BOOST_TEST(Refusal("Ann", std::string(1'000'000, 'a')) == "bad_login");
  // Not even if its first part is correct.
  const std::string long_password(kMaxPasswordBytes, 'x');
  const std::string hash = HashPassword(HashSlot(std::chrono::seconds(5)), long_password);
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetPassword(ann, hash); });
  db.Empty("login_failures");
  BOOST_TEST(Refusal("Ann", long_password + "y") == "bad_login");
  BOOST_TEST(Refusal("Ann", long_password) == "");
  BOOST_TEST(CodeOf([&] { LogIn(context, "Ann", long_password, kHome, "anki", "\xff"); }) == "");
}

BOOST_AUTO_TEST_CASE(a_password_is_the_same_from_every_system) {
  const std::string composed = "gr\xc3\xbc\xc3\x9f dich 1", decomposed =
                                                                "gru\xcc\x88\xc3\x9f\xc2\xa0"
                                                                "dich 1";
  for (const std::string& set : {composed, decomposed}) {
    const std::string hash = HashPassword(HashSlot(std::chrono::seconds(5)), set);
    context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetPassword(ann, hash); });
    BOOST_TEST(Refusal("Ann", composed) == "");
    BOOST_TEST(Refusal("Ann", decomposed) == "");
    BOOST_TEST(Basic("Ann", composed).has_value());
    BOOST_TEST(Basic("Ann", decomposed).has_value());
    BOOST_TEST(Refusal("Ann", "gruss dich 1") == "bad_login");
    BOOST_TEST(Refusal("Ann", composed + " ") == "bad_login");
    db.Empty("login_failures");
  }
}

BOOST_AUTO_TEST_CASE(nobody_is_locked_out_by_a_hash_from_before_passwords_were_normalised) {
  const std::string typed = "gru\xcc\x88n wie gras", elsewhere = "gr\xc3\xbcn wie gras";
  std::array<char, crypto_pwhash_argon2id_STRBYTES> old{};
  BOOST_REQUIRE(crypto_pwhash_argon2id_str(old.data(), typed.data(), typed.size(),
                                           crypto_pwhash_argon2id_OPSLIMIT_MIN,
                                           crypto_pwhash_argon2id_MEMLIMIT_MIN) == 0);
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetPassword(ann, old.data()); });
  BOOST_TEST(Refusal("Ann", elsewhere) == "bad_login");
  BOOST_TEST(Refusal("Ann", typed) == "");
  // From now on in either form.
  BOOST_TEST(Refusal("Ann", elsewhere) == "");
  BOOST_TEST(Refusal("Ann", typed) == "");
  BOOST_TEST(Count("revoked_at IS NOT NULL") == "0");
}

BOOST_AUTO_TEST_CASE(failures_delay_only_this_account_at_this_address) {
  // Failures are inserted directly: each real one takes a tenth of a second and proves nothing more.
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  db.Run("UPDATE login_failures SET failures = 20");
  BOOST_TEST(Refusal("Ann", "right horse") == "too_many_logins");
  BOOST_TEST((last_retry_after.value() > std::chrono::seconds(290)));
  BOOST_TEST((last_retry_after.value() <= std::chrono::seconds(300)));
  BOOST_TEST(Refusal("ANN", "right horse") == "too_many_logins");
  BOOST_TEST(Refusal("Ann", "right horse", "192.0.2.77") == "");
  context.Write<AccountStore>(
      [&](AccountStore& accounts) { return accounts.Add({.name = "Bob", .password_hash = "none"}); });
  BOOST_TEST(Refusal("Bob", "wrong horse") == "bad_login");
  // Refused attempts were not checked, so they do not count.
  BOOST_TEST(db.Value("SELECT count(*) FROM login_failures WHERE failures = 20") == "1");
}

BOOST_AUTO_TEST_CASE(a_delay_ends_and_a_success_clears_the_pair_but_not_the_address) {
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  db.Run("UPDATE login_failures SET failures = 20, last_at = now() - interval '301 seconds'");
  Enter();
  BOOST_TEST(db.Value("SELECT count(*) FROM login_failures") == "1");
  BOOST_TEST(db.Value("SELECT failures FROM login_failures") == "20");
}

BOOST_AUTO_TEST_CASE(an_address_that_tries_many_names_is_delayed_for_all_of_them) {
  BOOST_TEST(Refusal("somebody", "wrong horse") == "bad_login");
  db.Run("UPDATE login_failures SET failures = 60");
  BOOST_TEST(Refusal("somebody else", "wrong horse") == "too_many_logins");
  BOOST_TEST(Refusal("Ann", "right horse", "192.0.2.77") == "");
}

BOOST_AUTO_TEST_CASE(failures_add_up_and_expire_after_an_hour) {
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  BOOST_TEST(db.Value("SELECT string_agg(failures::text, ',') FROM login_failures") == "2,2");
  db.Run("UPDATE login_failures SET last_at = now() - interval '61 minutes'");
  BOOST_TEST(Refusal("Ann", "wrong horse") == "bad_login");
  BOOST_TEST(db.Value("SELECT string_agg(failures::text, ',') FROM login_failures") == "1,1");
  db.Run("UPDATE login_failures SET last_at = now() - interval '25 hours'");
  const auto swept =
      context.Write<LoginFailureStore>([](LoginFailureStore& store) { return store.Sweep(10); });
  BOOST_TEST(swept == 2);
}

BOOST_AUTO_TEST_CASE(a_flood_of_logins_gets_busy_with_retry_after) {
  std::vector<std::unique_ptr<HashSlot>> slots;
  for (int i = 0; i < kConcurrentHashes; ++i)
    slots.push_back(std::make_unique<HashSlot>(std::chrono::seconds(1)));
  BOOST_TEST(Refusal("Ann", "right horse") == "busy");
  BOOST_TEST(last_retry_after.has_value());
  BOOST_TEST(db.Value("SELECT count(*) FROM login_failures") == "0");
}

BOOST_AUTO_TEST_CASE(attempts_that_waited_together_are_not_all_let_through) {
  // An attempt checks the counts, waits for a slot, and must check again when it has one.
  std::vector<std::unique_ptr<HashSlot>> slots;
  for (int i = 0; i < kConcurrentHashes; ++i)
    slots.push_back(std::make_unique<HashSlot>(std::chrono::seconds(1)));
  std::promise<void> looked;
  auto waiting = std::async(std::launch::async, [&] {
    sql::Database own(db.settings());
    Redis own_redis(config.redis_url);
    WatchedContext own_context(config, own, own_redis, looked);
    return CodeOf([&] { LogIn(own_context, "Ann", "right horse", kHome, "anki", "test"); });
  });
  looked.get_future().get();
  context.Write<LoginFailureStore>(
      [&](LoginFailureStore& failures) { failures.Count(SubjectsOf("ann", kHome)); });
  db.Run("UPDATE login_failures SET failures = 20");
  slots.clear();
  BOOST_TEST(waiting.get() == "too_many_logins");
}

BOOST_AUTO_TEST_CASE(a_long_line_before_the_hashes_is_refused_at_once) {
  std::vector<std::unique_ptr<HashSlot>> slots;
  for (int i = 0; i < kConcurrentHashes; ++i)
    slots.push_back(std::make_unique<HashSlot>(std::chrono::seconds(1)));
  std::vector<std::future<std::string>> line;
  for (int i = 0; i < kWaitingHashes; ++i) {
    line.push_back(std::async(std::launch::async,
                              [&] { return CodeOf([] { const HashSlot slot(std::chrono::seconds(30)); }); }));
  }
  const auto refused = [] {
    const auto begin = std::chrono::steady_clock::now();
    try {
      const HashSlot slot(std::chrono::milliseconds(200));
    } catch (const Error& e) {
      BOOST_TEST(e.retry_after().has_value());
    }
    return std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100);
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until all of them wait
  BOOST_TEST(refused());
  slots.clear();
  for (auto& waiting : line) BOOST_TEST(waiting.get() == "");
}

BOOST_AUTO_TEST_CASE(basic_takes_an_app_password_for_one_lookup) {
  const std::string key = LogIn(context, "Ann", "right horse", kHome, "app_password", "files");
  const int before = context.statements();
  const auto identity = Basic("whoever", key);
  BOOST_TEST((identity->user == ann && identity->device != DeviceId{}));
  BOOST_TEST(context.statements() == before + 1);
  BOOST_TEST(BasicRefusal("Ann", Enter()) == "bad_key");  // a key of another kind
}

BOOST_AUTO_TEST_CASE(an_account_password_is_hashed_once) {
  BOOST_TEST((Basic("Ann", "right horse")->user == ann));
  std::vector<std::unique_ptr<HashSlot>> slots;
  for (int i = 0; i < kConcurrentHashes; ++i)
    slots.push_back(std::make_unique<HashSlot>(std::chrono::seconds(1)));
  const int before = context.statements();
  const auto identity = Basic("aNN", "right horse");
  BOOST_TEST((identity->user == ann && identity->device == DeviceId{} && identity->roles == Roles::kNone));
  BOOST_TEST(context.statements() == before);
  BOOST_TEST(BasicRefusal("Ann", "right horsE") == "busy");
  BOOST_TEST(BasicRefusal("Annr", "ight horse") == "busy");
}

BOOST_AUTO_TEST_CASE(a_known_password_dies_within_a_second_of_its_change) {
  const auto refusal_after = [&](const std::string& change) {
    BOOST_TEST(BasicRefusal("Ann", "right horse") == "");
    db.Run(change);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    return BasicRefusal("Ann", "right horse");
  };
  BOOST_TEST(refusal_after("UPDATE users SET is_disabled = true") == "account_inactive");
  db.Run("UPDATE users SET is_disabled = false");
  static const std::string other = HashPassword(HashSlot(std::chrono::seconds(5)), "other horse");
  BOOST_TEST(BasicRefusal("Ann", "right horse") == "");
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetPassword(ann, other); });
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  BOOST_TEST(BasicRefusal("Ann", "right horse") == "bad_login");
  BOOST_TEST(BasicRefusal("Ann", "other horse") == "");
  // It is still known, and the account is the same: no hash, one lookup.
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  const int before = context.statements();
  BOOST_TEST(BasicRefusal("Ann", "other horse") == "");
  BOOST_TEST(context.statements() == before + 1);
}

BOOST_AUTO_TEST_CASE(wrong_passwords_in_a_header_are_slowed_down_like_logins) {
  context.SetAccess(sql::Access::kRead);  // also on a read-only route
  for (int i = 0; i < 10; ++i) BOOST_TEST(BasicRefusal("Ann", "wrong horse") == "bad_login");
  BOOST_TEST(BasicRefusal("Ann", "wrong horse") == "too_many_logins");
  BOOST_TEST(last_retry_after.has_value());
  BOOST_TEST(Refusal("Ann", "right horse") == "too_many_logins");
}

BOOST_AUTO_TEST_CASE(malformed_credentials_are_refused) {
  for (const char* header : {"Basic", "Basic ", "Basic !", "Basic QW5u", "basic QW5uOg==x", "Bearer x", "",
                             "Digest username=x", "QW5uOg=="}) {
    const std::string code = HeaderRefusal(header);
    BOOST_TEST((code == "bad_credentials" || code == "bad_scheme"), header << ": " << code);
  }
  BOOST_TEST(HeaderRefusal("Basic " + std::string(8000, 'A')) == "bad_credentials");
  BOOST_TEST(!AuthenticateByHeader(Request{}, context, kSchemes).has_value());
}

BOOST_AUTO_TEST_CASE(a_further_scheme_is_a_further_row) {
  static const LoginScheme schemes[] = {{"basic", AuthenticateBasic},
                                        {"bearer", [](std::string_view token, const Request&, Context&) {
                                           if (token != "token") throw Unauthenticated("bad_token");
                                           return Identity{UserId{5}, DeviceId{6}};
                                         }}};
  Request request;
  request.headers.emplace_back("authorization", "BEARER  token");
  BOOST_TEST((AuthenticateByHeader(request, context, schemes)->user == UserId{5}));
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_refused_by_the_next_lookup) {
  const std::string key = Enter();
  const std::string other = Enter();
  const DeviceId device = LookUpKey(context, key, "anki").device;
  // On another connection, like syncline-admin.
  sql::Database admin(db.settings());
  BOOST_TEST(admin.Write([&](sql::Tx& tx) { return DeviceStore(tx, ann).Revoke(device); }));
  BOOST_TEST(KeyRefusal(key) == "bad_key");
  BOOST_TEST(KeyRefusal(other) == "");
  BOOST_TEST(!admin.Write([&](sql::Tx& tx) { return DeviceStore(tx, ann).Revoke(device); }));
}

BOOST_AUTO_TEST_CASE(a_cached_key_is_refused_within_a_second_of_its_revocation) {
  const std::string key = Enter();
  AuthenticateKey(context, key, "anki");
  const int looked = context.statements();
  AuthenticateKey(context, key, "anki");
  BOOST_TEST(context.statements() == looked);
  BOOST_TEST(CodeOf([&] { AuthenticateKey(context, key, "socket"); }) == "bad_key");
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.Devices(ann).RevokeAll(); });
  const auto revoked = std::chrono::steady_clock::now();
  bool is_in_time = true;
  while (CodeOf([&] { AuthenticateKey(context, key, "anki"); }) != "bad_key" && is_in_time) {
    is_in_time = std::chrono::steady_clock::now() - revoked < std::chrono::seconds(1);
  }
  BOOST_TEST(is_in_time);
}

BOOST_AUTO_TEST_CASE(a_disabled_account_has_no_keys_until_it_is_enabled) {
  const std::string key = Enter();
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetDisabled(ann, true); });
  BOOST_TEST(KeyRefusal(key) == "bad_key");
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetDisabled(ann, false); });
  BOOST_TEST(KeyRefusal(key) == "");
}

BOOST_AUTO_TEST_CASE(a_key_is_valid_for_one_kind_and_one_account) {
  const std::string key = Enter();
  BOOST_TEST(KeyRefusal(key, "socket") == "bad_key");
  const UserId bob = db.AddUser("bob");
  const std::string foreign = MakeKey(bob).text;
  BOOST_TEST(KeyRefusal(foreign.substr(0, foreign.find('.')) + key.substr(key.find('.'))) == "bad_key");
  BOOST_TEST(KeyRefusal(foreign) == "bad_key");
  BOOST_TEST(KeyRefusal("") == "bad_key");
}

BOOST_AUTO_TEST_CASE(a_key_of_another_server_leads_to_the_account_that_it_was_added_to) {
  const std::string key = "b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d";
  const auto add = [&](UserId user) {
    return context.Write<AccountStore>([&](AccountStore& accounts) {
      return accounts.Devices(user).AddForeign("anki", "of another server", Sha256(key));
    });
  };
  BOOST_TEST(KeyRefusal(key) == "bad_key");
  BOOST_TEST(add(ann));
  BOOST_TEST(!add(ann));
  BOOST_TEST(!add(db.AddUser("bob")));
  BOOST_TEST((LookUpKey(context, key, "anki").user == ann));
  BOOST_TEST(KeyRefusal(key, "app_password") == "bad_key");
  BOOST_TEST(KeyRefusal("a" + key.substr(1)) == "bad_key");
  // A key of ours is not found by its hash alone.
  const NewKey own = MakeKey(ann);
  context.Write<AccountStore>([&](AccountStore& accounts) {
    accounts.Devices(ann).Add({"anki", "test", own.hash}, kLiveDevicesPerKind);
  });
  BOOST_TEST(!context.Read<AccountStore>(
      [&](AccountStore& accounts) { return accounts.FindForeignDevice(own.hash, "anki").has_value(); }));
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetDisabled(ann, true); });
  BOOST_TEST(KeyRefusal(key) == "bad_key");
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetDisabled(ann, false); });
  BOOST_TEST(KeyRefusal(key) == "");
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.Devices(ann).RevokeAll(); });
  BOOST_TEST(KeyRefusal(key) == "bad_key");
  // Nobody brings back what was revoked.
  BOOST_TEST(!add(ann));
  BOOST_TEST(KeyRefusal(key) == "bad_key");
}

BOOST_AUTO_TEST_CASE(last_seen_at_is_updated_only_after_some_minutes) {
  const std::string key = Enter();
  const std::string seen = "SELECT last_seen_at FROM devices";
  const std::string at_login = db.Value(seen);
  LookUpKey(context, key, "anki");
  BOOST_TEST(db.Value(seen) == at_login);
  db.Run("UPDATE devices SET last_seen_at = now() - interval '6 minutes'");
  // Also on a read-only route.
  context.SetAccess(sql::Access::kRead);
  LookUpKey(context, key, "anki");
  BOOST_TEST(db.Value("SELECT last_seen_at > now() - interval '1 minute' FROM devices") == "t");
}

BOOST_AUTO_TEST_CASE(updating_last_seen_at_never_waits) {
  const std::string key = Enter();
  db.Run("UPDATE devices SET last_seen_at = NULL");
  const auto holder = db.Connect();
  tests::RunOn(holder.get(), "BEGIN; SELECT FROM devices FOR UPDATE");
  const int before = context.statements();
  BOOST_TEST((LookUpKey(context, key, "anki").user == ann));
  // Both statements were answered: a waiting one would have timed out, and its failure been ignored.
  BOOST_TEST(context.statements() == before + 2);
  BOOST_TEST(Count("last_seen_at IS NULL") == "1");
}

BOOST_AUTO_TEST_CASE(many_logins_do_not_grow_the_table_and_revoke_the_least_recently_used) {
  const std::string used = Enter();
  db.Run("UPDATE devices SET last_seen_at = now() + interval '1 hour'");
  const std::string unused = Enter();
  db.Run("UPDATE devices SET last_seen_at = now() - interval '1 hour' WHERE last_seen_at < now()");
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i) {
      context.Write<AccountStore>([&](AccountStore& accounts) {
        return accounts.Devices(ann).Add({"anki", "test", MakeKey(ann).hash}, kLiveDevicesPerKind);
      });
    }
  };
  add(kLiveDevicesPerKind - 2);
  BOOST_TEST(Count("revoked_at IS NULL") == "200");
  BOOST_TEST(KeyRefusal(unused) == "");  // updates last_seen_at: it is no longer the least recently used
  const std::string latest = Enter();
  BOOST_TEST(Count("revoked_at IS NULL") == "200");
  BOOST_TEST(KeyRefusal(used) == "");
  BOOST_TEST(KeyRefusal(unused) == "");
  BOOST_TEST(KeyRefusal(latest) == "");
  add(500);
  BOOST_TEST(Count("revoked_at IS NULL") == "200");
  BOOST_TEST(Count("revoked_at IS NOT NULL") == "200");
  BOOST_TEST(KeyRefusal(used) == "");
  BOOST_TEST(KeyRefusal(latest) == "bad_key");
}

BOOST_AUTO_TEST_CASE(concurrent_logins_of_one_account_respect_the_limit) {
  std::future<void> other;
  const Login login{ann, db.Value("SELECT password_hash FROM users"), false};
  context.Write<AccountStore>([&](AccountStore& accounts) {
    BOOST_TEST(accounts.LockLogin(login));
    accounts.Devices(ann).Add({"anki", "first", MakeKey(ann).hash}, 1);
    other = std::async(std::launch::async, [&] {
      sql::Database own(db.settings());
      own.Write([&](sql::Tx& tx) {
        AccountStore others(tx, UserId{});
        BOOST_TEST(others.LockLogin(login));
        others.Devices(ann).Add({"anki", "second", MakeKey(ann).hash}, 1);
      });
    });
    tests::WaitForLockWaiters(db, 1);
  });
  other.get();
  BOOST_TEST(Count("revoked_at IS NULL") == "1");
}

BOOST_AUTO_TEST_CASE(a_password_changed_during_the_check_fails_the_login) {
  const Login before{ann, db.Value("SELECT password_hash FROM users"), false};
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetPassword(ann, "new"); });
  BOOST_TEST(
      !context.Write<AccountStore>([&](AccountStore& accounts) { return accounts.LockLogin(before); }));
}

BOOST_AUTO_TEST_CASE(account_names_are_unique_regardless_of_case) {
  BOOST_TEST(CodeOf([&] {
               context.Write<AccountStore>([&](AccountStore& accounts) {
                 return accounts.Add({.name = "ANN", .password_hash = "none"});
               });
             }) == "name_taken");
}

BOOST_AUTO_TEST_CASE(removing_an_account_removes_all_its_rows_and_no_others) {
  const UserId bob = db.AddUser("bob");
  for (const UserId user : {ann, bob}) {
    for (int i = 0; i < 25; ++i) {
      context.Write<AccountStore>([&](AccountStore& accounts) {
        return accounts.Devices(user).Add({"anki", "test", MakeKey(user).hash}, 100);
      });
    }
  }
  int steps = 0;
  while (context.Write<AccountStore>([&](AccountStore& accounts) { return accounts.RemoveRows(ann, 10); }) >
         0) {
    ++steps;
  }
  BOOST_TEST(steps == 3);
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.Remove(ann); });
  BOOST_TEST(Count("true") == "25");
  BOOST_TEST(db.Value("SELECT string_agg(name, ',') FROM users") == "bob");
}

BOOST_AUTO_TEST_SUITE_END()
