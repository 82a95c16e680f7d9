#include "handlers/decks/catalogue/session_handlers.h"

#include <chrono>
#include <vector>

#include "handlers/account/account_wire.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/header_values.h"
#include "handlers/base/timestamp.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/catalogue/person_store.h"
#include "handlers/decks/catalogue/person_wire.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kLoginBody = 16 << 10;
constexpr std::size_t kMaxText = 4096;
// What clients are told. A clock that is slow by less than kMargin does not meet a token that has really ended, at which they
// would forget their login instead of refreshing it.
constexpr std::chrono::minutes kAccess{60}, kMargin{5};
// Several threads of one client refresh at once, and each keeps what it gets.
constexpr account::TokenLifetimes kLifetimes{.access = kAccess + kMargin,
                                             .refresh = std::chrono::hours(24 * 7),
                                             .is_refresh_kept = false,
                                             .repeatable = std::chrono::seconds(60)};

struct Names {
  std::string login{}, password{};
};

// A name or an address, under either name. The add-on trims both.
Names ReadNames(const JsonObject& in) {
  const auto name = in.Find("username");
  const JsonValue login = name && !in.Find("email") ? *name : in["email"];
  const std::string typed = login.Text(kMaxText, 1);
  return {std::string(TrimmedBlanks(typed)), in.Text("password", kMaxText, 1)};
}

Response TokensOf(Context& context, const account::Tokens& tokens, bool with_decks) {
  context.SetIdentity(tokens.owner);
  const auto [person, followed] =
      context.Read<PersonStore, DeckStore>([&](PersonStore& people, DeckStore& decks) {
        return std::pair(people.Find(), with_decks ? decks.ListFollowed() : std::vector<Deck>());
      });
  if (!person) throw Unauthenticated("user_not_found");
  JsonWriter json;
  Success(json)
      .Add("access_token", tokens.access)
      .Add("refresh_token", tokens.refresh)
      .Add("token_type", "bearer")
      .Add("expires_at", PrintTimestamp(std::chrono::floor<std::chrono::seconds>(context.Now()) + kAccess));
  WritePerson(json, *person);
  if (with_decks) WriteFollowed(json, followed);
  return Answer(json);
}

}  // namespace

// POST addon-login -- a name or an address, and a password. 401 for either being wrong, with the same text and in the same time.
Response PostLogin(Request& request, Context& context) {
  const Names in = ReadBody(request, context, kLoginBody, ReadNames);
  const account::Tokens tokens = account::LogInForTokens(
      context, in.login, in.password, request.remote_address, account::ClientName(request), kLifetimes);
  return TokensOf(context, tokens, /*with_decks=*/true);
}

// POST addon-refresh-token -- exchanges a refresh token. Repeated within a minute, it gives the same one again.
Response PostRefreshToken(Request& request, Context& context) {
  const std::string token = ReadBody(request, context, kLoginBody, [](const JsonObject& in) {
    return in.Text("refresh_token", kMaxText, 1);
  });
  const account::Tokens tokens = account::Refresh(context, token, kLifetimes);
  return TokensOf(context, tokens, /*with_decks=*/false);
}

// POST addon-logout -- ends the session. The add-on itself only forgets its tokens.
Response PostLogout(Request&, Context& context) {
  if (context.device() != DeviceId{}) account::EndSession(context, context.device());
  return Done();
}

// POST addon-me -- the person of the login's answer, as it is now.
Response PostMe(Request&, Context& context) {
  const auto person = context.Read<PersonStore>([](PersonStore& people) { return people.Find(); });
  if (!person) throw Unauthenticated("user_not_found");
  JsonWriter json;
  WritePerson(Success(json), *person);
  return Answer(json);
}

}  // namespace syncline::decks
