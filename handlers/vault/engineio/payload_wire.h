#pragma once
// Engine.IO, protocol 4, over HTTP long polling: packets and payloads.
//
// A packet is a type and its content; a payload is a body of one or more packets, separated by the byte 0x1e. A binary message
// is "b" and base64 here (https://github.com/socketio/engine.io-protocol). A payload is read as a stream, because one packet
// may have 140 MB. Pure. Left out on purpose: protocol 3, and the frames of the websocket transport.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline::vault {

inline constexpr char kPacketSeparator = '\x1e';
/// Clients join what they have queued: python-engineio at most 16 packets, browsers any number.
inline constexpr std::size_t kMaxPackets = 1000;

enum class PacketType : char {
  kOpen = '0',
  kClose = '1',
  kPing = '2',
  kPong = '3',
  kMessage = '4',
  kUpgrade = '5',
  kNoop = '6',
  kBinary = 'b',  ///< a binary message
};

/// Receives the packets of a payload, in order.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void Begin(PacketType type) = 0;
  /// A part of the content, not empty; that of a binary message as its bytes.
  virtual void Piece(std::string_view bytes) = 0;
  virtual void End() = 0;
};

/// Reads one payload, in pieces of any size. Holds a few bytes.
class PayloadReader {
 public:
  explicit PayloadReader(PacketSink& sink) : sink_(sink) {}
  /// Throws Error BadInput "bad_packet" for an empty packet, an unknown type, wrong base64 or too many packets, and what the
  /// sink throws.
  void Push(std::string_view bytes);
  /// The payload ends here. Throws as Push: an empty payload is an empty packet.
  void Finish();

 private:
  void Content(std::string_view bytes);
  void EndPacket();

  PacketSink& sink_;
  std::size_t packets_ = 0;
  bool is_inside_ = false;
  PacketType type_{};
  std::string base64_;  // less than a group of four
  bool is_padded_ = false;
};

}  // namespace syncline::vault
