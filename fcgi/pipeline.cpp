#include "fcgi/pipeline.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <new>

#include "fcgi/authorization.h"
#include "fcgi/routes.h"
#include "handlers/base/log.h"
#include "sql/errors.h"

namespace syncline::front {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::hours kLongestWait{1};
// Receiving and refusing a body of this size costs more than an ordinary request.
constexpr std::size_t kLargeBody = 64 << 10;
constexpr std::int64_t kLastSecond = 1LL << 40;

/// The body as the handler reads it: counted, bounded by the route's limit, and failing after the deadline.
class BoundedBody : public BodySource {
 public:
  explicit BoundedBody(BodySource* source) : source_(source) {}
  void Bound(std::size_t limit, SteadyClock::time_point deadline) {
    limit_ = limit;
    deadline_ = deadline;
  }
  std::size_t Read(char* buffer, std::size_t size) override {
    if (source_ == nullptr || size == 0) return 0;
    if (SteadyClock::now() > deadline_) throw Busy("too_slow", "deadline passed while the body was read");
    const std::size_t got = source_->Read(buffer, size);
    bytes_ += got;
    if (bytes_ > limit_) throw TooLarge("body_too_large");
    return got;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  BodySource* source_;
  std::size_t limit_ = 0;
  std::size_t bytes_ = 0;
  SteadyClock::time_point deadline_;
};

/// Counts the bytes sent to the client, for the log line.
class CountingSink : public BodySink {
 public:
  explicit CountingSink(AnswerWriter& writer) : writer_(writer) {}
  void Write(std::string_view bytes) override {
    writer_.Write(bytes);
    bytes_ += bytes.size();
  }
  void Flush() override { writer_.Flush(); }
  std::size_t bytes() const { return bytes_; }

 private:
  AnswerWriter& writer_;
  std::size_t bytes_ = 0;
};

/// One request and its state in the stages.
struct Call {
  Front& front;
  Request& request;
  AnswerWriter& writer;
  const std::optional<Error>& request_problem;
  Visit& visit;
  Context context;
  BoundedBody body;
  CountingSink sink;
  const sql::Database& database;
  const std::int64_t connects_before = database.connects();
  SteadyClock::time_point begin = SteadyClock::now();
  SteadyClock::time_point deadline{};
  std::optional<UserId> with_turn{};  // holds a turn of this account until the answer is sent
  bool was_refused = false;           // in a way that slows the account down
  bool is_parked = false;             // ends without an answer, to be served again
  const Route* route = nullptr;
  std::string_view pattern{};  // of a path that does not have this method
  const Dialect* dialect = &kFrontDialect;
  Response response{};
  Ending ending = Ending::kAnswered;
  std::chrono::microseconds took{0};
  std::string error_code{};  // public
  std::string why{};         // private, for the log
};

class Next;
using Stage = void (*)(Call& call, Next next);

/// The stages after the current one.
class Next {
 public:
  explicit Next(const Stage* stage) : stage_(stage) {}
  void operator()(Call& call) const { (*stage_)(call, Next(stage_ + 1)); }

 private:
  const Stage* stage_;
};

// ---- The stages, in the order of kStages.

// Outside of everything that sends or logs: a parked request sends and logs nothing.
void HoldTurn(Call& call, Next next) {
  // The turn came with the visit; from here on this object returns it.
  if (call.visit.coming == Visit::Coming::kWithTurn) {
    call.with_turn = call.visit.account;
    call.visit.coming = Visit::Coming::kFresh;
  }
  struct Leaver {
    Call& call;
    ~Leaver() {
      if (!call.with_turn) return;
      call.front.turns.Leave(*call.with_turn, SteadyClock::now() - call.begin,
                             call.was_refused && call.ending != Ending::kClientGone);
    }
  };
  const Leaver leaver{call};
  next(call);
}

void CountRequest(Call& call, Next next) {
  next(call);
  if (call.is_parked) return;
  call.front.metrics.Count(
      {.route = call.route,
       .status = call.response.status,
       .ending = call.ending,
       .error = call.error_code,
       .took = call.took,
       .in = call.body.bytes(),
       .out = call.sink.bytes(),
       .statements = static_cast<std::uint64_t>(call.context.statements()),
       .database_time = call.context.database_time(),
       .connects = static_cast<std::uint64_t>(call.database.connects() - call.connects_before)});
}

LogLevel LevelOf(const Call& call) {
  if (call.ending == Ending::kClientGone) return LogLevel::kInfo;
  if (call.response.status == 500) return LogLevel::kError;
  // 501 is the answer to old clients; anything above it, or a truncated answer, is a server error.
  return call.response.status > 501 || call.ending == Ending::kCutShort ? LogLevel::kWarn : LogLevel::kInfo;
}

void Log(Call& call, Next next) {
  next(call);
  if (call.is_parked) return;
  call.took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - call.begin);
  // The request itself writes the log line, but knows the reason of a failure only from here, and does not
  // arrive at all if nginx passes our refusal on.
  const int status = call.response.status;
  if (IsQuestion(call.request) && status != 401 && status != 403 && status < 500) return;
  LogLine line(LevelOf(call));
  line.Add("req", std::string_view(call.request.id));
  line.Add("svc", call.dialect->service);
  line.Add("op", call.route != nullptr ? call.route->operation : "-");
  const auto user = static_cast<std::int64_t>(call.context.user());
  line.Add("user", user == 0 ? std::string("-") : std::to_string(user));
  line.Add("status", status);
  line.Add("err", call.error_code.empty() ? std::string_view("-") : std::string_view(call.error_code));
  line.Add("ms", call.took);
  line.Add("db", call.context.statements());
  line.Add("db_ms", call.context.database_time());
  line.Add("in", call.body.bytes());
  line.Add("out", call.sink.bytes());
  // The wait for a slot: in the socket's backlog, or parked behind other requests of its account.
  if (call.context.waited().count() > 0) line.Add("waited_ms", call.context.waited().count());
  // Logs the pattern if there is one, and never a path that may contain a secret.
  if (call.route == nullptr && (!call.pattern.empty() || !call.dialect->has_secret_paths))
    line.Add("path", call.pattern.empty() ? call.request.path : call.pattern);
  if (!call.why.empty() && call.why != call.error_code) line.Add("why", std::string_view(call.why));
  line.Write();
}

// Whether the account must pause: after refusals that a client might repeat at once, and after any error of a request
// with a large body. A missing or changed object is an ordinary answer of REST and WebDAV.
bool IsBurden(const Call& call, const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kBadInput:
    case ErrorKind::kTooLarge:
    case ErrorKind::kTooMany:
    case ErrorKind::kBusy:
      return true;
    default:
      return call.request.content_length.value_or(0) > kLargeBody;
  }
}

void Fail(Call& call, const Error& error) {
  call.was_refused = IsBurden(call, error);
  call.error_code = error.code();
  call.why = error.what();
  call.response = call.dialect->render_error(error, call.request);
  for (const auto& [name, value] : error.headers()) call.response.With(name, value);
  if (error.retry_after()) call.response.With("Retry-After", std::to_string(error.retry_after()->count()));
  if (IsQuestion(call.request)) call.response.With("Syncline-Refusal", RefusalText(error));
}

/// The text of the current exception; only inside a catch block.
std::string TextOfException() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "not a std::exception";
  }
}

void WriteAnswer(Call& call) {
  Response& response = call.response;
  const bool no_body = call.request.method == "HEAD" || response.status == 204 || response.status == 304;
  auto* text = std::get_if<std::string>(&response.body);
  if (text != nullptr && response.status != 204 && response.status != 304) {
    response.With("Content-Length", std::to_string(text->size()));
  } else if (text == nullptr && response.length) {
    response.With("Content-Length", std::to_string(*response.length));
  }
  call.writer.Begin(response.status, response.headers);
  if (no_body) return;
  if (text != nullptr) {
    if (!text->empty()) call.sink.Write(*text);
    return;
  }
  std::get<BodyStream>(response.body)(call.sink);
  if (response.length && *response.length != call.sink.bytes()) {
    throw Error(ErrorKind::kInternal, "short_stream", "the stream was not as long as announced");
  }
}

// Part of the answer may have been sent: the connection is cut, so that the client sees that it is
// incomplete.
void CutShort(Call& call, Ending ending, std::string code) {
  call.writer.Abort();
  call.ending = ending;
  call.error_code = std::move(code);
  call.why = TextOfException();
}

void Send(Call& call, Next next) {
  try {
    next(call);
  } catch (...) {
    // Reached only if a dialect throws while it renders an error.
    call.error_code = "internal";
    call.why = TextOfException();
    call.response = Response::Empty(500);
  }
  if (call.is_parked) return;
  try {
    WriteAnswer(call);
  } catch (const Error& error) {
    if (error.code() == "client_gone") return CutShort(call, Ending::kClientGone, error.code());
    // Counts a stream that lost its database as a failure.
    CutShort(call, Ending::kCutShort, error.kind() == ErrorKind::kBusy ? error.code() : "cut_short");
  } catch (...) {
    CutShort(call, Ending::kCutShort, "cut_short");
  }
}

void FixHeaders(Call& call, Next next) {
  next(call);
  for (const auto& [name, value] : call.dialect->fixed_headers) {
    call.response.With(std::string(name), std::string(value));
  }
  call.response.With("X-Request-Id", call.request.id);
}

// The origin of a page that may read the answer, or nothing.
std::optional<std::string_view> AllowedOrigin(const Call& call) {
  const Cors* cors = call.dialect->cors;
  const auto origin = call.request.Header("origin");
  return cors != nullptr && origin && cors->allows(*origin, call.front.config) ? origin : std::nullopt;
}

void ShareWithPages(Call& call, Next next) {
  next(call);
  if (call.dialect->cors == nullptr) return;
  call.response.With("Vary", "Origin");
  const auto origin = AllowedOrigin(call);
  if (!origin) return;
  call.response.With("Access-Control-Allow-Origin", std::string(*origin));
  if (call.dialect->cors->has_credentials) call.response.With("Access-Control-Allow-Credentials", "true");
  if (const auto names = call.dialect->cors->exposed_headers; !names.empty()) {
    call.response.With("Access-Control-Expose-Headers", std::string(names));
  }
}

bool IsPreflight(const Call& call) {
  return call.request.method == "OPTIONS" && call.dialect->cors != nullptr && call.request.Header("origin") &&
         call.request.Header("access-control-request-method");
}

// For how long a browser may remember the answer to a preflight.
constexpr const char* kPreflightSeconds = "600";

// A preflight carries no login. An origin that is not allowed gets no headers, which makes the browser
// refuse.
Response PreflightAnswer(const Call& call, const std::string& methods) {
  Response response = Response::Empty(204);
  if (!AllowedOrigin(call)) return response;
  return std::move(response)
      .With("Access-Control-Allow-Methods", methods)
      .With("Access-Control-Allow-Headers", std::string(call.dialect->cors->request_headers))
      .With("Access-Control-Max-Age", kPreflightSeconds);
}

void Catch(Call& call, Next next) {
  try {
    next(call);
  } catch (const Error& error) {
    Fail(call, error);
    if (error.code() == "client_gone") call.ending = Ending::kClientGone;
  } catch (const HandOver& to) {
    call.ending = Ending::kHandedOver;
    call.error_code = "handed_over";
    call.response =
        Response::Empty(200)
            .With("X-Accel-Redirect", to.location)
            .With("Syncline-Arrived", std::string(call.request.Header("syncline-arrived").value_or("")));
  } catch (const std::bad_alloc&) {
    Fail(call, Busy("busy", "out of memory"));
  } catch (...) {
    Fail(call, Error(ErrorKind::kInternal, "internal", TextOfException()));
  }
}

// The URL of the same request with a trailing slash added or removed. Relative, because the Host header is
// the client's word.
Response OtherSlash(const Request& request, Match::Slash slash) {
  std::string location = request.path;
  if (slash == Match::Slash::kMissing) {
    location += '/';
  } else {
    location.pop_back();
  }
  if (!request.query.empty()) location += '?' + request.query;
  return Response::Empty(307).With("Location", location);
}

void FindRoute(Call& call, Next next) {
  Match match = call.front.router.Find(call.request.method, call.request.segments);
  if (match.dialect != nullptr) call.dialect = match.dialect;
  if (match.pattern != nullptr) call.pattern = match.pattern;
  if (call.request_problem) throw Error(*call.request_problem);
  if (!match.allow.empty() && IsPreflight(call)) {
    call.response = PreflightAnswer(call, match.allow);
    return;
  }
  if (match.slash != Match::Slash::kRight) {
    call.response = OtherSlash(call.request, match.slash);
    return;
  }
  if (match.route == nullptr) {
    if (match.allow.empty()) throw NotFound("no_such_path");
    throw Error(ErrorKind::kMethodNotAllowed, "method_not_allowed").With("Allow", match.allow);
  }
  call.route = match.route;
  call.request.path_params = std::move(match.path_params);
  call.context.SetAccess(match.route->access);
  // Set by nginx; ReadRequest drops headers of this name that clients send.
  call.context.SetLargeElsewhere(call.request.Header("syncline-large-elsewhere").value_or(""));
  next(call);
}

void CheckSchema(Call& call, Next next) {
  if (!call.front.schema_checked.load(std::memory_order_acquire) && call.dialect != &kFrontDialect) {
    throw Busy("starting", "the schema of the database has not been checked yet");
  }
  next(call);
}

// When nginx passed the request on for the first time, in ms since 1970, as text "1700000000.123".
std::optional<std::int64_t> ArrivedMs(const Request& request) {
  // Set by nginx if another pool has handed the request over.
  const auto first = request.Header("syncline-handed-over");
  const auto text = first ? first : request.Header("syncline-arrived");
  if (!text || text->size() < 5 || (*text)[text->size() - 4] != '.') return std::nullopt;
  std::int64_t seconds = 0, ms = 0;
  const char *const point = text->data() + text->size() - 4, *const end = text->data() + text->size();
  if (std::from_chars(text->data(), point, seconds).ptr != point ||
      std::from_chars(point + 1, end, ms).ptr != end || seconds < 0 || seconds > kLastSecond) {
    return std::nullopt;
  }
  return seconds * 1000 + ms;
}

// How long the request waited for a slot.
std::chrono::milliseconds Waited(Call& call) {
  const auto arrived = ArrivedMs(call.request);
  if (!arrived) return std::chrono::milliseconds(0);
  const std::chrono::milliseconds waited(call.context.NowMs() - *arrived);
  // Any other value means that the clock was set meanwhile.
  return waited.count() > 0 && waited < kLongestWait ? waited : std::chrono::milliseconds(0);
}

void StartDeadline(Call& call, Next next) {
  call.context.SetClient([&call] { return call.writer.IsClientGone(); });
  const std::chrono::milliseconds waited = Waited(call);
  call.deadline = call.begin + call.route->deadline - waited;
  call.context.SetWaited(waited);
  call.context.SetDeadline(call.deadline);
  if (call.writer.IsClientGone()) throw ClientGone("left before a slot took its request");
  if (waited >= call.route->deadline) throw Busy("too_slow", "waited too long for a slot");
  next(call);
}

void LimitBody(Call& call, Next next) {
  const std::size_t limit = call.route->body_limit.Bytes(call.front.config);
  if (call.request.content_length && *call.request.content_length > limit) throw TooLarge("body_too_large");
  call.body.Bound(limit, call.deadline);
  call.request.body = &call.body;
  next(call);
}

// Answers the authorizer's question with yes.
void Admit(Call& call, const std::optional<Identity>& identity) {
  call.ending = Ending::kAdmitted;
  call.response = Admission(call.request, identity);
}

void ParseFirst(Call& call, Next next) {
  if (call.route->before_login != nullptr) {
    // The authorizer has no body to validate.
    if (IsQuestion(call.request)) return Admit(call, std::nullopt);
    call.route->before_login(call.request, call.context);
  }
  next(call);
}

void Authenticate(Call& call, Next next) {
  const Route& route = *call.route;
  if (auto refusal = RefusalOf(call.request)) throw Error(*std::move(refusal));
  if (IsQuestion(call.request) && call.dialect->has_login_in_body != nullptr &&
      call.dialect->has_login_in_body(call.request, call.context)) {
    return Admit(call, std::nullopt);
  }
  std::optional<Identity> identity;
  if (route.auth != Auth::kPublic) {
    // A parked request was admitted too long ago.
    if (!call.with_turn) identity = AdmittedAs(call.request, call.context.waited());
    if (!identity) identity = call.dialect->authenticate(call.request, call.context);
    if (!identity && route.auth == Auth::kRequired) throw Unauthenticated("login_required");
    call.context.SetIdentity(identity.value_or(Identity{}));
    if (!HasAll(call.context.roles(), route.roles)) throw Forbidden("role_missing");
  }
  if (IsQuestion(call.request)) return Admit(call, identity);
  next(call);
}

Error TooManyAtOnce() {
  return Busy("busy", "the account has too many requests at once");
}

void TakeAccountTurn(Call& call, Next next) {
  const UserId account = call.context.user();
  if (account == UserId{} || call.with_turn) return next(call);
  if (call.visit.coming == Visit::Coming::kTooLate) throw TooManyAtOnce();
  switch (call.front.turns.Enter(account)) {
    case AccountTurns::Admission::kNow:
      call.with_turn = account;
      return next(call);
    case AccountTurns::Admission::kRefuse:
      throw TooManyAtOnce();
    case AccountTurns::Admission::kPark:
      // A body that was read in part cannot be read again.
      if (call.body.bytes() > 0) {
        if (!call.request.is_body_kept) throw TooManyAtOnce();
        call.visit.kept = std::move(call.request.kept);
      }
      call.visit.account = account;
      call.is_parked = true;
  }
}

void LimitRate(Call& call, Next next) {
  if (const auto& limit = call.route->limit) {
    const bool by_account = limit->per == CallLimit::Per::kAccount && call.context.user() != UserId{};
    const std::string who = by_account ? std::to_string(static_cast<std::int64_t>(call.context.user()))
                                       : NetworkOf(call.request.remote_address);
    RequireRate(call.context.redis(), std::string("calls:") + call.route->operation + ":" + who, limit->rate,
                limit->is_open_without_redis ? WithoutRedis::kAllow : WithoutRedis::kRefuse);
  }
  next(call);
}

void Handle(Call& call, Next) {
  call.response = call.route->handler(call.request, call.context);
}

// The stages of a request, outermost first. Each one wraps those below it.
constexpr Stage kStages[] = {
    // Around the sending: an account's request runs until its answer is sent.
    HoldTurn,
    // Around the log, because it counts what the log line says.
    CountRequest,
    // Around everything that can fail, so that exactly one line is written, with what was actually sent.
    Log,
    // Sends after the handler has returned, so a header never comes too late. A stream runs while the context
    // of its request is alive.
    Send,
    // Above Catch, so that errors also carry the headers of their dialect and the request id.
    FixHeaders,
    // Above Catch too: a page must be able to read why it was refused.
    ShareWithPages,
    // Turns exceptions into answers. Private text goes to the log; the client gets the public code and the
    // request id.
    Catch,
    // Everything below uses the route's row. 404, 405 and preflights end here, before the body is read.
    FindRoute,
    // Services must not touch tables whose schema has not been checked. The front's own routes pass.
    CheckSchema,
    // Before anything that can block: the body, then the database. A request whose client has disconnected
    // ends here.
    StartDeadline,
    // Before the login, because a login may need the body (Anki's old clients send the key in it).
    LimitBody,
    // Before the login, because some protocols validate the body of an unknown caller. Few routes use it.
    ParseFirst,
    // An unknown caller costs one lookup, and no body unless the login is in it. There is no lookup if the
    // authorizer has just identified the caller. The authorizer's question ends here (authorization.h).
    Authenticate,
    // Before anything that is slow or large: one account must not take all slots. See account_turns.h.
    TakeAccountTurn,
    // After the login, because an account is counted wherever it connects from. Few routes have a limit.
    LimitRate,
    Handle,
};

}  // namespace

bool Serve(Front& front, sql::Database& database, Redis& redis, Request& request, AnswerWriter& writer,
           const std::optional<Error>& request_problem, Visit& visit) noexcept {
  BodySource* const source = request.body;
  bool is_served = true;
  try {
    Call call{front,
              request,
              writer,
              request_problem,
              visit,
              Context(front.config, database, redis, request.id),
              BoundedBody(source),
              CountingSink(writer),
              database};
    call.context.SetLeaving(&front.leaving);
    Next{kStages}(call);
    is_served = !call.is_parked;
  } catch (...) {
    // Out of memory even for the answer or its log line. The client sees an incomplete answer; the slot goes
    // on.
    writer.Abort();
    if (visit.coming == Visit::Coming::kWithTurn) front.turns.Leave(visit.account, {}, /*was_refused=*/false);
  }
  request.body = source;
  return is_served;
}

}  // namespace syncline::front
