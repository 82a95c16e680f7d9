#include "handlers/vault/versions/event_store.h"

#include <array>

#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

constexpr std::array<const char*, 3> kLevels = {"info", "warning", "alarm"};

}  // namespace

void EventStore::Add(VaultId vault, const Event& event) {
  tx_.Execute(sql::vault::add_event, user_, vault, kLevels[static_cast<std::size_t>(event.level)], event.kind,
              event.device, NameOf(event.source), event.path, event.message, event.version);
}

}  // namespace syncline::vault
