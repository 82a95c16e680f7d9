// Any bytes as a packet of Socket.IO: refused, or one within its limits that does not depend on how the bytes arrive.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/vault/socketio/packet_wire.h"

using namespace syncline;
using namespace syncline::vault;

namespace {

// The packet as a text, or the error code.
std::string Read(std::string_view bytes, std::size_t piece) {
  std::string cut;
  const CutText rule{.event = "sync_data",
                     .key = "data",
                     .begin = [&](const PacketHead&) { cut += '<'; },
                     .piece = [&](std::string_view part) { cut.append(part); },
                     .end = [&] { cut += '>'; }};
  PacketReader reader(rule);
  try {
    while (!bytes.empty()) {
      reader.Push(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    reader.Finish();
    const PacketHead& head = reader.head();
    if (head.attachments > kMaxAttachments || head.ack.size() > kMaxAckDigits ||
        reader.json().size() > kMaxJsonBytes)
      std::abort();
    std::string text =
        std::to_string(head.attachments) + head.name_space + " " + head.ack + " " + reader.json() + cut;
    if (head.type == SocketPacketType::kEvent || head.type == SocketPacketType::kBinaryEvent) {
      text += EventName(reader.json());
      if (const auto argument = FirstArgument(reader.json())) {
        const auto index = AttachmentIn(*argument, "data");
        if (index && *index >= head.attachments && head.IsBinary()) std::abort();
      }
    }
    return text;
  } catch (const Error& error) {
    return error.code();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(bytes, SIZE_MAX);
  for (const std::size_t piece : {1, 3, 7}) {
    if (Read(bytes, piece) != whole) std::abort();
  }
  HexReader hex, split;
  std::string all, one, joined;
  const bool is_hex = hex.Push(bytes, all);
  bool is_split_hex = true;
  for (std::size_t i = 0; i < size && is_split_hex; ++i) {
    is_split_hex = split.Push(bytes.substr(i, 1), one);
    joined += one;
  }
  if (is_hex != is_split_hex || (is_hex && joined != all)) std::abort();
  return 0;
}
