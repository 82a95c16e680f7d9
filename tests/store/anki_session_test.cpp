// A sync at the level of the store: staging, merging, counting. Messages are structs here; tests/cases tests
// the protocol, tests/clients the real clients.
#include "handlers/anki/collection/session_store.h"
#include "handlers/base/json.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <future>
#include <limits>
#include <map>
#include <random>

#include "handlers/anki/collection/check_store.h"
#include "handlers/anki/collection/point_store.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/sweep_store.h"
#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "sql/database.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anki;
using tests::TestDatabase;

namespace {

constexpr std::int64_t kMinutes = 5;
constexpr std::int64_t kNow = 5000;

Note NoteOf(std::int64_t id, std::int64_t mod,
            const std::string& fields =
                "a\x1f"
                "b") {
  return {.id = id, .guid = "g", .notetype_id = 1, .mod = mod, .usn = 0, .tags = "", .fields = fields};
}

Note LargeNoteOf(std::int64_t id, std::size_t bytes) {
  return NoteOf(id, 10, std::string(bytes - 2, 'a') + "\x1f" + "b");
}

Card CardOf(std::int64_t id, std::int64_t mod, std::int32_t due = 0) {
  Card card{};
  card.id = id;
  card.note_id = id;
  card.deck_id = 1;
  card.mod = mod;
  card.due = due;
  card.data = "{}";
  return card;
}

Review ReviewOf(std::int64_t id, std::int32_t ease) {
  Review review{};
  review.id = id;
  review.card_id = 1;
  review.ease = ease;
  return review;
}

Object DeckOf(std::int64_t id, const std::string& name, std::int64_t mod) {
  return {.id = id,
          .name = name,
          .mod = mod,
          .usn = 0,
          .json = "{\"id\":" + std::to_string(id) + ",\"name\":" + QuoteJson(name) +
                  ",\"mod\":" + std::to_string(mod) + ",\"usn\":0}"};
}

Object NotetypeOf(std::int64_t id, const std::string& name, std::int64_t mod, std::int32_t fields = 2) {
  Object object = DeckOf(id, name, mod);
  object.field_count = fields;
  object.template_count = 1;
  return object;
}

// Everything one client sends in one sync.
struct Sent {
  GraveIds graves;
  Changes changes;
  ReceivedChunk chunk;

  Sent& Add(const Note& note) { return chunk.notes.Add(note), *this; }
  Sent& Add(const Card& card) { return chunk.cards.Add(card), *this; }
  Sent& Add(const Review& review) { return chunk.revlog.Add(review), *this; }
};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  UserId user;
  std::int64_t growth = 0;  // that the last finish foresaw

  explicit Fixture(CollectionCounts rows_in_file = {0, 0, 0, 1, 1, 1}) {
    static int users = 0;
    user = test.AddUser("anki-session-" + std::to_string(++users));
    BlobWriter writer(database);
    writer.Write("a file");
    NewCollection first;
    first.meta = first.file = {.created_s = 0, .mod_ms = 1, .schema_ms = 1, .last_sync_ms = 1, .usn = 5};
    first.counts = rows_in_file;
    first.max_usn = 0;
    first.objects.notetypes = {NotetypeOf(1, "Basic", 100)};
    first.objects.decks = {DeckOf(1, "Default", 100)};
    first.objects.deck_configs = {DeckOf(1, "Default", 100)};
    first.objects.config_json = "{}";
    first.blob = writer.Finish();
    writer.Keep();
    first.bytes = 6;
    database.Write([&](sql::Tx& tx) { BOOST_REQUIRE(FullSyncStore(tx, user).Begin(first)); });
  }

  /// `f` takes a SessionStore, or that and a CollectionStore.
  template <typename F>
  auto Write(F&& f) {
    return database.Write([&](sql::Tx& tx) {
      SessionStore sessions(tx, user);
      CollectionStore collections(tx, user);
      if constexpr (std::is_invocable_v<F&, SessionStore&, CollectionStore&>) {
        return f(sessions, collections);
      } else {
        return f(sessions);
      }
    });
  }
  Collection Now() {
    return Write([](SessionStore&, CollectionStore& collections) { return *collections.Find(); });
  }
  Session Start(const std::string& key, Usn client_usn, std::optional<std::int64_t> unbury = std::nullopt,
                const StagingLimits& limits = {}) {
    return Write([&](SessionStore& sessions, CollectionStore& collections) {
      return sessions.Start(*collections.Lock(), key, {client_usn, false, {}}, unbury, kMinutes, limits);
    });
  }
  /// Stages messages of about 1 MiB until one is refused, then ends the session. Returns how many were not.
  int StageWithoutEnd(const std::string& key, const std::string& code, bool are_cards = false) {
    Sent sent;
    if (are_cards) {
      for (int i = 0; i < (1 << 20) / 150; ++i) sent.Add(CardOf(i, 10));
    } else {
      sent.Add(LargeNoteOf(1, (1 << 20) - 100));
    }
    for (int staged = 0; staged < 100; ++staged) {
      try {
        Write([&](SessionStore& sessions) { return sessions.StageChunk(key, kMinutes, sent.chunk); }).Get();
      } catch (const Error& error) {
        BOOST_TEST(error.code() == code);
        const std::string table = are_cards ? "anki_staged_cards" : "anki_staged_notes";
        BOOST_TEST(Row("count(*)", table, "true") == std::to_string(staged));
        Write([&](SessionStore& sessions) { sessions.End(key); });
        return staged;
      }
    }
    BOOST_ERROR("no end");
    return 100;
  }
  void Stage(const std::string& key, const Sent& sent) {
    Write([&](SessionStore& sessions) { return sessions.StageGraves(key, kMinutes, sent.graves); }).Get();
    Write([&](SessionStore& sessions) {
      const Session session =
          sessions.Touch(key, kMinutes, {kObjects | kTags, SessionStore::BytesOf(sent.changes)});
      sessions.StageChanges(
          session, sessions.Merge(session, sent.changes, session.MergeAt(kNow, /*may_keep_equal=*/false)),
          sent.changes);
    });
    Write([&](SessionStore& sessions) { return sessions.StageChunk(key, kMinutes, sent.chunk); }).Get();
  }
  CollectionCounts Finish(const std::string& key) {
    const CollectionCounts counts = Write([&](SessionStore& sessions, CollectionStore& collections) {
      Session session = sessions.Touch(key, kMinutes);
      const SyncOutcome outcome =
          sessions.OutcomeOf(session, *collections.Find(), sessions.AskNewIds(key).Get());
      growth = outcome.growth;
      return outcome.counts;
    });
    Write([&](SessionStore& sessions, CollectionStore& collections) {
      const Collection collection = *collections.Lock();
      Session session = sessions.AskLock(key).Get();
      sessions.Apply(session, sessions.OutcomeOf(session, collection, sessions.AskNewIds(key).Get()),
                     collection.meta.mod_ms + 1);
    });
    return counts;
  }
  CollectionCounts Sync(Usn client_usn, const Sent& sent) {
    Start("key", client_usn);
    Stage("key", sent);
    return Finish("key");
  }
  std::string Id() const { return std::to_string(static_cast<std::int64_t>(user)); }
  void CountContent() {
    database.Write([&](sql::Tx& tx) { CheckStore(tx, user).CountContent(); });
  }
  std::int64_t AccountBytes() {
    return std::stoll(test.Value("SELECT sum(bytes) FROM account_bytes WHERE user_id = " + Id()));
  }
  /// Of the nightly check, about texts.
  std::string ContentProblem() {
    if (Row("content_bytes", "anki_collections", "content_generation = generation").empty())
      return "not counted";
    const auto findings = database.Read([&](sql::Tx& tx) { return CheckStore(tx, user).ContentFindings(); });
    return findings.empty() ? "" : findings[0];
  }
  void SetQuota(std::int64_t bytes) {
    test.Run("UPDATE users SET quota_bytes = " + std::to_string(bytes) + " WHERE user_id = " + Id());
  }
  std::vector<std::vector<std::string>> Rows(const std::string& columns, const std::string& table) {
    return test.Run("SELECT " + columns + " FROM " + table +
                    " WHERE user_id = " + std::to_string(static_cast<std::int64_t>(user)) + " ORDER BY 1, 2");
  }
  std::string Row(const std::string& columns, const std::string& table, const std::string& where) {
    std::string joined;
    for (const auto& row : test.Run("SELECT " + columns + " FROM " + table + " WHERE " + where +
                                    " AND user_id = " + std::to_string(static_cast<std::int64_t>(user)))) {
      for (const std::string& field : row) joined += (joined.empty() ? "" : " ") + field;
    }
    return joined;
  }
};

bool IsNoSession(const Error& error) {
  return error.kind() == ErrorKind::kConflict;
}
bool IsBadInput(const Error& error) {
  return error.kind() == ErrorKind::kBadInput;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_visible_before_finish) {
  Fixture f;
  f.Start("key", 5);
  f.Stage("key", Sent().Add(NoteOf(1, 10)).Add(CardOf(1, 10)));
  BOOST_TEST(f.Rows("id, usn", "anki_notes").empty());
  BOOST_TEST(f.Now().counts.cards == 0);
  const CollectionCounts counts = f.Finish("key");
  BOOST_TEST(counts.cards == 1);
  BOOST_TEST(f.Row("usn, mod", "anki_notes", "id = 1") == "5 10");
  BOOST_TEST(f.Now().meta.usn == 6);
  BOOST_TEST(f.Rows("fence, seq", "anki_staged_notes").empty());
}

BOOST_AUTO_TEST_CASE(rows_staged_by_an_older_session_are_never_applied) {
  Fixture f;
  f.Start("key", 5);
  Sent old = Sent().Add(NoteOf(2, 10)).Add(CardOf(2, 10));
  old.graves = {{7}, {8}, {}};
  f.Stage("key", old);
  f.Start("key", 5);
  f.Stage("key", Sent().Add(NoteOf(3, 10)).Add(CardOf(3, 10)));
  const CollectionCounts counts = f.Finish("key");
  BOOST_TEST(counts.cards == 1);
  BOOST_TEST(counts.notes == 1);
  BOOST_TEST(f.Rows("id, usn", "anki_notes").size() == 1);
  BOOST_TEST(f.Rows("id, usn", "anki_graves").empty());
  BOOST_TEST(f.Row("count(*)", "anki_notes", "id = 3") == "1");
}

BOOST_AUTO_TEST_CASE(only_the_newest_session_is_alive) {
  Fixture f;
  f.Start("one", 5);
  f.Start("two", 5);
  BOOST_CHECK_EXCEPTION(f.Stage("one", Sent()), Error, IsNoSession);
  BOOST_CHECK_EXCEPTION(f.Finish("one"), Error, IsNoSession);
  f.Finish("two");
  BOOST_CHECK_EXCEPTION(f.Finish("two"), Error, IsNoSession);
}

BOOST_AUTO_TEST_CASE(nothing_is_staged_for_a_missing_session) {
  Fixture f;
  f.Start("one", 5);
  const Sent sent = Sent().Add(CardOf(1, 10)).Add(ReviewOf(1, 3));
  // Commits without reading the answer.
  const auto stage = [&](const char* key) {
    f.Write([&](SessionStore& sessions) {
      static_cast<void>(sessions.StageChunk(key, kMinutes, sent.chunk));
      static_cast<void>(sessions.StageGraves(key, kMinutes, {{7}, {8}, {}}));
    });
  };
  stage("two");
  f.test.Run("UPDATE anki_sessions SET expires_at = now() - interval '1 second'");
  stage("one");
  for (const char* table : {"anki_staged_cards", "anki_staged_revlog"})
    BOOST_TEST(f.Rows("fence, seq", table).empty());
  BOOST_TEST(f.Rows("fence, id", "anki_staged_graves").empty());
}

BOOST_AUTO_TEST_CASE(a_message_whose_session_is_replaced_while_it_waits_stages_nothing) {
  Fixture f;
  f.Start("key", 5);
  const auto other = f.test.Connect();
  tests::RunOn(other.get(), "BEGIN; DELETE FROM anki_sessions WHERE user_id = " +
                                std::to_string(static_cast<std::int64_t>(f.user)));
  auto late = std::async(std::launch::async, [&] {
    sql::Database own(f.test.settings());
    own.Write([&](sql::Tx& tx) {
         return SessionStore(tx, f.user).StageChunk("key", kMinutes, Sent().Add(CardOf(1, 10)).chunk);
       })
        .Get();
  });
  tests::WaitForLockWaiters(f.test, 1);
  // With the same key, which no client does.
  tests::RunOn(other.get(),
               "INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn, "
               "client_is_newer, to_send,"
               " expires_at) VALUES (" +
                   std::to_string(static_cast<std::int64_t>(f.user)) +
                   ", 'key', 1, 5, 5, false, 0, now() + interval '1 minute'); COMMIT");
  BOOST_CHECK_EXCEPTION(late.get(), Error, IsNoSession);
  BOOST_TEST(f.Rows("fence, seq", "anki_staged_cards").empty());
  BOOST_TEST(f.Finish("key").cards == 0);
}

BOOST_AUTO_TEST_CASE(malicious_names_and_tags_cannot_exhaust_the_memory) {
  Fixture f;
  Sent decks, tags;
  for (int i = 0; i < 10'000; ++i) decks.changes.decks.push_back(DeckOf(100 + i, "one name", 10));
  f.Start("key", 5);
  BOOST_CHECK_EXCEPTION(f.Stage("key", decks), Error, IsBadInput);
  std::string deep;
  while (deep.size() < 990) deep += "a::";
  for (int i = 0; i < 20'000; ++i) tags.changes.tags.push_back(deep + std::to_string(i));
  f.Start("key", 5);
  f.Stage("key", tags);
  f.Finish("key");
  BOOST_TEST(f.Rows("name, usn", "anki_tags").size() == 20'000u);
  std::ifstream status("/proc/self/status");
  std::string line;
  long peak_kib = 0;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) peak_kib = std::stol(line.substr(6));
  }
  BOOST_TEST(peak_kib < 600 * 1024);
}

BOOST_AUTO_TEST_CASE(a_mismatch_is_reported_with_both_counts_and_the_ids_in_the_session) {
  Fixture f;
  f.Start("key", 4);
  Sent sent = Sent().Add(NoteOf(3, 10)).Add(CardOf(3, 10)).Add(ReviewOf(4, 3));
  for (std::int64_t id = 1000; id < 1300; ++id) sent.Add(CardOf(id, 10));
  sent.graves = {{7}, {8, 9}, {}};
  sent.changes.decks = {DeckOf(12, "A private name", 10)};
  sent.changes.tags = {"private"};
  f.Stage("key", sent);
  f.database.Write([&](sql::Tx& tx) {
    SessionStore sessions(tx, f.user);
    const Session session = sessions.AskLock("key").Get();
    ProblemStore(tx, f.user)
        .KeepMismatch({DeviceId{5}, "2.1.66"}, session, {301, 1, 2, 1, 2, 1}, {301, 1, 1, 1, 2, 1});
    sessions.End();
  });
  const auto problems = f.database.Write([&](sql::Tx& tx) { return ProblemStore(tx, f.user).Newest(); });
  BOOST_REQUIRE_EQUAL(problems.size(), 1u);
  BOOST_TEST(problems[0].kind == "sanity");
  BOOST_TEST((problems[0].sender.device == DeviceId{5}));
  const std::string& details = problems[0].details;
  BOOST_TEST(details.starts_with(
      R"({"differ":["revlog"],)"
      R"("client":{"cards":301,"notes":1,"revlog":2,"notetypes":1,"decks":2,"deck_configs":1},)"
      R"("server":{"cards":301,"notes":1,"revlog":1,"notetypes":1,"decks":2,"deck_configs":1},)"
      R"("generation":1,"usn":{"server":5,"client":4},"touched":{"card_graves":{"count":1,"ids":[7]},)"
      R"("cards":{"count":301,"ids":[3,1000,1001,)"));
  BOOST_TEST(details.ends_with(
      R"(,1197,1198]},"decks":{"count":1,"ids":[12]},"note_graves":{"count":2,"ids":[8,9]},)"
      R"("notes":{"count":1,"ids":[3]},"revlog":{"count":1,"ids":[4]},"tags":{"count":1}}})"));
  BOOST_TEST(details.find("rivate") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_reported_with_what_its_session_has_sent_so_far) {
  Fixture f;
  f.Start("key", 4);
  f.Stage("key", Sent().Add(CardOf(3, 10)).Add(NoteOf(3, 10)));
  const auto refuse = [&](const std::string& session) {
    f.database.Write([&](sql::Tx& tx) {
      ProblemStore(tx, f.user)
          .KeepRefusal({DeviceId{5}, "2.1.66"}, {"applyChunk", "bad_json", "why", ""}, session);
    });
    return f.database.Write([&](sql::Tx& tx) { return ProblemStore(tx, f.user).Newest(); }).at(0);
  };
  BOOST_TEST(
      refuse("key").details ==
      R"({"request":"applyChunk","code":"bad_json","why":"why","generation":1,"usn":{"server":5,"client":4},)"
      R"("touched":{"cards":{"count":1,"ids":[3]},"notes":{"count":1,"ids":[3]}}})");
  BOOST_TEST(refuse("key").kind == "refused");
  // Of no session, or of another one, only what was refused.
  BOOST_TEST(refuse("other").details == R"({"request":"applyChunk","code":"bad_json","why":"why"})");
  f.Finish("key");  // a report neither ends nor holds the session
}

BOOST_AUTO_TEST_CASE(an_expired_session_is_removed_with_its_staged_rows) {
  Fixture f;
  f.Start("key", 5);
  f.Stage("key", Sent().Add(NoteOf(1, 10)));
  f.Write([](SessionStore& sessions) { sessions.EndExpired(); });
  BOOST_TEST(f.Rows("fence, seq", "anki_staged_notes").size() == 1);  // it has not expired
  f.test.Run("UPDATE anki_sessions SET expires_at = now() - interval '1 second'");
  BOOST_CHECK_EXCEPTION(f.Finish("key"), Error, IsNoSession);
  f.Write([](SessionStore& sessions) { sessions.EndExpired(); });
  BOOST_TEST(f.Rows("fence, seq", "anki_staged_notes").empty());
  BOOST_TEST(f.Rows("fence, session_key", "anki_sessions").empty());
}

BOOST_AUTO_TEST_CASE(tables_of_staged_rows_are_made_anew_if_they_have_no_rows_and_nobody_uses_them) {
  Fixture f;
  f.test.Run("DELETE FROM anki_staged_notes");  // what other tests have left
  const auto is_made_anew = [&] {
    const auto file = [&] { return f.test.Value("SELECT pg_relation_filenode('anki_staged_notes')"); };
    const std::string before = file();
    f.database.Write([](sql::Tx& tx) { SweepStore(tx, {}).TruncateEmptyStaging(); });
    return file() != before;
  };
  BOOST_TEST(is_made_anew());
  f.Start("key", 5);
  f.Stage("key", Sent().Add(NoteOf(1, 10)));
  BOOST_TEST(!is_made_anew());
  f.Write([](SessionStore& sessions) { sessions.End(); });
  const auto reader = f.test.Connect();
  tests::RunOn(reader.get(), "BEGIN; SELECT count(*) FROM anki_staged_notes");
  BOOST_TEST(!is_made_anew());  // and it does not wait
  tests::RunOn(reader.get(), "COMMIT");
  BOOST_TEST(is_made_anew());
}

BOOST_AUTO_TEST_CASE(a_session_that_stages_without_end_is_stopped_at_its_bound) {
  Fixture f;
  const StagingLimits limits{5 << 20, 1 << 30};
  for (const bool are_cards : {false, true}) {
    f.Start("key", 5, {}, limits);
    BOOST_TEST(f.StageWithoutEnd("key", "sync_too_large", are_cards) == (are_cards ? 4 : 5));
  }
  // What is not rows counts, too.
  f.Start("key", 5, {}, limits);
  Sent sent;
  for (int i = 0; i < 60'000; ++i) sent.graves.cards.push_back(i);
  BOOST_CHECK_EXCEPTION(f.Stage("key", sent), Error,
                        [](const Error& e) { return e.code() == "sync_too_large"; });
  BOOST_TEST(f.Row("count(*)", "anki_staged_graves", "true") == "0");
  f.Start("key", 5, {}, limits);
  sent = {};
  sent.changes.config_json = std::string(6 << 20, ' ');
  BOOST_CHECK_EXCEPTION(f.Stage("key", sent), Error,
                        [](const Error& e) { return e.code() == "sync_too_large"; });
}

BOOST_AUTO_TEST_CASE(a_session_stages_no_more_than_the_quota_has_left_and_some_slack) {
  Fixture f;
  f.test.Run("UPDATE users SET quota_bytes = 4194304 WHERE user_id = " +
             std::to_string(static_cast<std::int64_t>(f.user)));
  f.Start("key", 5);
  BOOST_TEST(f.StageWithoutEnd("key", "over_quota") == 20);
  f.test.Run("UPDATE users SET quota_bytes = 1 WHERE user_id = " +
             std::to_string(static_cast<std::int64_t>(f.user)));
  f.Start("key", 5);
  BOOST_TEST(f.StageWithoutEnd("key", "over_quota") == 16);
}

BOOST_AUTO_TEST_CASE(sessions_in_a_loop_do_not_outrun_the_hourly_rate) {
  Fixture f;
  const StagingLimits limits{10 << 20, 25 << 20};
  const auto loop = [&](const char* key) {
    f.Start(key, 5, {}, limits);
    return f.StageWithoutEnd(key, std::string(key) == "four" ? "too_much_staged" : "sync_too_large");
  };
  BOOST_TEST(loop("one") == 10);
  BOOST_TEST(loop("two") == 10);
  BOOST_TEST(loop("three") == 5);
  BOOST_TEST(loop("four") == 0);
  // A sync as usual goes on.
  f.Start("small", 5, {}, limits);
  f.Stage("small", Sent().Add(NoteOf(1, 10)).Add(CardOf(1, 10)));
  BOOST_TEST(f.Finish("small").cards == 1);
  f.test.Run("UPDATE anki_staging_rates SET paid_until = paid_until - interval '1 hour'");
  BOOST_TEST(loop("five") > 5);
}

BOOST_AUTO_TEST_CASE(a_row_the_client_has_seen_is_overwritten_regardless_of_its_time) {
  Fixture f;
  f.Sync(5, Sent().Add(NoteOf(1, 1000)).Add(CardOf(1, 1000, 1)));
  f.Sync(6, Sent()
                .Add(NoteOf(1, 10,
                            "older\x1f"
                            "time"))
                .Add(CardOf(1, 10, 2)));
  BOOST_TEST(f.Row("mod, usn, fields", "anki_notes", "id = 1") ==
             "10 6 older\x1f"
             "time");
  BOOST_TEST(f.Row("mod, usn, due", "anki_cards", "id = 1") == "10 6 2");
}

BOOST_AUTO_TEST_CASE(of_a_row_changed_on_both_sides_the_newer_wins) {
  Fixture f;
  f.Sync(5, Sent().Add(NoteOf(1, 1000)).Add(CardOf(1, 1000, 1)));
  f.Sync(5, Sent()
                .Add(NoteOf(1, 999,
                            "older\x1f"
                            "edit"))
                .Add(CardOf(1, 999, 2)));
  BOOST_TEST(f.Row("mod, usn, fields", "anki_notes", "id = 1") ==
             "1000 5 a\x1f"
             "b");
  BOOST_TEST(f.Row("mod, usn, due", "anki_cards", "id = 1") == "1000 5 1");
  f.Sync(5, Sent().Add(NoteOf(1, 1001)).Add(CardOf(1, 1001, 3)));
  BOOST_TEST(f.Row("mod, usn", "anki_notes", "id = 1") == "1001 7");
  BOOST_TEST(f.Row("mod, usn, due", "anki_cards", "id = 1") == "1001 7 3");
}

BOOST_AUTO_TEST_CASE(of_a_row_changed_on_both_sides_in_one_second_the_last_one_sent_wins) {
  Fixture f;
  f.Sync(5, Sent().Add(NoteOf(1, 1000)).Add(CardOf(1, 1000, 1)));
  f.Sync(5, Sent()
                .Add(NoteOf(1, 1000,
                            "x\x1f"
                            "y"))
                .Add(CardOf(1, 1000, 2)));
  BOOST_TEST(f.Row("usn, fields", "anki_notes", "id = 1") ==
             "6 x\x1f"
             "y");
  BOOST_TEST(f.Row("usn, due", "anki_cards", "id = 1") == "6 2");
}

BOOST_AUTO_TEST_CASE(of_a_row_sent_twice_the_last_one_counts) {
  Fixture f;
  const CollectionCounts counts =
      f.Sync(5, Sent().Add(CardOf(1, 9, 1)).Add(CardOf(1, 3, 2)).Add(ReviewOf(1, 1)).Add(ReviewOf(1, 4)));
  BOOST_TEST(counts.cards == 1);
  BOOST_TEST(counts.revlog == 1);
  BOOST_TEST(f.Row("mod, due", "anki_cards", "id = 1") == "3 2");
}

BOOST_AUTO_TEST_CASE(a_review_is_never_changed_and_another_one_of_its_millisecond_is_moved) {
  Fixture f;
  f.Sync(5, Sent().Add(ReviewOf(1, 3)).Add(ReviewOf(2, 3)));
  // The sender counts its own under the old id, and gets the moved one with its next sync.
  const CollectionCounts counts = f.Sync(5, Sent().Add(ReviewOf(1, 4)).Add(ReviewOf(3, 1)));
  BOOST_TEST(counts.revlog == 3);
  const std::vector<std::vector<std::string>> expected{
      {"1", "3", "5"}, {"2", "3", "5"}, {"3", "1", "6"}, {"4", "4", "7"}};
  BOOST_TEST((f.Rows("id, ease, usn", "anki_revlog") == expected));
  BOOST_TEST(f.Now().counts.revlog == 4);
  BOOST_TEST(f.Now().meta.usn == 8);
  // Reviews that a client sends again because it missed the answer are already stored.
  BOOST_TEST(f.Sync(6, Sent().Add(ReviewOf(1, 4)).Add(ReviewOf(2, 3)).Add(ReviewOf(3, 1))).revlog == 4);
  BOOST_TEST((f.Rows("id, ease, usn", "anki_revlog") == expected));
}

BOOST_AUTO_TEST_CASE(a_review_at_the_largest_id_is_not_moved) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  Fixture f;
  f.Sync(5, Sent().Add(ReviewOf(kLast, 3)).Add(ReviewOf(kLast - 999, 3)));
  f.Sync(5, Sent().Add(ReviewOf(kLast, 4)).Add(ReviewOf(kLast - 999, 4)));
  BOOST_TEST(f.Rows("id, ease", "anki_revlog").size() == 2);
}

BOOST_AUTO_TEST_CASE(reviews_that_are_moved_together_get_different_ids) {
  Fixture f;
  Sent first, second;
  for (std::int64_t id : {1, 2, 3, 5, 900}) {
    first.Add(ReviewOf(id, 1));
    second.Add(ReviewOf(id, 2));
  }
  second.Add(ReviewOf(4, 3));
  f.Sync(5, first);
  f.Sync(5, second);
  std::map<std::string, std::string> eases;
  for (const auto& row : f.Rows("id, ease", "anki_revlog")) eases[row[0]] = row[1];
  const std::map<std::string, std::string> expected{{"1", "1"}, {"2", "1"},   {"3", "1"},  {"4", "3"},
                                                    {"5", "1"}, {"6", "2"},   {"7", "2"},  {"8", "2"},
                                                    {"9", "2"}, {"900", "1"}, {"901", "2"}};
  BOOST_TEST((eases == expected));
  BOOST_TEST(f.Now().counts.revlog == 11);
}

BOOST_AUTO_TEST_CASE(reviews_sent_again_cost_little_more_than_new_ones) {
  Fixture f;
  Sent dense, others;
  for (std::int64_t n = 0; n < 20'000; ++n) dense.Add(ReviewOf(n, 1));
  for (std::int64_t n = 1; n <= 1000; ++n) others.Add(ReviewOf(n * 20, 2));
  const auto seconds = [&](const Sent& sent) {
    const auto begin = std::chrono::steady_clock::now();
    f.Sync(5, sent);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double new_s = seconds(dense), again_s = seconds(dense);
  BOOST_TEST_MESSAGE(new_s << " s, again " << again_s << " s");
  // Comparing each with all reviews within a second of it took 4 s.
  BOOST_TEST(again_s < 2 * new_s + 1.5);
  // Those without a free id within a second are dropped, all but the last ones.
  f.Sync(5, others);
  BOOST_TEST(f.Now().counts.revlog == 20'000 + 50);
}

BOOST_AUTO_TEST_CASE(a_grave_is_stored_for_any_id_and_gets_the_new_usn_when_sent_again) {
  Fixture f;
  Sent gone;
  gone.graves = {{1}, {1}, {77}};
  CollectionCounts counts = f.Sync(5, gone);
  BOOST_TEST(counts.cards == 0);
  f.Sync(6, Sent().Add(NoteOf(1, 10)).Add(CardOf(1, 10)));
  BOOST_TEST(f.Now().counts.cards == 1);
  counts = f.Sync(7, gone);
  BOOST_TEST(counts.cards == 0);
  BOOST_TEST(counts.notes == 0);
  BOOST_TEST(counts.decks == 1);
  for (const auto& grave : f.Rows("kind, id, usn", "anki_graves")) BOOST_TEST(grave[2] == "7");
}

BOOST_AUTO_TEST_CASE(deleting_a_note_keeps_its_cards_and_reviews) {
  Fixture f;
  f.Sync(5, Sent().Add(NoteOf(1, 10)).Add(CardOf(1, 10)).Add(ReviewOf(1, 3)));
  Sent gone;
  gone.graves.notes = {1};
  const CollectionCounts counts = f.Sync(6, gone);
  BOOST_TEST(counts.cards == 1);
  BOOST_TEST(counts.notes == 0);
  BOOST_TEST(counts.revlog == 1);
}

BOOST_AUTO_TEST_CASE(rows_deleted_and_sent_again_in_one_sync_are_kept) {
  Fixture f;
  f.Sync(5, Sent().Add(NoteOf(1, 10)).Add(CardOf(1, 10)));
  Sent both;
  both.graves = {{1}, {1}, {}};
  both.Add(NoteOf(1, 3)).Add(CardOf(1, 3));
  const CollectionCounts counts = f.Sync(6, both);
  BOOST_TEST(counts.cards == 1);
  BOOST_TEST(counts.notes == 1);
  BOOST_TEST(f.Row("mod", "anki_cards", "id = 1") == "3");
}

BOOST_AUTO_TEST_CASE(a_note_without_its_notetype_or_with_other_fields_is_refused) {
  Fixture f;
  Note note = NoteOf(1, 10);
  note.notetype_id = 99;
  f.Start("key", 5);
  BOOST_CHECK_EXCEPTION(f.Stage("key", Sent().Add(note)), Error, IsBadInput);
  BOOST_CHECK_EXCEPTION(f.Stage("key", Sent().Add(NoteOf(1, 10, "one field"))), Error, IsBadInput);
  // A notetype of the same sync is accepted.
  Sent with;
  with.changes.notetypes = {NotetypeOf(99, "New", 10)};
  f.Stage("key", with.Add(note));
  BOOST_TEST(f.Finish("key").notetypes == 2);
}

BOOST_AUTO_TEST_CASE(a_notetype_with_another_number_of_fields_is_refused) {
  Fixture f;
  Sent sent;
  sent.changes.notetypes = {NotetypeOf(1, "Basic", 200, 3)};
  BOOST_CHECK_EXCEPTION(f.Sync(5, sent), Error, IsBadInput);
  // A change that loses to a version the client has not seen is harmless.
  sent.changes.notetypes = {NotetypeOf(1, "Basic", 100, 3)};
  f.Sync(0, sent);
  BOOST_TEST(f.Row("mod, field_count", "anki_objects", "kind = 0 AND id = 1") == "100 2");
}

BOOST_AUTO_TEST_CASE(an_object_the_client_has_seen_is_replaced_regardless_of_clocks) {
  Fixture f;
  Sent sent;
  sent.changes.decks = {DeckOf(1, "Renamed", 100)};
  f.Sync(5, sent);
  BOOST_TEST(f.Row("name, mod, usn", "anki_objects", "kind = 1 AND id = 1") == "Renamed 100 5");
  sent.changes.decks = {DeckOf(1, "Older", 99)};
  f.Sync(6, sent);
  BOOST_TEST(f.Row("name, mod, usn", "anki_objects", "kind = 1 AND id = 1") == "Older 101 6");
}

BOOST_AUTO_TEST_CASE(of_two_objects_of_one_second_the_servers_wins_if_the_client_gets_it) {
  Fixture f;
  Sent sent;
  sent.changes.decks = {DeckOf(1, "Of one", 200)};
  f.Sync(5, sent);
  sent.changes.decks = {DeckOf(1, "Of another", 200)};
  f.Sync(5, sent);
  BOOST_TEST(f.Row("name, usn", "anki_objects", "kind = 1 AND id = 1") == "Of one 5");
}

BOOST_AUTO_TEST_CASE(a_name_that_is_taken_gets_a_plus) {
  Fixture f;
  Sent sent;
  sent.changes.decks = {DeckOf(2, "\u00c4pfel", 10)};
  f.Sync(5, sent);
  sent.changes.decks = {DeckOf(3, "\u00e4pfel", 10), DeckOf(4, "\u00c4PFEL+", 10)};
  BOOST_TEST(f.Sync(6, sent).decks == 4);
  BOOST_TEST(f.Row("name, mod", "anki_objects", "kind = 1 AND id = 3") ==
             "\u00e4pfel++ " + std::to_string(kNow));
  BOOST_TEST(f.Row("name, mod", "anki_objects", "kind = 1 AND id = 4") == "\u00c4PFEL+ 10");
}

BOOST_AUTO_TEST_CASE(a_deck_deleted_by_the_session_frees_its_name_and_is_not_sent_back) {
  Fixture f;
  Sent sent;
  sent.changes.decks = {DeckOf(2, "Deck", 10), DeckOf(3, "Deck+", 10), DeckOf(4, "Other", 10)};
  sent.Add(NoteOf(1, 10)).Add(NoteOf(2, 10)).Add(CardOf(1, 10)).Add(CardOf(2, 10));
  f.Sync(5, sent);
  // A device that has seen none of that deletes half of it, and has its own decks with two of the names.
  f.Start("key", 5);
  Sent swap;
  swap.graves = {{1}, {1}, {2, 3}};
  swap.changes.decks = {DeckOf(5, "DECK", 20), DeckOf(6, "other", 20)};
  f.Stage("key", swap);
  f.Write([&](SessionStore& sessions, CollectionStore& collections) {
    const Session session = sessions.Touch("key", kMinutes);
    const SmallObjects unseen = collections.ObjectsSince(session.Unseen());
    BOOST_REQUIRE(unseen.decks.size() == 1);
    BOOST_TEST(unseen.decks[0].id == 4);
    std::vector<std::int64_t> cards, notes;
    collections.CardsSince(session.Unseen(), {}, 10,
                           [&](const Card& card, RowPosition) { cards.push_back(card.id); });
    collections.NotesSince(session.Unseen(), {}, 10,
                           [&](const Note& note, RowPosition) { notes.push_back(note.id); });
    BOOST_TEST(cards == std::vector<std::int64_t>{2}, boost::test_tools::per_element());
    BOOST_TEST(notes == std::vector<std::int64_t>{2}, boost::test_tools::per_element());
  });
  BOOST_TEST(f.Finish("key").decks == 4);
  BOOST_TEST(f.Row("name", "anki_objects", "kind = 1 AND id = 5") == "DECK");
  BOOST_TEST(f.Row("name", "anki_objects", "kind = 1 AND id = 6") == "other+");
}

BOOST_AUTO_TEST_CASE(the_sync_that_gave_an_object_its_name_is_remembered) {
  Fixture f;
  Sent sent;
  sent.changes.decks = {DeckOf(2, "Deck", 10)};
  f.Sync(5, sent);
  sent.changes.decks = {DeckOf(2, "DECK", 20)};  // a change of case is not a clash
  f.Sync(6, sent);
  BOOST_TEST(f.Row("name, usn, name_usn", "anki_objects", "kind = 1 AND id = 2") == "DECK 6 5");
  sent.changes.decks = {DeckOf(2, "Renamed", 30)};
  f.Sync(7, sent);
  BOOST_TEST(f.Row("usn, name_usn", "anki_objects", "kind = 1 AND id = 2") == "7 7");
}

BOOST_AUTO_TEST_CASE(deck_configs_may_share_a_name) {
  Fixture f;
  Sent sent;
  sent.changes.deck_configs = {DeckOf(2, "Default", 10), DeckOf(3, "default", 10)};
  BOOST_TEST(f.Sync(5, sent).deck_configs == 3);
  BOOST_TEST(f.Row("name", "anki_objects", "kind = 2 AND id = 3") == "default");
}

BOOST_AUTO_TEST_CASE(a_tag_adopts_the_spelling_of_its_parent_and_an_existing_one_is_unchanged) {
  Fixture f;
  Sent sent;
  sent.changes.tags = {"Verb", "Verb::Irregular"};
  f.Sync(5, sent);
  sent.changes.tags = {"VERB", "verb::irregular::strong", "verb::New", "\u00c4", "\u00e4"};
  f.Sync(6, sent);
  std::map<std::string, std::string> tags;
  for (const auto& row : f.Rows("name, usn", "anki_tags")) tags[row[0]] = row[1];
  const std::map<std::string, std::string> expected{{"Verb", "5"},
                                                    {"Verb::Irregular", "5"},
                                                    {"Verb::Irregular::strong", "6"},
                                                    {"Verb::New", "6"},
                                                    {"\u00c4", "6"}};
  BOOST_TEST((tags == expected));
}

BOOST_AUTO_TEST_CASE(unburying_changes_neither_time_nor_usn) {
  Fixture f;
  Card card = CardOf(1, 10, 2'000'000'000);
  card.queue = -3;
  card.type = 1;
  f.Sync(5, Sent().Add(card));
  f.Start("key", 6, 42);
  f.Finish("key");
  BOOST_TEST(f.Row("queue, mod, usn", "anki_cards", "id = 1") == "1 10 5");
  BOOST_TEST(f.Row("config", "anki_config", "true") == "{\"lastUnburied\":42}");
  BOOST_TEST(f.Now().was_unburied);
}

BOOST_AUTO_TEST_CASE(a_remembered_outcome_ends_with_what_is_staged_later_and_an_estimate_with_the_import) {
  Fixture f;
  f.Start("key", 5);
  SyncOutcome outcome;
  outcome.counts = f.Now().counts;
  outcome.growth = 77;
  const auto remember = [&] {
    f.Write([&](SessionStore& sessions) {
      sessions.RememberOutcome(outcome, kMinutes);
      return 0;
    });
  };
  const auto is_remembered = [&] {
    return f.Write([&](SessionStore& sessions, CollectionStore& collections) {
      const Session session = sessions.AskLock("key").Get();
      return session.OutcomeFor(*collections.Find()).has_value();
    });
  };
  remember();
  BOOST_TEST(is_remembered());
  outcome.is_estimate = true;
  remember();
  BOOST_TEST(!is_remembered());
  outcome.is_estimate = false;
  remember();
  // A config alone has no Part bit.
  f.Write([&](SessionStore& sessions) { return sessions.Touch("key", kMinutes, {0, 1000}).fence; });
  BOOST_TEST(!is_remembered());
}

BOOST_AUTO_TEST_CASE(rows_of_a_file_do_not_override_a_sync) {
  Fixture f({3, 3, 1, 1, 1, 1});
  Sent sent;
  sent.graves = {{1}, {1}, {}};
  sent.Add(NoteOf(2, 10)).Add(CardOf(2, 10, 22)).Add(NoteOf(4, 10)).Add(CardOf(4, 10)).Add(ReviewOf(1, 4));
  BOOST_CHECK_THROW(f.Sync(5, sent), Error);  // the file's ids are not known yet
  f.database.Write([&](sql::Tx& tx) {
    FullSyncStore store(tx, f.user);
    store.PutFileIds(1, kCards, {1});
    store.PutFileIds(1, kCards, {2, 3});
    store.PutFileIds(1, kNotes, {1, 2, 3});
    store.PutFileIds(1, kReviews, {1});
  });
  const CollectionCounts counts = f.Sync(5, sent);
  BOOST_TEST((counts == CollectionCounts{3, 3, 1, 1, 1, 1}));
  f.database.Write([&](sql::Tx& tx) {
    FullSyncStore store(tx, f.user);
    CollectionStore(tx, f.user).Lock();
    ReceivedChunk rows;
    std::vector<std::int64_t> usns;
    for (const std::int64_t id : {1, 2, 3}) {
      rows.cards.Add(CardOf(id, 1, 1));
      rows.notes.Add(NoteOf(id, 1));
      usns.push_back(0);
    }
    rows.revlog.Add(ReviewOf(1, 1));
    store.ImportCards(1, rows.cards, usns);
    store.ImportNotes(1, rows.notes, usns);
    store.ImportReviews(1, rows.revlog, {0});
    store.RememberImport(1, ImportStep::kDone, 0);
  });
  BOOST_TEST(f.Row("count(*)", "anki_file_ids", "true") == "0");
  BOOST_TEST(f.Row("count(*)", "anki_cards", "true") == "3");
  BOOST_TEST(f.Row("count(*)", "anki_notes", "true") == "3");
  BOOST_TEST(f.Row("count(*)", "anki_cards", "id = 1") == "0");
  BOOST_TEST(f.Row("due, usn", "anki_cards", "id = 2") == "22 5");
  BOOST_TEST(f.Row("due, usn", "anki_cards", "id = 3") == "1 0");
}

// Random syncs of clients that missed some syncs, against a model made of maps.
BOOST_AUTO_TEST_CASE(counters_and_rows_match_a_simple_model) {
  struct Kept {
    std::int64_t mod;
    Usn usn;
    bool operator==(const Kept&) const = default;
  };
  using Table = std::map<std::int64_t, Kept>;
  for (const unsigned seed : {1U, 2U, 3U}) {
    Fixture f;
    f.CountContent();
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
    Table cards, notes, decks{{1, {100, 0}}}, reviews;
    std::map<std::pair<int, std::int64_t>, Usn> graves;
    const auto merge = [&](Table& table, std::int64_t id, std::int64_t mod, Usn usn, Usn client_usn) {
      const auto found = table.find(id);
      if (found == table.end() || found->second.usn < client_usn || found->second.mod <= mod)
        table[id] = {mod, usn};
    };
    for (int round = 0; round < 60; ++round) {
      const Usn usn = f.Now().meta.usn;
      const Usn client_usn = std::max<Usn>(0, usn - static_cast<Usn>(below(4)));
      Sent sent;
      for (auto n = below(4); n > 0; --n) sent.graves.cards.push_back(below(20));
      for (auto n = below(4); n > 0; --n) sent.graves.notes.push_back(below(20));
      for (auto n = below(3); n > 0; --n) sent.graves.decks.push_back(2 + below(6));
      for (auto n = below(6); n > 0; --n) {
        Card card = CardOf(below(20), below(50));
        // Long data only for some, and in the first rounds not at all.
        if (round > 20 && below(8) == 0) card.data = std::string(static_cast<std::size_t>(below(900)), 'd');
        sent.Add(card);
      }
      for (auto n = below(6); n > 0; --n) {
        sent.Add(
            NoteOf(below(20), below(50), std::string(static_cast<std::size_t>(below(500)), 'n') + "\x1f"));
      }
      if (below(3) == 0) sent.changes.tags.push_back("tag" + std::to_string(below(30)));
      if (below(4) == 0)
        sent.changes.config_json = std::string(static_cast<std::size_t>(2 + below(300)), ' ');
      for (auto n = below(3); n > 0; --n) sent.Add(ReviewOf(below(200), 1));
      Table incoming;
      for (auto n = below(3); n > 0; --n) incoming[2 + below(6)] = {below(50), usn};
      for (const auto& [id, deck] : incoming) {
        sent.changes.decks.push_back(DeckOf(id, "deck " + std::to_string(id), deck.mod));
      }

      for (const auto id : sent.graves.cards) cards.erase(id), graves[{0, id}] = usn;
      for (const auto id : sent.graves.notes) notes.erase(id), graves[{1, id}] = usn;
      for (const auto id : sent.graves.decks) decks.erase(id), graves[{2, id}] = usn;
      for (const auto& [id, deck] : incoming) {
        const auto found = decks.find(id);
        if (found == decks.end() || found->second.mod < deck.mod) {
          decks[id] = deck;
        } else if (found->second.usn < client_usn) {
          decks[id] = {found->second.mod + (found->second.mod > deck.mod ? 1 : 0), usn};
        }
      }
      // A row sent twice counts once, with the last value.
      std::map<std::int64_t, std::int64_t> last_cards, last_notes;
      for (std::size_t i = 0; i < sent.chunk.cards.ids.size(); ++i)
        last_cards[sent.chunk.cards.ids[i]] = sent.chunk.cards.mods[i];
      for (std::size_t i = 0; i < sent.chunk.notes.ids.size(); ++i)
        last_notes[sent.chunk.notes.ids[i]] = sent.chunk.notes.mods[i];
      for (const auto& [id, mod] : last_cards) merge(cards, id, mod, usn, client_usn);
      for (const auto& [id, mod] : last_notes) merge(notes, id, mod, usn, client_usn);
      for (const auto id : sent.chunk.revlog.ids) reviews.try_emplace(id, Kept{0, usn});

      const std::int64_t bytes = f.AccountBytes();
      const CollectionCounts counts = f.Sync(client_usn, sent);
      const auto size = [](const auto& table) { return static_cast<std::int64_t>(table.size()); };
      const CollectionCounts expected{size(cards), size(notes), size(reviews), 1, size(decks), 1};
      BOOST_TEST_CONTEXT("seed " << seed << ", round " << round) {
        BOOST_TEST((counts == expected));
        BOOST_TEST((f.Now().counts == expected));
        const auto same = [&](const std::string& table, const std::string& where, const Table& model) {
          Table found;
          for (const auto& row :
               f.test.Run("SELECT id, mod, usn FROM " + table + " WHERE " + where +
                          " AND user_id = " + std::to_string(static_cast<std::int64_t>(f.user)))) {
            found[std::stoll(row[0])] = {std::stoll(row[1]), static_cast<Usn>(std::stol(row[2]))};
          }
          BOOST_TEST((found == model), table);
        };
        same("anki_cards", "true", cards);
        same("anki_notes", "true", notes);
        same("anki_objects", "kind = 1", decks);
        std::map<std::pair<int, std::int64_t>, Usn> found;
        for (const auto& row : f.Rows("kind, id, usn", "anki_graves"))
          found[{std::stoi(row[0]), std::stoll(row[1])}] = static_cast<Usn>(std::stol(row[2]));
        BOOST_TEST((found == graves));
        BOOST_TEST(f.ContentProblem() == "");
        BOOST_TEST(f.AccountBytes() == bytes + f.growth);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_sync_that_grows_past_the_quota_is_refused_and_one_that_does_not_grow_passes) {
  Fixture f;
  f.CountContent();
  const auto is_full = [](const Error& e) { return e.code() == "over_quota"; };
  const auto kibibytes = [](std::int64_t first, std::int64_t last, std::size_t size) {
    Sent sent;
    for (; first <= last; ++first) sent.Add(LargeNoteOf(first, size));
    return sent;
  };
  f.SetQuota(f.AccountBytes() + 50'000);
  f.Sync(5, kibibytes(1, 40, 1000));
  BOOST_TEST(f.ContentProblem() == "");
  // It fits into what a session may stage, but not into the quota.
  BOOST_CHECK_EXCEPTION(f.Sync(6, kibibytes(41, 60, 1000)), Error, is_full);
  BOOST_TEST(f.Now().counts.notes == 40);
  // Cards, graves and objects count, too.
  Sent cards;
  for (int i = 0; i < 100; ++i) cards.Add(CardOf(i, 10));
  BOOST_CHECK_EXCEPTION(f.Sync(6, cards), Error, is_full);
  Sent graves;
  for (int i = 1000; i < 1100; ++i) graves.graves.cards.push_back(i);
  BOOST_CHECK_EXCEPTION(f.Sync(6, graves), Error, is_full);
  // Over its quota, an account still deletes, and replaces what is longer.
  f.SetQuota(1);
  f.Sync(6, kibibytes(1, 10, 900));
  Sent deletion;
  for (int i = 1; i <= 30; ++i) deletion.graves.notes.push_back(i);
  f.Sync(7, deletion);
  BOOST_TEST(f.Now().counts.notes == 10);
  BOOST_TEST(f.ContentProblem() == "");
  BOOST_CHECK_EXCEPTION(f.Sync(8, kibibytes(40, 40, 1001)), Error, is_full);
  const auto is_over = [&] {
    return f.Write([](SessionStore&, CollectionStore& c) { return c.FindTimes().is_over_quota; });
  };
  BOOST_TEST(is_over());
  f.SetQuota(f.AccountBytes());
  BOOST_TEST(!is_over());
}

BOOST_AUTO_TEST_CASE(what_a_sync_replaced_is_counted_and_forgotten_with_its_point) {
  Fixture f;
  const auto kept = [&] {
    std::string rows;
    for (const char* table : {"points", "old_cards", "old_notes", "old_objects", "old_tags", "old_configs"}) {
      rows += f.Row("count(*)", std::string("anki_") + table, "true") + " ";
    }
    return rows;
  };
  const auto problems = [&] {
    return f.database.Read([&](sql::Tx& tx) { return CheckStore(tx, f.user).PointFindings(); }).size();
  };
  Sent first;
  first.Add(NoteOf(1, 10)).Add(CardOf(1, 10)).Add(ReviewOf(1, 3));
  first.changes.decks = {DeckOf(5, "New", 20)};
  first.changes.tags = {"tag"};
  first.changes.config_json = R"({"a":1})";
  f.Sync(5, first);
  f.Sync(6, Sent().Add(NoteOf(1, 11)));
  f.Start("key", 7);  // changes nothing
  f.Finish("key");
  BOOST_TEST(kept() == "2 1 2 1 1 1 ");
  BOOST_TEST(problems() == 0u);
  f.test.Run("UPDATE anki_collections SET history_bytes = history_bytes + 1");
  BOOST_TEST(problems() == 1u);
  f.test.Run("UPDATE anki_collections SET history_bytes = history_bytes - 1");

  const auto forget = [&](Usn usn) {
    f.database.Write([&](sql::Tx& tx) {
      CollectionStore(tx, f.user).Lock();
      PointStore(tx, f.user).Forget(1, usn);
    });
  };
  // The point is gone at once, what it has kept goes later, in steps.
  const auto delete_some = [&](int max_rows) {
    return f.database.Write([&](sql::Tx& tx) { return PointStore(tx, f.user).DeleteForgotten(max_rows); });
  };
  forget(5);
  BOOST_TEST(kept() == "1 1 2 1 1 1 ");
  BOOST_TEST(problems() == 0u);
  BOOST_TEST(delete_some(1));
  BOOST_TEST(kept() == "1 0 1 0 0 0 ");
  BOOST_TEST(!delete_some(1));
  BOOST_TEST(kept() == "1 0 1 0 0 0 ");
  BOOST_TEST(f.Row("forgotten_generation", "anki_collections", "true") == "0");
  BOOST_TEST(problems() == 0u);
  forget(6);
  BOOST_TEST(!delete_some(2));
  BOOST_TEST(kept() == "0 0 0 0 0 0 ");
  BOOST_TEST(f.Row("history_bytes", "anki_collections", "true") == "0");
}

BOOST_AUTO_TEST_CASE(history_takes_what_the_quota_has_left_and_the_oldest_goes_first) {
  Fixture f;
  f.CountContent();
  f.SetQuota(f.AccountBytes() + 4'000'000);
  const auto points = [&] { return f.Row("string_agg(usn::text, ',' ORDER BY usn)", "anki_points", "true"); };
  Usn usn = 5;
  for (; usn < 12; ++usn) f.Sync(usn, Sent().Add(LargeNoteOf(1, 3'000'000)));
  BOOST_TEST(points() == "5,6,7,8,9,10,11");  // the first replaced nothing
  // Seven times 3 MB are more than 1 MB and 16 MiB.
  f.Sync(usn++, Sent().Add(LargeNoteOf(1, 3'000'000)));
  f.Sync(usn++, Sent().Add(NoteOf(2, 10)));
  BOOST_TEST(points() == "10,11,12,13");
}

BOOST_AUTO_TEST_CASE(room_that_an_upload_takes_during_a_large_sync_is_not_taken_twice) {
  Fixture f;
  f.CountContent();
  f.SetQuota(f.AccountBytes() + 200'000);
  f.Start("key", 5);
  f.Stage("key", Sent().Add(LargeNoteOf(1, 150'000)));
  Reservation upload(f.database, f.user, 100'000);
  BOOST_CHECK_EXCEPTION(f.Finish("key"), Error, [](const Error& e) { return e.code() == "over_quota"; });
  BOOST_TEST(f.Now().counts.notes == 0);
}

BOOST_AUTO_TEST_CASE(large_notes_are_staged_in_rows_of_bounded_size) {
  Fixture f;
  Sent sent;
  for (std::int64_t id = 1; id <= 10; ++id) sent.Add(LargeNoteOf(id, 1 << 20));
  sent.Add(LargeNoteOf(11, 9 << 20)).Add(NoteOf(12, 10)).Add(NoteOf(3, 11));
  f.Start("key", 5);
  f.Stage("key", sent);
  // Up to 4 MiB per row, and one more row for the rest.
  BOOST_TEST(f.Row("string_agg(cardinality(ids)::text, ' ' ORDER BY seq)", "anki_staged_notes", "true") ==
             "4 4 3 2");
  f.Finish("key");
  BOOST_TEST(f.Row("count(*), sum(length(fields))", "anki_notes", "true") ==
             std::to_string(12) + " " + std::to_string(18 * (1 << 20) + 3 + 3));
}

BOOST_AUTO_TEST_CASE(rows_too_large_to_send_are_not_read) {
  Fixture f;
  Sent sent;
  sent.Add(NoteOf(1, 10)).Add(LargeNoteOf(2, 2000));
  const std::int32_t generation = f.Now().generation;
  f.Sync(5, sent);
  const auto fetch = [&](std::int64_t max_bytes) {
    std::vector<std::int64_t> ids;
    f.Write([&](SessionStore&, CollectionStore& collections) {
      collections.NotesSince({generation, 5, 0, max_bytes}, {}, 100,
                             [&](const Note& note, RowPosition) { ids.push_back(note.id); });
    });
    return ids;
  };
  // Its guid has one byte.
  BOOST_TEST(fetch(2001).size() == 2U);
  BOOST_CHECK_THROW(fetch(2000), TooLargeToSend);
  const auto objects = [&](std::int64_t max_bytes) {
    return f.Write([&](SessionStore&, CollectionStore& collections) {
      return collections.ObjectsSince({generation, 0, 0, max_bytes});
    });
  };
  const std::size_t bytes =
      objects(kAnySize).notetypes[0].json.size() + 2 * objects(kAnySize).decks[0].json.size();
  BOOST_TEST(objects(static_cast<std::int64_t>(bytes)).decks.size() == 1U);
  BOOST_CHECK_THROW(objects(static_cast<std::int64_t>(bytes) - 1), TooLargeToSend);
}

BOOST_AUTO_TEST_CASE(card_data_tags_graves_and_the_config_are_not_read_if_too_large) {
  Fixture f;
  Sent sent;
  Card card = CardOf(1, 10);
  card.data = std::string(100'000, 'x');
  sent.Add(card).Add(CardOf(2, 10));
  sent.graves = {{11, 12}, {13}, {14}};
  sent.changes.tags = {"one", "two"};
  sent.changes.config_json = R"({"a":"0123456789"})";
  const std::int32_t generation = f.Now().generation;
  f.Sync(5, sent);
  const auto with = [&](auto read) {
    return f.Write(
        [&](SessionStore& sessions, CollectionStore& collections) { return read(sessions, collections); });
  };
  const auto cards = [&](std::int64_t max_bytes) {
    return with([&](SessionStore&, CollectionStore& collections) {
      int count = 0;
      collections.CardsSince({generation, 5, 0, max_bytes}, {}, 100,
                             [&](const Card&, RowPosition) { ++count; });
      return count;
    });
  };
  BOOST_TEST(cards(kAnySize) == 2);
  // Below the limit of a message, but more than clients keep in a card.
  BOOST_CHECK_THROW(cards(1'000'000), TooLargeToSend);
  const auto tags = [&](std::int64_t max_bytes) {
    return with([&](SessionStore&, CollectionStore& collections) {
      return collections.TagsSince({generation, 5, 0, max_bytes}).size();
    });
  };
  BOOST_TEST(tags(6) == 2U);
  BOOST_CHECK_THROW(tags(5), TooLargeToSend);
  const auto graves = [&](std::int64_t max_bytes) {
    return with([&](SessionStore&, CollectionStore& collections) {
      return collections.GravesSince(generation, 5, max_bytes);
    });
  };
  GraveIds found = graves(4 * 16);
  std::sort(found.cards.begin(), found.cards.end());
  BOOST_TEST(found.cards == sent.graves.cards, boost::test_tools::per_element());
  BOOST_TEST(found.notes == sent.graves.notes, boost::test_tools::per_element());
  BOOST_TEST(found.decks == sent.graves.decks, boost::test_tools::per_element());
  BOOST_CHECK_THROW(graves(4 * 16 - 1), TooLargeToSend);
  const auto config_bytes = static_cast<std::int64_t>(sent.changes.config_json->size());
  const auto config = [&](std::int64_t max_bytes) {
    return with([&](SessionStore&, CollectionStore& collections) {
      BOOST_TEST(collections.FindWithConfig(max_bytes)->second == *sent.changes.config_json);
      return collections.Config(generation, max_bytes);
    });
  };
  BOOST_TEST(config(config_bytes) == *sent.changes.config_json);
  BOOST_CHECK_THROW(config(config_bytes - 1), TooLargeToSend);
  // A finish that would change it, and a start that would read it.
  f.Start("key", 6, 100);
  BOOST_CHECK_THROW(with([&](SessionStore& sessions, CollectionStore& collections) {
                      const Collection collection = *collections.Lock();
                      const Session session = sessions.AskLock("key").Get();
                      sessions.Apply(session,
                                     sessions.OutcomeOf(session, collection, sessions.AskNewIds("key").Get()),
                                     collection.meta.mod_ms + 1, {}, config_bytes - 1);
                      return 0;
                    }),
                    TooLargeToSend);
  BOOST_CHECK_THROW(with([&](SessionStore& sessions, CollectionStore&) {
                      return sessions.EndAndFind(config_bytes - 1).has_value();
                    }),
                    TooLargeToSend);
}

BOOST_AUTO_TEST_CASE(only_a_live_session_is_live) {
  Fixture f;
  const auto require = [&](const std::string& key) {
    f.Write([&](SessionStore& sessions) { sessions.RequireLive(key); });
  };
  f.Start("key", 5);
  BOOST_CHECK_NO_THROW(require("key"));
  BOOST_CHECK_EXCEPTION(require("other"), Error, IsNoSession);
  f.test.Run("UPDATE anki_sessions SET expires_at = now() + interval '1 s' WHERE session_key = 'key'");
  BOOST_CHECK_NO_THROW(require("key"));
  f.test.Run("UPDATE anki_sessions SET expires_at = now() WHERE session_key = 'key'");
  BOOST_CHECK_EXCEPTION(require("key"), Error, IsNoSession);
}
