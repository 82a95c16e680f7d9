#pragma once
// The Redis of the tests.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "handlers/base/redis.h"

namespace syncline::tests {

inline std::string RedisUrl() {
  const char* url = std::getenv("REDIS_URL");
  if (url == nullptr) throw std::runtime_error("REDIS_URL must be the address of a Redis for tests");
  return url;
}

/// Lets upstreams (handlers/base/upstream.h) be asked at once, although it has just started.

inline void MakeKnown(Redis& redis) {
  redis.Command(
      {"EVAL",
       "return redis.call('SET', KEYS[1], string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'))", "1",
       "syncline:upstream:known"});
}

}  // namespace syncline::tests
