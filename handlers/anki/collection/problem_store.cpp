#include "handlers/anki/collection/problem_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// Reports kept per account. A device that keeps retrying fills them within an hour; the newest are enough.
constexpr int kMaxReports = 50;
// Ids of each kind in a report: enough to look some up, and the report stays below 50 kB.
constexpr int kMaxIdsPerKind = 200;
// The version comes from the client and is stored. Real ones are shorter.
constexpr std::size_t kMaxClientBytes = 100;
// Reasons are ours, but some quote what the client sent.
constexpr std::size_t kMaxWhyBytes = 300;

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
std::string Printable(std::string_view shown, std::size_t limit) {
  std::string text(shown.substr(0, limit));
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
  AddTouched(json, session.fence);
  Keep("sanity", sender, json.Finish());
}

void ProblemStore::KeepRefusal(const Sender& sender, const Refusal& refusal, const std::string& session_key) {
  JsonWriter json;
  json.Object().Add("request", refusal.request).Add("code", refusal.code);
  if (refusal.why != refusal.code) json.Add("why", Printable(refusal.why, kMaxWhyBytes));
  if (!refusal.file.empty()) json.Add("file", refusal.file);
  const auto session = session_key.empty() ? std::optional<sql::Row>()
                                           : tx_.MaybeOne(sql::anki::refused_session, user_, session_key);
  if (session) {
    json.Add("generation", (*session)["generation"].As<std::int32_t>());
    json.Object("usn").Add("server", (*session)["server_usn"].As<Usn>());
    json.Add("client", (*session)["client_usn"].As<Usn>()).End();
    AddTouched(json, (*session)["fence"].As<std::int64_t>());
  }
  Keep("refused", sender, json.Finish(), refusal.request + " " + refusal.code);
}

void ProblemStore::AddTouched(JsonWriter& json, std::int64_t fence) {
  json.Object("touched");
  for (const sql::Row& row : tx_.Query(sql::anki::touched_by_session, user_, fence, kMaxIdsPerKind)) {
    AddCountAndIds(json, row["part"].As<std::string_view>(), row["count"].As<std::int64_t>(),
                   row["ids"].As<std::vector<std::int64_t>>());
  }
  json.End();
}

void ProblemStore::Keep(std::string_view kind, const Sender& sender, const std::string& details,
                        const std::optional<std::string>& subject) {
  tx_.Later(sql::anki::keep_problem, user_, kind, static_cast<std::int64_t>(sender.device),
            Printable(sender.client, kMaxClientBytes), details, kMaxReports, subject);
}

std::vector<Problem> ProblemStore::Newest() {
  std::vector<Problem> problems;
  for (const sql::Row& row : tx_.Query(sql::anki::problems, user_)) {
    problems.push_back({row["happened_at"].As<sql::Time>(),
                        row["kind"].As<std::string>(),
                        {row["device_id"].As<DeviceId>(), row["client"].As<std::string>()},
                        row["details"].As<std::string>(),
                        row["times"].As<int>(),
                        row["first_at"].As<sql::Time>()});
  }
  return problems;
}

}  // namespace syncline::anki
