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

constexpr timeval kTimeout{0, 500'000};
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
    context_.reset(redisConnectUnixWithTimeout(url_.c_str() + kUnix.size(), kTimeout));
  } else if (url_.starts_with(kTcp)) {
    std::string host = url_.substr(kTcp.size(), url_.find('/', kTcp.size()) - kTcp.size());
    int port = 6379;
    if (const auto colon = host.rfind(':'); colon != std::string::npos) {
      std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
      host.resize(colon);
    }
    context_.reset(redisConnectWithTimeout(host.c_str(), port, kTimeout));
  } else {
    throw Unavailable("cannot parse the address " + url_);
  }
  if (context_ == nullptr || context_->err != 0) {
    const std::string why = context_ == nullptr ? "out of memory" : context_->errstr;
    context_.reset();
    throw Unavailable(why);
  }
  redisSetTimeout(context_.get(), kTimeout);
  // Detects a connection lost by the network while idle, before the next command uses it.
  if (url_.starts_with(kTcp)) redisEnableKeepAlive(context_.get());
}

RedisReply Redis::Command(std::initializer_list<std::string_view> arguments) {
  const auto begin = Clock::now();
  if (Rests().Has(url_, begin)) throw Unavailable("it did not answer a moment ago");
  try {
    return Run(arguments);
  } catch (const Error&) {
    if (const auto now = Clock::now(); now - begin >= kLong) Rests().Begin(url_, now);
    throw;
  }
}

RedisReply Redis::Run(std::initializer_list<std::string_view> arguments) {
  if (context_ != nullptr && WasClosed(context_->fd)) context_.reset();
  if (context_ == nullptr) Connect();
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.data());
    lengths.push_back(argument.size());
  }
  const std::unique_ptr<redisReply, void (*)(void*)> reply(
      static_cast<redisReply*>(
          redisCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(), lengths.data())),
      freeReplyObject);
  if (reply == nullptr) {
    // After a timeout the reply may still arrive and would be taken for that of the next command.
    const std::string why = context_->errstr;
    context_.reset();
    throw Unavailable(why);
  }
  switch (reply->type) {
    case REDIS_REPLY_NIL:
      return {};
    case REDIS_REPLY_INTEGER:
      return {RedisReply::Type::kInteger, reply->integer, ""};
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return {RedisReply::Type::kText, 0, std::string(reply->str, reply->len)};
    default:
      ThrowRefusal(reply->str != nullptr ? std::string(reply->str, reply->len) : "unexpected reply");
  }
}

}  // namespace syncline
