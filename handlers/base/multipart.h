#pragma once
// Reads a body of the type multipart/form-data (RFC 7578, on RFC 2046) part by part as a stream, through 64
// KiB. Accepts what browsers, curl, Qt, Python's requests and old Anki clients send; refuses anything
// ambiguous.
//
//   MultipartReader parts(request);
//   while (const auto part = parts.NextPart()) {
//     if (part->name == "data") Keep(parts);  // a BodySource
//   }
//
// A part's own Content-Transfer-Encoding and charset are ignored: no client sends them (RFC 7578, 4.7). Left
// out on purpose: multipart/mixed inside a part, and decoding %22 in names, because half of the clients mean
// it literally.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/request.h"

namespace syncline {

struct MultipartLimits {
  std::size_t parts = 100;
  std::size_t header_bytes = 8 << 10;    ///< of one part; at most 32 KiB
  std::size_t preamble_bytes = 8 << 10;  ///< before the first part; its content is ignored
};

struct Part {
  std::string name;
  /// As the client sent it: UTF-8 without control characters, but not safe as a path.
  std::optional<std::string> filename;
  std::string content_type;  ///< as received; empty if there is none
};

class MultipartReader : public BodySource {
 public:
  /// Reads the body of `request`, which must outlive it. Throws Error UnsupportedMedia "not_multipart" on
  /// another Content-Type, BadInput "bad_multipart" if that has no usable boundary.
  explicit MultipartReader(const Request& request, MultipartLimits limits = {});

  /// The next part, whose bytes Read then returns; unread bytes of the previous one are skipped. None after
  /// the last; what follows the final boundary is ignored. Throws Error TooLarge "multipart_too_large" past a
  /// limit, BadInput "bad_multipart" if the body is malformed or ends before the final boundary.
  std::optional<Part> NextPart();

  /// Bytes of the current part; 0 at its end. Throws as NextPart.
  std::size_t Read(char* buffer, std::size_t size) override;

  /// The rest of the current part, for small fields. Throws Error TooLarge "multipart_too_large" past `limit`
  /// bytes.
  std::string ReadText(std::size_t limit);

 private:
  std::string_view Window() const { return std::string_view(window_).substr(begin_, end_ - begin_); }
  bool Fill();
  std::size_t Clear();
  std::string HeaderLine(std::size_t& left);
  Part ReadHeaders();

  BodySource* body_;
  const MultipartLimits limits_;
  std::string delimiter_;  // CRLF, two dashes, the boundary
  std::string window_;
  std::size_t begin_ = 0, end_ = 0;  // unconsumed bytes of window_
  std::size_t clear_ = 0;            // how many of these belong to the part
  bool at_delimiter_ = false;        // whether the delimiter follows them
  bool is_over_ = false;
  std::size_t parts_ = 0;
};

}  // namespace syncline
