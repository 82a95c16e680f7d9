#include "handlers/vault/engineio/polling_flow.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <random>

#include "handlers/base/json_writer.h"

namespace syncline::vault {
namespace {

using std::chrono::milliseconds;

// How often a waiting poll looks whether its client is still there.
constexpr milliseconds kSlice{1'000};
constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kMaxSid = 64;

Error BadRequest(const char* why) {
  return BadInput("bad_request", why);
}

Response PacketsAnswer(std::string payload) {
  return Response::Text(200, std::move(payload)).With("Cache-Control", "no-store");
}

// A page of another origin must not use what a browser adds by itself, such as a Basic login. The desktop sends no Origin.
void RequireOwnOrigin(const Request& request) {
  const auto origin = request.Header("origin");
  if (!origin) return;
  const std::size_t scheme = origin->find("://");
  if (scheme == std::string_view::npos || origin->substr(scheme + 3) != request.Header("host").value_or(""))
    throw Forbidden("foreign_origin");
}

// What a request names; checked in the order in which other servers do.
std::optional<std::string> SessionOf(const Request& request) {
  if (request.Query("EIO") != "4") throw BadInput("unsupported_protocol");
  if (request.Query("transport") != "polling") throw BadInput("unknown_transport");
  if (request.Query("j")) throw BadRequest("JSONP");
  RequireOwnOrigin(request);
  auto sid = request.Query("sid");
  if (sid && (sid->empty() || sid->size() > kMaxSid)) throw BadInput("unknown_session");
  return sid;
}

std::string NewOwner() {
  std::random_device random;
  return std::to_string(random()) + ":" + std::to_string(random());
}

Response Handshake(Request& request, Context& context, const SessionRules& rules, const MessageLayer& layer) {
  const Admittance admitted = layer.admit(request, context);
  const std::string sid = SessionStore(context.redis()).Open(rules, admitted.credential, admitted.fields);
  JsonWriter json;
  json.Object()
      .Add("sid", sid)
      .Array("upgrades")
      .End()
      .Add("pingInterval", rules.ping_interval.count())
      .Add("pingTimeout", rules.ping_timeout.count())
      .Add("maxPayload", rules.max_payload);
  return PacketsAnswer("0" + json.Finish());
}

// The answer to what a look has found; none: the poll goes on.
std::optional<Response> AnswerTo(Look& look) {
  switch (look.kind) {
    case Look::Kind::kPackets:
      return PacketsAnswer(std::move(look.payload));
    case Look::Kind::kUnknown:
      throw BadInput("unknown_session");
    case Look::Kind::kForbidden:
      throw Forbidden("other_credential");
    case Look::Kind::kOverlap:
      throw BadRequest("another poll waits");
    case Look::Kind::kEnded:
      if (look.ending == Ending::kUnavailable) throw Busy("session_ended");
      throw BadRequest("the session has ended");
    case Look::Kind::kWait:
    case Look::Kind::kAlarm:
      break;
  }
  return std::nullopt;
}

/// Receives the packets of one POST.
class Receiver : public PacketSink {
 public:
  explicit Receiver(MessageReceiver& messages) : messages_(messages) {}

  void Begin(PacketType type) override {
    type_ = type;
    if (is_closed_) throw BadInput("bad_packet", "a packet after close");
    if (IsMessage()) messages_.Begin(type == PacketType::kBinary);
    // Only servers send these by polling.
    if (type == PacketType::kOpen || type == PacketType::kPing)
      throw BadInput("bad_packet", "a packet of servers");
  }
  void Piece(std::string_view bytes) override {
    if (IsMessage()) messages_.Piece(bytes);
  }
  void End() override {
    if (IsMessage()) messages_.End();
    has_pong_ |= type_ == PacketType::kPong;
    is_closed_ |= type_ == PacketType::kClose;
  }
  bool has_pong() const { return has_pong_; }
  bool is_closed() const { return is_closed_; }

 private:
  bool IsMessage() const { return type_ == PacketType::kMessage || type_ == PacketType::kBinary; }
  MessageReceiver& messages_;
  PacketType type_{};
  bool has_pong_ = false, is_closed_ = false;
};

// Calls `renew` before the POST would be taken for dead.
void ReadPackets(Request& request, Receiver& receiver, milliseconds lease,
                 const std::function<void()>& renew) {
  using Clock = std::chrono::steady_clock;
  PayloadReader reader(receiver);
  std::string piece(kPiece, '\0');
  auto renewed = Clock::now();
  while (const std::size_t got = request.body->Read(piece.data(), piece.size())) {
    reader.Push(std::string_view(piece).substr(0, got));
    if (const auto now = Clock::now(); now - renewed > lease / 4) {
      renewed = now;
      renew();
    }
  }
  reader.Finish();
}

// A client whose POST fails does not notice that it can no longer send, so its session must end, and its poll with an error.
// Without Redis the poll ends by itself.
void AbortAfterFailure(Context& context, const std::string& sid, const std::exception_ptr& failure) noexcept {
  auto ending = Ending::kUnavailable;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kBadInput) ending = Ending::kBadRequest;
  } catch (...) {
  }
  try {
    SessionStore(context.redis()).Abort(sid, ending);
  } catch (const std::exception&) {
  }
}

}  // namespace

Response Poll(Request& request, Context& context, const SessionRules& rules, const MessageLayer& layer) {
  const auto sid = SessionOf(request);
  // Routers send a HEAD here, too.
  if (request.method != "GET") throw BadInput(sid ? "bad_request" : "bad_handshake_method");
  if (!sid) return Handshake(request, context, rules, layer);
  SessionStore sessions(context.redis());
  const std::string owner = NewOwner(), credential = layer.credential(request, context);
  for (Looking looking = Looking::kBegin;; looking = context.IsLeaving() ? Looking::kLast : Looking::kAgain) {
    // Before each look: what it takes out of the outbox is lost if nobody waits for it.
    if (context.IsClientGone()) {
      sessions.LeavePoll(*sid, owner);
      throw ClientGone("left while it polled");
    }
    Look look = sessions.LookInto(*sid, owner, looking, credential);
    if (auto answer = AnswerTo(look)) return *std::move(answer);
    if (look.kind == Look::Kind::kAlarm) {
      layer.alarm(context, *sid);
      // Or each of many slots would keep one.
      context.WithDatabase([](sql::Database& database) { database.Disconnect(); });
    } else {
      sessions.Await(*sid, std::min(look.wait, kSlice));
    }
  }
}

Response ReceivePackets(Request& request, Context& context, const SessionRules& rules,
                        const MessageLayer& layer) {
  const auto sid = SessionOf(request);
  if (!sid) throw BadInput("bad_handshake_method");
  SessionStore sessions(context.redis());
  const std::string owner = NewOwner();
  SessionFields fields;
  switch (sessions.BeginPost(*sid, owner, rules, layer.credential(request, context), fields)) {
    case Posting::kUnknown:
      throw BadInput("unknown_session");
    case Posting::kForbidden:
      throw Forbidden("other_credential");
    case Posting::kOverlap:
      throw BadRequest("another POST runs");
    case Posting::kBegun:
      break;
  }
  try {
    if (request.Header("content-type") == "application/octet-stream")
      throw BadRequest("binary payloads belong to protocol 3");
    if (request.content_length && *request.content_length > static_cast<std::size_t>(rules.max_payload)) {
      layer.oversized(context, fields);
      throw TooLarge("body_too_large");
    }
    const auto messages = layer.receive(context, *sid, fields);
    Receiver receiver(*messages);
    ReadPackets(request, receiver, rules.post_time, [&] { sessions.RenewPost(*sid, owner, rules); });
    messages->Finish();
    sessions.EndPost(*sid, owner, receiver.has_pong());
    if (receiver.is_closed()) sessions.Close(*sid, "6");
  } catch (...) {
    AbortAfterFailure(context, *sid, std::current_exception());
    throw;
  }
  return Response::Text(200, "ok").With("Cache-Control", "no-store");
}

void RefuseMethod(const Request& request) {
  throw BadInput(SessionOf(request) ? "bad_request" : "bad_handshake_method");
}

Response RenderEngineError(const Error& error, const Request&) {
  struct Row {
    std::string_view code;
    int number;
    const char* message;
  };
  static constexpr Row kRows[] = {{"unknown_transport", 0, "Transport unknown"},
                                  {"unknown_session", 1, "Session ID unknown"},
                                  {"bad_handshake_method", 2, "Bad handshake method"},
                                  {"unsupported_protocol", 5, "Unsupported protocol version"}};
  const auto* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                       [&](const Row& one) { return one.code == error.code(); });
  int number = 3;
  const char* message = "Bad request";
  if (row != std::end(kRows)) {
    number = row->number;
    message = row->message;
  } else if (error.kind() == ErrorKind::kForbidden || error.kind() == ErrorKind::kUnauthenticated) {
    number = 4;
    message = "Forbidden";
  } else if (StatusOf(error.kind()) >= 500) {
    message = "Service unavailable";
  }
  return Response::Json(StatusOf(error.kind()),
                        JsonWriter().Object().Add("code", number).Add("message", message).Finish());
}

}  // namespace syncline::vault
