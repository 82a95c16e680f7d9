#include "handlers/vault/socketio/presence_store.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace syncline::vault {
namespace {

// Longer than any session; each joining renews it.
constexpr std::string_view kKeep = "2592000";

// KEYS: the sessions. ARGV: id, limit, seconds to keep.
constexpr std::string_view kJoin = R"(
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000000 + time[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
local surplus = redis.call('ZRANGE', KEYS[1], 0, -1 - ARGV[2])
for _, sid in ipairs(surplus) do redis.call('ZREM', KEYS[1], sid) end
return table.concat(surplus, ' ')
)";

constexpr std::string_view kSessions = R"(
return table.concat(redis.call('ZREVRANGE', KEYS[1], 0, -1), ' ')
)";

// KEYS: the pause, how many there were.
constexpr std::string_view kPause = R"(
local count = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 172800)
redis.call('SET', KEYS[1], '1', 'EX', math.min(3600 * 2 ^ (count - 1), 86400))
return ''
)";

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

PresenceStore::PresenceStore(Redis& redis, UserId user, DeviceId device)
    : redis_(redis),
      name_("syncline:vault:{" + std::to_string(static_cast<std::int64_t>(user)) + ":" +
            std::to_string(static_cast<std::int64_t>(device)) + "}") {}

std::vector<std::string> PresenceStore::Join(const std::string& sid, int limit) {
  return Words(redis_.Command({"EVAL", kJoin, "1", name_ + ":sids", sid, std::to_string(limit), kKeep}).text);
}

void PresenceStore::Leave(const std::string& sid) {
  redis_.Command({"ZREM", name_ + ":sids", sid});
}

std::vector<std::string> PresenceStore::Sessions() {
  return Words(redis_.Command({"EVAL", kSessions, "1", name_ + ":sids"}).text);
}

void PresenceStore::Pause() {
  redis_.Command({"EVAL", kPause, "2", name_ + ":pause", name_ + ":pauses"});
}

void PresenceStore::EndPause() {
  redis_.Command({"DEL", name_ + ":pause", name_ + ":pauses"});
}

bool PresenceStore::IsPaused() {
  return redis_.Command({"EXISTS", name_ + ":pause"}).integer == 1;
}

}  // namespace syncline::vault
