// E-mail addresses as people type them.
#include <boost/test/unit_test.hpp>
#include <string>
#include <variant>

#include "handlers/account/login/email_wire.h"

using namespace syncline::account;

namespace {

// The address, or "" if it is refused.
std::string Normal(const std::string& typed) {
  const auto email = NormalEmail(typed);
  const auto* address = std::get_if<std::string>(&email);
  return address == nullptr ? "" : *address;
}

}  // namespace

BOOST_AUTO_TEST_CASE(only_the_domain_is_lowered) {
  BOOST_TEST(Normal("Ann@Example.COM") == "Ann@example.com");
  BOOST_TEST(Normal("  ann@example.com\t") == "ann@example.com");
  BOOST_TEST(Normal("a+tag@example.com") == "a+tag@example.com");
}

BOOST_AUTO_TEST_CASE(the_name_of_a_person_is_left_out) {
  BOOST_TEST(Normal("Bob <bob@example.com>") == "bob@example.com");
  BOOST_TEST(Normal("Bob <bob@example.com") == "");
  BOOST_TEST(Normal("<>") == "");
}

BOOST_AUTO_TEST_CASE(both_spellings_of_an_international_domain_are_one) {
  BOOST_TEST(Normal("a@xn--bcher-kva.example") == "a@bücher.example");
  BOOST_TEST(Normal("a@BÜCHER.example") == "a@bücher.example");
  BOOST_TEST(Normal("a@bu\u0308cher.example") == "a@bücher.example");
  BOOST_TEST(Normal("почта@пример.рф") == "почта@пример.рф");
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_refused) {
  for (const char* typed : {"",
                            "ann",
                            "@",
                            "@example.com",
                            "ann@",
                            "ann@example",
                            "ann@.com",
                            "ann@example.",
                            "ann@exa..mple.com",
                            "a..b@example.com",
                            ".a@example.com",
                            "a.@example.com",
                            "a@b@example.com",
                            "\"a b\"@example.com",
                            "a b@example.com",
                            "ann@[127.0.0.1]",
                            "ann@exam ple.com",
                            "ann@-x.com",
                            "ann@x-.com",
                            "ann@ex_ample.com",
                            "a\x01@example.com",
                            "a\xff@example.com",
                            "a\u200b@example.com",
                            "a,b@example.com",
                            "a:b@example.com"})
    BOOST_TEST(Normal(typed) == "", typed);
  BOOST_TEST(Normal(std::string("a\0@example.com", 14)) == "");
}

BOOST_AUTO_TEST_CASE(reserved_domains_are_refused) {
  for (const char* domain : {"x.test", "x.local", "x.LOCALHOST", "x.invalid", "x.onion", "in-addr.arpa"})
    BOOST_TEST(Normal(std::string("a@") + domain) == "", domain);
}

BOOST_AUTO_TEST_CASE(an_address_has_a_greatest_length) {
  const std::string domain = "@example.com";
  BOOST_TEST(Normal(std::string(kMaxEmailBytes - domain.size(), 'a') + domain) != "");
  BOOST_TEST(Normal(std::string(kMaxEmailBytes - domain.size() + 1, 'a') + domain) == "");
  BOOST_TEST(Normal("a@" + std::string(64, 'b') + ".com") == "");
  BOOST_TEST(Normal(std::string(100'000, '<') + "a@example.com>") == "");
}
