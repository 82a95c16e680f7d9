#pragma once
// A body of the type multipart/form-data (RFC 7578, on RFC 2046), part by part as a stream: a part of any size
// passes through 64 KiB. What browsers, curl, Qt, Python's requests and old Anki clients send is read; anything
// that two readers could understand differently is refused.
//
//   MultipartReader parts(request);
//   while (const auto part = parts.NextPart()) {
//     if (part->name == "data") Keep(parts);  // a BodySource
//   }
//
// The part's own Content-Transfer-Encoding and Content-Type charset are not looked at: nobody sends them
// (RFC 7578, 4.7). Left out on purpose: multipart/mixed inside a part, and a decoding of %22 in names, which
// stands for itself with half of the clients.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/request.h"

namespace syncline {

struct MultipartLimits {
  std::size_t parts = 100;
  std::size_t header_bytes = 8 << 10;    ///< of one part; more than 32 KiB is not possible
  std::size_t preamble_bytes = 8 << 10;  ///< before the first part; its content is ignored
};

struct Part {
  std::string name;
  /// As the client has it: UTF-8 without control characters, but nothing that may be used as a path.
  std::optional<std::string> filename;
  std::string content_type;  ///< as it came; empty when there is none
};

class MultipartReader : public BodySource {
 public:
  /// Reads the body of `request`, which must outlive it. Error UnsupportedMedia "not_multipart" when its
  /// Content-Type is another, BadInput "bad_multipart" when that has no usable boundary.
  explicit MultipartReader(const Request& request, MultipartLimits limits = {});

  /// The next part, whose bytes Read then gives; what was not read of the one before is skipped. None after
  /// the last: what follows the final boundary is not read. Error TooLarge "multipart_too_large" past a limit,
  /// BadInput "bad_multipart" for what is malformed or ends before the final boundary.
  std::optional<Part> NextPart();

  /// Bytes of the current part; 0 at its end. Throws as NextPart.
  std::size_t Read(char* buffer, std::size_t size) override;

  /// All that is left of the current part, for small fields. Error TooLarge "multipart_too_large".
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
  std::size_t begin_ = 0, end_ = 0;  // what has been read and not been taken, in window_
  std::size_t clear_ = 0;            // of these, so many belong to the part
  bool at_delimiter_ = false;        // and behind them stands the delimiter
  bool is_over_ = false;
  std::size_t parts_ = 0;
};

}  // namespace syncline
