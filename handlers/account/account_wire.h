#pragma once
// Bodies that the routes of this service read and write.
#include <optional>
#include <string>
#include <string_view>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/device_store.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::account {

/// Texts of our routes are short.
inline constexpr std::size_t kMaxAccountBody = 16 << 10;

struct Credentials {
  std::string email;  ///< normalised
  std::string password;
};
struct NewCredentials {
  std::string email;  ///< normalised
  std::string password;
  std::optional<std::string> invitation;
};

/// {"email", "password"}
Credentials ReadCredentials(const JsonObject& in);
/// {"email", "password", "invitation"?}
NewCredentials ReadNewCredentials(const JsonObject& in);
/// An existing password.
std::string ReadPassword(const JsonValue& value);
/// "string_too_short" under kMinPasswordBytes characters, "string_too_long" over kMaxPasswordBytes bytes.
std::string ReadNewPassword(const JsonValue& value);
/// Normalised. "value_error" if it is not an address.
std::string ReadEmail(const JsonValue& value);

/// The name of a new session in the owner's list of devices: the header User-Agent.
std::string_view ClientName(const Request& request);

/// {"access_token", "refresh_token", "token_type"}
Response TokenAnswer(int status, const Tokens& tokens);
/// {"id", "email", "is_active", "created_at"}
std::string WriteUser(const OwnAccount& account);
/// The account's own view of itself, for the product's API.
std::string WriteAccount(const OwnAccount& account, std::int64_t used_bytes);
/// The caller's live devices, of one kind or of all (""): [{"id", "kind", "name", "created_at", "last_seen_at", "is_current"}].
std::string WriteDevices(Context& context, std::string_view kind);

}  // namespace syncline::account
