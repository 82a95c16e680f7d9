// Access and refresh tokens as text.
#include <sodium.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/account/tokens/token_wire.h"
#include "handlers/base/errors.h"

using namespace syncline;
using namespace syncline::account;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

const sys_seconds kNow{seconds(1'772'000'000)};
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

TokenKey KeyOf(char fill) {
  const std::string seed(TokenKey::kSeedBytes, fill);
  return {TokenKey::KidOf(seed), seed};
}

std::string Encoded(const std::string& text) {
  std::string out(sodium_base64_encoded_len(text.size(), kVariant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                    kVariant);
  out.pop_back();
  return out;
}

// A token that is signed correctly, whatever it says.
std::string Signed(const TokenKey& key, const std::string& header, const std::string& payload) {
  std::string token = Encoded(header) + "." + Encoded(payload);
  return token + "." + Encoded(key.Sign(token));
}

std::string HeaderOf(const TokenKey& key, const std::string& more = "") {
  return R"({"alg":"EdDSA","typ":"JWT","kid":")" + key.kid() + "\"" + more + "}";
}

const std::string kPayload =
    R"({"sub":"42","jti":"5d0f7c1e","type":"access","iat":1772000000,"exp":1772000900,"sid":"7"})";

std::string Without(const std::string& member) {
  std::string text = kPayload;
  const auto at = text.find("\"" + member + "\":");
  const auto end = text.find_first_of(",}", at);
  text.erase(at, text[end] == ',' ? end + 1 - at : end - at);
  if (const auto comma = text.find(",}"); comma != text.npos) text.erase(comma, 1);
  return text;
}

std::string With(const std::string& from, const std::string& to) {
  std::string text = kPayload;
  return text.replace(text.find(from), from.size(), to);
}

// The code of the refusal; "" if it is accepted.
std::string Refusal(const std::string& token, const std::vector<TokenKey>& keys) {
  try {
    ReadToken(token, keys, kNow);
    return "";
  } catch (const Error& error) {
    BOOST_TEST(static_cast<int>(error.kind()) == static_cast<int>(ErrorKind::kUnauthenticated));
    return error.code();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_token_says_what_it_was_made_of) {
  const TokenKey key = KeyOf('a');
  const Claims made{UserId{42}, DeviceId{7}, NewTokenId(), TokenType::kRefresh, kNow, kNow + seconds(900)};
  const Claims read = ReadToken(MakeToken(made, key), std::vector{KeyOf('b'), key}, kNow);
  BOOST_TEST((read.user == made.user && read.session == made.session && read.type == made.type));
  BOOST_TEST(read.id == made.id);
  BOOST_TEST((read.issued_at == made.issued_at && read.expires_at == made.expires_at));
}

BOOST_AUTO_TEST_CASE(a_token_is_accepted_only_with_a_key_of_the_ring) {
  const TokenKey key = KeyOf('a');
  const std::string token = Signed(key, HeaderOf(key), kPayload);
  BOOST_TEST(Refusal(token, {key}) == "");
  BOOST_TEST(Refusal(token, {KeyOf('b')}) == "bad_token");
  BOOST_TEST(Refusal(token, {}) == "bad_token");
  // Signed by another key that calls itself the same.
  BOOST_TEST(Refusal(token, {TokenKey(key.kid(), std::string(TokenKey::kSeedBytes, 'b'))}) == "bad_token");
}

BOOST_AUTO_TEST_CASE(another_algorithm_is_refused_even_if_the_signature_is_ours) {
  const TokenKey key = KeyOf('a');
  for (const char* algorithm : {"none", "None", "HS256", "ES256", "eddsa", "Ed25519", ""}) {
    const std::string header = std::string(R"({"alg":")") + algorithm + R"(","kid":")" + key.kid() + "\"}";
    BOOST_TEST(Refusal(Signed(key, header, kPayload), {key}) == "bad_token", algorithm);
  }
  BOOST_TEST(Refusal(Signed(key, R"({"kid":")" + key.kid() + "\"}", kPayload), {key}) == "bad_token");
  BOOST_TEST(Refusal(Signed(key, HeaderOf(key, R"(,"crit":["exp"])"), kPayload), {key}) == "bad_token");
  BOOST_TEST(Refusal(Signed(key, HeaderOf(key, R"(,"alg":"EdDSA")"), kPayload), {key}) == "bad_token");
}

BOOST_AUTO_TEST_CASE(every_claim_is_required) {
  const TokenKey key = KeyOf('a');
  for (const char* claim : {"sub", "jti", "iat", "exp", "sid"})
    BOOST_TEST(Refusal(Signed(key, HeaderOf(key), Without(claim)), {key}) == "bad_token", claim);
  BOOST_TEST(Refusal(Signed(key, HeaderOf(key), Without("type")), {key}) == "bad_token_type");
}

BOOST_AUTO_TEST_CASE(malformed_claims_are_refused) {
  const TokenKey key = KeyOf('a');
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"42\"", "\"abc\""},
      {"\"42\"", "42"},
      {"\"42\"", "\"042\""},
      {"\"42\"", "\"-42\""},
      {"\"42\"", "\"\""},
      {"\"42\"", "\"99999999999999999999\""},
      {"\"7\"", "\"0\""},
      {"1772000900", "1e300"},
      {"1772000900", "-1"},
      {"1772000900", "\"1772000900\""},
      {"1772000900", "null"},
      {"1772000000", "1772000031"},
      {"\"5d0f7c1e\"", "\"\""},
      {"\"5d0f7c1e\"", "5"},
      {"{\"sub\"", "{\"exp\":1,\"sub\""},
  };
  for (const auto& [from, to] : changes)
    BOOST_TEST(Refusal(Signed(key, HeaderOf(key), With(from, to)), {key}) == "bad_token", from + " " + to);
  BOOST_TEST(Refusal(Signed(key, HeaderOf(key), "[]"), {key}) == "bad_token");
  BOOST_TEST(Refusal(Signed(key, HeaderOf(key), "{"), {key}) == "bad_token");
}

BOOST_AUTO_TEST_CASE(a_clock_may_be_half_a_minute_ahead) {
  const TokenKey key = KeyOf('a');
  BOOST_TEST(Refusal(Signed(key, HeaderOf(key), With("1772000000", "1772000030")), {key}) == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_token_is_refused) {
  const TokenKey key = KeyOf('a');
  const std::string token = Signed(key, HeaderOf(key), kPayload);
  for (std::size_t size = 0; size < token.size(); ++size)
    BOOST_TEST(Refusal(token.substr(0, size), {key}) == "bad_token", size);
  for (const std::string& text :
       {std::string("."), std::string(".."), std::string("..."), token + ".", "." + token, token + "=",
        " " + token, std::string(5000, 'a'), std::string(3, '\0')})
    BOOST_TEST(Refusal(text, {key}) == "bad_token", text);
}

BOOST_AUTO_TEST_CASE(a_token_expires_at_its_second_and_is_of_one_type) {
  const Claims claims{UserId{1}, DeviceId{1}, "x", TokenType::kAccess, kNow, kNow + seconds(900)};
  BOOST_CHECK_NO_THROW(RequireToken(claims, TokenType::kAccess, kNow + seconds(899)));
  const auto refusal = [&](TokenType type, sys_seconds now) {
    try {
      RequireToken(claims, type, now);
    } catch (const Error& error) {
      return error.code();
    }
    return std::string();
  };
  BOOST_TEST(refusal(TokenType::kAccess, kNow + seconds(900)) == "token_expired");
  BOOST_TEST(refusal(TokenType::kRefresh, kNow) == "bad_token_type");
}
