#include "handlers/anki/package/own_session_flow.h"

#include <sodium.h>

#include <algorithm>

#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/package/import_store.h"
#include "handlers/base/errors.h"

namespace syncline::anki {
namespace {

std::string Prefix(const std::string& name) {
  return "import-" + name + ".";
}

std::string RandomName() {
  std::uint64_t bytes[2];
  randombytes_buf(bytes, sizeof bytes);
  return std::to_string(bytes[0]) + std::to_string(bytes[1]);
}

}  // namespace

bool IsOwnSession(std::string_view key, const std::string& name) {
  return key.starts_with(Prefix(name));
}

std::optional<std::string> BeginOwnSession(Context& context, const std::string& name, std::int32_t generation,
                                           Usn usn) {
  const std::string key = Prefix(name) + RandomName();
  const bool has_begun = context.Write<CollectionStore, SessionStore, ImportStore>(
      [&](CollectionStore& collections, SessionStore& sessions, ImportStore& imports) {
        const auto head = collections.Lock();
        if (!head || head->generation != generation || head->meta.usn != usn) return false;
        sessions.EndExpired();
        if (const auto live = imports.LiveSession(); live && IsOwnSession(*live, name)) sessions.End(*live);
        return imports.StartSession(*head, key, kOwnSessionMinutes);
      });
  return has_begun ? std::optional(key) : std::nullopt;
}

void ApplyOwnSession(Context& context, const std::string& key, const std::function<void(sql::Tx&)>& before,
                     const std::function<void(sql::Tx&)>& after) {
  context.Write<SessionStore, CollectionStore, Transaction>(
      [&](SessionStore& sessions, CollectionStore& collections, Transaction& transaction) {
        // Lock order: the collection, then the session.
        auto asked = collections.AskLock();
        const Session session = sessions.AskLock(key).Get();
        const auto head = asked.Get();
        if (!head || head->generation != session.generation || head->meta.usn != session.server_usn)
          throw syncline::Conflict("collection_changed");
        before(transaction.tx);
        const SyncOutcome outcome = sessions.OutcomeOf(session, *head, sessions.AskNewIds(key).Get());
        sessions.Apply(session, outcome, std::max(context.NowMs(), head->meta.mod_ms + 1));
        if (after) after(transaction.tx);
      });
}

void EndOwnSession(Context& context, const std::string& key) noexcept {
  try {
    context.Write<SessionStore>([&](SessionStore& sessions) { sessions.End(key); });
  } catch (...) {
    // It expires.
  }
}

}  // namespace syncline::anki
