#include "handlers/anki/problem_flow.h"

#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/envelope/answer.h"
#include "handlers/anki/media/media_flow.h"

namespace syncline::anki {
namespace {

// Kept in the request: the refusal is already reported.
struct IsReported {};

std::string CallOf(const Request& request) {
  return request.segments.empty() ? request.path : request.segments.back();
}

void Keep(Request& request, Context& context, Refusal refusal) noexcept {
  try {
    if (context.user() == UserId{} || request.Kept<IsReported>() != nullptr) return;
    request.Keep(IsReported{});
    refusal.request = CallOf(request);
    const Envelope* envelope = request.Kept<Envelope>();
    const Sender sender{context.device(), envelope != nullptr ? envelope->client : ""};
    // Works on read-only routes, and does not wait for the commit.
    context.WithDatabase([&](sql::Database& database) {
      database.WriteUnawaited([&](sql::Tx& tx) {
        ProblemStore(tx, context.user())
            .KeepRefusal(sender, refusal, envelope != nullptr ? envelope->session : "");
      });
    });
  } catch (...) {
  }
}

}  // namespace

bool IsRefusal(const Error& error) {
  return error.kind() == ErrorKind::kBadInput || error.kind() == ErrorKind::kTooLarge ||
         error.kind() == ErrorKind::kTooMany || error.kind() == ErrorKind::kStorageFull;
}

void KeepRefusal(Request& request, Context& context, std::string_view code, std::string_view why) noexcept {
  try {
    Keep(request, context, {"", std::string(code), std::string(why), ""});
  } catch (...) {
  }
}

void KeepRefusal(Request& request, Context& context, const Error& error) noexcept {
  if (!IsRefusal(error)) return;
  try {
    const auto* file = dynamic_cast<const MediaFileRefused*>(&error);
    Keep(request, context, {"", error.code(), error.what(), file != nullptr ? file->name() : ""});
  } catch (...) {
  }
}

}  // namespace syncline::anki
