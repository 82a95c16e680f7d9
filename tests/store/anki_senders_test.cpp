// Which networks may send large forms (handlers/anki/sender_store.h).
#include "handlers/anki/sender_store.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/base/context.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anki;
using tests::TestDatabase;

namespace {

struct Senders {
  Senders() { db.Empty("anki_senders"); }
  void Remember(const std::string& address) {
    context.Write<SenderStore>([&](SenderStore& senders) { senders.Remember(address); });
  }
  bool Knows(const std::string& address) {
    return context.ReadOnce<SenderStore>([&](SenderStore& senders) { return senders.Knows(address); });
  }
  void Sweep() {
    context.Write<SenderStore>([](SenderStore& senders) { senders.Sweep(); });
  }
  void Pass(const std::string& interval) {
    db.Run("UPDATE anki_senders SET seen_at = seen_at - interval '" + interval + "'");
  }

  TestDatabase& db = TestDatabase::Instance();
  Config config = db.config();
  sql::Database database{db.settings()};
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_network_is_known_for_an_hour_after_its_last_key) {
  Senders senders;
  BOOST_TEST(!senders.Knows("192.0.2.1"));
  senders.Remember("192.0.2.1");
  BOOST_TEST(senders.Knows("192.0.2.1"));
  senders.Pass("59 minutes");
  BOOST_TEST(senders.Knows("192.0.2.1"));
  senders.Remember("192.0.2.1");
  senders.Pass("59 minutes");
  BOOST_TEST(senders.Knows("192.0.2.1"));
  senders.Pass("2 minutes");
  BOOST_TEST(!senders.Knows("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(a_network_is_an_address_or_the_64_of_an_ipv6_address) {
  Senders senders;
  senders.Remember("192.0.2.1");
  senders.Remember("2001:db8:1:2::1");
  BOOST_TEST(!senders.Knows("192.0.2.2"));
  BOOST_TEST(senders.Knows("2001:db8:1:2:ffff::9"));
  BOOST_TEST(!senders.Knows("2001:db8:1:3::1"));
}

BOOST_AUTO_TEST_CASE(a_sync_of_many_messages_writes_once) {
  Senders senders;
  const auto version = [&] { return senders.db.Run("SELECT xmin::text FROM anki_senders")[0][0]; };
  senders.Remember("192.0.2.1");
  const std::string first = version();
  senders.Remember("192.0.2.1");
  BOOST_TEST(version() == first);
  senders.Pass("6 minutes");
  const std::string moved = version();
  senders.Remember("192.0.2.1");
  BOOST_TEST(version() != moved);
}

BOOST_AUTO_TEST_CASE(the_sweep_forgets_what_is_no_longer_known) {
  Senders senders;
  senders.Remember("192.0.2.1");
  senders.Pass("61 minutes");
  senders.Remember("192.0.2.2");
  senders.Sweep();
  BOOST_TEST(senders.db.Run("SELECT count(*) FROM anki_senders")[0][0] == "1");
  BOOST_TEST(senders.Knows("192.0.2.2"));
}
