#pragma once
// What tests and fuzz targets of readers and writers share: bodies that arrive in pieces or are kept as texts, the
// code of an Error, contents. Needs no library but handlers/base.
#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/sha1.h"

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

/// Keeps what is written.
class StringSink : public BodySink {
 public:
  void Write(std::string_view bytes) override { text.append(bytes); }
  std::string text;
};

/// A body to its end, at most `size` bytes per read.
inline std::string ReadAll(BodySource& body, std::size_t size = 1000) {
  std::string all, buffer(size, '\0');
  while (const std::size_t got = body.Read(buffer.data(), buffer.size())) all.append(buffer, 0, got);
  return all;
}

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

/// A text that hardly compresses, the same one for the same size.
inline std::string RandomText(std::size_t size) {
  std::mt19937 random(1);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random() % 64);
  return text;
}

inline std::string Sha1Of(std::string_view bytes) {
  Sha1 sha1;
  sha1.Add(bytes);
  return sha1.Finish();
}

}  // namespace syncline::tests
