#include "handlers/anki/sender_store.h"

#include "handlers/base/request.h"
#include "handlers/base/sha256.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

constexpr double kKnownSeconds = 3600;
// A sync has some ten messages, and the first one is enough.
constexpr double kRenewSeconds = 300;

// The table holds no addresses in clear.
std::string SubjectOf(std::string_view remote_address) {
  return Sha256("sender " + NetworkOf(remote_address));
}

}  // namespace

void SenderStore::Remember(std::string_view remote_address) {
  tx_.Execute(sql::anki::remember_sender, SubjectOf(remote_address), kRenewSeconds);
}

bool SenderStore::Knows(std::string_view remote_address) {
  return tx_.MaybeOne(sql::anki::find_sender, SubjectOf(remote_address), kKnownSeconds).has_value();
}

void SenderStore::Sweep() {
  tx_.Later(sql::anki::sweep_senders, kKnownSeconds);
}

}  // namespace syncline::anki
