#include "handlers/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <charconv>

namespace syncline {
namespace {

spdlog::level::level_enum Level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

// Without '=' and quotes, so that key=value can be parsed by splitting at spaces and the first '='.
bool IsBare(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("_-./:@+,%()[]").find(c) != std::string_view::npos;
}

}  // namespace

void StartLog(const std::string& level) {
  auto log = std::make_shared<spdlog::logger>("syncline", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("ts=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
  log->set_level(level == "debug"   ? spdlog::level::debug
                 : level == "warn"  ? spdlog::level::warn
                 : level == "error" ? spdlog::level::err
                                    : spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
}

void AppendEscaped(std::string& out, std::string_view value) {
  const bool cut = value.size() > kLogValueBytes;
  if (cut) value = value.substr(0, kLogValueBytes);
  bool bare = !value.empty() && !cut;
  for (const char c : value) bare = bare && IsBare(c);
  if (bare) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte >= 0x7f) {
      out.append("\\x");
      out.push_back("0123456789abcdef"[byte >> 4]);
      out.push_back("0123456789abcdef"[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  if (cut) out.append("...");
  out.push_back('"');
}

LogLine::LogLine(LogLevel level)
    : level_(level), on_(spdlog::default_logger_raw()->should_log(Level(level))) {
  if (!on_) return;
  text_.reserve(320);
  text_.append("lvl=").append(Name(level));
}

LogLine& LogLine::Add(std::string_view key, std::string_view value) & {
  if (!on_) return *this;
  text_.append(" ").append(key).push_back('=');
  AppendEscaped(text_, value);
  return *this;
}

LogLine& LogLine::Add(std::string_view key, std::chrono::microseconds value) & {
  if (!on_) return *this;
  // Formats tenths by hand: printing doubles costs more than the rest of the line.
  const std::int64_t tenths = (value.count() + 50) / 100;
  AddNumber(key, tenths / 10);
  text_.push_back('.');
  text_.push_back(static_cast<char>('0' + tenths % 10));
  return *this;
}

LogLine& LogLine::AddNumber(std::string_view key, std::int64_t value) {
  if (!on_) return *this;
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  text_.append(" ").append(key).push_back('=');
  text_.append(digits, end);
  return *this;
}

void LogLine::Write() {
  if (!on_) return;
  // No format string: client input must not be read as one.
  spdlog::default_logger_raw()->log(Level(level_), spdlog::string_view_t(text_.data(), text_.size()));
}

}  // namespace syncline
