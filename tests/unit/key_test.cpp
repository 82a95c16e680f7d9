// The text of keys and names: one spelling, nothing that needs quoting, and only our own keys are accepted.
#include <boost/test/unit_test.hpp>
#include <limits>
#include <set>
#include <string>

#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/login_failure_store.h"
#include "handlers/account/login/name_wire.h"

using namespace syncline;
using namespace syncline::account;

namespace {
const std::string kRandom(43, 'A');
}

BOOST_AUTO_TEST_CASE(a_key_contains_its_user_and_hash) {
  for (const std::int64_t id : {std::int64_t{1}, std::int64_t{35}, std::int64_t{36}, std::int64_t{1'000'000},
                                std::numeric_limits<std::int64_t>::max()}) {
    const NewKey key = MakeKey(UserId{id});
    const auto parsed = ParseKey(key.text);
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(static_cast<std::int64_t>(parsed->user) == id);
    BOOST_TEST((parsed->hash == key.hash));
    BOOST_TEST(key.hash.size() == 32u);
  }
}

BOOST_AUTO_TEST_CASE(a_key_is_short_and_needs_no_quoting) {
  const NewKey key = MakeKey(UserId{std::numeric_limits<std::int64_t>::max()});
  BOOST_TEST(key.text.size() <= 57u);
  for (const char c : key.text) {
    BOOST_TEST((std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.'));
  }
}

BOOST_AUTO_TEST_CASE(keys_are_unique) {
  std::set<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.insert(MakeKey(UserId{7}).text);
  BOOST_TEST(keys.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(foreign_keys_are_refused_without_the_database) {
  BOOST_TEST(ParseKey("1." + kRandom).has_value());
  for (const std::string& text : {
           std::string(),
           std::string("."),
           std::string("1."),
           "." + kRandom,
           kRandom,
           "1." + kRandom + "A",
           "1." + kRandom.substr(1),
           "0." + kRandom,
           "-1." + kRandom,
           "01." + kRandom,
           "A." + kRandom,
           " 1." + kRandom,
           "1." + kRandom + "\n",
           "1.." + kRandom.substr(1),
           "1." + kRandom.substr(1) + "=",
           "1." + kRandom.substr(1) + "+",
           "1." + kRandom.substr(1) + '\0',
           "1y2p0ij32e8e8." + kRandom,
           "zzzzzzzzzzzzzz." + kRandom,
           std::string(100'000, '1'),
           std::string("b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d"),  // a key of the reference server
       }) {
    BOOST_TEST_CONTEXT(text.substr(0, 80)) {
      BOOST_TEST(!ParseKey(text).has_value());
    }
  }
  BOOST_TEST(ParseKey("1y2p0ij32e8e7." + kRandom).has_value());  // 2^63 - 1
}

BOOST_AUTO_TEST_CASE(composed_and_decomposed_letters_make_one_name) {
  BOOST_TEST(NormalName("J\xc3\xb6rg").value() == "J\xc3\xb6rg");
  BOOST_TEST(NormalName("Jo\xcc\x88rg").value() == "J\xc3\xb6rg");
  BOOST_TEST(FoldedName("JO\xcc\x88RG") == FoldedName("j\xc3\xb6rg"));
}

BOOST_AUTO_TEST_CASE(composed_and_decomposed_letters_make_one_password_and_nothing_else_is_changed) {
  BOOST_TEST(NormalPassword("Jo\xcc\x88rg") == "J\xc3\xb6rg");
  BOOST_TEST(NormalPassword("J\xc3\xb6rg") == "J\xc3\xb6rg");
  BOOST_TEST(NormalPassword("a\xc2\xa0"
                            "b\xe3\x80\x80"
                            "c d") == "a b c d");
  // Neither trimmed nor folded, and no compatibility form: full width stays what it is.
  for (const std::string& kept :
       {std::string(), std::string("  Ann "), std::string("a\0b\n\t", 5), std::string("\xef\xbc\xa1"),
        std::string("\xff\xfe"), std::string("Jo\xcc\x88\xff"), std::string(5000, 'x')}) {
    BOOST_TEST(NormalPassword(kept) == kept);
  }
}

BOOST_AUTO_TEST_CASE(invalid_account_names_are_refused) {
  std::string long_name(254, 'a');
  BOOST_TEST(NormalName(long_name).has_value());
  BOOST_TEST(!NormalName(long_name + "a").has_value());
  for (const std::string& name :
       {std::string(), std::string(" ann"), std::string("ann "), std::string("a:b"), std::string("a\0b", 3),
        std::string("a\nb"), std::string("\xff"), std::string("\xed\xa0\x80"), std::string(1'000'000, 'a')}) {
    BOOST_TEST(!NormalName(name).has_value());
  }
  BOOST_TEST(NormalName("ann bell@example.org").has_value());
}

BOOST_AUTO_TEST_CASE(new_names_have_no_invisible_characters_but_old_ones_still_log_in) {
  for (const char* hidden : {"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8b", "\xe2\x80\x8d", "\xef\xbb\xbf",
                             "\xe2\x80\x8f", "\xc2\xad", "\xe2\x80\xa8"}) {
    const std::string name = std::string("ann") + hidden + "a";
    BOOST_TEST(NormalName(name).has_value());
    BOOST_TEST(!NewName(name).has_value());
    BOOST_TEST(ShortText(name, 10) == "anna");
  }
  BOOST_TEST(NewName("J\xc3\xb6rg \xd7\x90\xd7\x91").value() == "J\xc3\xb6rg \xd7\x90\xd7\x91");
  BOOST_TEST(!NewName("a:b").has_value());
}

BOOST_AUTO_TEST_CASE(device_names_are_cut_between_characters) {
  BOOST_TEST(ShortText("\xc3\xb6\xc3\xb6\xc3\xb6", 2) == "\xc3\xb6\xc3\xb6");
  BOOST_TEST(ShortText("a\nb\x7f", 10) == "ab");
  BOOST_TEST(ShortText("a\xff", 10) == "");
}

BOOST_AUTO_TEST_CASE(delays_begin_after_some_failures_and_grow_to_a_cap) {
  BOOST_TEST(PairDelay(0).count() == 0);
  BOOST_TEST(PairDelay(9).count() == 0);
  BOOST_TEST(PairDelay(10).count() == 1);
  BOOST_TEST(PairDelay(13).count() == 8);
  BOOST_TEST(PairDelay(1000).count() == 300);
  BOOST_TEST(AddressDelay(49).count() == 0);
  BOOST_TEST(AddressDelay(50).count() == 1);
  BOOST_TEST(AddressDelay(1000).count() == 60);
}

BOOST_AUTO_TEST_CASE(an_ipv6_client_is_counted_by_its_network) {
  const auto address = [](const char* text) { return SubjectsOf("ann", text).address; };
  BOOST_TEST((address("2001:db8:1:2::1") == address("2001:db8:1:2:ffff::9")));
  BOOST_TEST((address("2001:db8:1:2::1") != address("2001:db8:1:3::1")));
  BOOST_TEST((address("::ffff:192.0.2.1") == address("192.0.2.1")));
  BOOST_TEST((address("192.0.2.1") != address("192.0.2.2")));
  BOOST_TEST((SubjectsOf("ann", "192.0.2.1").pair != SubjectsOf("bob", "192.0.2.1").pair));
}
