#pragma once
// The long-polling transport of Engine.IO, protocol 4: handshake, GET, POST (https://github.com/socketio/engine.io-protocol).
// What is carried is up to the layer above. Left out on purpose: protocol 3, JSONP, the websocket transport.
#include <memory>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/vault/engineio/payload_wire.h"
#include "handlers/vault/engineio/session_store.h"

namespace syncline::vault {

/// What a handshake has proved.
struct Admittance {
  std::string credential;  ///< see SessionStore::Open
  SessionFields fields;
};

/// Receives the messages of one POST, in order. What it throws ends the session.
class MessageReceiver {
 public:
  virtual ~MessageReceiver() = default;
  virtual void Begin(bool is_binary) = 0;
  virtual void Piece(std::string_view bytes) = 0;
  virtual void End() = 0;
  /// The POST is complete.
  virtual void Finish() = 0;
};

/// The layer above. Functions without state: any process may call any of them.
struct MessageLayer {
  /// Of a handshake. Throws Error Unauthenticated to refuse.
  Admittance (*admit)(Request& request, Context& context);
  /// The mark of the credential that a later request carries; "" if it carries none.
  std::string (*credential)(const Request& request, Context& context);
  /// `fields`: those of the session as the POST begins.
  std::unique_ptr<MessageReceiver> (*receive)(Context& context, const std::string& sid,
                                              const SessionFields& fields);
  /// A POST was refused because it is longer than max_payload.
  void (*oversized)(Context& context, const SessionFields& fields);
  /// SetAlarm's time has come: sets another one, or ends the session. Of a session without any: connect_time after the
  /// handshake.
  void (*alarm)(Context& context, const std::string& sid);
};

/// GET: the handshake, or a poll. Polls hold their slot for up to a ping interval. Errors have these codes:
///   BadInput "unsupported_protocol", "unknown_transport", "unknown_session", "bad_request"
///   Unauthenticated, Forbidden, Busy, TooMany
Response Poll(Request& request, Context& context, const SessionRules& rules, const MessageLayer& layer);

/// POST: packets of the client. As Poll; BadInput "bad_handshake_method" without a session, "bad_packet".
Response ReceivePackets(Request& request, Context& context, const SessionRules& rules,
                        const MessageLayer& layer);

/// Any other method. Throws.
[[noreturn]] void RefuseMethod(const Request& request);

/// The answer to an error: {"code", "message"} with the codes of Engine.IO.
Response RenderEngineError(const Error& error, const Request& request);

}  // namespace syncline::vault
