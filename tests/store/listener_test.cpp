// A notification wakes the waiting thread, also after the connection was lost.
#include "sql/listener.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "tests/support/test_database.h"

using namespace syncline;
using namespace std::chrono_literals;
using tests::TestDatabase;

namespace {

constexpr auto kLong = 10s;
constexpr auto kShort = 50ms;

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Listener listener{test.settings(), "promises"};

  std::chrono::steady_clock::duration Wait(std::chrono::milliseconds timeout, int wake_fd = -1) {
    const auto begin = std::chrono::steady_clock::now();
    listener.Wait(timeout, wake_fd);
    return std::chrono::steady_clock::now() - begin;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listener, Fixture)

BOOST_AUTO_TEST_CASE(a_notification_ends_one_wait) {
  BOOST_TEST((Wait(kShort) >= kShort));  // connects
  test.Run("NOTIFY promises; NOTIFY others");
  BOOST_TEST((Wait(kLong) < kLong / 2));
  BOOST_TEST((Wait(kShort) >= kShort));
}

BOOST_AUTO_TEST_CASE(a_readable_descriptor_ends_the_wait) {
  const int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  BOOST_TEST((Wait(kLong, fd) < kLong / 2));
  close(fd);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_is_reopened) {
  Wait(kShort);
  test.Run(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
      " AND application_name LIKE '%-listen'");
  for (int i = 0; i < 3; ++i) Wait(kShort);  // reads the pending input, notices the loss, reconnects
  test.Run("NOTIFY promises");
  BOOST_TEST((Wait(kLong) < kLong / 2));
}

BOOST_AUTO_TEST_SUITE_END()
