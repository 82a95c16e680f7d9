#pragma once
// What tests and fuzz targets of readers share: a body that arrives in pieces, and the code of an Error. Needs
// no library but handlers/base.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/request.h"

namespace syncline::tests {

/// A text as a body that returns at most `piece` bytes per read, like a slow network.
class PieceBody : public BodySource {
 public:
  explicit PieceBody(std::string text, std::size_t piece = 1 << 20) : text_(std::move(text)), piece_(piece) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = text_.copy(buffer, std::min(size, piece_), at_);
    at_ += got;
    return got;
  }
  /// Bytes read so far.
  std::size_t at() const { return at_; }

 private:
  std::string text_;
  std::size_t piece_, at_ = 0;
};

/// The public code of the Error that `f` throws; "" if it throws none.
template <typename F>
std::string CodeOf(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

}  // namespace syncline::tests
