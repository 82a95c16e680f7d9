// The jobs table without a worker: every claim and result is made explicitly, so that each race is forced.
// worker_test.cpp tests the worker; tests/chaos tests killed workers.
#include "handlers/base/job.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "handlers/base/errors.h"
#include "handlers/jobs/job_store.h"
#include "sql/database.h"
#include "tests/support/inputs.h"
#include "tests/support/test_database.h"

using namespace syncline;
using tests::CodeOf;
using namespace std::chrono_literals;
using tests::TestDatabase;

namespace {

constexpr std::chrono::milliseconds kLease{30'000};
// A lease that has already expired: its worker counts as dead.
constexpr std::chrono::milliseconds kDeadLease{-1'000};

void NoBody(const Job&, Context&, JobControl&) {}

const JobKind kPlain{.name = "test.plain", .body = NoBody};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  const Config config{};

  Fixture() { test.Empty("jobs, job_ticks, job_rates, workers"); }

  template <typename F>
  auto Store(F&& f) {
    return database.Write([&](sql::Tx& tx) {
      JobStore store(tx);
      return f(store);
    });
  }
  JobId Enqueue(const NewJob& job) {
    return database.Write([&](sql::Tx& tx) { return EnqueueJob(tx, job); });
  }
  std::vector<ClaimedJob> Claim(int threads, std::vector<JobKind> kinds = {kPlain},
                                std::chrono::milliseconds lease = kLease) {
    return Store([&](JobStore& store) { return store.Claim("test", threads, lease, kinds, config); });
  }
  std::string State(JobId job) {
    return Store([&](JobStore& store) { return store.Find(job)->state; });
  }
  void Rescue() {
    Store([](JobStore& store) {
      store.Rescue(1000);
      return store.Promote(1000);
    });
  }
  std::int64_t Finish(const Lease& lease) {
    return Store([&](JobStore& store) { return store.Finish(std::span(&lease, 1)); });
  }
};

// Runs `f` on `count` threads at once, each with its own database.
void AtOnce(Fixture& fixture, int count, const std::function<void(sql::Database&, int)>& f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      sql::Database database(fixture.test.settings());
      f(database, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

constexpr UserId kAda{1}, kBob{2};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(enqueue, Fixture)

BOOST_AUTO_TEST_CASE(twenty_concurrent_enqueues_of_one_unique_key_add_one_job) {
  const NewJob job{.kind = "test.plain", .user = kAda, .unique_key = "import"};
  std::set<std::int64_t> ids;
  std::mutex mutex;
  std::jthread others;
  // The first holds its transaction until the other nineteen wait for it.
  database.Write([&](sql::Tx& tx) {
    ids.insert(static_cast<std::int64_t>(EnqueueJob(tx, job)));
    others = std::jthread([&] {
      AtOnce(*this, 19, [&](sql::Database& own, int) {
        const JobId id = own.Write([&](sql::Tx& own_tx) { return EnqueueJob(own_tx, job); });
        const std::lock_guard lock(mutex);
        ids.insert(static_cast<std::int64_t>(id));
      });
    });
    tests::WaitForLockWaiters(test, 19);
  });
  others.join();
  BOOST_TEST(ids.size() == 1u);
  BOOST_TEST(test.Value("SELECT count(*) FROM jobs") == "1");
}

BOOST_AUTO_TEST_CASE(a_key_whose_first_holder_rolls_back_goes_to_one_waiter) {
  const NewJob job{.kind = "test.plain", .user = kAda, .unique_key = "import"};
  std::set<std::int64_t> ids;
  std::mutex mutex;
  std::jthread others;
  try {
    database.Write([&](sql::Tx& tx) {
      EnqueueJob(tx, job);
      others = std::jthread([&] {
        AtOnce(*this, 5, [&](sql::Database& own, int) {
          const JobId id = own.Write([&](sql::Tx& own_tx) { return EnqueueJob(own_tx, job); });
          const std::lock_guard lock(mutex);
          ids.insert(static_cast<std::int64_t>(id));
        });
      });
      tests::WaitForLockWaiters(test, 5);
      throw std::runtime_error("the handler failed");
    });
  } catch (const std::runtime_error&) {
  }
  others.join();
  BOOST_TEST(ids.size() == 1u);
  BOOST_TEST(test.Value("SELECT count(*) FROM jobs") == "1");
}

BOOST_AUTO_TEST_CASE(a_unique_key_is_held_until_the_job_has_ended) {
  const NewJob job{.kind = "test.plain", .unique_key = "sweep"};
  const JobId first = Enqueue(job);
  const auto claimed = Claim(1);
  BOOST_TEST((Enqueue(job) == first));
  BOOST_TEST(Finish(claimed.at(0).held()) == 1);
  BOOST_TEST((Enqueue(job) != first));
}

BOOST_AUTO_TEST_CASE(unique_keys_of_different_accounts_do_not_clash) {
  const JobId ada = Enqueue({.kind = "test.plain", .user = kAda, .unique_key = "same"});
  const JobId bob = Enqueue({.kind = "test.plain", .user = kBob, .unique_key = "same"});
  const JobId other_kind = Enqueue({.kind = "test.other", .user = kBob, .unique_key = "same"});
  BOOST_TEST((ada != bob));
  BOOST_TEST((bob != other_kind));
}

BOOST_AUTO_TEST_CASE(a_rolled_back_enqueue_leaves_nothing_behind) {
  BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
    EnqueueJob(tx, {.kind = "test.plain", .user = kAda});
    throw std::runtime_error("the handler failed");
  }),
                    std::runtime_error);
  BOOST_TEST(test.Value("SELECT count(*) FROM jobs") == "0");
}

BOOST_AUTO_TEST_CASE(args_and_user_reach_the_worker_as_given) {
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda, .args = R"({"file": "\u0000 Ä"})"});
  const auto claimed = Claim(1);
  BOOST_REQUIRE(claimed.size() == 1u);
  BOOST_TEST((claimed[0].job.id == id));
  BOOST_TEST((claimed[0].job.user == kAda));
  BOOST_TEST(claimed[0].job.args == R"({"file": "\u0000 Ä"})");
  BOOST_TEST(claimed[0].job.attempt == 1);
}

BOOST_AUTO_TEST_CASE(a_delayed_job_waits_for_its_time) {
  const JobId id = Enqueue({.kind = "test.plain", .delay = 1h});
  Rescue();
  BOOST_TEST(Claim(1).empty());
  BOOST_TEST(State(id) == "waiting");
  test.Run("UPDATE jobs SET run_at = now()");
  Rescue();
  BOOST_TEST(Claim(1).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(claim, Fixture)

BOOST_AUTO_TEST_CASE(the_higher_priority_goes_first_then_the_older) {
  const JobId old = Enqueue({.kind = "test.plain", .user = kAda});
  const JobId young = Enqueue({.kind = "test.plain", .user = kAda});
  const JobId urgent = Enqueue({.kind = "test.plain", .user = kAda, .priority = 5});
  const auto claimed = Claim(3);
  BOOST_REQUIRE(claimed.size() == 3u);
  BOOST_TEST((claimed[0].job.id == urgent));
  BOOST_TEST((claimed[1].job.id == old));
  BOOST_TEST((claimed[2].job.id == young));
}

BOOST_AUTO_TEST_CASE(a_claim_respects_its_limit_and_the_known_kinds) {
  for (int i = 0; i < 5; ++i) Enqueue({.kind = "test.plain", .user = kAda});
  Enqueue({.kind = "test.of_a_newer_version", .user = kAda});
  BOOST_TEST(Claim(3).size() == 3u);
  BOOST_TEST(Claim(3).size() == 2u);
  BOOST_TEST(Claim(3).empty());
}

BOOST_AUTO_TEST_CASE(concurrent_claims_never_get_the_same_job) {
  database.Write([](sql::Tx& tx) {
    for (int i = 0; i < 400; ++i) EnqueueJob(tx, {.kind = "test.plain", .user = UserId{i % 7}});
  });
  std::multiset<std::int64_t> ids;
  std::mutex mutex;
  AtOnce(*this, 8, [&](sql::Database& own, int) {
    for (;;) {
      const auto claimed = own.Write([&](sql::Tx& tx) {
        return JobStore(tx).Claim("test", 7, kLease, {&kPlain, 1}, config);
      });
      if (claimed.empty()) return;
      const std::lock_guard lock(mutex);
      for (const ClaimedJob& job : claimed) ids.insert(static_cast<std::int64_t>(job.job.id));
    }
  });
  BOOST_TEST(ids.size() == 400u);
  BOOST_TEST(std::set<std::int64_t>(ids.begin(), ids.end()).size() == 400u);
}

BOOST_AUTO_TEST_CASE(a_kind_never_exceeds_max_running) {
  const JobKind limited{.name = "test.limited", .body = NoBody, .max_running = 3};
  for (int i = 0; i < 20; ++i) Enqueue({.kind = "test.limited", .user = UserId{i}, .priority = i % 2});
  const JobId plain = Enqueue({.kind = "test.plain", .user = kAda, .priority = -1});
  // The first claim is held open: the second one must wait for it and then count its jobs.
  std::vector<ClaimedJob> first, second;
  std::jthread other;
  database.Write([&](sql::Tx& tx) {
    first = JobStore(tx).Claim("a", 2, kLease, std::vector{limited, kPlain}, config);
    other = std::jthread([&] {
      sql::Database own(test.settings());
      second = own.Write([&](sql::Tx& own_tx) {
        return JobStore(own_tx).Claim("b", 10, kLease, std::vector{limited, kPlain}, config);
      });
    });
    tests::WaitForLockWaiters(test, 1);
  });
  other.join();
  BOOST_TEST(first.size() == 2u);
  // One more of the limited kind, and jobs after it are not held up.
  BOOST_REQUIRE(second.size() == 2u);
  BOOST_TEST((second[1].job.id == plain));
  BOOST_TEST(Claim(10, {limited}).empty());
  BOOST_TEST(Finish(first[0].held()) == 1);
  BOOST_TEST(Claim(10, {limited}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(two_workers_never_begin_more_of_a_kind_than_its_rate) {
  const JobKind rated{.name = "test.rated", .body = NoBody, .rate = [](const Config&) {
                        return RateLimit{3, 1h};
                      }};
  for (int i = 0; i < 20; ++i) Enqueue({.kind = "test.rated", .user = UserId{i}, .priority = i % 2});
  const JobId plain = Enqueue({.kind = "test.plain", .user = kAda, .priority = -1});
  // The first claim is held open: the second one must wait for it and then count its jobs.
  std::vector<ClaimedJob> first, second;
  std::jthread other;
  database.Write([&](sql::Tx& tx) {
    first = JobStore(tx).Claim("a", 2, kLease, std::vector{rated, kPlain}, config);
    other = std::jthread([&] {
      sql::Database own(test.settings());
      second = own.Write([&](sql::Tx& own_tx) {
        return JobStore(own_tx).Claim("b", 10, kLease, std::vector{rated, kPlain}, config);
      });
    });
    tests::WaitForLockWaiters(test, 1);
  });
  other.join();
  BOOST_TEST(first.size() == 2u);
  // One more of the kind with a rate, and jobs after it are not held up.
  BOOST_REQUIRE(second.size() == 2u);
  BOOST_TEST((second[1].job.id == plain));
  // Ended or given back, they have begun.
  BOOST_TEST(Finish(first[0].held()) == 1);
  Store([&](JobStore& store) { return store.Release(std::vector{first[1].held()}); });
  Rescue();
  BOOST_TEST(Claim(10, {rated}).empty());
  // An hour after the first two, the third still counts.
  test.Run(
      "UPDATE job_rates SET starts = ARRAY[starts[1] - interval '1 hour', starts[2] - interval '1 hour', "
      "starts[3]]");
  BOOST_TEST(Claim(10, {rated}).size() == 2u);
  BOOST_TEST(Claim(10, {rated}).empty());
  BOOST_TEST(test.Value("SELECT cardinality(starts) FROM job_rates") == "3");
}

BOOST_AUTO_TEST_CASE(a_rate_follows_the_settings) {
  const JobKind rated{.name = "test.rated", .body = NoBody, .rate = [](const Config& given) {
                        return RateLimit{static_cast<int>(given.disk_reserve_mib), 1h};
                      }};
  for (int i = 0; i < 5; ++i) Enqueue({.kind = "test.rated", .user = kAda});
  const auto claim = [&](std::int64_t count) {
    Config with{};
    with.disk_reserve_mib = count;
    return Store(
        [&](JobStore& store) { return store.Claim("test", 10, kLease, std::vector{rated}, with).size(); });
  };
  BOOST_TEST(claim(2) == 2u);
  BOOST_TEST(claim(1) == 0u);
  BOOST_TEST(claim(4) == 2u);
}

BOOST_AUTO_TEST_CASE(quick_kinds_are_claimed_ahead_and_slow_ones_one_per_thread) {
  const JobKind quick{.name = "test.quick", .body = NoBody, .batch = 10};
  for (int i = 0; i < 30; ++i) Enqueue({.kind = "test.quick", .user = kAda});
  for (int i = 0; i < 4; ++i) Enqueue({.kind = "test.plain", .user = kAda, .priority = 1});
  const auto claimed = Claim(5, {quick, kPlain});
  BOOST_TEST(claimed.size() == 14u);  // four threads for the slow ones, ten quick ones for the fifth
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(fairness, Fixture)

BOOST_AUTO_TEST_CASE(a_new_account_does_not_wait_behind_a_backlog) {
  for (int i = 0; i < 100; ++i) Enqueue({.kind = "test.plain", .user = kAda});
  for (int i = 0; i < 20; ++i) Finish(Claim(1).at(0).held());
  const JobId bob = Enqueue({.kind = "test.plain", .user = kBob});
  const auto next = Claim(2);
  BOOST_REQUIRE(next.size() == 2u);
  BOOST_TEST((next[0].job.id == bob || next[1].job.id == bob));
}

BOOST_AUTO_TEST_CASE(a_new_account_shares_turns_with_a_backlog) {
  for (int i = 0; i < 40; ++i) Enqueue({.kind = "test.plain", .user = kAda});
  for (int i = 0; i < 20; ++i) Finish(Claim(1).at(0).held());
  for (int i = 0; i < 40; ++i) Enqueue({.kind = "test.plain", .user = kBob});
  int ada = 0;
  for (int i = 0; i < 20; ++i) {
    const auto claimed = Claim(1);
    ada += claimed.at(0).job.user == kAda ? 1 : 0;
    Finish(claimed[0].held());
  }
  BOOST_TEST(ada >= 9);
  BOOST_TEST(ada <= 11);
}

BOOST_AUTO_TEST_CASE(no_account_holds_more_than_half_of_the_threads_while_another_waits) {
  Store([](JobStore& store) { store.BeatWorker("test", 8); });
  for (int i = 0; i < 20; ++i) Enqueue({.kind = "test.plain", .user = kAda, .priority = 9});
  // Alone it gets all free threads.
  BOOST_TEST(Claim(5).size() == 5u);
  for (int i = 0; i < 20; ++i) Enqueue({.kind = "test.plain", .user = kBob});
  // Now it is over its share: despite its priority, each free thread goes to the other account.
  for (int i = 0; i < 3; ++i) {
    const auto claimed = Claim(1);
    BOOST_REQUIRE(claimed.size() == 1u);
    BOOST_TEST((claimed[0].job.user == kBob));
  }
}

BOOST_AUTO_TEST_CASE(accounts_of_different_kinds_take_turns_too) {
  const std::vector<JobKind> kinds{kPlain, {.name = "test.other", .body = NoBody}};
  Store([](JobStore& store) { store.BeatWorker("test", 4); });
  for (int i = 0; i < 100; ++i) Enqueue({.kind = "test.other", .user = kAda});
  BOOST_TEST(Claim(2, kinds).size() == 2u);
  const JobId bob = Enqueue({.kind = "test.plain", .user = kBob});
  const auto claimed = Claim(1, kinds);
  BOOST_REQUIRE(claimed.size() == 1u);
  BOOST_TEST((claimed[0].job.id == bob));
}

BOOST_AUTO_TEST_CASE(delayed_jobs_join_the_current_round) {
  for (int i = 0; i < 50; ++i) Enqueue({.kind = "test.plain", .user = kAda, .delay = 1ms});
  for (int i = 0; i < 5; ++i) Enqueue({.kind = "test.plain", .user = kBob});
  for (int i = 0; i < 2; ++i) Finish(Claim(1).at(0).held());
  test.Run("UPDATE jobs SET run_at = now() WHERE state = 'waiting'");
  Rescue();
  int bob = 0;
  for (int i = 0; i < 6; ++i) {
    const auto claimed = Claim(1);
    bob += claimed.at(0).job.user == kBob ? 1 : 0;
    Finish(claimed[0].held());
  }
  BOOST_TEST(bob == 3);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(leases, Fixture)

BOOST_AUTO_TEST_CASE(a_worker_that_lost_its_lease_changes_nothing) {
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda});
  const Lease old = Claim(1, {kPlain}, kDeadLease).at(0).held();
  Rescue();
  const auto again = Claim(1);
  BOOST_REQUIRE(again.size() == 1u);
  BOOST_TEST(again[0].job.attempt == 2);

  const auto row = [&] {
    return test.Run("SELECT * FROM jobs WHERE job_id = " + std::to_string(std::int64_t(id)));
  };
  const auto before = row();
  const std::span<const Lease> leases(&old, 1);
  BOOST_TEST(Store([&](JobStore& s) { return s.Finish(leases); }) == 0);
  BOOST_TEST(Store([&](JobStore& s) { return s.Release(leases); }) == 0);
  BOOST_TEST(Store([&](JobStore& s) { return s.Renew(leases, kLease); }) == 0);
  BOOST_TEST(Store([&](JobStore& s) {
               return s.SaveProgress(std::vector<JobProgress>{{old, 1, 2, "x"}});
             }) == 0);
  BOOST_TEST(!Store([&](JobStore& s) { return s.Fail(old, "x", 1s); }));
  BOOST_TEST(!Store([&](JobStore& s) { return s.FinishHere(old); }));
  BOOST_TEST((row() == before));
  const auto stopped = Store([&](JobStore& s) { return s.Watch(leases); });
  BOOST_REQUIRE(stopped.size() == 1u);
  BOOST_TEST(stopped[0].is_lost);

  BOOST_TEST(Finish(again[0].held()) == 1);
  BOOST_TEST(State(id) == "done");
}

BOOST_AUTO_TEST_CASE(a_finish_that_waits_for_the_rescue_comes_too_late) {
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda});
  const Lease old = Claim(1, {kPlain}, kDeadLease).at(0).held();
  std::int64_t finished = -1;
  std::jthread late;
  database.Write([&](sql::Tx& tx) {
    JobStore(tx).Rescue(10);
    late = std::jthread([&] {
      sql::Database own(test.settings());
      finished = own.Write([&](sql::Tx& own_tx) { return JobStore(own_tx).Finish({&old, 1}); });
    });
    tests::WaitForLockWaiters(test, 1);
  });
  late.join();
  BOOST_TEST(finished == 0);
  BOOST_TEST(State(id) == "waiting");
}

BOOST_AUTO_TEST_CASE(an_expired_lease_can_be_renewed_if_nobody_took_the_job) {
  Enqueue({.kind = "test.plain", .user = kAda});
  const Lease lease = Claim(1, {kPlain}, kDeadLease).at(0).held();
  BOOST_TEST(Store([&](JobStore& s) { return s.Renew({&lease, 1}, kLease); }) == 1);
  BOOST_TEST(Store([&](JobStore& s) { return s.Rescue(10); }) == 0);
  BOOST_TEST(Finish(lease) == 1);
}

BOOST_AUTO_TEST_CASE(heartbeat_and_rescue_never_wait) {
  Enqueue({.kind = "test.plain", .user = kAda});
  const Lease lease = Claim(1, {kPlain}, kDeadLease).at(0).held();
  database.Write([&](sql::Tx& tx) {
    BOOST_TEST(JobStore(tx).FinishHere(lease));
    sql::Database own(test.settings());
    BOOST_TEST(own.Write([&](sql::Tx& own_tx) { return JobStore(own_tx).Renew({&lease, 1}, kLease); }) == 0);
    BOOST_TEST(own.Write([&](sql::Tx& own_tx) { return JobStore(own_tx).Rescue(10); }) == 0);
  });
}

BOOST_AUTO_TEST_CASE(finishing_in_the_bodys_transaction_is_atomic) {
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda});
  const Lease lease = Claim(1).at(0).held();
  BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
    BOOST_TEST(JobStore(tx).FinishHere(lease));
    throw std::runtime_error("the body failed after it");
  }),
                    std::runtime_error);
  BOOST_TEST(State(id) == "running");
  BOOST_TEST(Store([&](JobStore& s) { return s.FinishHere(lease); }));
  BOOST_TEST(State(id) == "done");
  BOOST_TEST(!Store([&](JobStore& s) { return s.FinishHere(lease); }));
}

BOOST_AUTO_TEST_CASE(a_job_that_kills_its_workers_becomes_dead) {
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda});
  const JobKind twice{.name = "test.plain", .body = NoBody, .max_attempts = 2};
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(Claim(1, {twice}, kDeadLease).size() == 1u);
    Rescue();
  }
  BOOST_TEST(State(id) == "dead");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ends, Fixture)

BOOST_AUTO_TEST_CASE(a_failed_job_waits_and_is_dead_after_its_last_attempt) {
  const JobKind thrice{.name = "test.plain", .body = NoBody, .max_attempts = 3};
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda});
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const auto claimed = Claim(1, {thrice});
    BOOST_REQUIRE(claimed.size() == 1u);
    BOOST_TEST(claimed[0].job.attempt == attempt);
    const auto state = Store([&](JobStore& s) { return s.Fail(claimed[0].held(), "no such host", 1h); });
    BOOST_TEST(state.value() == (attempt == 3 ? "dead" : "waiting"));
    Rescue();
    BOOST_TEST(Claim(1, {thrice}).empty());
    test.Run("UPDATE jobs SET run_at = now()");
    Rescue();
  }
  BOOST_TEST(State(id) == "dead");
  BOOST_TEST(Store([&](JobStore& s) { return s.Find(id)->last_error.value(); }) == "no such host");
}

BOOST_AUTO_TEST_CASE(backoff_doubles_up_to_an_hour_with_jitter) {
  BOOST_TEST(BackoffAfter(1, 0.5).count() == 5'000);
  BOOST_TEST(BackoffAfter(2, 0.5).count() == 10'000);
  BOOST_TEST(BackoffAfter(4, 0.0).count() == 30'000);
  BOOST_TEST(BackoffAfter(4, 1.0).count() == 50'000);
  BOOST_TEST(BackoffAfter(500, 1.0).count() == 4'500'000);
}

BOOST_AUTO_TEST_CASE(any_text_of_an_exception_can_be_recorded) {
  Enqueue({.kind = "test.plain", .user = kAda});
  const Lease lease = Claim(1).at(0).held();
  std::string error = "bad \xff\xfe bytes, \xed\xa0\x80 a surrogate, and ";
  error.push_back('\0');
  error += std::string(10'000, 'x');
  BOOST_TEST(Store([&](JobStore& s) { return s.Fail(lease, error, 1s); }).has_value());
  BOOST_TEST(StorableText("Grüße\n\xe2\x82", 100) == "Grüße ??");
  BOOST_TEST(StorableText("aä", 2) == "a");
}

BOOST_AUTO_TEST_CASE(a_released_attempt_does_not_count) {
  Enqueue({.kind = "test.plain", .user = kAda});
  for (int i = 0; i < 20; ++i) {
    const auto claimed = Claim(1);
    BOOST_REQUIRE(claimed.size() == 1u);
    BOOST_TEST(claimed[0].job.attempt == 1);
    const Lease lease = claimed[0].held();
    BOOST_TEST(Store([&](JobStore& s) { return s.Release({&lease, 1}); }) == 1);
    Rescue();
  }
}

BOOST_AUTO_TEST_CASE(a_waiting_job_is_cancelled_at_once) {
  const JobId queued = Enqueue({.kind = "test.plain", .user = kAda});
  const JobId waiting = Enqueue({.kind = "test.plain", .user = kAda, .delay = 1h});
  BOOST_TEST(Store([&](JobStore& s) { return s.Cancel(queued); }) == "cancelled");
  BOOST_TEST(Store([&](JobStore& s) { return s.Cancel(waiting); }) == "cancelled");
  BOOST_TEST(Claim(5).empty());
  BOOST_TEST(CodeOf([&] { Store([&](JobStore& s) { return s.Cancel(queued); }); }) == "job_finished");
  BOOST_TEST(CodeOf([&] { Store([&](JobStore& s) { return s.Cancel(JobId{9}); }); }) == "no_such_job");
}

BOOST_AUTO_TEST_CASE(cancelling_a_running_job_reaches_its_worker_and_survives_its_death) {
  const JobId first = Enqueue({.kind = "test.plain", .user = kAda});
  const JobId second = Enqueue({.kind = "test.plain", .user = kBob});
  const auto claimed = Claim(2, {kPlain}, kDeadLease);
  BOOST_REQUIRE(claimed.size() == 2u);
  for (const JobId id : {first, second})
    BOOST_TEST(Store([&](JobStore& s) { return s.Cancel(id); }) == "running");
  const std::vector<Lease> leases{claimed[0].held(), claimed[1].held()};
  BOOST_TEST(Store([&](JobStore& s) { return s.Watch(leases); }).size() == 2u);
  BOOST_TEST(!Store([&](JobStore& s) { return s.FinishHere(leases[0]); }));
  BOOST_TEST(Store([&](JobStore& s) { return s.Release({&leases[0], 1}); }) == 1);
  // The other worker has died: its job must not run again either.
  Rescue();
  BOOST_TEST(State(first) == "cancelled");
  BOOST_TEST(State(second) == "cancelled");
}

BOOST_AUTO_TEST_CASE(retry_gives_a_dead_job_all_its_attempts) {
  const JobKind once{.name = "test.plain", .body = NoBody, .max_attempts = 1};
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda, .unique_key = "k"});
  const Lease lease = Claim(1, {once}).at(0).held();
  BOOST_TEST(CodeOf([&] { Store([&](JobStore& s) { s.Retry(id); }); }) == "job_not_retryable");
  Store([&](JobStore& s) { return s.Fail(lease, "x", 1s); });
  BOOST_TEST(State(id) == "dead");
  const JobId twin = Enqueue({.kind = "test.plain", .user = kAda, .unique_key = "k"});
  BOOST_TEST(CodeOf([&] { Store([&](JobStore& s) { s.Retry(id); }); }) == "job_exists");
  Store([&](JobStore& s) { return s.Cancel(twin); });
  Store([&](JobStore& s) { s.Retry(id); });
  Rescue();
  BOOST_TEST(Claim(1, {once}).at(0).job.attempt == 1);
  BOOST_TEST(CodeOf([&] { Store([&](JobStore& s) { s.Retry(JobId{99}); }); }) == "no_such_job");
}

BOOST_AUTO_TEST_CASE(progress_is_visible_in_the_table) {
  const JobId id = Enqueue({.kind = "test.plain", .user = kAda});
  const Lease lease = Claim(1).at(0).held();
  BOOST_TEST(Store([&](JobStore& s) {
               return s.SaveProgress(std::vector<JobProgress>{{lease, 3, 10, std::string(500, 'y')}});
             }) == 1);
  const auto row = Store([&](JobStore& s) { return s.Find(id); });
  BOOST_TEST(row->progress_done == 3);
  BOOST_TEST(row->progress_total == 10);
  BOOST_TEST(row->progress_message.size() == 200u);
}

BOOST_AUTO_TEST_CASE(finished_jobs_are_pruned_and_dead_ones_later) {
  const JobKind once{.name = "test.plain", .body = NoBody, .max_attempts = 1};
  for (int i = 0; i < 3; ++i) Enqueue({.kind = "test.plain", .user = kAda});
  const auto claimed = Claim(2, {once});
  Finish(claimed.at(0).held());
  Store([&](JobStore& s) { return s.Fail(claimed.at(1).held(), "x", 1s); });
  test.Run("UPDATE jobs SET finished_at = finished_at - interval '2 days'");
  BOOST_TEST(Store([](JobStore& s) { return s.Prune(24h, 720h, 100); }) == 1);
  BOOST_TEST(Store([](JobStore& s) { return s.Prune(24h, 24h, 100); }) == 1);
  BOOST_TEST(Store([](JobStore& s) { return s.Prune(0s, 0s, 100); }) == 0);
  BOOST_TEST(test.Value("SELECT state FROM jobs") == "queued");
}

BOOST_AUTO_TEST_CASE(lists_can_be_filtered) {
  Enqueue({.kind = "test.plain", .user = kAda});
  Enqueue({.kind = "test.other", .user = kBob});
  Claim(1);
  const auto count = [&](const JobFilter& filter) {
    return Store([&](JobStore& s) { return s.List(filter); }).size();
  };
  BOOST_TEST(count({}) == 2u);
  BOOST_TEST(count({.state = "running"}) == 1u);
  BOOST_TEST(count({.kind = "test.other"}) == 1u);
  BOOST_TEST(count({.user = kAda}) == 1u);
  BOOST_TEST(count({.limit = 1}) == 1u);
  BOOST_TEST(Store([](JobStore& s) { return s.Count(); }).size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(cron, Fixture)

BOOST_AUTO_TEST_CASE(a_tick_has_one_job_for_any_number_of_workers) {
  const JobKind hourly{.name = "test.hourly", .body = NoBody, .every = 876'000h};
  std::atomic<int> taken = 0;
  AtOnce(*this, 10, [&](sql::Database& own, int) {
    taken += own.Write([&](sql::Tx& tx) { return JobStore(tx).TakeTick(hourly); }) ? 1 : 0;
  });
  BOOST_TEST(taken == 1);
  BOOST_TEST(test.Value("SELECT count(*) FROM jobs") == "1");
}

BOOST_AUTO_TEST_CASE(missed_ticks_run_once_and_a_slow_run_is_not_duplicated) {
  const JobKind hourly{.name = "test.hourly", .body = NoBody, .every = 1h};
  BOOST_TEST(Store([&](JobStore& s) { return s.TakeTick(hourly); }));
  Finish(Claim(1, {hourly}).at(0).held());
  test.Run("UPDATE job_ticks SET tick_at = tick_at - interval '50 hours'");
  BOOST_TEST(Store([&](JobStore& s) { return s.TakeTick(hourly); }));
  BOOST_TEST(!Store([&](JobStore& s) { return s.TakeTick(hourly); }));
  BOOST_TEST(Claim(5, {hourly}).size() == 1u);
  // The next tick comes while that job is still running.
  test.Run("UPDATE job_ticks SET tick_at = tick_at - interval '1 hour'");
  BOOST_TEST(Store([&](JobStore& s) { return s.TakeTick(hourly); }));
  BOOST_TEST(Claim(5, {hourly}).empty());
}

BOOST_AUTO_TEST_CASE(a_daily_tick_is_taken_in_its_hour_or_after_two_missed_days) {
  const JobKind daily{.name = "test.daily", .body = NoBody, .is_daily = true};
  const auto now = std::chrono::system_clock::now();
  const auto take = [&](sql::Time tick) {
    return Store([&](JobStore& s) { return s.TakeDailyTick(daily, tick); });
  };
  BOOST_TEST(take(now - 24h));
  BOOST_TEST(!take(now - 24h));
  BOOST_TEST(!take(now - 70min));  // missed: not at another hour
  BOOST_TEST(take(now - 50min));
  BOOST_TEST(!take(now - 50min));
  test.Run("UPDATE job_ticks SET tick_at = tick_at - interval '50 hours'");
  BOOST_TEST(take(now - 70min));
}

BOOST_AUTO_TEST_SUITE_END()
