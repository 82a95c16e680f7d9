#include "handlers/anime/entry_wire.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "handlers/anime/title_rules.h"
#include "handlers/base/timestamp.h"

namespace syncline::anime {
namespace {

void AddEntry(JsonWriter& json, const Entry& entry, bool is_full) {
  const EntryFields& fields = entry.fields;
  json.Object()
      .Add("id", entry.id)
      .Add("anime_id", entry.title.id)
      .Add("status", fields.status)
      .Add("score", fields.score)
      .Add("progress", fields.progress);
  if (is_full) {
    json.Add("started_on", fields.started_on)
        .Add("finished_on", fields.finished_on)
        .Add("rewatches", fields.rewatches)
        .Add("rewatching", fields.rewatching)
        .Add("notes", fields.notes)
        .Add("priority", fields.priority)
        .Add("tags", fields.tags)
        .Add("private", fields.is_private);
  }
  json.Add("created_at", PrintTimestamp(entry.created_at))
      .Add("updated_at", PrintTimestamp(entry.updated_at))
      .Object("anime")
      .Add("id", entry.title.id)
      .Add("mal_id", entry.title.mal_id)
      .Add("title", entry.title.title)
      .Add("image_url", entry.title.image_url)
      .Add("score", entry.title.score);
  if (is_full) json.Add("episodes", entry.title.episodes);
  json.End().End();
}

void AddState(JsonWriter& json, const char* key, const std::optional<ListChange::State>& state) {
  if (!state) {
    json.Add(key, nullptr);
    return;
  }
  json.Object(key)
      .Add("status", state->status)
      .Add("score", state->score)
      .Add("progress", state->progress)
      .Add("rewatches", state->rewatches)
      .End();
}

// A calendar day that exists, as "2026-02-28".
bool IsDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = -1;
    const char* const begin = text.data() + at;
    const auto end = std::from_chars(begin, begin + size, value).ptr;
    return end == begin + size ? value : -1;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  return year >= 1900 && month > 0 && day > 0 &&
         std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
             .ok();
}

std::optional<std::string> ReadDate(const JsonValue& value) {
  if (value.IsNull()) return std::nullopt;
  std::string text = value.Text(kMaxTagCharacters);
  if (!IsDate(text)) value.Refuse(NotAccepted("not a day of the form YYYY-MM-DD"));
  return text;
}

// A member that may be missing, and null to clear the field.
template <typename Read>
auto ReadClearable(const JsonObject& in, std::string_view key, Read read)
    -> std::optional<std::optional<decltype(read(std::declval<const JsonValue&>()))>> {
  const auto value = in.Find(key);
  if (!value) return std::nullopt;
  if (value->IsNull()) return std::optional<decltype(read(*value))>();
  return std::optional(read(*value));
}

std::string ReadStatus(const JsonValue& value) {
  return std::string(kWatchStatuses[value.Choice(kWatchStatuses)]);
}

void ReadOptionalFields(const JsonObject& in, EntryChange& change) {
  change.score = ReadClearable(in, "score", [](const JsonValue& value) { return value.Double(0, 10); });
  change.progress =
      ReadClearable(in, "progress", [](const JsonValue& value) { return value.Int(0, kMaxId); });
  if (const auto value = in.Find("started_on")) change.started_on = ReadDate(*value);
  if (const auto value = in.Find("finished_on")) change.finished_on = ReadDate(*value);
  if (const auto value = in.Find("rewatches")) change.rewatches = value->Int(0, kMaxRewatches);
  if (const auto value = in.Find("rewatching")) change.rewatching = value->Bool();
  change.notes =
      ReadClearable(in, "notes", [](const JsonValue& value) { return value.Text(kMaxNoteCharacters); });
  if (const auto value = in.Find("priority")) change.priority = value->Int(0, 2);
  if (const auto value = in.Find("tags")) {
    change.tags = value->List(kMaxTags, [](const JsonValue& tag) { return tag.Text(kMaxTagCharacters, 1); });
    std::set<std::string> seen;
    std::erase_if(*change.tags, [&](const std::string& tag) { return !seen.insert(tag).second; });
  }
  if (const auto value = in.Find("private")) change.is_private = value->Bool();
}

}  // namespace

std::string PrintEntry(const Entry& entry, bool is_full) {
  JsonWriter json;
  AddEntry(json, entry, is_full);
  return json.Finish();
}

std::string PrintEntries(const std::vector<Entry>& entries, bool is_full) {
  JsonWriter json;
  json.Array();
  for (const Entry& entry : entries) AddEntry(json, entry, is_full);
  return json.Finish();
}

std::string PrintCounts(const ListCounts& counts) {
  JsonWriter json;
  json.Object()
      .Add("total", counts.total)
      .Object("by_status")
      .Add("watching", counts.watching)
      .Add("completed", counts.completed)
      .Add("plan_to_watch", counts.plan_to_watch)
      .Add("dropped", counts.dropped)
      .Add("on_hold", counts.on_hold)
      .End()
      .Add("episodes_watched", counts.episodes_watched)
      .Add("rewatches", counts.rewatches)
      .Add("mean_score", counts.mean_score)
      .Add("scored", counts.scored)
      .Array("top_genres");
  for (const auto& genre : counts.top_genres) {
    json.Object()
        .Add("id", genre.id)
        .Add("name", genre.name)
        .Add("count", genre.count)
        .Add("mean_score", genre.mean_score)
        .End();
  }
  return json.Finish();
}

std::string PrintHistory(const std::vector<ListChange>& changes) {
  JsonWriter json;
  json.Array();
  for (const ListChange& change : changes) {
    json.Object()
        .Add("id", change.id)
        .Add("changed_at", PrintTimestamp(change.changed_at))
        .Add("anime_id", change.anime_id)
        .Add("mal_id", change.mal_id)
        .Add("title", change.title);
    AddState(json, "before", change.before);
    AddState(json, "after", change.after);
    json.End();
  }
  return json.Finish();
}

NewEntry ReadNewEntry(const JsonObject& in) {
  NewEntry entry;
  entry.anime_id = in.Int("anime_id", 1, kMaxId);
  entry.fields.status = ReadStatus(in["status"]);
  ReadOptionalFields(in, entry.fields);
  return entry;
}

EntryChange ReadEntryChange(const JsonObject& in) {
  EntryChange change;
  if (const auto value = in.Find("status")) change.status = ReadStatus(*value);
  ReadOptionalFields(in, change);
  return change;
}

}  // namespace syncline::anime
