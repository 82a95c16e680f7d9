#pragma once
// FastCGI on one side, Request and AnswerWriter on the other. With accept_loop.cpp the only code that knows
// libfcgi.
//
// What nginx must send as FastCGI params (nginx/ has the file), and what becomes of it:
//
//   REQUEST_METHOD                  method
//   DOCUMENT_URI  ($document_uri)   path: decoded and cleaned by nginx, the very path its locations were
//   chosen by; REQUEST_URI   ($request_uri)    only without DOCUMENT_URI: raw, decoded here, cut at '?'
//   QUERY_STRING                    query, raw
//   CONTENT_LENGTH                  content_length; empty or absent: unknown, the body ends where the stream
//   ends.
//                                   nginx knows it for chunked requests too as long as it buffers them
//   CONTENT_TYPE                    header content-type
//   REMOTE_ADDR                     remote_address, after nginx' real_ip
//   SYNCLINE_REQUEST_ID ($request_id)  id; made up here when absent or not [A-Za-z0-9_.-]{1,64}
//   HTTP_X_Y                        header x-y. nginx drops client headers with underscores
//   (underscores_in_headers
//                                   off), so a header of a client cannot take the place of another
//   SYNCLINE_*                      identity that nginx established; header "syncline-*", which no client can
//   send,
//                                   because HTTP_SYNCLINE_* is dropped here
//
// Everything else is ignored. Peers are trusted to be our web server, which the mode of the socket
// guarantees: libfcgi bounds neither the number nor the size of params, nginx does
// (large_client_header_buffers). What a peer sends that is not FastCGI closes its connection. FastCGI
// keep-alive stays off whatever the peer asks: an idle connection would pin a slot, and a leaving process
// would lose requests that are on their way.
#include <optional>
#include <string>

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

/// The body of one request, straight from libfcgi's stream.
class FcgiBody : public BodySource {
 public:
  FcgiBody(FCGX_Request& fcgi, std::optional<std::size_t> content_length)
      : fcgi_(fcgi), left_(content_length) {}
  /// Error BadInput "body_cut" when the client went away or sent less than announced.
  std::size_t Read(char* buffer, std::size_t size) override;

 private:
  FCGX_Request& fcgi_;
  std::optional<std::size_t> left_;
};

/// The answer. Small ones leave in one write with the records that end the request; large pieces are written
/// as records of their own without being copied.
class FcgiAnswer : public AnswerWriter {
 public:
  explicit FcgiAnswer(FCGX_Request& fcgi) : fcgi_(fcgi) {}
  void Begin(int status, const Headers& headers) override;
  void Write(std::string_view bytes) override;
  void Abort() noexcept override { aborted_ = true; }
  bool aborted() const { return aborted_; }

 private:
  void Put(std::string_view bytes);
  FCGX_Request& fcgi_;
  bool aborted_ = false;
};

/// Ends a request: sends what is buffered, reads what the peer still has to say, closes the connection. An
/// aborted answer is closed without the records that would make it look complete.
void FinishRequest(FCGX_Request& fcgi, const FcgiAnswer& answer);

}  // namespace syncline::front
