#include "handlers/account/tokens/token_wire.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "handlers/base/base64.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/seal.h"
#include "handlers/base/sha256.h"

namespace syncline::account {
namespace {

constexpr std::string_view kAlgorithm = "EdDSA";
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
// Long enough to distinguish the keys of one installation.
constexpr std::size_t kKidDigits = 16;
constexpr std::size_t kMaxIdBytes = 64;
// JSON numbers for times: until the year 9999.
constexpr std::int64_t kLastSecond = 253'402'300'799;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

Error BadToken(const char* why) {
  return Unauthenticated("bad_token", why);
}

// The members of one part of a token. Throws BadToken.
class Part {
 public:
  explicit Part(std::string_view base64) {
    auto text = FromBase64(base64, kVariant);
    if (!text) throw BadToken("not base64url");
    text_ = *std::move(text);
    try {
      spans_.emplace(text_, /*record_depth=*/1);
    } catch (const BadJson& e) {
      throw BadToken(e.what());
    }
    if (spans_->Root().kind != JsonSpans::Kind::kObject || spans_->FindDuplicateKey() != nullptr)
      throw BadToken("not an object, or with a duplicate key");
  }
  // The spans point into the text.
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  std::optional<std::string> Text(std::string_view key) const {
    const auto* value = Find(key);
    if (value == nullptr || value->kind != JsonSpans::Kind::kString) return std::nullopt;
    return spans_->Text(*value);
  }
  std::chrono::sys_seconds Time(std::string_view key) const {
    const auto* value = Find(key);
    const auto number = value == nullptr ? std::nullopt : WholeNumber(spans_->Raw(*value));
    if (!number || *number < 0 || *number > kLastSecond) throw BadToken("a time is missing or malformed");
    return std::chrono::sys_seconds(std::chrono::seconds(*number));
  }
  bool Has(std::string_view key) const { return Find(key) != nullptr; }

 private:
  const JsonSpans::Value* Find(std::string_view key) const {
    const JsonSpans::Value* found = nullptr;
    spans_->EachIn(spans_->Root(), [&](const JsonSpans::Value& member) {
      if (spans_->Key(member) == key) found = &member;
    });
    return found;
  }
  std::string text_;
  std::optional<JsonSpans> spans_;
};

// Ids are positive, without sign or leading zeros.
std::int64_t IdOf(const std::optional<std::string>& text) {
  std::int64_t id = 0;
  if (text) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), id);
    if (error == std::errc() && end == text->data() + text->size() && id > 0 && text->front() != '0')
      return id;
  }
  throw BadToken("sub or sid is missing or malformed");
}

Claims ClaimsOf(const Part& part) {
  const auto type = part.Text("type");
  if (type != "access" && type != "refresh") throw Unauthenticated("bad_token_type");
  auto id = part.Text("jti");
  if (!id || id->empty() || id->size() > kMaxIdBytes) throw BadToken("jti is missing or malformed");
  return {UserId{IdOf(part.Text("sub"))},
          DeviceId{IdOf(part.Text("sid"))},
          *std::move(id),
          *type == "access" ? TokenType::kAccess : TokenType::kRefresh,
          part.Time("iat"),
          part.Time("exp")};
}

}  // namespace

TokenKey::TokenKey(std::string kid, std::string_view seed) : kid_(std::move(kid)) {
  if (seed.size() != kSeedBytes)
    throw Error(ErrorKind::kInternal, "internal", "the seed of a token key is damaged");
  crypto_sign_seed_keypair(public_.data(), secret_.data(), Bytes(seed));
}

TokenKey::~TokenKey() {
  sodium_memzero(secret_.data(), secret_.size());
}

std::string TokenKey::NewSeed() {
  StartSodium();
  std::string seed(kSeedBytes, '\0');
  randombytes_buf(seed.data(), seed.size());
  return seed;
}

std::string TokenKey::KidOf(std::string_view seed) {
  const TokenKey key("", seed);
  return HexText(Sha256({reinterpret_cast<const char*>(key.public_.data()), key.public_.size()}))
      .substr(0, kKidDigits);
}

std::string TokenKey::Sign(std::string_view text) const {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Bytes(signature), nullptr, Bytes(text), text.size(), secret_.data());
  return signature;
}

bool TokenKey::Verify(std::string_view text, std::string_view signature) const {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(Bytes(signature), Bytes(text), text.size(), public_.data()) == 0;
}

std::string NewTokenId() {
  StartSodium();
  std::string bytes(16, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = HexText(bytes);
  for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

std::string MakeToken(const Claims& claims, const TokenKey& key) {
  const std::string header =
      JsonWriter().Object().Add("alg", kAlgorithm).Add("typ", "JWT").Add("kid", key.kid()).Finish();
  const std::string payload = JsonWriter()
                                  .Object()
                                  .Add("sub", std::to_string(static_cast<std::int64_t>(claims.user)))
                                  .Add("jti", claims.id)
                                  .Add("type", claims.type == TokenType::kAccess ? "access" : "refresh")
                                  .Add("iat", claims.issued_at.time_since_epoch().count())
                                  .Add("exp", claims.expires_at.time_since_epoch().count())
                                  .Add("sid", std::to_string(static_cast<std::int64_t>(claims.session)))
                                  .Finish();
  std::string token = ToBase64(header, kVariant) + "." + ToBase64(payload, kVariant);
  token += "." + ToBase64(key.Sign(token), kVariant);
  return token;
}

Claims ReadToken(std::string_view token, std::span<const TokenKey> keys, std::chrono::sys_seconds now) {
  if (token.size() > kMaxTokenBytes) throw BadToken("too long");
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == token.npos || first == last) throw BadToken("not three parts");
  const Part header(token.substr(0, first));
  // "crit" lists extensions that a reader must support, and we support none.
  if (header.Text("alg") != kAlgorithm || header.Has("crit")) throw BadToken("another algorithm");
  const auto kid = header.Text("kid");
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const TokenKey& k) { return k.kid() == kid; });
  if (key == keys.end()) throw BadToken("an unknown key");
  const auto signature = FromBase64(token.substr(last + 1), kVariant);
  if (!signature || !key->Verify(token.substr(0, last), *signature)) throw BadToken("a wrong signature");
  const Claims claims = ClaimsOf(Part(token.substr(first + 1, last - first - 1)));
  if (claims.issued_at > now + kClockLeeway) throw BadToken("issued in the future");
  return claims;
}

void RequireToken(const Claims& claims, TokenType type, std::chrono::sys_seconds now) {
  if (claims.expires_at <= now) throw Unauthenticated("token_expired");
  if (claims.type != type) throw Unauthenticated("bad_token_type");
}

}  // namespace syncline::account
