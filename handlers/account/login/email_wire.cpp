#include "handlers/account/login/email_wire.h"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "handlers/account/login/name_wire.h"
#include "handlers/base/header_values.h"

namespace syncline::account {
namespace {

constexpr const char* kNoAt = "An email address must have an @-sign.";
constexpr const char* kNoLocal = "There must be something before the @-sign.";
constexpr const char* kBadLocal = "The email address contains invalid characters before the @-sign.";
constexpr const char* kBadDots = "An email address cannot have a period at an end or two periods in a row.";
constexpr const char* kNoDomain = "There must be something after the @-sign.";
constexpr const char* kNoPeriod = "The part after the @-sign is not valid. It should have a period.";
constexpr const char* kBadDomain = "The part after the @-sign contains invalid characters.";
constexpr const char* kReserved =
    "The part after the @-sign is a special-use or reserved name that cannot be used with email.";
constexpr const char* kTooLong = "The email address is too long.";

constexpr std::array<std::string_view, 6> kReservedDomains{"arpa",      "invalid", "local",
                                                           "localhost", "onion",   "test"};

bool IsAsciiLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5322's atext; every byte of a character that is not ASCII (RFC 6531).
bool IsAtomByte(char c) {
  return IsAsciiLetterOrDigit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool HasBadDots(std::string_view text) {
  return text.front() == '.' || text.back() == '.' || text.find("..") != text.npos;
}

std::string_view Bare(std::string_view typed) {
  const std::string_view text = TrimmedBlanks(typed);
  const std::size_t open = text.find('<');
  if (open == text.npos || text.back() != '>') return text;
  return TrimmedBlanks(text.substr(open + 1, text.size() - open - 2));
}

// The domain in lower case and in Unicode. None: invalid.
std::optional<std::string> NormalDomain(const std::string& domain) {
  char* ascii = nullptr;
  constexpr int kFlags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
  if (idn2_to_ascii_8z(domain.c_str(), &ascii, kFlags) != IDN2_OK) return std::nullopt;
  const std::unique_ptr<char, void (*)(void*)> ascii_owner(ascii, idn2_free);
  // libidn2 lets other ASCII characters pass.
  const std::string_view letters(ascii);
  if (!std::all_of(letters.begin(), letters.end(),
                   [](char c) { return c == '.' || c == '-' || IsAsciiLetterOrDigit(c); }))
    return std::nullopt;
  char* text = nullptr;
  if (idn2_to_unicode_8z8z(ascii, &text, 0) != IDN2_OK) return std::nullopt;
  const std::unique_ptr<char, void (*)(void*)> text_owner(text, idn2_free);
  return std::string(text);
}

std::optional<const char*> ProblemOfLocal(std::string_view local) {
  if (local.empty()) return kNoLocal;
  if (HasBadDots(local)) return kBadDots;
  const bool is_valid =
      std::all_of(local.begin(), local.end(), [](char c) { return c == '.' || IsAtomByte(c); });
  return is_valid ? std::nullopt : std::optional(kBadLocal);
}

std::optional<const char*> ProblemOfDomain(std::string_view domain) {
  if (domain.empty()) return kNoDomain;
  if (domain.find('.') == domain.npos) return kNoPeriod;
  if (HasBadDots(domain)) return kBadDots;
  return std::nullopt;
}

bool IsReserved(std::string_view domain) {
  const std::string_view top = domain.substr(domain.rfind('.') + 1);
  return std::find(kReservedDomains.begin(), kReservedDomains.end(), top) != kReservedDomains.end();
}

}  // namespace

std::variant<std::string, BadEmail> NormalEmail(std::string_view typed) {
  const std::string_view bare = Bare(typed);
  if (bare.size() > kMaxEmailBytes) return BadEmail{kTooLong};
  const std::size_t at = bare.rfind('@');
  if (at == bare.npos) return BadEmail{kNoAt};
  // Also refuses what is not UTF-8, hidden, or a control character.
  const auto local = at == 0 ? std::optional<std::string>("") : NewName(bare.substr(0, at));
  if (!local) return BadEmail{kBadLocal};
  if (const auto problem = ProblemOfLocal(*local)) return BadEmail{*problem};
  const std::string typed_domain(bare.substr(at + 1));
  if (const auto problem = ProblemOfDomain(typed_domain)) return BadEmail{*problem};
  const auto domain = NormalDomain(typed_domain);
  if (!domain) return BadEmail{kBadDomain};
  if (IsReserved(*domain)) return BadEmail{kReserved};
  std::string address = *local + "@" + *domain;
  if (address.size() > kMaxEmailBytes) return BadEmail{kTooLong};
  return address;
}

std::optional<std::string> EmailOfName(std::string_view name) {
  auto email = NormalEmail(name);
  auto* address = std::get_if<std::string>(&email);
  return address == nullptr ? std::nullopt : std::optional(std::move(*address));
}

}  // namespace syncline::account
