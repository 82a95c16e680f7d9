#pragma once
// The log: lines of key=value on standard error, where systemd or ./run pick them up.
//
//   ts=2026-01-31T10:22:03.114Z lvl=info req=7f3a91 svc=anki op=anki.meta user=1 status=200 err=- ms=2.1 ...
//
// Values are escaped here and nowhere else, so that no client can forge a field or a line: a value of safe
// characters is written bare, anything else in quotes, with \" \\ \n and \xNN. Left out on purpose: files,
// rotation, other formats; the journal does that.
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// Call once, at program start. `level`: debug, info, warn or error; anything else means info.
void StartLog(const std::string& level);

/// Longer values are cut and end in "...", which keeps ordinary lines below PIPE_BUF and so in one piece.
inline constexpr std::size_t kLogValueBytes = 600;

/// One line, written by Write. Building it costs almost nothing when the level is off.
class LogLine {
 public:
  explicit LogLine(LogLevel level);
  LogLine& Add(std::string_view key, std::string_view value) &;
  LogLine& Add(std::string_view key, const char* value) & { return Add(key, std::string_view(value)); }
  template <std::integral T>
  LogLine& Add(std::string_view key, T value) & {
    return AddNumber(key, static_cast<std::int64_t>(value));
  }
  /// Milliseconds with one decimal.
  LogLine& Add(std::string_view key, std::chrono::microseconds value) &;
  template <typename T>
  LogLine&& Add(std::string_view key, T value) && {
    return std::move(Add(key, value));
  }
  void Write();
  const std::string& text() const { return text_; }

 private:
  LogLine& AddNumber(std::string_view key, std::int64_t value);
  LogLevel level_;
  bool on_;
  std::string text_;
};

/// Appends `value` in the form described above.
void AppendEscaped(std::string& out, std::string_view value);

}  // namespace syncline
