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

std::vector<PastEvent> EventStore::Page(VaultId vault, std::int64_t before, int limit) {
  std::vector<PastEvent> events;
  for (const sql::Row row : tx_.Query(sql::vault::page_events, user_, vault, before, limit)) {
    events.push_back({.id = row["event_id"].As<std::int64_t>(),
                      .at = row["at"].As<sql::Time>(),
                      .level = row["level"].As<std::string>(),
                      .kind = row["kind"].As<std::string>(),
                      .source = row["source"].As<std::string>(),
                      .path = row["path"].As<std::string>(),
                      .message = row["message"].As<std::string>(),
                      .device = row["device_id"].As<DeviceId>(),
                      .version = row["version_id"].As<std::optional<std::int64_t>>()});
  }
  return events;
}

}  // namespace syncline::vault
