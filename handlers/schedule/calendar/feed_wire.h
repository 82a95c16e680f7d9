#pragma once
// The JSON of feeds for their owner.
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/schedule/calendar/feed_store.h"

namespace syncline::schedule {

/// "/api/schedule/feeds/<token>.ics".
std::string FeedPath(std::string_view token);
/// The token in the last segment of such a path; empty if it has another form.
std::string_view TokenOf(std::string_view file);

/// `origin`: "https://example.org", or empty. `token`: empty if it cannot be shown any more.
void AddFeed(JsonWriter& json, const Feed& feed, std::string_view token, std::string_view origin);

/// {"kind", "target"?, "subgroup"?, "name"?}
NewFeed ReadNewFeed(const JsonObject& in);

struct FeedChange {
  std::optional<std::string> name{};
  std::optional<std::int64_t> subgroup{};
};
/// {"name"?, "subgroup"?}
FeedChange ReadFeedChange(const JsonObject& in);

}  // namespace syncline::schedule
