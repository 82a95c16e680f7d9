// Finding boundaries: the delimiter is CRLF, "--" and the boundary, and the body is read as if a CRLF
// preceded it. The window is searched once for the delimiter; the bytes before it, or before the last bytes
// that could begin one, belong to the part. Each byte is searched at most twice, however small the reads are.
#include "handlers/base/multipart.h"

#include <algorithm>
#include <cstring>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

constexpr std::size_t kWindowBytes = 64 << 10;
// RFC 2046 allows 70. Old clients may exceed that.
constexpr std::size_t kMaxBoundaryBytes = 200;
// RFC 2046 allows blanks after a boundary; no known client sends any.
constexpr std::size_t kMaxPaddingBytes = 64;

Error Bad(const std::string& why) {
  return BadInput("bad_multipart", why);
}

Error Truncated() {
  return Bad("the body ends before the final boundary");
}

void CheckText(std::string_view text, const char* what) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (!IsUtf8(text) || std::any_of(text.begin(), text.end(), is_control))
    throw Bad(std::string(what) + " is not UTF-8 or holds control characters");
}

// UTF-8''%e2%82%ac (RFC 8187). None for another charset; the plain filename is used then.
std::optional<std::string> ExtendedText(std::string_view text) {
  const std::size_t charset = text.find('\'');
  const std::size_t language = charset == text.npos ? text.npos : text.find('\'', charset + 1);
  if (language == text.npos || LoweredAscii(text.substr(0, charset)) != "utf-8") return std::nullopt;
  try {
    return PercentDecoded(text.substr(language + 1), /*plus_is_space=*/false);
  } catch (const Error&) {
    throw Bad("filename* is badly encoded");
  }
}

}  // namespace

MultipartReader::MultipartReader(const Request& request, MultipartLimits limits)
    : body_(request.body), limits_(limits) {
  const auto type = ParseHeaderParameters(request.Header("content-type").value_or(""));
  if (!type || type->value != "multipart/form-data")
    throw Error(ErrorKind::kUnsupportedMedia, "not_multipart", "Content-Type is not multipart/form-data");
  const std::string* boundary = type->Find("boundary");
  const auto is_usable = [](char c) { return c >= ' ' && c <= '~'; };
  if (boundary == nullptr || boundary->empty() || boundary->size() > kMaxBoundaryBytes ||
      boundary->back() == ' ' || !std::all_of(boundary->begin(), boundary->end(), is_usable))
    throw Bad("no usable boundary");
  delimiter_ = "\r\n--" + *boundary;
  window_.resize(kWindowBytes);
  window_.replace(0, 2, "\r\n");
  end_ = 2;
}

// Appends input to the window. False: the body has ended.
bool MultipartReader::Fill() {
  if (begin_ > 0) {
    std::memmove(window_.data(), window_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (body_ == nullptr) return false;
  const std::size_t got = body_->Read(window_.data() + end_, window_.size() - end_);
  end_ += got;
  return got > 0;
}

// The number of bytes at the start of the window that belong to the part. 0: the delimiter is next.
std::size_t MultipartReader::Clear() {
  while (clear_ == 0 && !at_delimiter_) {
    if (end_ - begin_ < delimiter_.size()) {
      if (!Fill()) throw Truncated();
      continue;
    }
    const void* found = memmem(window_.data() + begin_, end_ - begin_, delimiter_.data(), delimiter_.size());
    if (found != nullptr) {
      clear_ = static_cast<std::size_t>(static_cast<const char*>(found) - window_.data()) - begin_;
      at_delimiter_ = true;
    } else {
      clear_ = end_ - begin_ - delimiter_.size() + 1;
    }
  }
  return clear_;
}

std::size_t MultipartReader::Read(char* buffer, std::size_t size) {
  if (parts_ == 0 || is_over_) return 0;
  const std::size_t taken = std::min(Clear(), size);
  std::memcpy(buffer, window_.data() + begin_, taken);
  begin_ += taken;
  clear_ -= taken;
  return taken;
}

std::string MultipartReader::ReadText(std::size_t limit) {
  std::string text;
  if (parts_ == 0 || is_over_) return text;
  while (const std::size_t clear = Clear()) {
    if (clear > limit - text.size()) throw TooLarge("multipart_too_large", "a field is too long");
    text += Window().substr(0, clear);
    begin_ += clear;
    clear_ = 0;
  }
  return text;
}

std::optional<Part> MultipartReader::NextPart() {
  if (is_over_) return std::nullopt;
  std::size_t skipped = 0;
  while (const std::size_t clear = Clear()) {
    begin_ += clear;
    clear_ = 0;
    skipped += clear;
    if (parts_ == 0 && skipped > limits_.preamble_bytes + 2)  // and our own CRLF
      throw TooLarge("multipart_too_large", "no boundary at the start");
  }
  begin_ += delimiter_.size();
  at_delimiter_ = false;
  // The bytes after the boundary tell whether it is the last one.
  std::size_t padding = kMaxPaddingBytes;
  while (Window().size() < 2) {
    if (!Fill()) throw Truncated();
  }
  if (Window().starts_with("--")) {
    is_over_ = true;
    return std::nullopt;
  }
  if (!TrimmedBlanks(HeaderLine(padding)).empty()) throw Bad("text after a boundary on its line");
  if (++parts_ > limits_.parts) throw TooLarge("multipart_too_large", "too many parts");
  return ReadHeaders();
}

// The next line without its CRLF. `left`: how long it may be; reduced by its length.
std::string MultipartReader::HeaderLine(std::size_t& left) {
  for (;;) {
    const std::size_t end = Window().find("\r\n");
    // An incomplete line may already end with its CR.
    const std::size_t least =
        end != std::string_view::npos ? end : Window().size() - Window().ends_with('\r');
    if (least > left) throw TooLarge("multipart_too_large", "a header of a part is too long");
    if (end != std::string_view::npos) {
      std::string line(Window().substr(0, end));
      begin_ += end + 2;
      left -= end;
      return line;
    }
    if (!Fill()) throw Truncated();
  }
}

Part MultipartReader::ReadHeaders() {
  Part part;
  bool has_disposition = false;
  std::size_t left = std::min(limits_.header_bytes, kWindowBytes / 2);
  std::string line = HeaderLine(left);
  while (!line.empty()) {
    std::string next = HeaderLine(left);
    while (next.starts_with(' ') ||
           next.starts_with('\t')) {  // folded (RFC 822), as Python's email package does
      line += next;
      next = HeaderLine(left);
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) throw Bad("a header of a part without a colon");
    const std::string header = LoweredAscii(line.substr(0, colon));
    const std::string_view value = TrimmedBlanks(std::string_view(line).substr(colon + 1));
    if (header == "content-type") {
      CheckText(value, "the type of a part");
      part.content_type = value;
    } else if (header == "content-disposition") {
      const auto disposition = ParseHeaderParameters(value);
      const std::string* name = disposition ? disposition->Find("name") : nullptr;
      if (has_disposition || name == nullptr || disposition->value != "form-data")
        throw Bad("Content-Disposition of a part");
      has_disposition = true;
      part.name = *name;
      if (const std::string* filename = disposition->Find("filename")) part.filename = *filename;
      if (const std::string* extended = disposition->Find("filename*")) {
        if (auto text = ExtendedText(*extended)) part.filename = std::move(text);
      }
    }
    line = std::move(next);
  }
  if (!has_disposition) throw Bad("a part without a name");
  CheckText(part.name, "the name of a part");
  if (part.filename) CheckText(*part.filename, "the name of a file");
  return part;
}

}  // namespace syncline
