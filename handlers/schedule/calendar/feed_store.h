#pragma once
// Feeds: calendar URLs for calendar programs, which cannot send a login. The token in the URL is a key of the
// account (account/login/key_wire.h): we store its hash to find it, and the token itself sealed, so that its
// owner can see the URL again.
//
// Locks: the account's row, while a feed is added.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::schedule {

inline constexpr std::int64_t kMaxFeeds = 50;

enum class FeedKind { kGroup, kTeacher, kRoom, kOwn };
inline constexpr std::string_view kFeedKinds[] = {"group", "teacher", "room", "own"};

struct NewFeed {
  FeedKind kind = FeedKind::kOwn;
  std::optional<std::int64_t> target{};  ///< none for the account's own
  std::int64_t subgroup = 0;             ///< 0: all
  std::string name{};
};

struct Feed {
  std::int64_t id = 0;
  FeedKind kind = FeedKind::kOwn;
  std::optional<std::int64_t> target{};
  std::optional<std::string> target_name{};
  std::int64_t subgroup = 0;
  std::string name{};
  std::string sealed_token{};
  sql::Time created_at{};
  std::optional<sql::Time> last_used_at{};
};

/// A feed with the data for serving it.
struct LiveFeed {
  std::int64_t id = 0;
  FeedKind kind = FeedKind::kOwn;
  std::string name{};
  std::optional<std::int64_t> shown{};  ///< a group, teacher or room; none: the account has chosen no group
  std::string shown_name{};
  std::int64_t subgroup = 0;
  std::int64_t revision = 0;  ///< of the group; 0 for others
  sql::Time changed_at{};     ///< of the group and of the feed itself
  bool is_stale = false;      ///< last_used_at is old enough to be updated
};

class FeedStore {
 public:
  FeedStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  std::vector<Feed> List();
  /// Its id. Error NotFound "no_such_row" for a target that does not exist, Unprocessable "too_many_feeds" past kMaxFeeds.
  std::int64_t Add(const NewFeed& feed, std::string_view token_hash, std::string_view sealed_token);
  /// Unset fields are unchanged. False: no such live feed.
  bool Change(std::int64_t feed, const std::optional<std::string>& name,
              std::optional<std::int64_t> subgroup);
  bool Revoke(std::int64_t feed);

  /// One statement. None: no live feed of this account has that token.
  std::optional<LiveFeed> FindLive(std::string_view token_hash);
  void Touch(std::int64_t feed);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::schedule
