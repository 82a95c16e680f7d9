#include "handlers/base/redis.h"

#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTimeout{500};
// A failure that took this long has blocked a slot; an immediate one, such as a refused connection, does no
// harm.
constexpr std::chrono::milliseconds kLong{400};

// The addresses that do not answer. Thread-safe; a process has one address, tests have some.
class RestingAddresses {
 public:
  bool Has(const std::string& url, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = until_.find(url);
    return found != until_.end() && now < found->second;
  }
  void Begin(const std::string& url, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    until_[url] = now + kRedisRest;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Clock::time_point> until_;
};

timeval TimevalOf(std::chrono::milliseconds time) {
  return {time.count() / 1000, static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

RestingAddresses& Rests() {
  static RestingAddresses rests;
  return rests;
}

Error Unavailable(const std::string& why) {
  return Busy("redis_unavailable", "redis: " + why);
}

// No reply is pending between two commands, so a readable socket was closed.
bool WasClosed(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, 0) != 0;
}

// Errors that say that Redis cannot work at the moment; any other one is a mistake in the command.
const std::string_view kNotNow[] = {"OOM",        "LOADING",    "BUSY",     "READONLY",   "MISCONF",
                                    "MASTERDOWN", "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN"};

[[noreturn]] void ThrowRefusal(const std::string& text) {
  const std::string_view code = std::string_view(text).substr(0, text.find(' '));
  if (std::find(std::begin(kNotNow), std::end(kNotNow), code) != std::end(kNotNow)) throw Unavailable(text);
  throw Error(ErrorKind::kInternal, "internal", "redis: " + text);
}

}  // namespace

Redis::Redis(std::string url) : url_(std::move(url)), context_(nullptr, redisFree) {}
Redis::~Redis() = default;

void Redis::Connect() {
  constexpr std::string_view kUnix = "unix://", kTcp = "redis://";
  if (url_.starts_with(kUnix)) {
    context_.reset(redisConnectUnixWithTimeout(url_.c_str() + kUnix.size(), TimevalOf(kTimeout)));
  } else if (url_.starts_with(kTcp)) {
    std::string host = url_.substr(kTcp.size(), url_.find('/', kTcp.size()) - kTcp.size());
    int port = 6379;
    if (const auto colon = host.rfind(':'); colon != std::string::npos) {
      std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
      host.resize(colon);
    }
    context_.reset(redisConnectWithTimeout(host.c_str(), port, TimevalOf(kTimeout)));
  } else {
    throw Unavailable("cannot parse the address " + url_);
  }
  if (context_ == nullptr || context_->err != 0) {
    const std::string why = context_ == nullptr ? "out of memory" : context_->errstr;
    context_.reset();
    throw Unavailable(why);
  }
  redisSetTimeout(context_.get(), TimevalOf(kTimeout));
  // Detects a connection lost by the network while idle, before the next command uses it.
  if (url_.starts_with(kTcp)) redisEnableKeepAlive(context_.get());
}

// A wait that was asked for does not count.
template <typename F>
auto Redis::Resting(F&& run) {
  const auto begin = Clock::now();
  if (Rests().Has(url_, begin)) throw Unavailable("it did not answer a moment ago");
  try {
    return run();
  } catch (const Error&) {
    if (const auto now = Clock::now(); now - begin >= kLong) Rests().Begin(url_, now);
    throw;
  }
}

RedisReply Redis::Command(std::span<const std::string_view> arguments) {
  return Resting([&] { return Run(arguments); });
}

bool Redis::AwaitItem(std::string_view list, std::chrono::milliseconds wait) {
  // Redis takes seconds, in which 0 is for ever.
  const std::string seconds =
      std::to_string(static_cast<double>(std::max<std::int64_t>(wait.count(), 1)) / 1000);
  const std::string_view arguments[] = {"BLPOP", list, seconds};
  return Resting([&] { return Send(arguments, wait + kTimeout)->type == REDIS_REPLY_ARRAY; });
}

Redis::Raw Redis::Send(std::span<const std::string_view> arguments, std::chrono::milliseconds patience) {
  if (context_ != nullptr && WasClosed(context_->fd)) context_.reset();
  if (context_ == nullptr) Connect();
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.data());
    lengths.push_back(argument.size());
  }
  if (patience != kTimeout) redisSetTimeout(context_.get(), TimevalOf(patience));
  Raw reply(static_cast<redisReply*>(redisCommandArgv(context_.get(), static_cast<int>(texts.size()),
                                                      texts.data(), lengths.data())),
            freeReplyObject);
  if (reply == nullptr) {
    // After a timeout the reply may still arrive and would be taken for that of the next command.
    const std::string why = context_->errstr;
    context_.reset();
    throw Unavailable(why);
  }
  if (patience != kTimeout) redisSetTimeout(context_.get(), TimevalOf(kTimeout));
  if (reply->type == REDIS_REPLY_ERROR) ThrowRefusal(std::string(reply->str, reply->len));
  return reply;
}

RedisReply Redis::Run(std::span<const std::string_view> arguments) {
  const Raw reply = Send(arguments, kTimeout);
  switch (reply->type) {
    case REDIS_REPLY_NIL:
      return {};
    case REDIS_REPLY_INTEGER:
      return {RedisReply::Type::kInteger, reply->integer, ""};
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return {RedisReply::Type::kText, 0, std::string(reply->str, reply->len)};
    default:
      ThrowRefusal("unexpected reply");
  }
}

}  // namespace syncline
