#include "handlers/schedule/calendar/feed_store.h"

#include <algorithm>

#include "handlers/base/errors.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
namespace {

FeedKind KindOf(std::string_view word) {
  const auto found = std::find(std::begin(kFeedKinds), std::end(kFeedKinds), word);
  return static_cast<FeedKind>(found - std::begin(kFeedKinds));
}

const sql::Statement& FinderOf(FeedKind kind) {
  switch (kind) {
    case FeedKind::kTeacher:
      return sql::schedule::find_teacher;
    case FeedKind::kRoom:
      return sql::schedule::find_room;
    default:
      return sql::schedule::find_group_revision;
  }
}

}  // namespace

std::vector<Feed> FeedStore::List() {
  std::vector<Feed> feeds;
  for (const sql::Row row : tx_.Query(sql::schedule::list_feeds, user_)) {
    feeds.push_back({.id = row["feed_id"].As<std::int64_t>(),
                     .kind = KindOf(row["kind"].As<std::string_view>()),
                     .target = row["target_id"].As<std::optional<std::int64_t>>(),
                     .target_name = row["target_name"].As<std::optional<std::string>>(),
                     .subgroup = row["subgroup"].As<std::int64_t>(),
                     .name = row["name"].As<std::string>(),
                     .sealed_token = row["sealed_token"].As<std::optional<std::string>>().value_or(""),
                     .created_at = row["created_at"].As<sql::Time>(),
                     .last_used_at = row["last_used_at"].As<std::optional<sql::Time>>()});
  }
  return feeds;
}

std::int64_t FeedStore::Add(const NewFeed& feed, std::string_view token_hash, std::string_view sealed_token) {
  if (feed.target && !tx_.MaybeOne(FinderOf(feed.kind), *feed.target)) throw NotFound("no_such_row");
  const auto count = tx_.MaybeOne(sql::schedule::count_feeds, user_);
  if (!count) throw AccountGone();
  if ((*count)["feeds"].As<std::int64_t>() >= kMaxFeeds)
    throw Error(ErrorKind::kUnprocessable, "too_many_feeds");
  return tx_
      .One(sql::schedule::add_feed, user_, sql::AsBytes(token_hash), sql::AsBytes(sealed_token),
           kFeedKinds[static_cast<std::size_t>(feed.kind)], feed.target, feed.subgroup, feed.name)["feed_id"]
      .As<std::int64_t>();
}

bool FeedStore::Change(std::int64_t feed, const std::optional<std::string>& name,
                       std::optional<std::int64_t> subgroup) {
  return tx_.Execute(sql::schedule::rename_feed, user_, feed, name, subgroup) == 1;
}

bool FeedStore::Revoke(std::int64_t feed) {
  return tx_.Execute(sql::schedule::revoke_feed, user_, feed) == 1;
}

std::optional<LiveFeed> FeedStore::FindLive(std::string_view token_hash) {
  const auto row = tx_.MaybeOne(sql::schedule::find_feed, user_, sql::AsBytes(token_hash));
  if (!row) return std::nullopt;
  LiveFeed feed{.id = (*row)["feed_id"].As<std::int64_t>(),
                .kind = KindOf((*row)["kind"].As<std::string_view>()),
                .name = (*row)["name"].As<std::string>(),
                .shown = (*row)["shown_id"].As<std::optional<std::int64_t>>(),
                .subgroup = (*row)["subgroup"].As<std::int64_t>(),
                .revision = (*row)["revision"].As<std::optional<std::int64_t>>().value_or(0),
                .is_stale = (*row)["is_stale"].As<bool>()};
  for (const char* column : {"group_name", "teacher_name", "room_name"}) {
    if (const auto name = (*row)[column].As<std::optional<std::string>>()) feed.shown_name = *name;
  }
  const auto changed_at = (*row)["changed_at"].As<std::optional<sql::Time>>();
  feed.changed_at = std::max((*row)["feed_changed_at"].As<sql::Time>(), changed_at.value_or(sql::Time{}));
  return feed;
}

void FeedStore::Touch(std::int64_t feed) {
  tx_.Execute(sql::schedule::touch_feed, user_, feed);
}

}  // namespace syncline::schedule
