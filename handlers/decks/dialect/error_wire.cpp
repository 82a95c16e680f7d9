#include "handlers/decks/dialect/error_wire.h"

#include <algorithm>
#include <cctype>

#include "handlers/base/json_writer.h"

namespace syncline::decks {
namespace {

constexpr CodeText kTexts[] = {
    {"login_required", "Please log in."},
    {"bad_scheme", "Please log in."},
    {"bad_token", "Please log in again."},
    {"bad_token_type", "Please log in again."},
    {"token_expired", "Your session has ended. Please log in again."},
    {"token_revoked", "Your session was ended. Please log in again."},
    {"user_not_found", "There is no such account any more."},
    {"account_gone", "There is no such account any more."},
    {"account_inactive", "This account is disabled. Ask the administrator of this server."},
    {"bad_credentials", "Please log in again."},
    {"bad_key", "This app password is wrong or was revoked."},
    {"app_password_required", "Please log in, or use an app password."},
    {"bad_login", "Wrong name, e-mail address or password."},
    {"refresh_token_expired", "Your session has ended. Please log in again."},
    {"too_many_logins", "Too many wrong passwords. Please wait a little."},
    {"too_many_requests", "Too many requests. Please wait a little."},
    {"https_required", "Logins are accepted over HTTPS only."},
    {"registration_closed", "Accounts are made by the administrator of this server."},
    {"invitation_required", "A new account needs an invitation."},
    {"invitation_invalid", "The invitation is used up, too old or wrong."},
    {"email_taken", "There is an account with this e-mail address already."},
    {"redis_unavailable", "The server is starting or busy. Please try again in a moment."},
    {"database_unavailable", "The server is starting or busy. Please try again in a moment."},
    {"starting", "The server is starting. Please try again in a moment."},
    {"busy", "The server is busy. Please try again in a moment."},
    {"too_slow", "The server is busy. Please try again in a moment."},
    {"body_too_large", "The request has more bytes than this call accepts."},
    {"too_large", "The request has more bytes than this call accepts."},
    {"no_such_path", "There is nothing at this address."},
    {"method_not_allowed", "This address does not answer this method."},
    {"body_not_utf8", "The request is not UTF-8."},
    {"json_invalid", "The request is not JSON."},
    {"deck_not_found", "No deck has this id."},
    {"not_delivered", "This deck is not delivered to your collection."},
    {"bad_deck_id", "deck_id must be the id of a deck."},
    {"no_access", "You have no access to this deck."},
    {"not_your_deck", "Only the owner of this deck and its maintainers may do this."},
    {"admin_required", "Only an administrator may do this."},
    {"subscription_required", "Your plan does not include decks of your own."},
    {"deck_limit_reached", "You own as many decks as your plan allows."},
    {"card_not_found", "The deck has no such card."},
    {"version_not_found", "This card has no such version."},
    {"version_not_newer", "The version must not be lower than that of the deck."},
    {"card_too_large", "The fields of a card have at most 1 MiB."},
    {"too_many_fields", "All cards of a note type have at most 200 fields together."},
    {"bad_version", "A version has up to three numbers: 1.2.3."},
    {"confirmation_required", "Deleting a deck needs confirm: true."},
    {"empty_cards", "A push without cards would delete the whole deck. Delete the deck instead."},
    {"too_many_suggestions",
     "You have as many open suggestions for this deck as it takes. Wait for an answer, or withdraw some."},
    {"suggestion_not_found", "There is no such suggestion."},
    {"upload_not_found", "Nothing was received for this file yet."},
    {"hash_mismatch", "The bytes are not those of this hash."},
    {"link_gone", "This link is no longer good. Ask for a new one."},
    {"no_such_file", "The deck has no such file."},
    {"over_quota", "The storage of this deck's owner is full."},
    {"blob_gone", "The file was removed meanwhile. Please send it again."},
    {"client_gone", "The connection was closed."},
    {"internal",
     "Something went wrong on the server. Its administrator finds the cause by the request's id."},
};

std::string_view TextOf(std::string_view code) {
  const auto found = std::find_if(std::begin(kTexts), std::end(kTexts),
                                  [&](const CodeText& text) { return text.first == code; });
  return found == std::end(kTexts) ? std::string_view("The request was refused.") : found->second;
}

// "cards[7].tags[0]". Keys of objects whose keys are data never get here.
std::string PlaceText(const Place& place) {
  std::string text;
  for (const auto& step : place) {
    if (const auto* key = std::get_if<std::string>(&step)) {
      text += (text.empty() ? "" : ".") + *key;
    } else {
      text += "[" + std::to_string(std::get<std::size_t>(step)) + "]";
    }
  }
  return text;
}

// The element of the list in which the problem is, for clients that show which card it was.
void AddElement(JsonWriter& json, const Place& place) {
  for (const auto& step : place) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      json.Add("index", *index);
      return;
    }
  }
}

std::string PrintProblems(const InputError& error) {
  const InputProblem& first = error.problems().front();
  const std::string place = PlaceText(first.place);
  const std::string text = (place.empty() ? "" : place + ": ") + first.message + ".";
  JsonWriter json;
  json.Object()
      .Add("success", false)
      .Add("code", "BAD_REQUEST")
      .Add("message", text)
      .Add("error", text)
      .Array("errors");
  for (const InputProblem& problem : error.problems()) {
    json.Object();
    AddElement(json, problem.place);
    json.Add("field", PlaceText(problem.place)).Add("message", problem.message).End();
  }
  return json.End().Object("details").Finish();
}

int StatusFor(const Error& error) {
  // The add-on would show a disabled account as one without access, and ask again and again.
  if (error.code() == "account_inactive") return StatusOf(ErrorKind::kUnauthenticated);
  if (error.code() == "over_quota") return StatusOf(ErrorKind::kTooLarge);
  return StatusOf(error.kind());
}

}  // namespace

std::span<const CodeText> ErrorTexts() {
  return kTexts;
}

std::string PrintError(std::string_view code, std::string_view text, std::string_view details) {
  std::string upper(code);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (code == "bad_login") upper = "INVALID_CREDENTIALS";
  return JsonWriter()
      .Object()
      .Add("success", false)
      .Add("code", upper)
      .Add("message", text)
      .Add("error", text)
      .Add("details", RawJson{details})
      .Finish();
}

Response RenderError(const Error& error, const Request&) {
  const auto* input = dynamic_cast<const InputError*>(&error);
  const auto* refusal = dynamic_cast<const Refusal*>(&error);
  std::string body;
  if (input != nullptr && error.code() != "json_invalid") {
    body = PrintProblems(*input);
  } else if (refusal != nullptr) {
    body = PrintError(error.code(), refusal->text(), refusal->details());
  } else {
    body = PrintError(error.code(), TextOf(error.code()));
  }
  return Response::Json(StatusFor(error), std::move(body));
}

}  // namespace syncline::decks
