#include "handlers/vault/socketio/packet_wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"

namespace syncline::vault {
namespace {

// Names and keys longer than this are none of ours.
constexpr std::size_t kMaxText = 64;
// Values in the JSON of one packet, above all against many small ones.
constexpr int kMaxDepth = 32;

using Kind = JsonSpans::Kind;

Error BadPacket(const char* why) {
  return BadInput("bad_packet", why);
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

JsonSpans Parsed(std::string_view json) {
  try {
    return JsonSpans(json, kMaxDepth, kMaxDepth);
  } catch (const BadJson& error) {
    throw BadInput("bad_packet", error.what());
  }
}

const JsonSpans::Value* Member(const JsonSpans& spans, const JsonSpans::Value& object, std::string_view key) {
  const JsonSpans::Value* found = nullptr;
  if (object.kind == Kind::kObject) {
    spans.EachIn(object, [&](const JsonSpans::Value& member) {
      if (spans.Key(member) == key) found = &member;
    });
  }
  return found;
}

// Of a placeholder; none: it is none.
std::optional<int> Attachment(const JsonSpans& spans, const JsonSpans::Value& value) {
  const auto* mark = Member(spans, value, "_placeholder");
  if (mark == nullptr || mark->kind != Kind::kTrue) return std::nullopt;
  const auto* number = Member(spans, value, "num");
  const auto index =
      number != nullptr && number->kind == Kind::kNumber ? WholeNumber(spans.Raw(*number)) : std::nullopt;
  if (!index || *index < 0 || *index >= kMaxAttachments) throw BadPacket("a placeholder without its number");
  return static_cast<int>(*index);
}

void CollectAttachments(const JsonSpans& spans, const JsonSpans::Value& value,
                        std::array<int, kMaxAttachments>& seen) {
  if (const auto index = Attachment(spans, value)) ++seen[static_cast<std::size_t>(*index)];
  spans.EachIn(value, [&](const JsonSpans::Value& inner) { CollectAttachments(spans, inner, seen); });
}

// Every attachment has its one placeholder.
void CheckAttachments(const JsonSpans& spans, int attachments) {
  std::array<int, kMaxAttachments> seen{};
  CollectAttachments(spans, spans.Root(), seen);
  for (int i = 0; i < kMaxAttachments; ++i) {
    if (seen[static_cast<std::size_t>(i)] != (i < attachments ? 1 : 0))
      throw BadPacket("placeholders do not match");
  }
}

void CheckEvent(const JsonSpans& spans) {
  bool is_event = false;
  bool is_first = true;
  if (spans.Root().kind == Kind::kArray) {
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& element) {
      if (std::exchange(is_first, false))
        is_event = element.kind == Kind::kString || element.kind == Kind::kNumber;
    });
  }
  if (!is_event) throw BadPacket("an event without a name");
}

}  // namespace

void PacketReader::Push(std::string_view bytes) {
  while (!bytes.empty() && part_ != Part::kJson) {
    PushHead(bytes.front());
    // What begins the JSON is part of it.
    if (part_ != Part::kJson) bytes.remove_prefix(1);
  }
  PushJson(bytes);
}

void PacketReader::PushHead(char c) {
  switch (part_) {
    case Part::kType:
      if (c < '0' || c > '6') throw BadPacket("unknown type of packet");
      head_.type = static_cast<SocketPacketType>(c);
      part_ = head_.IsBinary() ? Part::kCount : Part::kNamespace;
      if (head_.IsBinary()) head_.attachments = -1;
      return;
    case Part::kCount:
      if (c == '-' && head_.attachments >= 0) {
        part_ = Part::kNamespace;
        return;
      }
      if (!IsDigit(c)) throw BadPacket("no number of attachments");
      head_.attachments = std::max(head_.attachments, 0) * 10 + (c - '0');
      if (head_.attachments > kMaxAttachments) throw BadPacket("too many attachments");
      return;
    case Part::kNamespace:
      if (text_.empty() && c != '/') {
        part_ = Part::kAck;
        return PushHead(c);
      }
      if (c == ',') {
        EndHead();
        return;
      }
      if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || text_.size() == kMaxNamespaceBytes)
        throw BadPacket("wrong namespace");
      text_ += c;
      return;
    case Part::kAck:
      if (!IsDigit(c)) {
        part_ = Part::kJson;
        return;
      }
      if (head_.ack.size() == kMaxAckDigits) throw BadPacket("the ack id is too long");
      head_.ack += c;
      return;
    case Part::kJson:
      return;
  }
}

// Of a namespace.
void PacketReader::EndHead() {
  head_.name_space = std::move(text_);
  text_.clear();
  part_ = Part::kAck;
}

void PacketReader::PushJson(std::string_view bytes) {
  while (!bytes.empty()) {
    if (is_cutting_) {
      bytes.remove_prefix(PushCut(bytes));
      continue;
    }
    PushCharacter(bytes.front());
    bytes.remove_prefix(1);
  }
}

// How much of the text that is cut out was taken.
std::size_t PacketReader::PushCut(std::string_view bytes) {
  std::size_t end = 0;
  if (is_escaped_) {
    is_escaped_ = false;
    end = 1;
  }
  for (;;) {
    const std::size_t quote = bytes.find('"', end);
    const std::size_t escape = bytes.substr(0, quote).find('\\', end);
    if (escape == std::string_view::npos) {
      end = quote;
      break;
    }
    end = escape + 2;
    if (end > bytes.size()) {
      is_escaped_ = true;
      end = std::string_view::npos;
      break;
    }
  }
  const std::string_view part = bytes.substr(0, end);
  if (!part.empty()) cut_.piece(part);
  if (end == std::string_view::npos) return bytes.size();
  is_cutting_ = false;
  cut_.end();
  json_ += '"';
  return end + 1;
}

void PacketReader::PushCharacter(char c) {
  if (json_.size() == kMaxJsonBytes) throw BadPacket("the packet is too long");
  json_ += c;
  if (is_in_text_) {
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '\\') {
      is_escaped_ = true;
    } else if (c == '"') {
      is_in_text_ = false;
      if (depth_ == 1 && element_ == 0) event_ = text_;
      if (depth_ == 2 && is_object_ && is_key_next_) key_ = text_;
      return;
    }
    if (text_.size() <= kMaxText) text_ += c;
    return;
  }
  switch (c) {
    case '"':
      text_.clear();
      if (head_.type == SocketPacketType::kEvent && depth_ == 2 && is_object_ && !is_key_next_ &&
          element_ == 1 && event_ == cut_.event && key_ == cut_.key) {
        if (std::exchange(was_cut_, true)) throw BadPacket("a key twice");
        is_cutting_ = true;
        cut_.begin(head_);
      } else {
        is_in_text_ = true;
      }
      return;
    case '[':
    case '{':
      if (++depth_ == 2) is_object_ = is_key_next_ = c == '{';
      return;
    case ']':
    case '}':
      --depth_;
      return;
    case ',':
      if (depth_ == 1) ++element_;
      if (depth_ == 2) is_key_next_ = true;
      return;
    case ':':
      if (depth_ == 2) is_key_next_ = false;
      return;
    default:
      return;
  }
}

void PacketReader::Finish() {
  if (part_ == Part::kType || part_ == Part::kCount) throw BadPacket("the packet ends early");
  if (part_ == Part::kNamespace && !text_.empty()) EndHead();
  if (is_cutting_) throw BadPacket("the packet ends early");
  switch (head_.type) {
    case SocketPacketType::kConnect:
      if (!json_.empty() && Parsed(json_).Root().kind != Kind::kObject)
        throw BadPacket("credentials are no object");
      return;
    case SocketPacketType::kDisconnect:
      if (!json_.empty()) throw BadPacket("a goodbye with content");
      return;
    case SocketPacketType::kEvent:
    case SocketPacketType::kBinaryEvent: {
      const JsonSpans spans = Parsed(json_);
      CheckEvent(spans);
      if (head_.IsBinary()) CheckAttachments(spans, head_.attachments);
      return;
    }
    case SocketPacketType::kAck:
    case SocketPacketType::kBinaryAck: {
      const JsonSpans spans = Parsed(json_);
      if (head_.ack.empty() || spans.Root().kind != Kind::kArray) throw BadPacket("no acknowledgement");
      if (head_.IsBinary()) CheckAttachments(spans, head_.attachments);
      return;
    }
    case SocketPacketType::kConnectError:
      throw BadPacket("a packet of servers");
  }
}

std::string EventName(std::string_view json) {
  const JsonSpans spans = Parsed(json);
  CheckEvent(spans);
  std::optional<std::string> name;
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& element) {
    if (!name) name = element.kind == Kind::kString ? spans.Text(element) : std::string(spans.Raw(element));
  });
  return *name;
}

std::optional<std::string_view> FirstArgument(std::string_view json) {
  const JsonSpans spans = Parsed(json);
  std::size_t index = 0;
  std::optional<std::string_view> found;
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& element) {
    if (index++ == 1) found = spans.Raw(element);
  });
  return found;
}

std::optional<int> AttachmentIn(std::string_view object, std::string_view key) {
  const JsonSpans spans = Parsed(object);
  const auto* member = Member(spans, spans.Root(), key);
  return member == nullptr ? std::nullopt : Attachment(spans, *member);
}

std::string WritePacket(SocketPacketType type, std::string_view name_space, std::string_view ack,
                        std::string_view json) {
  std::string packet = {'4', static_cast<char>(type)};
  if (name_space != kMainNamespace) packet.append(name_space).append(",");
  return packet.append(ack).append(json);
}

bool HexReader::Push(std::string_view digits, std::string& bytes) {
  static constexpr auto kValues = [] {
    std::array<signed char, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = static_cast<signed char>(i);
    for (int i = 0; i < 6; ++i) {
      values[static_cast<std::size_t>('a' + i)] = values[static_cast<std::size_t>('A' + i)] =
          static_cast<signed char>(10 + i);
    }
    return values;
  }();
  bytes.clear();
  bytes.reserve(digits.size() / 2 + 1);
  for (const char c : digits) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    if (half_ < 0) {
      half_ = value;
    } else {
      bytes += static_cast<char>(half_ << 4 | value);
      half_ = -1;
    }
  }
  return true;
}

}  // namespace syncline::vault
