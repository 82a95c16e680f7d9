#pragma once
// FastCGI on one side, Request and AnswerWriter on the other. With accept_loop.cpp the only code that knows
// libfcgi.
//
// What nginx must send as FastCGI params (nginx/syncline_params), and what becomes of it:
//
//   REQUEST_METHOD        method
//   REQUEST_URI           path, raw, cut at '?'; and segments, which are split before they are decoded. Dot
//                         segments are refused, because nginx chose its location by the path without them
//   QUERY_STRING          query, raw
//   CONTENT_LENGTH        content_length; empty: unknown, the body ends where the stream ends. nginx knows it
//                         for chunked requests too, as long as it buffers them
//   CONTENT_TYPE          header content-type
//   REMOTE_ADDR           remote_address
//   SYNCLINE_REQUEST_ID   id ($request_id); made up here when it is not [A-Za-z0-9_.-]{1,64}
//   HTTP_X_Y              header x-y. HTTP_SYNCLINE_* is dropped
//   SYNCLINE_X            header syncline-x: what nginx established, so no client can send one of that name
//
// Everything else is ignored. FastCGI keep-alive stays off whatever the peer asks: an idle connection would
// pin a slot, and a leaving process would lose requests that are on their way.
#include <optional>
#include <string>

#include "fcgi/gate.h"
#include "fcgi/pipeline.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"

struct FCGX_Request;

namespace syncline::front {

/// What came with the params. `problem` is set when they make no request; the rest is then filled as far as
/// it goes.
struct Received {
  Request request;
  std::optional<Error> problem;
};
/// `params`: "NAME=value" strings, null at the end.
Received ReadRequest(const char* const* params);

/// The body of one request. Error BadInput "body_cut" when the client went away or sent less than announced;
/// what is longer than announced is not read.
class FcgiBody : public BodySource {
 public:
  FcgiBody(Gate& gate, std::optional<std::size_t> content_length) : gate_(gate), left_(content_length) {}
  std::size_t Read(char* buffer, std::size_t size) override;

 private:
  Gate& gate_;
  std::optional<std::size_t> left_;
};

/// The answer. Small ones leave in one write with the records that end the request; large pieces are written
/// as records of their own without being copied.
class FcgiAnswer : public AnswerWriter {
 public:
  explicit FcgiAnswer(FCGX_Request& fcgi) : fcgi_(fcgi) {}
  void Begin(int status, const Headers& headers) override;
  void Write(std::string_view bytes) override;
  void Flush() override;
  void Abort() noexcept override { aborted_ = true; }
  bool aborted() const { return aborted_; }

 private:
  void Put(std::string_view bytes);
  FCGX_Request& fcgi_;
  bool aborted_ = false;
};

/// The way by which libfcgi gets to read a checked head; empty between two requests. A pair of sockets,
/// because the capacity of pipes shrinks when a user has many.
class HeadChannel {
 public:
  HeadChannel() = default;
  ~HeadChannel() { Close(); }
  HeadChannel(const HeadChannel&) = delete;
  HeadChannel& operator=(const HeadChannel&) = delete;

  /// Opens the channel unless it is open. False when the process has no descriptors left: without a channel,
  /// no request can begin.
  bool Open();
  /// Lets libfcgi decode the head that `gate` has read, and attaches `fcgi` to `connection` for the answer.
  /// False when it cannot; the connection stays the caller's then, and the channel has to be opened again.
  bool BeginRequest(FCGX_Request& fcgi, const Gate& gate, int connection);

 private:
  void Close();
  int ends_[2] = {-1, -1};  // libfcgi's, ours
};

/// Ends a request: sends what is buffered, reads what the peer still has to say, closes the connection. An
/// aborted answer is closed without the records that would make it look complete.
void FinishRequest(FCGX_Request& fcgi, Gate& gate, const FcgiAnswer& answer);

}  // namespace syncline::front
