// handlers/base/network: which addresses an outgoing connection may lead to.
#include "handlers/base/network.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/inputs.h"

using namespace syncline;

namespace {

bool IsPublicText(const char* text) {
  const auto address = ParseAddress(text);
  BOOST_REQUIRE_MESSAGE(address, text);
  return IsPublic(*address);
}

}  // namespace

BOOST_AUTO_TEST_CASE(public_addresses_are_allowed) {
  for (const char* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255", "2606:4700::1111",
        "2a00::", "[2a00:1450::1]", "::ffff:1.1.1.1"})
    BOOST_TEST(IsPublicText(text), text);
}

BOOST_AUTO_TEST_CASE(addresses_of_this_machine_and_its_networks_are_refused_in_every_spelling) {
  for (const char* text :
       {"0.0.0.0",      "0.1.2.3",     "10.0.0.1",         "10.255.255.255",  "100.64.0.1",
        "127.0.0.1",    "127.255.0.1", "169.254.169.254",  "172.16.0.1",      "172.31.255.255",
        "192.0.0.1",    "192.0.2.1",   "192.168.1.1",      "198.18.0.1",      "198.19.255.1",
        "203.0.113.9",  "224.0.0.1",   "239.1.1.1",        "240.0.0.1",       "255.255.255.255",
        "::",           "::1",         "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1",
        "::127.0.0.1",  "fe80::1",     "fec0::1",          "fc00::1",         "fd12:3456::1",
        "ff02::1",      "2001::1",     "2001:db8::1",      "2002:7f00:1::",   "64:ff9b::7f00:1",
        "64:ff9b:1::1", "100::1",      "3fff::1",          "5f00::1",         "2002:a00:1::1"})
    BOOST_TEST(!IsPublicText(text), text);
}

BOOST_AUTO_TEST_CASE(only_exact_spellings_are_addresses) {
  for (const char* text : {"", "localhost", "127.1", "2130706433", "0x7f000001", "127.0.0.1 ", "0177.0.0.1",
                           "1.2.3", "[1.2.3.4]", "[::1", "fe80::1%eth0", "1.2.3.4.5", "::ffff:1.2.3"})
    BOOST_TEST(!ParseAddress(text), text);
}

BOOST_AUTO_TEST_CASE(named_networks_are_allowed_and_nothing_beside_them) {
  const AllowedNetworks networks(" 10.1.0.0/16,127.0.0.1 , fd00:1::/32");
  const auto allows = [&](const char* text) { return networks.Allows(*ParseAddress(text)); };
  for (const char* text :
       {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "127.0.0.1", "fd00:1:2::1", "1.1.1.1"})
    BOOST_TEST(allows(text), text);
  for (const char* text : {"10.0.255.255", "10.2.0.0", "127.0.0.2", "fd00:2::1", "::1"})
    BOOST_TEST(!allows(text), text);
  BOOST_TEST(AllowedNetworks("0.0.0.0/0").Allows(*ParseAddress("127.0.0.1")));
  BOOST_TEST(!AllowedNetworks("0.0.0.0/0").Allows(*ParseAddress("::1")));
  BOOST_TEST(AllowedNetworks("10.128.0.0/9").Allows(*ParseAddress("10.200.0.1")));
  BOOST_TEST(!AllowedNetworks("10.128.0.0/9").Allows(*ParseAddress("10.127.0.1")));
  BOOST_TEST(!AllowedNetworks("").Allows(*ParseAddress("10.0.0.1")));
}

BOOST_AUTO_TEST_CASE(a_misspelt_network_is_noticed) {
  for (const char* list : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8", "localhost",
                           ",", "::1/129", "10.0.0.0/8 fd00::/8", "10.0.0.0/8,,"})
    BOOST_TEST(tests::CodeOf([&] { AllowedNetworks networks(list); }) == "internal", list);
}
