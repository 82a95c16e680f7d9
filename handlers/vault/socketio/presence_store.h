#pragma once
// Which sessions a device has, and whether it answers, in Redis. A desktop that leaves its sync screen stays connected but ignores what it
// is asked, and opens another session when it comes back: so the newest session is asked, and the next one if that stays silent.
// Error Busy "redis_unavailable" from every function without Redis.
#include <chrono>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/base/redis.h"

namespace syncline::vault {

class PresenceStore {
 public:
  PresenceStore(Redis& redis, UserId user, DeviceId device);

  /// The session belongs to the device from now on. Returns the oldest ones beyond `limit`, which are forgotten.
  std::vector<std::string> Join(const std::string& sid, int limit);
  void Leave(const std::string& sid);
  /// Newest first; some may be over.
  std::vector<std::string> Sessions();

  /// The device sends too much: it is not asked for an hour, and after each further time twice as long, at most a day.
  void Pause();
  void EndPause();
  bool IsPaused();

 private:
  Redis& redis_;
  std::string name_;
};

}  // namespace syncline::vault
