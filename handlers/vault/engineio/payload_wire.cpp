#include "handlers/vault/engineio/payload_wire.h"

#include <sodium.h>

#include <algorithm>
#include <optional>

#include "handlers/base/base64.h"
#include "handlers/base/errors.h"

namespace syncline::vault {
namespace {

constexpr std::size_t kGroup = 4;
// Of base64 decoded at once.
constexpr std::size_t kDecoded = 48 << 10;

Error BadPacket(const char* why) {
  return BadInput("bad_packet", why);
}

PacketType TypeOf(char c) {
  if (c == 'b' || (c >= '0' && c <= '6')) return static_cast<PacketType>(c);
  throw BadPacket("unknown type of packet");
}

}  // namespace

void PayloadReader::Push(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!is_inside_) {
      if (++packets_ > kMaxPackets) throw BadPacket("too many packets");
      type_ = TypeOf(bytes.front());
      is_inside_ = true;
      bytes.remove_prefix(1);
      sink_.Begin(type_);
      continue;
    }
    const std::size_t end = bytes.find(kPacketSeparator);
    Content(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    EndPacket();
    bytes.remove_prefix(end + 1);
  }
}

void PayloadReader::Finish() {
  if (!is_inside_) throw BadPacket("empty packet");
  EndPacket();
}

void PayloadReader::Content(std::string_view bytes) {
  if (bytes.empty()) return;
  if (type_ != PacketType::kBinary) return sink_.Piece(bytes);
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kDecoded - base64_.size());
    base64_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    const std::size_t whole = base64_.size() / kGroup * kGroup;
    if (whole == 0) continue;
    // Padding ends the content.
    if (is_padded_) throw BadPacket("base64 after its padding");
    is_padded_ = base64_[whole - 1] == '=';
    const auto decoded =
        FromBase64(std::string_view(base64_).substr(0, whole), sodium_base64_VARIANT_ORIGINAL);
    if (!decoded) throw BadPacket("wrong base64");
    base64_.erase(0, whole);
    sink_.Piece(*decoded);
  }
}

void PayloadReader::EndPacket() {
  if (!base64_.empty()) throw BadPacket("wrong base64");
  is_inside_ = is_padded_ = false;
  sink_.End();
}

}  // namespace syncline::vault
