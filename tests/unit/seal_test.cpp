// handlers/base/seal.
#include "handlers/base/seal.h"
#include "handlers/base/sha256.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "handlers/base/errors.h"

using namespace syncline;
using namespace std::chrono_literals;

namespace {

const std::string kOld(32, 'a'), kNew(64, 'b');
const std::chrono::system_clock::time_point kNow{1'700'000'000s};

std::string WhyNot(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    BOOST_TEST((error.kind() == ErrorKind::kInternal));
    return error.what();
  }
  return "";
}

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

struct Folder {
  Folder() {
    char name[] = "/tmp/syncline-seal-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string Write(const std::string& text, mode_t mode) const {
    const std::string file = path + "/secret";
    std::ofstream(file) << text;
    chmod(file.c_str(), mode);
    return file;
  }
  std::string path;
};

// Tries every change of one byte and every shorter text.
template <typename Accepts>
void NothingElseIsAccepted(const std::string& made, Accepts accepts) {
  BOOST_TEST(accepts(made));
  for (std::size_t i = 0; i < made.size(); ++i) {
    std::string changed = made;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    BOOST_TEST(!accepts(changed), i);
    BOOST_TEST(!accepts(made.substr(0, i)), i);
  }
  BOOST_TEST(!accepts(made + made));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_signature_is_hmac_with_a_key_from_hkdf) {
  BOOST_TEST(Hex(Secret::FromText(kOld).Sign("test.purpose", "message")) ==
             "0ec7eac5f82de42a24136e5ecab9dbd95fee9bca0e60962fdb559ab53d1654d4");
}

BOOST_AUTO_TEST_CASE(a_signature_is_valid_for_one_text_one_purpose_and_one_secret) {
  const Secret secret = Secret::FromText(kOld);
  const std::string signature = secret.Sign("p", "text");
  NothingElseIsAccepted(signature,
                        [&](const std::string& other) { return secret.Verify("p", "text", other); });
  BOOST_TEST(!secret.Verify("q", "text", signature));
  BOOST_TEST(!secret.Verify("p", "texts", signature));
  BOOST_TEST(!Secret::FromText(kNew).Verify("p", "text", signature));
}

BOOST_AUTO_TEST_CASE(a_token_is_safe_in_urls_and_expires) {
  const Secret secret = Secret::FromText(kOld);
  const std::string payload("a\0\xff/", 4);
  const std::string token = secret.MakeToken("p", payload, kNow + 60s);
  BOOST_TEST(token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string::npos);
  BOOST_TEST((secret.ReadToken("p", token, kNow) == payload));
  BOOST_TEST(secret.ReadToken("p", token, kNow + 59s).has_value());
  BOOST_TEST(!secret.ReadToken("p", token, kNow + 60s).has_value());
  BOOST_TEST(!secret.ReadToken("q", token, kNow).has_value());
  NothingElseIsAccepted(
      token, [&](const std::string& other) { return secret.ReadToken("p", other, kNow).has_value(); });
  for (const char* none : {"", "=", "a", "!!!!", "AAAA"})
    BOOST_TEST(!secret.ReadToken("p", none, kNow).has_value());
}

BOOST_AUTO_TEST_CASE(a_sealed_text_opens_only_for_the_same_purpose_and_row) {
  const Secret secret = Secret::FromText(kOld);
  for (const std::string& plain : {std::string(), std::string("a\0b", 3), std::string(100'000, 'x')}) {
    const std::string sealed = secret.Seal("p", plain, "row 1");
    BOOST_TEST(sealed.size() == plain.size() + Secret::kSealOverhead);
    BOOST_TEST((secret.Open("p", sealed, "row 1") == plain));
    BOOST_TEST(!secret.Open("q", sealed, "row 1").has_value());
    BOOST_TEST(!secret.Open("p", sealed, "row 2").has_value());
    BOOST_TEST(!Secret::FromText(kNew).Open("p", sealed, "row 1").has_value());
    BOOST_TEST((sealed != secret.Seal("p", plain, "row 1")));
  }
  NothingElseIsAccepted(secret.Seal("p", "plain", ""),
                        [&](const std::string& other) { return secret.Open("p", other, "").has_value(); });
}

BOOST_AUTO_TEST_CASE(a_new_first_line_keeps_texts_of_the_old_secret_valid) {
  const Secret old = Secret::FromText(kOld + "\n"), both = Secret::FromText(kNew + "\n" + kOld + "\n");
  BOOST_TEST(both.Verify("p", "x", old.Sign("p", "x")));
  BOOST_TEST(both.Open("p", old.Seal("p", "x", ""), "").has_value());
  BOOST_TEST(both.ReadToken("p", old.MakeToken("p", "x", kNow + 1s), kNow).has_value());
  BOOST_TEST(!old.Verify("p", "x", both.Sign("p", "x")));
  BOOST_TEST(!old.Open("p", both.Seal("p", "x", ""), "").has_value());
}

BOOST_AUTO_TEST_CASE(an_invalid_secret_is_refused_with_a_reason) {
  BOOST_TEST(Contains(WhyNot([] { Secret::FromText(""); }), "is empty"));
  for (const std::string& bad :
       {std::string(31, 'a'), kOld + "\n\n" + kNew, kOld + "\n" + std::string(31, 'b'),
        std::string(31, 'a') + " ", std::string(32, '\xff'), std::string(32, '\0')})
    BOOST_TEST(Contains(WhyNot([&] { Secret::FromText(bad); }), "openssl rand"));
  std::string many;
  for (std::size_t i = 0; i <= Secret::kMaxSecrets; ++i) many += kOld + "\n";
  BOOST_TEST(Contains(WhyNot([&] { Secret::FromText(many); }), "too many"));
}

BOOST_AUTO_TEST_CASE(a_file_that_others_could_read_is_refused) {
  const Folder folder;
  for (const mode_t mode : {0600, 0640, 0400})
    BOOST_TEST(WhyNot([&] { Secret::Load(folder.Write(kOld + "\n", mode)); }) == "", mode);
  chmod((folder.path + "/secret").c_str(), 0600);
  BOOST_TEST(Contains(WhyNot([&] { Secret::Load(folder.Write(kOld, 0644)); }), "open to everybody"));
  BOOST_TEST(
      Contains(WhyNot([&] { Secret::Load(folder.Write(std::string(100'000, 'a'), 0600)); }), "too long"));
  BOOST_TEST(Contains(WhyNot([] { Secret::Load(""); }), "not set"));
  BOOST_TEST(Contains(WhyNot([] { Secret::Load("/nonexistent"); }), "No such file"));
  BOOST_TEST(Contains(WhyNot([] { Secret::Load("/dev/null"); }), "not a regular file"));
  const std::string pipe = folder.path + "/pipe";
  mkfifo(pipe.c_str(), 0600);
  BOOST_TEST(Contains(WhyNot([&] { Secret::Load(pipe); }), "not a regular file"));
}

BOOST_AUTO_TEST_CASE(the_constant_time_comparison_is_correct) {
  BOOST_TEST(IsSameInConstantTime("", ""));
  BOOST_TEST(IsSameInConstantTime("abc", "abc"));
  for (const char* other : {"", "ab", "abcd", "abd", "bbc"}) BOOST_TEST(!IsSameInConstantTime("abc", other));
}

// ---- sha256.h

BOOST_AUTO_TEST_CASE(sha256_matches_known_values) {
  BOOST_TEST(HexText(Sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(HexText(Sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
