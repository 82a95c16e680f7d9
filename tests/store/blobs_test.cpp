// The blob store against a real PostgreSQL: storing, permissions, quota, the sweep, and the races between
// writers, references and the sweep.
#include "handlers/base/blobs.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "handlers/account/blob_check_flow.h"
#include "handlers/account/jobs.h"
#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "sql/queries/blobs.h"
#include "tests/support/jobs.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace std::chrono_literals;
using tests::RunOn;
using tests::TestDatabase;
using tests::Unstoppable;

namespace {

struct Blobs {
  Blobs() {
    db.Empty("users, blobs");
    ann = db.AddUser("ann");
    bob = db.AddUser("bob");
  }

  BlobInfo Keep(std::string_view bytes) {
    BlobWriter writer(database);
    writer.Write(bytes);
    BlobInfo blob = writer.Finish();
    writer.Keep();
    return blob;
  }
  void Add(UserId user, const BlobInfo& blob, std::string_view service = "anki") {
    database.Write([&](sql::Tx& tx) { BlobRefs(tx, user).Add(service, blob); });
  }
  void Release(UserId user, const BlobInfo& blob, std::string_view service = "anki") {
    database.Write([&](sql::Tx& tx) { BlobRefs(tx, user).Release(service, blob.id); });
  }
  std::string Read(UserId user, BlobId blob, std::string_view service = "anki") {
    std::string bytes;
    ReadBlob(database, user, service, blob, [&](std::string_view part) {
      BOOST_TEST(part.size() <= kBlobChunkBytes);
      bytes.append(part);
    });
    return bytes;
  }
  std::string Usage(UserId user) {
    return db.Value("SELECT coalesce(sum(bytes), 0) FROM usage WHERE user_id = " +
                    std::to_string(static_cast<std::int64_t>(user)));
  }
  void MakeOld() { db.Run("UPDATE blobs SET touched_at = now() - interval '2 hours'"); }
  std::int64_t Sweep() { return SweepBlobs(database, 1h, 1000); }
  std::string Count(const std::string& table) { return db.Value("SELECT count(*) FROM " + table); }

  TestDatabase& db = TestDatabase::Instance();
  Config config = db.config();
  sql::Database database{db.settings()};
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};  // logs the statements
  UserId ann{}, bob{};
};

std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  unsigned state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

auto HasCode(const std::string& code) {
  return [code](const Error& e) { return e.code() == code; };
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(blobs, Blobs)

BOOST_AUTO_TEST_CASE(bytes_round_trip_at_every_chunk_boundary) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBlobChunkBytes - 1, kBlobChunkBytes,
                                 kBlobChunkBytes + 1, 3 * kBlobChunkBytes, 3 * kBlobChunkBytes + 7}) {
    const std::string bytes = Pattern(size);
    BlobWriter writer(database);
    // In pieces that do not match the chunks.
    for (std::size_t at = 0; at < bytes.size(); at += 300'001)
      writer.Write(std::string_view(bytes).substr(at, 300'001));
    const BlobInfo blob = writer.Finish();
    BOOST_TEST(blob.size_bytes == static_cast<std::int64_t>(size));
    Add(ann, blob);
    writer.Keep();
    BOOST_TEST((Read(ann, blob.id) == bytes));
  }
}

BOOST_AUTO_TEST_CASE(a_range_returns_its_bytes_and_reads_only_their_chunks) {
  const std::size_t size = 3 * kBlobChunkBytes + 7;
  const std::string bytes = Pattern(size);
  const BlobInfo blob = Keep(bytes);
  Add(ann, blob);
  for (const auto& [first, last] : {std::pair<std::size_t, std::size_t>{0, 0},
                                    {0, size - 1},
                                    {size - 1, size - 1},
                                    {kBlobChunkBytes - 1, kBlobChunkBytes},
                                    {kBlobChunkBytes, 2 * kBlobChunkBytes - 1},
                                    {5, 3 * kBlobChunkBytes + 5}}) {
    std::string read;
    const int before = context.statements();
    const ByteRange range{first, last, size};
    context.WithDatabase([&](sql::Database& one) {
      ReadBlob(
          one, ann, "anki", blob.id, [&](std::string_view piece) { read += piece; }, range);
    });
    BOOST_TEST((read == bytes.substr(first, last - first + 1)));
    const auto chunks = last / kBlobChunkBytes - first / kBlobChunkBytes + 1;
    BOOST_TEST(static_cast<std::size_t>(context.statements() - before) == 1 + chunks);
  }
}

BOOST_AUTO_TEST_CASE(equal_bytes_are_stored_once) {
  const BlobInfo small = Keep("same");
  BOOST_TEST((Keep("same").id == small.id));
  const std::string bytes = Pattern(2 * kBlobChunkBytes + 5);
  const BlobInfo large = Keep(bytes);
  BOOST_TEST((Keep(bytes).id == large.id));
  BOOST_TEST(Count("blobs") == "2");
  BOOST_TEST(Count("blob_chunks") == "4");
}

BOOST_AUTO_TEST_CASE(nothing_is_read_without_a_reference) {
  const BlobInfo blob = Keep("secret");
  Add(ann, blob, "anki");
  BOOST_CHECK_EXCEPTION(Read(bob, blob.id), Error, HasCode("no_such_blob"));
  BOOST_CHECK_EXCEPTION(Read(ann, blob.id, "vault"), Error, HasCode("no_such_blob"));
  Release(ann, blob, "anki");
  BOOST_CHECK_EXCEPTION(Read(ann, blob.id), Error, HasCode("no_such_blob"));
}

BOOST_AUTO_TEST_CASE(bytes_count_once_per_account_and_service_until_the_last_release) {
  const BlobInfo blob = Keep("12345");
  Add(ann, blob);
  Add(ann, blob);
  BOOST_TEST(Usage(ann) == "5");
  Add(ann, blob, "vault");
  Add(bob, blob);
  BOOST_TEST(Usage(ann) == "10");
  BOOST_TEST(Usage(bob) == "5");
  Release(ann, blob);
  BOOST_TEST(Usage(ann) == "10");
  Release(ann, blob);
  BOOST_TEST(Usage(ann) == "5");
  BOOST_TEST(Usage(bob) == "5");
  BOOST_CHECK_THROW(Release(ann, blob), Error);
}

BOOST_AUTO_TEST_CASE(a_blob_over_the_quota_gets_no_reference) {
  db.Run("UPDATE users SET quota_bytes = 9 WHERE name = 'ann'");
  const BlobInfo five = Keep("12345");
  const BlobInfo four = Keep("1234");
  const BlobInfo one = Keep("1");
  Add(ann, five, "anki");
  Add(ann, four, "vault");
  BOOST_CHECK_EXCEPTION(Add(ann, one), Error, HasCode("over_quota"));
  BOOST_TEST(Usage(ann) == "9");
  BOOST_TEST(Count("blob_refs") == "2");
  // Another reference to the same bytes takes no room, even if the quota was lowered meanwhile.
  db.Run("UPDATE users SET quota_bytes = 1 WHERE name = 'ann'");
  Add(ann, five, "anki");
  Release(ann, four, "vault");
  BOOST_TEST(Usage(ann) == "5");
}

BOOST_AUTO_TEST_CASE(two_concurrent_services_cannot_exceed_the_quota) {
  db.Run("UPDATE users SET quota_bytes = 5 WHERE name = 'ann'");
  const BlobInfo first = Keep("12345");
  const BlobInfo second = Keep("abcde");
  std::future<void> other;
  database.Write([&](sql::Tx& tx) {
    BlobRefs(tx, ann).Add("anki", first);
    other = std::async(std::launch::async, [&] {
      sql::Database own(db.settings());
      own.Write([&](sql::Tx& other_tx) { BlobRefs(other_tx, ann).Add("vault", second); });
    });
    tests::WaitForLockWaiters(db, 1);
  });
  BOOST_CHECK_EXCEPTION(other.get(), Error, HasCode("over_quota"));
  BOOST_TEST(Usage(ann) == "5");
}

BOOST_AUTO_TEST_CASE(the_sweep_removes_only_old_unreferenced_blobs) {
  const BlobInfo kept = Keep("kept");
  const BlobInfo dropped = Keep("dropped");
  Add(ann, kept);
  Add(ann, dropped);
  MakeOld();
  BOOST_TEST(Sweep() == 0);
  // The grace period begins with the release, because the blob may still be read.
  Release(ann, dropped);
  BOOST_TEST(Sweep() == 0);
  MakeOld();
  BOOST_TEST(Sweep() == 1);
  BOOST_TEST(Read(ann, kept.id) == "kept");
  BOOST_CHECK_EXCEPTION(Add(ann, dropped), Error, HasCode("blob_gone"));
  BOOST_TEST(Count("blob_chunks") == "1");
}

BOOST_AUTO_TEST_CASE(the_sweep_stops_at_its_limit) {
  for (int i = 0; i < 45; ++i) Keep("blob " + std::to_string(i));
  MakeOld();
  BOOST_TEST(SweepBlobs(database, 1h, 25) == 25);
  BOOST_TEST(SweepBlobs(database, 1h, 1000) == 20);
}

BOOST_AUTO_TEST_CASE(an_abandoned_writer_leaves_nothing_behind) {
  {
    BlobWriter writer(database);
    writer.Write(Pattern(3 * kBlobChunkBytes));
  }
  BOOST_TEST(Count("blobs") == "0");
  BOOST_TEST(Count("blob_chunks") == "0");
}

BOOST_AUTO_TEST_CASE(chunks_of_a_killed_writer_are_swept_and_a_stalled_writer_fails) {
  BlobWriter writer(database);
  writer.Write(Pattern(3 * kBlobChunkBytes));
  BOOST_TEST(Sweep() == 0);
  MakeOld();
  BOOST_TEST(Sweep() == 1);
  BOOST_TEST(Count("blob_chunks") == "0");
  BOOST_CHECK_EXCEPTION(writer.Finish(), Error, HasCode("blob_gone"));
}

BOOST_AUTO_TEST_CASE(finishing_known_content_keeps_it_from_the_sweep) {
  const BlobInfo before = Keep("known");
  MakeOld();
  const BlobInfo again = Keep("known");
  BOOST_TEST((again.id == before.id));
  BOOST_TEST(Sweep() == 0);
}

BOOST_AUTO_TEST_CASE(the_nightly_check_finds_all_mismatches_and_nothing_else) {
  const auto findings = [&] {
    Unstoppable control;
    return account::CheckBlobs(context, control);
  };
  const BlobInfo blob = Keep(Pattern(2 * kBlobChunkBytes));
  Add(ann, blob);
  Add(bob, Keep("small"));
  Keep("");
  BlobWriter unfinished(database);
  unfinished.Write(Pattern(2 * kBlobChunkBytes));
  BOOST_TEST(findings().size() == 0u);
  db.Run("UPDATE usage SET bytes = bytes + 1 WHERE user_id = (SELECT user_id FROM users WHERE name = 'ann')");
  BOOST_TEST(findings().size() == 1u);
  db.Run("DELETE FROM usage WHERE user_id = (SELECT user_id FROM users WHERE name = 'bob')");
  BOOST_TEST(findings().size() == 2u);
  db.Run("DELETE FROM blob_chunks WHERE seq = 1 AND blob_id IN (SELECT blob_id FROM blob_refs)");
  BOOST_TEST(findings().size() == 3u);
  db.Run("DELETE FROM blobs WHERE size_bytes = 5");
  BOOST_TEST(findings().size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_jobs_of_accounts_sweep_and_check) {
  Unstoppable control;
  db.Run(
      "TRUNCATE login_failures; INSERT INTO login_failures VALUES ('a', 1, now() - interval '25 hours'), "
      "('b', 1, now())");
  for (const JobKind& kind : account::Jobs()) kind.body({JobId{1}, kind.name, {}, "{}", 1}, context, control);
  BOOST_TEST(Count("login_failures") == "1");
  BOOST_TEST(control.last_message == "0 findings");
}

BOOST_AUTO_TEST_CASE(fifty_parallel_writers_fill_an_account_exactly_to_its_quota) {
  // Ten sizes, so that the last bytes matter: a writer that fits is not refused, and none passes the quota.
  constexpr std::int64_t kQuota = 7 * std::int64_t{kBlobChunkBytes} + 12'345;
  db.Run("UPDATE users SET quota_bytes = " + std::to_string(kQuota) + " WHERE name = 'ann'");
  std::atomic<int> refused = 0;
  const auto write = [&](const std::string& bytes) {
    sql::Database own(db.settings());
    try {
      Reservation room(own, ann, static_cast<std::int64_t>(bytes.size()));
      BlobWriter writer(own, &room);
      writer.Write(bytes);
      const BlobInfo blob = writer.Finish();
      own.Write([&](sql::Tx& tx) {
        room.Settle(tx);
        BlobRefs(tx, ann).Add("anki", blob);
      });
      writer.Keep();
    } catch (const Error& e) {
      BOOST_TEST(e.code() == "over_quota");
      ++refused;
    }
  };
  std::vector<std::future<void>> writers;
  for (int i = 0; i < 50; ++i) {
    std::string bytes = Pattern(kBlobChunkBytes + static_cast<std::size_t>(1 + i % 10));
    bytes[0] = static_cast<char>(i);
    writers.push_back(std::async(std::launch::async, write, std::move(bytes)));
  }
  for (auto& writer : writers) writer.get();
  const std::int64_t used = std::stoll(Usage(ann));
  BOOST_TEST(used <= kQuota);
  BOOST_TEST(used >= 7 * static_cast<std::int64_t>(kBlobChunkBytes));
  BOOST_TEST(refused == 43);
  write(std::string(static_cast<std::size_t>(kQuota - used), 'x'));
  BOOST_TEST(Usage(ann) == std::to_string(kQuota));
  // The refused ones left nothing behind.
  BOOST_TEST(Count("blob_reservations") == "0");
  BOOST_TEST(Count("blobs") == "8");
  BOOST_TEST(Count("blob_chunks") == "15");
}

BOOST_AUTO_TEST_CASE(two_writers_cannot_both_take_the_last_room) {
  db.Run("UPDATE users SET quota_bytes = 100 WHERE name = 'ann'");
  const auto holder = db.Connect();
  RunOn(holder.get(), "BEGIN");
  RunOn(holder.get(), "SELECT FROM users WHERE name = 'ann' FOR UPDATE");
  // Both keep their room until both have asked.
  std::atomic<int> asked = 0;
  const auto take = [&] {
    sql::Database own(db.settings());
    std::optional<Reservation> room;
    try {
      room.emplace(own, ann, 60);
    } catch (const Error& e) {
      BOOST_TEST(e.code() == "over_quota");
    }
    ++asked;
    while (asked < 2) std::this_thread::sleep_for(1ms);
    return room.has_value();
  };
  auto one = std::async(std::launch::async, take), other = std::async(std::launch::async, take);
  tests::WaitForLockWaiters(db, 2);
  RunOn(holder.get(), "COMMIT");
  BOOST_TEST(one.get() + other.get() == 1);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_before_its_first_byte_and_leaves_nothing) {
  db.Run("UPDATE users SET quota_bytes = 100 WHERE name = 'ann'");
  BOOST_CHECK_EXCEPTION(Reservation(database, ann, 101), Error, HasCode("over_quota"));
  {
    // Of unknown size: it is stopped at the quota, in the middle of its chunks.
    db.Run("UPDATE users SET quota_bytes = 3000000 WHERE name = 'ann'");
    Reservation room(database, ann, 0);
    BlobWriter writer(database, &room);
    writer.Write(Pattern(2'500'000));
    BOOST_TEST(Count("blob_chunks") == "2");
    // What it has reserved is not free for others.
    BOOST_CHECK_EXCEPTION(Reservation(database, ann, 1), Error, HasCode("over_quota"));
    Reservation other(database, bob, 1);
    BOOST_CHECK_EXCEPTION(writer.Write(Pattern(500'001)), Error, HasCode("over_quota"));
  }
  // Finished, but then refused.
  {
    Reservation room(database, ann, 5);
    BlobWriter small(database, &room), large(database, &room);
    small.Write("small");
    small.Finish();
    large.Write(Pattern(kBlobChunkBytes + 1));
    large.Finish();
    BOOST_TEST(Count("blobs") == "2");
  }
  BOOST_TEST(Count("blobs") == "0");
  BOOST_TEST(Count("blob_chunks") == "0");
  BOOST_TEST(Count("blob_reservations") == "0");
}

BOOST_AUTO_TEST_CASE(a_writer_that_gives_up_keeps_what_another_one_has_found_meanwhile) {
  const std::string bytes = Pattern(kBlobChunkBytes + 1);
  BlobInfo found;
  {
    BlobWriter first(database);
    first.Write(bytes);
    first.Finish();
    found = Keep(bytes);
  }
  Add(bob, found);
  BOOST_TEST((Read(bob, found.id) == bytes));
  BOOST_TEST(Count("blob_chunks") == "2");
}

BOOST_AUTO_TEST_CASE(the_room_of_a_killed_writer_is_free_again_after_its_time) {
  db.Run("UPDATE users SET quota_bytes = 100 WHERE name = 'ann'");
  db.Run(
      "INSERT INTO blob_reservations SELECT user_id, 1, 100, now() + interval '1 minute' FROM users WHERE "
      "name = 'ann'");
  BOOST_CHECK_EXCEPTION(Reservation(database, ann, 1), Error, HasCode("over_quota"));
  Sweep();
  BOOST_CHECK_EXCEPTION(Reservation(database, ann, 1), Error, HasCode("over_quota"));
  db.Run("UPDATE blob_reservations SET expires_at = now() - interval '1 second'");
  Reservation room(database, ann, 100);
  Sweep();
  BOOST_TEST(Count("blob_reservations") == "1");
}

BOOST_AUTO_TEST_CASE(a_batch_of_the_sweep_that_times_out_is_halved) {
  // Of 60 MiB, as slow as a busy disk: a batch of 32 MiB would take three times the statement timeout.
  const BlobInfo large = Keep(Pattern(60 * kBlobChunkBytes));
  MakeOld();
  db.Run(
      "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN "
      "OLD; END $$; CREATE TRIGGER slowly BEFORE DELETE ON blob_chunks FOR EACH ROW EXECUTE FUNCTION "
      "slowly()");
  sql::Settings impatient = db.settings();
  impatient.statement_timeout = 200ms;
  sql::Database sweeper(impatient);
  int steps = 0;
  BOOST_TEST(SweepBlobs(sweeper, 1h, 10, [&] { ++steps; }) == 1);
  db.Run("DROP FUNCTION slowly() CASCADE");
  BOOST_TEST(Count("blob_chunks") == "0");
  BOOST_TEST(Count("blobs") == "0");
  BOOST_TEST(steps < 60);
}

BOOST_AUTO_TEST_CASE(an_interrupted_sweep_is_continued_and_its_blob_is_gone_at_once) {
  const std::string bytes = Pattern(70 * kBlobChunkBytes);
  const BlobInfo large = Keep(bytes);
  MakeOld();
  int steps = 0;
  const auto stop = [&] {
    if (++steps == 2) throw std::runtime_error("stopped");
  };
  BOOST_CHECK_THROW(SweepBlobs(database, 1h, 10, stop), std::runtime_error);
  BOOST_TEST(Count("blob_chunks") != "0");
  BOOST_TEST(Count("blob_chunks") != "70");
  BOOST_CHECK_EXCEPTION(Add(ann, large), Error, HasCode("blob_gone"));
  const BlobInfo again = Keep(bytes);
  BOOST_TEST((again.id != large.id));
  BOOST_TEST(Sweep() == 1);
  BOOST_TEST(Count("blob_chunks") == "70");
}

BOOST_AUTO_TEST_CASE(two_writers_of_the_same_bytes_get_one_blob) {
  for (const std::size_t size : {std::size_t{10}, kBlobChunkBytes + 10}) {
    db.Empty("blobs");
    const std::string bytes = Pattern(size);
    // The first is held between its write and its commit; the second must wait for it and then use its blob.
    const auto holder = db.Connect();
    BlobWriter own(database);
    own.Write(bytes);
    const std::string sha256 = [&] {
      sql::Database scratch(db.settings());
      BlobWriter writer(scratch);
      writer.Write(bytes);
      return writer.Finish().sha256;
    }();
    std::string hex;
    for (const unsigned char c : sha256) {
      hex += "0123456789abcdef"[c >> 4];
      hex += "0123456789abcdef"[c & 15];
    }
    db.Run("DELETE FROM blobs WHERE sha256 IS NOT NULL");
    RunOn(holder.get(), "BEGIN");
    const std::string first = RunOn(holder.get(), "INSERT INTO blobs (sha256, size_bytes) VALUES ('\\x" +
                                                      hex + "', 1) RETURNING blob_id")[0][0];
    auto finished = std::async(std::launch::async, [&] { return own.Finish(); });
    tests::WaitForLockWaiters(db, 1);
    RunOn(holder.get(), "COMMIT");
    BOOST_TEST(std::to_string(static_cast<std::int64_t>(finished.get().id)) == first);
    BOOST_TEST(Count("blobs") == "1");
    BOOST_TEST(Count("blob_chunks") == "0");  // the writer's chunks are deleted; the holder wrote none
  }
}

BOOST_AUTO_TEST_CASE(a_reference_before_the_sweep_keeps_the_blob) {
  const BlobInfo blob = Keep("wanted");
  MakeOld();
  database.Write([&](sql::Tx& tx) {
    BlobRefs(tx, ann).Add("anki", blob);
    sql::Database sweeper(db.settings());
    BOOST_TEST(SweepBlobs(sweeper, 1h, 10) == 0);  // locked: skipped, not waited for
  });
  BOOST_TEST(Sweep() == 0);
  BOOST_TEST(Read(ann, blob.id) == "wanted");
}

BOOST_AUTO_TEST_CASE(a_reference_between_the_two_steps_of_the_sweep_is_seen) {
  // The sweep's transaction has begun before the reference commits.
  const BlobInfo blob = Keep("wanted");
  MakeOld();
  sql::Database sweeper(db.settings());
  const auto doomed = sweeper.Write([&](sql::Tx& tx) {
    tx.Query(sql::blobs::used_bytes, ann);  // the transaction has begun, and had a snapshot
    Add(ann, blob);
    return tx.Execute(sql::blobs::doom_unreferenced,
                      std::vector<std::int64_t>{static_cast<std::int64_t>(blob.id)});
  });
  BOOST_TEST(doomed == 0);
  BOOST_TEST(Read(ann, blob.id) == "wanted");
}

BOOST_AUTO_TEST_CASE(a_reference_waits_for_a_sweep_and_is_then_refused) {
  const BlobInfo blob = Keep("late");
  const std::string id = std::to_string(static_cast<std::int64_t>(blob.id));
  const auto sweep = db.Connect();
  RunOn(sweep.get(), "BEGIN");
  RunOn(sweep.get(), "SELECT blob_id FROM blobs WHERE blob_id = " + id + " FOR UPDATE");
  auto added = std::async(std::launch::async, [&] { Add(ann, blob); });
  tests::WaitForLockWaiters(db, 1);
  RunOn(sweep.get(), "DELETE FROM blobs WHERE blob_id = " + id);
  RunOn(sweep.get(), "COMMIT");
  BOOST_CHECK_EXCEPTION(added.get(), Error, HasCode("blob_gone"));
  BOOST_TEST(Count("blob_refs") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
