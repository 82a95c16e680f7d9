// The routes of accounts: /auth/ and /users/me as clients of the anime tracker expect them, and /account/ for
// the owner of an account, over all services.
#include "handlers/account/routes.h"

#include "handlers/account/account_handlers.h"
#include "handlers/account/api_dialect.h"
#include "handlers/account/login/authorization_flow.h"
#include "handlers/account/session_handlers.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/json_body.h"
#include "handlers/base/rate_limit.h"

namespace syncline::account {
namespace {

using namespace std::chrono_literals;

constexpr CodeText kTexts[] = {
    {"no_such_device", "There is no such device."},
    {"email_taken", "An account with this address already exists."},
    {"account_gone", "The account was removed."},
};

Response RenderAccountError(const Error& error, const Request& request) {
  return RenderApiError(error, request, kTexts);
}

// Answers have tokens, keys and addresses.
constexpr std::pair<std::string_view, std::string_view> kHeaders[] = {{"Cache-Control", "no-store"}};

const Dialect kApiDialect{.service = "account",
                          .authenticate = AuthenticateApi,
                          .render_error = RenderAccountError,
                          .fixed_headers = kHeaders};

// --- /auth/ and /users/: FastAPI-style.

constexpr LoginScheme kBearer[] = {{"bearer", AuthenticateBearer}};

std::optional<Identity> AuthenticateSession(Request& request, Context& context) {
  return AuthenticateByHeader(request, context, kBearer);
}

constexpr std::string_view kSecretFields[] = {"password", "refresh_token", "invitation"};
constexpr DetailText kSessionTexts[] = {
    {"email_taken", "Email already registered"},
    {"bad_login", "Invalid email or password"},
    {"registration_closed", "Registration is closed"},
    {"invitation_required", "Registration needs an invitation"},
    {"invitation_invalid", "The invitation is used up, expired or wrong"},
    {"no_such_session", "Session not found"},
};

Response RenderSessionError(const Error& error, const Request&) {
  return DetailAnswer(error, {.texts = kSessionTexts, .more_texts = kTokenTexts, .secrets = kSecretFields});
}

const Dialect kSessionDialect{.service = "account",
                              .authenticate = AuthenticateSession,
                              .render_error = RenderSessionError,
                              .fixed_headers = kHeaders,
                              .redirects_slashes = true};

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;
constexpr auto kQuick = 15s;
// nginx waits equally long for the next byte.
constexpr auto kSlow = 600s;
constexpr std::size_t kBody = 16 << 10;

// A school behind one address registers in one morning.
constexpr CallLimit kRegistrations{{1000, 1h}, CallLimit::Per::kNetwork, /*is_open_without_redis=*/false};

// It reads everything the account holds.
constexpr CallLimit kExports{{6, 1h}, CallLimit::Per::kAccount};

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect.
const Route kRoutes[] = {
    Route{"POST", "/auth/register", "account.register", Auth::kPublic, kWrite, kBody, kQuick, PostRegister,
          &kSessionDialect}
        .ParsingFirst(ParseBodyFirst)
        .Limited(kRegistrations),
    Route{"POST", "/auth/login", "account.login", Auth::kPublic, kWrite, kBody, kQuick, PostLogin,
          &kSessionDialect}
        .ParsingFirst(ParseBodyFirst),
    Route{"POST", "/auth/refresh", "account.refresh", Auth::kPublic, kWrite, kBody, kQuick, PostRefresh,
          &kSessionDialect}
        .ParsingFirst(ParseBodyFirst),
    {"POST", "/auth/logout", "account.logout", Auth::kRequired, kWrite, kBody, kQuick, PostLogout,
     &kSessionDialect},
    {"POST", "/auth/logout-all", "account.logout_all", Auth::kRequired, kWrite, kBody, kQuick, PostLogoutAll,
     &kSessionDialect},
    {"GET", "/auth/sessions", "account.sessions", Auth::kRequired, kRead, kBody, kQuick, GetSessions,
     &kSessionDialect},
    {"DELETE", "/auth/sessions/{sid}", "account.end_session", Auth::kRequired, kWrite, kBody, kQuick,
     DeleteSession, &kSessionDialect},
    {"GET", "/users/me", "account.me", Auth::kRequired, kRead, kBody, kQuick, GetMe, &kSessionDialect},

    {"POST", "/account/login", "account.login_by_name", Auth::kPublic, kWrite, kBody, kQuick, PostLoginByName,
     &kApiDialect},
    {"GET", "/account/registration", "account.registration", Auth::kPublic, kRead, 0, kQuick, GetRegistration,
     &kApiDialect},
    {"GET", "/account", "account.get", Auth::kRequired, kRead, 0, kQuick, GetAccount, &kApiDialect},
    {"POST", "/account/email", "account.email", Auth::kRequired, kWrite, kBody, kQuick, PostEmail,
     &kApiDialect},
    {"POST", "/account/password", "account.password", Auth::kRequired, kWrite, kBody, kQuick, PostPassword,
     &kApiDialect},
    {"GET", "/account/devices", "account.devices", Auth::kRequired, kRead, 0, kQuick, GetDevices,
     &kApiDialect},
    {"PATCH", "/account/devices/{id}", "account.rename_device", Auth::kRequired, kWrite, kBody, kQuick,
     PatchDevice, &kApiDialect},
    {"DELETE", "/account/devices/{id}", "account.revoke_device", Auth::kRequired, kWrite, kBody, kQuick,
     DeleteDevice, &kApiDialect},
    {"POST", "/account/app-passwords", "account.app_password", Auth::kRequired, kWrite, kBody, kQuick,
     PostAppPassword, &kApiDialect},
    Route{"GET", "/account/export", "account.export", Auth::kRequired, kWrite, 0, kSlow, GetExport,
          &kApiDialect}
        .Limited(kExports),
    {"POST", "/account/deletion", "account.delete", Auth::kRequired, kWrite, kBody, kQuick, PostDeletion,
     &kApiDialect},
    {"DELETE", "/account/deletion", "account.keep", Auth::kRequired, kWrite, kBody, kQuick, DeleteDeletion,
     &kApiDialect},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::account
