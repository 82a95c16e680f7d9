#include "handlers/vault/engineio/session_store.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "handlers/base/base64.h"
#include "handlers/base/errors.h"
#include "handlers/base/seal.h"

namespace syncline::vault {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kIdBytes = 18;
constexpr char kFieldSeparator = '\x1f';
constexpr std::string_view kPrefix = "syncline:eio:{";
constexpr std::string_view kDeadlines = "syncline:eio:deadlines";

// What all scripts begin with. KEYS: the hash, the outbox, the list that wakes, the deadlines of all sessions. ARGV[1]: the id.
//
// The hash: st (o: open, c: closing), dl (deadline), np (next ping), pi and pt (ping interval and timeout), go and gu (owner of
// the poll slot, until), po and pu (of the POST), lp (last POST), al (alarm), aw (the alarm's wait, counted from the next
// delivery), er (how it ended), ob (bytes of the outbox), cr (credential); x:NAME are fields of the layer above.
constexpr std::string_view kPrelude = R"(
local session, outbox, wake, deadlines, sid = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function get(name) return redis.call('HGET', session, name) end
local function number(name) return tonumber(get(name) or 0) end
local state = get('st')
local function drop()
  redis.call('DEL', session, outbox, wake)
  redis.call('ZREM', deadlines, sid)
end
local function keep(ms)
  for _, key in ipairs({session, outbox, wake}) do redis.call('PEXPIRE', key, ms) end
end
local function wakes()
  if number('gu') > now then redis.call('RPUSH', wake, '1') end
end
local function lives()
  if not state then return false end
  if now < number('dl') then return true end
  return false
end
local function renew()
  if state ~= 'o' then return end
  local span = number('pi') + number('pt')
  redis.call('HSET', session, 'dl', now + span)
  redis.call('ZADD', deadlines, now + span, sid)
  keep(span + 120000)
end
local function finish()
  state = 'c'
  redis.call('DEL', outbox)
  redis.call('HSET', session, 'st', 'c', 'dl', now + 5000, 'ob', 0)
  redis.call('HDEL', session, 'al', 'aw')
  redis.call('ZADD', deadlines, now + 5000, sid)
end
local function close(packet)
  finish()
  redis.call('RPUSH', outbox, packet)
  wakes()
  keep(125000)
end
local function abort(ending)
  finish()
  redis.call('HSET', session, 'er', ending)
  wakes()
  keep(125000)
end
local function fields()
  local all, found = redis.call('HGETALL', session), {}
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'x:' then
      found[#found + 1] = string.sub(all[i], 3)
      found[#found + 1] = all[i + 1]
    end
  end
  return table.concat(found, '\31')
end
)";

// ARGV: id, interval, timeout, limit, first alarm, credential, fields...
constexpr std::string_view kOpen = R"(
if redis.call('ZCOUNT', deadlines, now, '+inf') >= tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', session, 'st', 'o', 'pi', ARGV[2], 'pt', ARGV[3], 'np', now + ARGV[2], 'lp', now,
           'al', now + ARGV[5], 'cr', ARGV[6])
for i = 7, #ARGV, 2 do redis.call('HSET', session, 'x:' .. ARGV[i], ARGV[i + 1]) end
state = 'o'
renew()
return 'ok'
)";

// ARGV: id, owner, looking, credential, slot time
constexpr std::string_view kLook = R"(
if not lives() then
  return 'u'
end
local owner, looking, credential = ARGV[2], ARGV[3], ARGV[4]
if looking == 'begin' then
  if credential ~= '' and get('cr') ~= credential then return 'f' end
  if state == 'c' and (number('gu') > now or redis.call('LLEN', outbox) == 0) then return 'u' end
  if state == 'o' and number('gu') > now then
    close('1')
    return 'o'
  end
  redis.call('HSET', session, 'go', owner, 'gu', now + ARGV[5])
elseif get('go') ~= owner then
  return 'u'
end
local function release() redis.call('HDEL', session, 'go', 'gu') end
local ending = get('er')
if ending then
  drop()
  return 'e' .. ending
end
renew()
local packets, bytes = {}, 0
while #packets < 16 and bytes < 1000000 do
  local packet = redis.call('LPOP', outbox)
  if not packet then break end
  packets[#packets + 1] = packet
  bytes = bytes + #packet
end
if #packets > 0 then
  release()
  redis.call('HINCRBY', session, 'ob', -bytes)
  local after = get('aw')
  if after then
    redis.call('HDEL', session, 'aw')
    redis.call('HSET', session, 'al', now + after)
  end
  if state == 'c' then drop() end
  return 'p' .. table.concat(packets, '\30')
end
local alarm = tonumber(get('al') or math.huge)
if now >= alarm then
  -- Again, if this process dies before it has acted.
  redis.call('HSET', session, 'al', now + 10000)
  return 'a'
end
local post_ends = get('po') and number('pu') or math.huge
if now >= post_ends then
  drop()
  return 'eunavailable'
end
if now >= number('np') then
  if now > number('lp') + 3 * number('pi') + number('pt') and post_ends == math.huge then
    drop()
    return 'eunavailable'
  end
  redis.call('HSET', session, 'np', now + number('pi'))
  release()
  return 'p2'
end
if looking == 'last' then
  release()
  return 'p6'
end
redis.call('DEL', wake)
return 'w' .. math.max(1, math.min(number('np'), alarm, post_ends) - now)
)";

// ARGV: id, owner
constexpr std::string_view kLeavePoll = R"(
if get('go') == ARGV[2] then redis.call('HDEL', session, 'go', 'gu') end
return ''
)";

// ARGV: id, owner, credential, longest time
constexpr std::string_view kBeginPost = R"(
if not lives() or state == 'c' then return 'u' end
if ARGV[3] ~= '' and get('cr') ~= ARGV[3] then return 'f' end
if number('pu') > now then
  abort('bad_request')
  return 'o'
end
redis.call('HSET', session, 'po', ARGV[2], 'pu', now + ARGV[4], 'lp', now)
renew()
return 'b' .. fields()
)";

// ARGV: id, owner, longest time
constexpr std::string_view kRenewPost = R"(
if not lives() or get('po') ~= ARGV[2] then return '' end
redis.call('HSET', session, 'pu', now + ARGV[3])
renew()
return ''
)";

// ARGV: id, owner, has pong
constexpr std::string_view kEndPost = R"(
if not state or get('po') ~= ARGV[2] then return '' end
redis.call('HDEL', session, 'po', 'pu')
redis.call('HSET', session, 'lp', now)
if ARGV[3] == '1' then redis.call('HSET', session, 'np', now + number('pi')) end
renew()
return ''
)";

// ARGV: id, packets...
constexpr std::string_view kPush = R"(
if not lives() or state == 'c' then return 'u' end
local bytes = number('ob')
for i = 2, #ARGV do bytes = bytes + #ARGV[i] end
if bytes > 1000000 or redis.call('LLEN', outbox) + #ARGV - 1 > 200 then
  abort('unavailable')
  return 'u'
end
for i = 2, #ARGV do redis.call('RPUSH', outbox, ARGV[i]) end
redis.call('HSET', session, 'ob', bytes)
wakes()
keep(number('pi') + number('pt') + 120000)
return 'ok'
)";

// ARGV: id, packet
constexpr std::string_view kClose = R"(
if lives() and state == 'o' then close(ARGV[2]) end
return ''
)";

// ARGV: id, ending
constexpr std::string_view kAbort = R"(
if not lives() then return '' end
local is_polled = number('gu') > now
abort(ARGV[2])
if not is_polled then drop() end
return ''
)";

// ARGV: id, name, value, ...
constexpr std::string_view kSetFields = R"(
if not lives() then return '' end
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', session, 'x:' .. ARGV[i])
  else
    redis.call('HSET', session, 'x:' .. ARGV[i], ARGV[i + 1])
  end
end
return ''
)";

constexpr std::string_view kFields = R"(
if not lives() then return '' end
return fields()
)";

// ARGV: id, wait, from
constexpr std::string_view kSetAlarm = R"(
if not lives() or state == 'c' then return '' end
if ARGV[3] == 'delivery' then
  redis.call('HDEL', session, 'al')
  redis.call('HSET', session, 'aw', ARGV[2])
else
  redis.call('HSET', session, 'al', now + ARGV[2])
  wakes()
end
return ''
)";

constexpr std::string_view kIsLive = R"(
return lives() and state == 'o' and '1' or ''
)";

// One that is over: its id, or nothing. Taken out of the set, so nobody else gets it.
constexpr std::string_view kTakeOver = R"(
local found = redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, 1)
if #found == 0 then return '' end
redis.call('ZREM', deadlines, found[1])
return found[1]
)";

// Of one that TakeOver has given: its state and fields.
constexpr std::string_view kDrop = R"(
local all = (state or 'c') .. fields()
drop()
return all
)";

SessionFields Split(std::string_view text) {
  SessionFields fields;
  const auto next = [&text] {
    const std::size_t end = text.find(kFieldSeparator);
    std::string part(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
  };
  while (!text.empty()) {
    std::string name = next();
    fields.emplace_back(std::move(name), next());
  }
  return fields;
}

std::int64_t NumberIn(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

const char* NameOf(Looking looking) {
  switch (looking) {
    case Looking::kBegin:
      return "begin";
    case Looking::kAgain:
      return "again";
    case Looking::kLast:
      break;
  }
  return "last";
}

std::string NewId() {
  StartSodium();
  std::string bytes(kIdBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return ToBase64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string Text(milliseconds time) {
  return std::to_string(time.count());
}

// Longer than a poll may wait: a ping interval.
constexpr milliseconds kSlotTime{40'000};

}  // namespace

std::string SessionStore::Run(std::string_view script, const std::string& sid,
                              const std::vector<std::string>& arguments) {
  const std::string whole = std::string(kPrelude).append(script);
  const std::string session = std::string(kPrefix).append(sid).append("}");
  const std::string outbox = session + ":q", wake = session + ":w";
  std::vector<std::string_view> words = {"EVAL", whole, "4", session, outbox, wake, kDeadlines, sid};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return redis_.Command(words).text;
}

std::string SessionStore::Open(const SessionRules& rules, std::string_view credential,
                               const SessionFields& fields) {
  std::string sid = NewId();
  std::vector<std::string> arguments = {Text(rules.ping_interval), Text(rules.ping_timeout),
                                        std::to_string(rules.max_sessions), Text(rules.connect_time),
                                        std::string(credential)};
  for (const auto& [name, value] : fields) {
    arguments.push_back(name);
    arguments.push_back(value);
  }
  if (Run(kOpen, sid, arguments) == "full") throw Busy("too_many_sessions");
  return sid;
}

Look SessionStore::LookInto(const std::string& sid, std::string_view owner, Looking looking,
                            std::string_view credential) {
  const std::string found =
      Run(kLook, sid, {std::string(owner), NameOf(looking), std::string(credential), Text(kSlotTime)});
  const std::string rest = found.substr(std::min<std::size_t>(found.size(), 1));
  switch (found.empty() ? 'u' : found.front()) {
    case 'p':
      return {.kind = Look::Kind::kPackets, .payload = rest};
    case 'w':
      return {.kind = Look::Kind::kWait, .wait = milliseconds(NumberIn(rest))};
    case 'a':
      return {.kind = Look::Kind::kAlarm};
    case 'f':
      return {.kind = Look::Kind::kForbidden};
    case 'o':
      return {.kind = Look::Kind::kOverlap};
    case 'e':
      return {.kind = Look::Kind::kEnded,
              .ending = rest == "unavailable" ? Ending::kUnavailable : Ending::kBadRequest};
    default:
      return {.kind = Look::Kind::kUnknown};
  }
}

void SessionStore::Await(const std::string& sid, milliseconds wait) {
  redis_.AwaitItem(std::string(kPrefix).append(sid).append("}:w"), wait);
}

void SessionStore::LeavePoll(const std::string& sid, std::string_view owner) {
  Run(kLeavePoll, sid, {std::string(owner)});
}

Posting SessionStore::BeginPost(const std::string& sid, std::string_view owner, const SessionRules& rules,
                                std::string_view credential, SessionFields& fields) {
  const std::string found =
      Run(kBeginPost, sid, {std::string(owner), std::string(credential), Text(rules.post_time)});
  if (found == "u") return Posting::kUnknown;
  if (found == "f") return Posting::kForbidden;
  if (found == "o") return Posting::kOverlap;
  fields = Split(std::string_view(found).substr(1));
  return Posting::kBegun;
}

void SessionStore::RenewPost(const std::string& sid, std::string_view owner, const SessionRules& rules) {
  Run(kRenewPost, sid, {std::string(owner), Text(rules.post_time)});
}

void SessionStore::EndPost(const std::string& sid, std::string_view owner, bool has_pong) {
  Run(kEndPost, sid, {std::string(owner), has_pong ? "1" : "0"});
}

bool SessionStore::Push(const std::string& sid, const std::vector<std::string>& packets) {
  return Run(kPush, sid, packets) == "ok";
}

void SessionStore::Close(const std::string& sid, std::string_view packet) {
  Run(kClose, sid, {std::string(packet)});
}

void SessionStore::Abort(const std::string& sid, Ending ending) {
  Run(kAbort, sid, {ending == Ending::kUnavailable ? "unavailable" : "bad_request"});
}

void SessionStore::SetFields(const std::string& sid, const SessionFields& fields) {
  std::vector<std::string> arguments;
  for (const auto& [name, value] : fields) {
    arguments.push_back(name);
    arguments.push_back(value);
  }
  Run(kSetFields, sid, arguments);
}

SessionFields SessionStore::Fields(const std::string& sid) {
  return Split(Run(kFields, sid, {}));
}

void SessionStore::SetAlarm(const std::string& sid, milliseconds wait, From from) {
  Run(kSetAlarm, sid, {Text(wait), from == From::kDelivery ? "delivery" : "now"});
}

bool SessionStore::IsLive(const std::string& sid) {
  return !Run(kIsLive, sid, {}).empty();
}

std::optional<SessionStore::Ended> SessionStore::TakeEnded() {
  const std::string sid = Run(kTakeOver, "", {});
  if (sid.empty()) return std::nullopt;
  const std::string found = Run(kDrop, sid, {});
  return Ended{sid, found.starts_with('o'), Split(std::string_view(found).substr(1))};
}

}  // namespace syncline::vault
