#include "handlers/vault/webdav/error_wire.h"

#include <algorithm>

#include "handlers/vault/webdav/multistatus_wire.h"

namespace syncline::vault {
namespace {

struct CodeText {
  std::string_view code;
  const char* text;
};
constexpr CodeText kTexts[] = {
    {"plaintext_refused", "plaintext database refused: vault requires encryption"},
    {"not_encrypted", "database is not encrypted as expected: vault requires encryption"},
    {"archive_refused", "archive refused: it cannot be checked, and vault requires encryption"},
    {"documents_refused", "files beside the database refused by the settings of the vault"},
    {"zip_too_many_entries", "archive refused: too many entries"},
    {"zip_too_large", "archive refused: too large when unpacked"},
    {"zip_ratio", "archive refused: compressed beyond what is plausible"},
    {"zip_encrypted_entry", "archive refused: it has encrypted entries"},
    {"zip_bad_name", "archive refused: it has an entry with a dangerous name"},
    {"zip_two_databases", "archive refused: it has two databases"},
};
// Codes that are names of preconditions, with _ for -.
constexpr std::string_view kConditions[] = {"lock_token_submitted", "no_conflicting_lock",
                                            "propfind_finite_depth", "lock_token_matches_request_uri"};

}  // namespace

const char* RefusalText(std::string_view code) {
  const auto found = std::find_if(std::begin(kTexts), std::end(kTexts),
                                  [&](const CodeText& one) { return one.code == code; });
  return found == std::end(kTexts) ? "" : found->text;
}

Response RenderDavError(const Error& error, const Request&) {
  const int status = StatusOf(error.kind());
  std::string words = error.code();
  if (std::find(std::begin(kConditions), std::end(kConditions), words) != std::end(kConditions)) {
    std::replace(words.begin(), words.end(), '_', '-');
    return Response{status, {}, ErrorBody(words), std::nullopt}.With("Content-Type",
                                                                     "application/xml; charset=\"utf-8\"");
  }
  std::replace(words.begin(), words.end(), '_', ' ');
  const std::string text = RefusalText(error.code());
  Response response = Response::Text(status, (text.empty() ? words : text) + "\n");
  if (error.kind() == ErrorKind::kMethodNotAllowed && error.headers().empty())
    response.With("Allow", "OPTIONS, GET, HEAD, DELETE, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK");
  if (error.kind() != ErrorKind::kUnauthenticated) return response;
  return std::move(response).With("WWW-Authenticate", "Basic realm=\"vault\", charset=\"UTF-8\"");
}

}  // namespace syncline::vault
