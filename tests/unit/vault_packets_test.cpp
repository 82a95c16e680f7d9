// handlers/vault/engineio/payload_wire and handlers/vault/socketio/packet_wire.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/vault/engineio/payload_wire.h"
#include "handlers/vault/socketio/packet_wire.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::vault;
using tests::CodeOf;

namespace {

class Packets : public PacketSink {
 public:
  void Begin(PacketType type) override { all.push_back({static_cast<char>(type)}); }
  void Piece(std::string_view bytes) override { all.back().append(bytes); }
  void End() override { ++ended; }
  std::vector<std::string> all;
  std::size_t ended = 0;
};

std::vector<std::string> Read(std::string_view payload, std::size_t piece = 1000) {
  Packets packets;
  PayloadReader reader(packets);
  for (; !payload.empty(); payload.remove_prefix(std::min(piece, payload.size())))
    reader.Push(payload.substr(0, piece));
  reader.Finish();
  BOOST_TEST(packets.ended == packets.all.size());
  return packets.all;
}

struct Packet {
  PacketHead head;
  std::string json, cut;
  int cuts = 0;
};

Packet ReadPacket(std::string_view message, std::size_t piece = 1000) {
  Packet packet;
  const CutText cut{.event = "sync_data",
                    .key = "data",
                    .begin = [&](const PacketHead&) { ++packet.cuts; },
                    .piece = [&](std::string_view part) { packet.cut.append(part); },
                    .end = [&] { packet.cut += '.'; }};
  PacketReader reader(cut);
  for (; !message.empty(); message.remove_prefix(std::min(piece, message.size())))
    reader.Push(message.substr(0, piece));
  reader.Finish();
  packet.head = reader.head();
  packet.json = reader.json();
  return packet;
}

std::string BadnessOf(std::string_view message) {
  return CodeOf([&] { ReadPacket(message); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_payload_is_its_packets_whatever_the_pieces) {
  const std::vector<std::string> wanted = {"4hello", "3", std::string("b\x01\x02\x03"), "4",
                                           std::string("b\xe0\0\0", 4)};
  for (const std::size_t piece : {1, 2, 3, 5, 1000})
    BOOST_TEST(Read("4hello\x1e"
                    "3\x1e"
                    "bAQID\x1e"
                    "4\x1e"
                    "b4AAA",
                    piece) == wanted);
}

BOOST_AUTO_TEST_CASE(what_is_no_payload_is_refused) {
  for (const char* bad : {"", "abc",
                          "4\x1e\x1e"
                          "3",
                          "\x1e", "4\x1e", "7", "bAQI", "bA===", "bAQ==AQ==", "b*", "x"})
    BOOST_TEST(CodeOf([&] { Read(bad); }) == "bad_packet", bad);
  std::string many = "3";
  for (std::size_t i = 1; i < kMaxPackets; ++i)
    many +=
        "\x1e"
        "3";
  BOOST_TEST(Read(many).size() == kMaxPackets);
  BOOST_TEST(CodeOf([&] {
               Read(many +
                    "\x1e"
                    "3");
             }) == "bad_packet");
}

BOOST_AUTO_TEST_CASE(base64_of_any_length_survives_the_pieces) {
  std::string bytes(200'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i % 251);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto at = [&](std::size_t j) {
      return j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0u;
    };
    const unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    text += kDigits[group >> 18];
    text += kDigits[group >> 12 & 63];
    text += i + 1 < bytes.size() ? kDigits[group >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? kDigits[group & 63] : '=';
  }
  for (const std::size_t piece : {7, 65'536, 1'000'000})
    BOOST_TEST((Read("b" + text, piece).front() == "b" + bytes));
}

BOOST_AUTO_TEST_CASE(a_packet_has_type_namespace_id_and_json) {
  for (const std::size_t piece : {1, 3, 1000}) {
    const Packet event = ReadPacket(R"(2/cordiax-sync/,7["sync_meta",{"a":1}])", piece);
    BOOST_TEST((event.head.type == SocketPacketType::kEvent));
    BOOST_TEST(event.head.name_space == "/cordiax-sync/");
    BOOST_TEST(event.head.ack == "7");
    BOOST_TEST(event.json == R"(["sync_meta",{"a":1}])");
    BOOST_TEST(event.cuts == 0);
    BOOST_TEST(EventName(event.json) == "sync_meta");
    BOOST_TEST(FirstArgument(event.json).value() == R"({"a":1})");
    const Packet binary = ReadPacket(
        R"(52-/a-b,["x",{"num":1,"_placeholder":true},[{"_placeholder":true,"num":0,"x":null}]])", piece);
    BOOST_TEST(binary.head.attachments == 2);
    BOOST_TEST(binary.head.name_space == "/a-b");
    BOOST_TEST(AttachmentIn(R"({"data":{"num":1,"_placeholder":true}})", "data").value() == 1);
  }
  BOOST_TEST(ReadPacket("0").head.name_space == "/");
  BOOST_TEST(ReadPacket("0{}").json == "{}");
  BOOST_TEST(ReadPacket("0/custom").head.name_space == "/custom");
  BOOST_TEST(ReadPacket("1/cordiax-sync/,").head.name_space == "/cordiax-sync/");
  BOOST_TEST(ReadPacket("31[]").head.ack == "1");
  BOOST_TEST(!FirstArgument(R"(["x"])"));
  BOOST_TEST(EventName("[5]") == "5");
}

BOOST_AUTO_TEST_CASE(what_is_no_packet_is_refused) {
  for (const char* bad : {"",
                          "7",
                          "x",
                          "2",
                          "2[]",
                          "2{}",
                          "2[{}]",
                          "2[null]",
                          "2abc[\"x\"]",
                          "2[\"x\"",
                          "21234567890123456789[\"x\"]",
                          "3[]",
                          "31{}",
                          "42[\"x\"]",
                          "4{\"message\":\"no\"}",
                          "0[]",
                          "0\"x\"",
                          "1[]",
                          "5[\"x\"]",
                          "5-[\"x\"]",
                          "511-[\"x\"]",
                          "51-[\"x\"]",
                          "51-[\"x\",{\"_placeholder\":true,\"num\":1}]",
                          "51-[\"x\",{\"_placeholder\":true,\"num\":-1}]",
                          "51-[\"x\",{\"_placeholder\":true,\"num\":1e9}]",
                          "51-[\"x\",{\"_placeholder\":true,\"num\":\"splice\"}]",
                          "51-[\"x\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]",
                          "2/a b,[\"x\"]",
                          "2[\"\xff\"]",
                          "2[\"sync_data\",{\"data\":\"00",
                          "2[\"sync_data\",{\"data\":\"0\",\"data\":\"1\"}]"})
    BOOST_TEST(BadnessOf(bad) == "bad_packet", bad);
  BOOST_TEST(BadnessOf("2/" + std::string(400, 'a') + ",[\"x\"]") == "bad_packet");
  BOOST_TEST(BadnessOf("2[\"" + std::string(kMaxJsonBytes, 'a') + "\"]") == "bad_packet");
  BOOST_TEST(BadnessOf("2" + std::string(200, '[') + std::string(200, ']')) == "bad_packet");
}

BOOST_AUTO_TEST_CASE(the_text_of_an_upload_is_cut_out) {
  for (const std::size_t piece : {1, 2, 5, 1000}) {
    const Packet plain = ReadPacket(R"(2/cordiax-sync/,["sync_data",{"data":"53514c"}])", piece);
    BOOST_TEST(plain.cut == "53514c.");
    BOOST_TEST(plain.json == R"(["sync_data",{"data":""}])");
    const Packet more = ReadPacket(
        R"(25[ "sync_data" , {"filename":"data","data" : "00" , "base_version": 3}, {"data":"ff"}])", piece);
    BOOST_TEST(more.cut == "00.");
    BOOST_TEST(FirstArgument(more.json).value() == R"({"filename":"data","data" : "" , "base_version": 3})");
    const Packet escaped = ReadPacket(R"(2["sync_data",{"data":"a\"b\\"}])", piece);
    BOOST_TEST(escaped.cut == R"(a\"b\\.)");
    BOOST_TEST(escaped.json == R"(["sync_data",{"data":""}])");
  }
  for (const char* other :
       {R"(2["other",{"data":"00"}])", R"(2["sync_data",{"x":{"data":"00"}}])",
        R"(2["sync_data",["data","00"]])", R"(2["sync_data",{"data":5}])", R"(2["sync_data",{"date":"00"}])",
        R"(2["sync_data","data"])", R"(32["sync_data",{"data":"00"}])"})
    BOOST_TEST(ReadPacket(other).cuts == 0, other);
}

BOOST_AUTO_TEST_CASE(hex_digits_become_bytes_whatever_the_pieces) {
  HexReader reader;
  std::string bytes;
  BOOST_TEST(reader.Push("0", bytes));
  BOOST_TEST((bytes.empty() && reader.IsHalf()));
  BOOST_TEST(reader.Push("0fFa", bytes));
  BOOST_TEST((bytes == std::string("\0\xff", 2) && reader.IsHalf()));
  BOOST_TEST(reader.Push("0", bytes));
  BOOST_TEST((bytes == "\xa0" && !reader.IsHalf()));
  for (const char* bad : {"zz", "0x", " ", "\\u", "\xff"}) BOOST_TEST(!HexReader().Push(bad, bytes), bad);
}

BOOST_AUTO_TEST_CASE(packets_are_written_as_they_are_read) {
  BOOST_TEST(WritePacket(SocketPacketType::kConnect, "/", "", R"({"sid":"a"})") == R"(40{"sid":"a"})");
  BOOST_TEST(WritePacket(SocketPacketType::kEvent, "/a", "", R"(["x"])") == R"(42/a,["x"])");
  BOOST_TEST(WritePacket(SocketPacketType::kAck, "/a", "12", "[]") == "43/a,12[]");
}
