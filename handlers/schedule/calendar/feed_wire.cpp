#include "handlers/schedule/calendar/feed_wire.h"

#include "handlers/base/timestamp.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

constexpr std::string_view kFolder = "/api/schedule/feeds/", kSuffix = ".ics";
constexpr std::size_t kMaxFeedName = 200;
constexpr std::int64_t kMaxSubgroup = 99;

}  // namespace

std::string FeedPath(std::string_view token) {
  return std::string(kFolder).append(token).append(kSuffix);
}

std::string_view TokenOf(std::string_view file) {
  return file.ends_with(kSuffix) ? file.substr(0, file.size() - kSuffix.size()) : std::string_view();
}

void AddFeed(JsonWriter& json, const Feed& feed, std::string_view token, std::string_view origin) {
  const auto path = token.empty() ? std::nullopt : std::optional(FeedPath(token));
  json.Object()
      .Add("id", feed.id)
      .Add("kind", kFeedKinds[static_cast<std::size_t>(feed.kind)])
      .Add("target", feed.target)
      .Add("target_name", feed.target_name)
      .Add("subgroup", feed.subgroup > 0 ? std::optional(feed.subgroup) : std::nullopt)
      .Add("name", feed.name)
      .Add("path", path)
      .Add("url", path ? std::optional(std::string(origin) + *path) : std::nullopt)
      .Add("created_at", PrintTimestamp(feed.created_at))
      .Add("last_used_at",
           feed.last_used_at ? std::optional(PrintTimestamp(*feed.last_used_at)) : std::nullopt)
      .End();
}

NewFeed ReadNewFeed(const JsonObject& in) {
  NewFeed feed{.kind = static_cast<FeedKind>(in.Choice("kind", kFeedKinds))};
  if (feed.kind != FeedKind::kOwn) feed.target = in.Int("target", 1, kMaxId);
  feed.subgroup = in.Maybe("subgroup").Int(0, kMaxSubgroup).value_or(0);
  feed.name = in.Maybe("name").Text(kMaxFeedName).value_or("");
  return feed;
}

FeedChange ReadFeedChange(const JsonObject& in) {
  FeedChange change{.name = in.Maybe("name").Text(kMaxFeedName)};
  if (const auto subgroup = in.Find("subgroup"))
    change.subgroup = subgroup->IsNull() ? 0 : subgroup->Int(0, kMaxSubgroup);
  return change;
}

}  // namespace syncline::schedule
