#pragma once
// Sessions of Engine.IO in Redis, for all processes: any of them may serve any request of a session, and any may die at any
// moment.
//
// A session is a hash (times, who polls, who posts, fields of the layer above), a list of packets that wait for a poll (the
// outbox), and a list that wakes the waiting poll. Each step is one script with the clock of Redis. All times are absolute,
// so nothing has to run for them: whoever asks next finds what is due.
//
// - Any request counts as a sign of life, because clients send their pongs behind their uploads. A session ends ping interval
//   plus ping timeout after the last one.
// - Packets leave the outbox only with the script of the poll that answers with them: a process that is killed while it waits
//   loses none.
// - A poll of a dead process holds the slot until the slot's own end.
// - A client whose requests to post fail does not notice, and goes on polling. So a session whose POST has died ends, and one that
//   polls without posting for three pings; the client comes back with a new one.
//
// The id of a session is a secret and is never logged. Error Busy "redis_unavailable" from every function without Redis. Redis
// must not evict keys.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/base/redis.h"

namespace syncline::vault {

/// The same for all processes. In milliseconds where Engine.IO has them so.
struct SessionRules {
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::int64_t max_payload = 140'100'000;  ///< told to clients; the limit of a body
  std::int64_t max_sessions = 200;  ///< each one holds a slot: at most nine tenths of those of the pool
  /// A POST that nobody renews for this long has died with its process. Longer than the desktop waits for an answer.
  std::chrono::milliseconds post_time{20'000};
  std::chrono::milliseconds connect_time{45'000};  ///< the first alarm
};

/// Of the layer above, kept with a session. Values have no 0x1f.
using SessionFields = std::vector<std::pair<std::string, std::string>>;

/// The most packets of one answer: python-engineio drops a session that gets more.
inline constexpr int kMaxPolledPackets = 16;

/// Why a session ended, as its waiting poll is told.
enum class Ending {
  kBadRequest,   ///< 400, "Bad request"
  kUnavailable,  ///< 503: the client comes back, as after any error
};

struct Look {
  enum class Kind {
    kPackets,  ///< `payload`: the answer. The slot is free again
    kWait,     ///< for `wait` at most; Await returns earlier if there is news
    kAlarm,  ///< the time that SetAlarm has set has come: the layer above acts, then sets another one, or none
    kUnknown,    ///< no such session, or no longer
    kForbidden,  ///< of another credential
    kOverlap,    ///< another poll waits: the session is over
    kEnded,      ///< with `ending`
  } kind = Kind::kUnknown;
  std::string payload{};
  std::chrono::milliseconds wait{0};
  Ending ending = Ending::kBadRequest;
};

enum class Looking { kBegin, kAgain, kLast };

enum class Posting { kBegun, kUnknown, kForbidden, kOverlap };

class SessionStore {
 public:
  explicit SessionStore(Redis& redis) : redis_(redis) {}

  /// A new session; returns its id: 144 random bits, in base64url. `credential`: a mark of what the client has proved to know,
  /// which later requests that carry one must repeat; "" for none. Error Busy "too_many_sessions" at the limit.
  std::string Open(const SessionRules& rules, std::string_view credential, const SessionFields& fields);

  /// One look of a poll into the session. `owner`: a random name of this poll. kBegin takes the slot; kLast gives it back and
  /// never waits: the poll ends with a noop if there is nothing.
  Look LookInto(const std::string& sid, std::string_view owner, Looking looking, std::string_view credential);
  /// Waits for news of a poll that got kWait.
  void Await(const std::string& sid, std::chrono::milliseconds wait);
  /// The poll's client has gone: its packets stay for the next one.
  void LeavePoll(const std::string& sid, std::string_view owner);

  /// Begins a POST, with the fields of the session. kOverlap: another one runs, and the session is over.
  Posting BeginPost(const std::string& sid, std::string_view owner, const SessionRules& rules,
                    std::string_view credential, SessionFields& fields);
  /// The POST goes on, which counts as a sign of life.
  void RenewPost(const std::string& sid, std::string_view owner, const SessionRules& rules);
  /// `has_pong`: the next ping is an interval away.
  void EndPost(const std::string& sid, std::string_view owner, bool has_pong);

  /// Adds packets to the outbox. False: there is no such session (any more). An outbox of more than 200 packets or 1 MB ends
  /// the session.
  bool Push(const std::string& sid, const std::vector<std::string>& packets);
  /// The session ends with this packet: "6" if the client has said goodbye, "1" for one that must not come back.
  void Close(const std::string& sid, std::string_view packet);
  /// The session ends, and its waiting poll with an error.
  void Abort(const std::string& sid, Ending ending);

  /// Sets fields of the layer above; an empty value removes one. Does nothing without the session.
  void SetFields(const std::string& sid, const SessionFields& fields);
  SessionFields Fields(const std::string& sid);
  /// When a poll shall next return kAlarm: after `wait`, counted from now, or from the answer that carries what is in the
  /// outbox.
  enum class From { kNow, kDelivery };
  void SetAlarm(const std::string& sid, std::chrono::milliseconds wait, From from);
  /// Whether the session lives.
  bool IsLive(const std::string& sid);

  /// A session that is over. Nobody else gets it.
  struct Ended {
    std::string sid;
    bool was_silent = false;  ///< it ended because nothing more came
    SessionFields fields;
  };
  /// Deletes one and returns it; none: no session is over.
  std::optional<Ended> TakeEnded();

 private:
  std::string Run(std::string_view script, const std::string& sid, const std::vector<std::string>& arguments);
  Redis& redis_;
};

}  // namespace syncline::vault
