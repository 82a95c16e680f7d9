#pragma once
// Socket.IO packets, protocol 5 (https://github.com/socketio/socket.io-protocol), as messages of Engine.IO carry them:
//
//   <type>[<attachments>-][/<namespace>,][<ack id>][<JSON>]
//
// A packet is read as a stream: the upload of a desktop is one packet of up to 140 MB, a JSON array with one text of hex digits.
// Everything else is short and is kept. Pure.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::vault {

inline constexpr std::string_view kMainNamespace = "/";
/// Of a namespace, which may have a key in it.
inline constexpr std::size_t kMaxNamespaceBytes = 300;
inline constexpr std::size_t kMaxAckDigits = 18;
inline constexpr int kMaxAttachments = 10;
/// Of the JSON, without the text that is cut out.
inline constexpr std::size_t kMaxJsonBytes = 64 << 10;

enum class SocketPacketType : char {
  kConnect = '0',
  kDisconnect = '1',
  kEvent = '2',
  kAck = '3',
  kConnectError = '4',
  kBinaryEvent = '5',
  kBinaryAck = '6',
};

struct PacketHead {
  SocketPacketType type = SocketPacketType::kEvent;
  int attachments = 0;
  std::string name_space{kMainNamespace};
  std::string ack;  ///< digits; empty: none is wanted

  bool IsBinary() const {
    return type == SocketPacketType::kBinaryEvent || type == SocketPacketType::kBinaryAck;
  }
};

/// A text that is passed on while it is read instead of being kept: the value of the member `key` in the first argument, an
/// object, of the event `event`.
struct CutText {
  std::string_view event, key;
  /// The text begins; its JSON, without the quotes and with its escapes; it ends.
  std::function<void(const PacketHead& head)> begin;
  std::function<void(std::string_view part)> piece;
  std::function<void()> end;
};

class PacketReader {
 public:
  /// `cut` must outlive the reader.
  explicit PacketReader(const CutText& cut) : cut_(cut) {}

  /// The next part of the message. Throws Error BadInput "bad_packet", and what the functions of `cut` throw.
  void Push(std::string_view bytes);
  /// The message ends: checks the whole packet. Throws as Push.
  void Finish();

  const PacketHead& head() const { return head_; }
  /// After Finish. Empty: none. A text that was cut out is "" in it.
  const std::string& json() const { return json_; }

 private:
  enum class Part { kType, kCount, kNamespace, kAck, kJson };
  void PushHead(char c);
  void PushJson(std::string_view bytes);
  std::size_t PushCut(std::string_view bytes);
  void PushCharacter(char c);
  void EndHead();

  const CutText& cut_;
  PacketHead head_;
  Part part_ = Part::kType;
  std::string json_;
  // Where in the JSON the reader is.
  int depth_ = 0;
  std::size_t element_ = 0;  // of the outermost array
  bool is_in_text_ = false, is_escaped_ = false, is_cutting_ = false, was_cut_ = false;
  bool is_object_ = false, is_key_next_ = false;  // of what is at depth 2
  std::string text_, event_, key_;                // texts as written, the last one and those that matter
};

/// The name of an EVENT, of its JSON: of a text or a number. Throws Error BadInput "bad_packet" if it is no event.
std::string EventName(std::string_view json);

/// The first argument of an EVENT as its own JSON; none if there is none.
std::optional<std::string_view> FirstArgument(std::string_view json);

/// The index of the attachment that the member `key` of `object` stands for; none if it is no placeholder.
std::optional<int> AttachmentIn(std::string_view object, std::string_view key);

/// An encoded packet, with the '4' of Engine.IO in front. `json` may be empty.
std::string WritePacket(SocketPacketType type, std::string_view name_space, std::string_view ack,
                        std::string_view json);

/// Turns hex digits into bytes, as a stream.
class HexReader {
 public:
  /// The bytes of the digits so far; false: they are no hex digits.
  bool Push(std::string_view digits, std::string& bytes);
  /// Whether a byte lacks its second digit.
  bool IsHalf() const { return half_ >= 0; }

 private:
  int half_ = -1;
};

}  // namespace syncline::vault
