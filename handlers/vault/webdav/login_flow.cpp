#include "handlers/vault/webdav/login_flow.h"

#include <sodium.h>

#include <string>

#include "handlers/account/login/authorization_flow.h"
#include "handlers/base/base64.h"
#include "handlers/base/utf8.h"

namespace syncline::vault {
namespace {

// Longer ones are refused by what checks them.
constexpr std::size_t kMaxCredentials = 4096;

std::string FromLatin1(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

// Only what is not UTF-8 is read as ISO-8859-1, so that each login is one attempt.
Identity AuthenticateAnyBasic(std::string_view credentials, const Request& request, Context& context) {
  auto text = credentials.size() <= kMaxCredentials ? FromBase64(credentials, sodium_base64_VARIANT_ORIGINAL)
                                                    : std::nullopt;
  if (!text) return account::AuthenticateBasic(credentials, request, context);
  if (!IsUtf8(*text)) text = FromLatin1(*text);
  const std::size_t colon = text->find(':'), domain = text->find('\\');
  if (domain < colon) text->erase(0, domain + 1);
  return account::AuthenticateBasic(ToBase64(Nfc(*text), sodium_base64_VARIANT_ORIGINAL), request, context);
}

constexpr account::LoginScheme kSchemes[] = {{"basic", AuthenticateAnyBasic}};

}  // namespace

std::optional<Identity> AuthenticateDav(Request& request, Context& context) {
  return account::AuthenticateByHeader(request, context, kSchemes);
}

}  // namespace syncline::vault
