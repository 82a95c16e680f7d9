#pragma once
// Maps FastCGI to Request and AnswerWriter. With accept_loop.cpp the only code that uses libfcgi.
//
// FastCGI params that nginx must send (nginx/syncline_params), and what they become:
//
//   REQUEST_METHOD        method
//   REQUEST_URI           path, raw, cut at '?'; and segments, which are split before they are decoded. Dot
//                         segments are refused, because nginx chose its location by the path without them
//   QUERY_STRING          query, raw
//   CONTENT_LENGTH        content_length; empty: unknown, the body ends where the stream ends. nginx sets it
//                         for chunked requests too, as long as it buffers them
//   CONTENT_TYPE          header content-type
//   REMOTE_ADDR           remote_address
//   SYNCLINE_REQUEST_ID   id ($request_id); generated here if it is not [A-Za-z0-9_.-]{1,64}
//   HTTP_X_Y              header x-y. HTTP_SYNCLINE_* is dropped
//   SYNCLINE_X            header syncline-x: set by nginx, so no client can send it; an empty one is dropped.
//                         authorization.h and large_elsewhere (handlers/base/context.h) use them
//   SYNCLINE_ARRIVED      when nginx passed the request on, after its body had arrived: seconds since 1970 with three
//                         decimals. SYNCLINE_HANDED_OVER: the same, as of the pool that handed the request over
//
// Everything else is ignored. FastCGI keep-alive stays off even if the peer asks for it: an idle connection
// would pin a slot, and a process that shuts down would lose requests in transit.
#include <optional>
#include <string>

#include "fcgi/gate.h"
#include "fcgi/pipeline.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"

struct FCGX_Request;

namespace syncline::front {

/// The request that the params describe. `problem` is set if they are invalid; the rest is then filled as far
/// as possible.
struct Received {
  Request request;
  std::optional<Error> problem;
};
/// `params`: "NAME=value" strings, terminated by a null pointer.
Received ReadRequest(const char* const* params);

/// The body of one request. Read throws Error BadInput "body_cut" if the client disconnects or sends less
/// than announced; bytes beyond the announced length are not read.
class FcgiBody : public BodySource {
 public:
  FcgiBody(Gate& gate, std::optional<std::size_t> content_length) : gate_(gate), left_(content_length) {}
  std::size_t Read(char* buffer, std::size_t size) override;

 private:
  Gate& gate_;
  std::optional<std::size_t> left_;
};

/// The answer. Small ones are sent in one write with the records that end the request; large pieces are
/// written as records of their own without copying.
class FcgiAnswer : public AnswerWriter {
 public:
  explicit FcgiAnswer(FCGX_Request& fcgi) : fcgi_(fcgi) {}
  void Begin(int status, const Headers& headers) override;
  void Write(std::string_view bytes) override;
  void Flush() override;
  void Abort() noexcept override { aborted_ = true; }
  bool IsClientGone() const noexcept override;
  bool aborted() const { return aborted_; }

 private:
  void Put(std::string_view bytes);
  FCGX_Request& fcgi_;
  bool aborted_ = false;
};

/// Passes a checked head to libfcgi; empty between requests. A socket pair, because the kernel shrinks the
/// pipes of a user who has many.
class HeadChannel {
 public:
  HeadChannel() = default;
  ~HeadChannel() { Close(); }
  HeadChannel(const HeadChannel&) = delete;
  HeadChannel& operator=(const HeadChannel&) = delete;

  /// Opens the channel unless it is open. False if the process is out of descriptors: without a channel, no
  /// request can begin.
  bool Open();
  /// Lets libfcgi decode the head that `gate` has read, and attaches `fcgi` to `connection` for the answer.
  /// False on failure: the caller still owns the connection, and must open the channel again.
  bool BeginRequest(FCGX_Request& fcgi, const Gate& gate, int connection);

 private:
  void Close();
  int ends_[2] = {-1, -1};  // libfcgi's, ours
};

/// Gives up what libfcgi holds for a request that is not answered yet. The connection stays open.
void DetachRequest(FCGX_Request& fcgi);

/// Ends a request: sends what is buffered, drains the input, closes the connection. An aborted answer is
/// closed without the records that would make it look complete.
void FinishRequest(FCGX_Request& fcgi, Gate& gate, const FcgiAnswer& answer);

}  // namespace syncline::front
