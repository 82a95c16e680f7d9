// fcgi/authorization: what the authorizer answers, and what a process makes of it later.
#include "fcgi/authorization.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

using namespace syncline;
using namespace syncline::front;
using namespace std::chrono_literals;

namespace {

Request With(std::vector<std::pair<std::string, std::string>> headers) {
  Request request;
  request.headers = std::move(headers);
  return request;
}

Request From(const std::string& user, const std::string& device, const std::string& roles,
             const std::string& seconds) {
  return With({{"syncline-user", user},
               {"syncline-device", device},
               {"syncline-roles", roles},
               {"syncline-seconds", seconds}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_admission_arrives_as_it_was_sent) {
  const Response response =
      Admission(With({{"syncline-authorize", "on"}}), Identity{UserId{7}, DeviceId{8}, Roles::kAdmin});
  BOOST_TEST(response.status == 204);
  BOOST_REQUIRE(response.headers.size() == 3);
  const auto identity = AdmittedAs(
      From(response.headers[0].second, response.headers[1].second, response.headers[2].second, "0.001"), 0ms);
  BOOST_REQUIRE(identity.has_value());
  BOOST_TEST((identity->user == UserId{7} && identity->device == DeviceId{8}));
  BOOST_TEST((identity->roles == Roles::kAdmin));
}

BOOST_AUTO_TEST_CASE(an_answer_that_may_be_kept_names_nobody) {
  const Response response =
      Admission(With({{"syncline-authorize", "unnamed"}}), Identity{UserId{7}, DeviceId{8}});
  BOOST_TEST(response.status == 204);
  BOOST_TEST(response.headers.empty());
}

BOOST_AUTO_TEST_CASE(an_identity_is_trusted_for_a_short_time_only) {
  BOOST_TEST(AdmittedAs(From("7", "8", "0", "0.000"), 0ms).has_value());
  BOOST_TEST(AdmittedAs(From("7", "8", "0", "0.250"), 0ms).has_value());
  BOOST_TEST(AdmittedAs(From("7", "8", "0", "0.100"), 150ms).has_value());
  BOOST_TEST(!AdmittedAs(From("7", "8", "0", "0.100"), 250ms).has_value());  // parked meanwhile
  for (const char* seconds : {"0.301", "1", "600.000", "-", "", "nan", "inf"}) {
    BOOST_TEST(!AdmittedAs(From("7", "8", "0", seconds), 0ms).has_value(), seconds);
  }
}

BOOST_AUTO_TEST_CASE(an_incomplete_identity_is_none) {
  BOOST_TEST(!AdmittedAs(Request{}, 0ms).has_value());
  BOOST_TEST(!AdmittedAs(With({{"syncline-user", "7"}, {"syncline-seconds", "0"}}), 0ms).has_value());
  for (const char* user : {"", "0", "-7", "7x", " 7", "99999999999999999999"}) {
    BOOST_TEST(!AdmittedAs(From(user, "8", "0", "0"), 0ms).has_value(), user);
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_arrives_as_it_was_sent) {
  const auto arrived = [](const Error& error) {
    return *RefusalOf(With({{"syncline-refusal", RefusalText(error)}}));
  };
  for (const Error& error :
       {Unauthenticated("bad_key", "private"), BadInput("bad_envelope"), TooLarge("body_too_large"),
        Error(ErrorKind::kTooMany, "too_many_logins").RetryAfter(std::chrono::seconds(60)),
        Busy("database_unavailable", "private")}) {
    const Error copy = arrived(error);
    BOOST_TEST((copy.kind() == error.kind() && copy.code() == error.code()), error.code());
    BOOST_TEST((copy.retry_after() == error.retry_after()), error.code());
    BOOST_TEST(std::string(copy.what()).find("private") == std::string::npos);
  }
  BOOST_TEST(!RefusalOf(Request{}).has_value());
}

BOOST_AUTO_TEST_CASE(a_malformed_refusal_is_an_outage) {
  for (const char* text : {"", "403", "403 ", "403 x", "x y 0", "403 x y", "403  0"}) {
    const auto refusal = RefusalOf(With({{"syncline-refusal", text}}));
    BOOST_REQUIRE(refusal.has_value());
    BOOST_TEST((refusal->kind() == ErrorKind::kBusy), text);
  }
}
