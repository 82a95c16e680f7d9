#include "handlers/anki/collection/problem_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include "handlers/base/json.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// Reports kept per account. A device that keeps retrying fills them within an hour, and the newest are
// enough.
constexpr int kMaxReports = 50;
// Ids of each kind in a report: enough to look some up, and a report stays below 50 kB.
constexpr int kMaxIdsPerKind = 200;
// Versions as clients report them are shorter; the text comes from outside and is stored.
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

// A JSON object of members that are JSON.
class Json {
 public:
  Json& Add(std::string_view key, std::string_view value) {
    text_ += text_.size() > 1 ? "," : "";
    text_.append(QuoteJson(key)).append(":").append(value);
    return *this;
  }
  Json& Add(std::string_view key, std::int64_t value) { return Add(key, std::to_string(value)); }
  std::string Finish() const { return text_ + '}'; }

 private:
  std::string text_ = "{";
};

std::string List(const std::vector<std::int64_t>& ids) {
  std::string list = "[";
  for (const std::int64_t id : ids) list += (list.size() > 1 ? "," : "") + std::to_string(id);
  return list + ']';
}

std::string CountAndIds(std::int64_t count, const std::vector<std::int64_t>& ids) {
  Json json;
  json.Add("count", count);
  if (!ids.empty()) json.Add("ids", List(ids));
  return json.Finish();
}

std::string Print(const CollectionCounts& counts) {
  Json json;
  for (const auto& [name, count] : Named(counts)) json.Add(name, count);
  return json.Finish();
}

std::string Differences(const CollectionCounts& client, const CollectionCounts& server) {
  const Counts theirs = Named(client), ours = Named(server);
  std::string names = "[";
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].second == theirs[i].second) continue;
    names += (names.size() > 1 ? "," : "") + QuoteJson(ours[i].first);
  }
  return names + ']';
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
  Json columns;
  for (const auto& [column, found] : adjusted) columns.Add(column, CountAndIds(found.count, found.ids));
  Keep("upload", sender, Json().Add("adjusted", columns.Finish()).Finish());
}

void ProblemStore::KeepMismatch(const Sender& sender, const Session& session, const CollectionCounts& client,
                                const CollectionCounts& server) {
  Json touched;
  for (const sql::Row& row : tx_.Query(sql::anki::touched_by_session, user_, session.fence, kMaxIdsPerKind)) {
    touched.Add(row["part"].As<std::string>(),
                CountAndIds(row["count"].As<std::int64_t>(), row["ids"].As<std::vector<std::int64_t>>()));
  }
  Json usns;
  usns.Add("server", session.server_usn).Add("client", session.client_usn);
  Json details;
  details.Add("differ", Differences(client, server))
      .Add("client", Print(client))
      .Add("server", Print(server));
  details.Add("generation", session.generation).Add("usn", usns.Finish());
  Keep("sanity", sender, details.Add("touched", touched.Finish()).Finish());
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
