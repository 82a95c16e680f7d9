#include "handlers/anki/collection/problem_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include "handlers/base/json_writer.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// Reports kept per account. A device that keeps retrying fills them within an hour; the newest are enough.
constexpr int kMaxReports = 50;
// Ids of each kind in a report: enough to look some up, and the report stays below 50 kB.
constexpr int kMaxIdsPerKind = 200;
// The version comes from the client and is stored. Real ones are shorter.
constexpr std::size_t kMaxClientBytes = 100;

using Counts = std::array<std::pair<const char*, std::int64_t>, 6>;

Counts Named(const CollectionCounts& c) {
  return {{{"cards", c.cards},
           {"notes", c.notes},
           {"revlog", c.revlog},
           {"notetypes", c.notetypes},
           {"decks", c.decks},
           {"deck_configs", c.deck_configs}}};
}

void AddCountAndIds(JsonWriter& json, std::string_view name, std::int64_t count,
                    const std::vector<std::int64_t>& ids) {
  json.Object(name).Add("count", count);
  if (!ids.empty()) json.Add("ids", ids);
  json.End();
}

void AddCounts(JsonWriter& json, std::string_view name, const CollectionCounts& counts) {
  json.Object(name);
  for (const auto& [part, count] : Named(counts)) json.Add(part, count);
  json.End();
}

void AddDifferences(JsonWriter& json, const CollectionCounts& client, const CollectionCounts& server) {
  const Counts theirs = Named(client), ours = Named(server);
  json.Array("differ");
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].second != theirs[i].second) json.Add(ours[i].first);
  }
  json.End();
}

// The operator's terminal shows this text: keep printable ASCII only.
std::string Printable(std::string_view client) {
  std::string text(client.substr(0, kMaxClientBytes));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

void ProblemStore::KeepUpload(const Sender& sender, const Adjustments& adjusted) {
  JsonWriter json;
  json.Object().Object("adjusted");
  for (const auto& [column, found] : adjusted) AddCountAndIds(json, column, found.count, found.ids);
  Keep("upload", sender, json.Finish());
}

void ProblemStore::KeepMismatch(const Sender& sender, const Session& session, const CollectionCounts& client,
                                const CollectionCounts& server) {
  JsonWriter json;
  json.Object();
  AddDifferences(json, client, server);
  AddCounts(json, "client", client);
  AddCounts(json, "server", server);
  json.Add("generation", session.generation);
  json.Object("usn").Add("server", session.server_usn).Add("client", session.client_usn).End();
  json.Object("touched");
  for (const sql::Row& row : tx_.Query(sql::anki::touched_by_session, user_, session.fence, kMaxIdsPerKind)) {
    AddCountAndIds(json, row["part"].As<std::string_view>(), row["count"].As<std::int64_t>(),
                   row["ids"].As<std::vector<std::int64_t>>());
  }
  Keep("sanity", sender, json.Finish());
}

void ProblemStore::Keep(std::string_view kind, const Sender& sender, const std::string& details) {
  tx_.Later(sql::anki::keep_problem, user_, kind, static_cast<std::int64_t>(sender.device),
            Printable(sender.client), details, kMaxReports);
}

std::vector<Problem> ProblemStore::Newest() {
  std::vector<Problem> problems;
  for (const sql::Row& row : tx_.Query(sql::anki::problems, user_)) {
    problems.push_back({row["happened_at"].As<sql::Time>(),
                        row["kind"].As<std::string>(),
                        {row["device_id"].As<DeviceId>(), row["client"].As<std::string>()},
                        row["details"].As<std::string>()});
  }
  return problems;
}

}  // namespace syncline::anki
