#pragma once
// Normalises e-mail addresses (RFC 5321, RFC 6531), as clients of the account API send them. Pure:
// deliverability is not checked, and no mail is sent.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace syncline::account {

inline constexpr std::size_t kMaxEmailBytes = 254;

/// The reason why a text is not an address: one public sentence.
struct BadEmail {
  std::string reason;
};

/// The address: without spaces around it, and without the name of `Bob <bob@example.com>`; the domain in lower case and
/// in Unicode, so that both spellings of an international one are the same; the rest as typed, in NFC. Refused are quoted
/// local parts, addresses of machines in brackets, domains without a dot, and those that are reserved (RFC 6761).
std::variant<std::string, BadEmail> NormalEmail(std::string_view typed);

/// The address of an account whose name is one. None: the name is no address.
std::optional<std::string> EmailOfName(std::string_view name);

}  // namespace syncline::account
