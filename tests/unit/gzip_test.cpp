// handlers/base/gzip: exactly one member, bounded.
#include "handlers/base/gzip.h"

#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/inputs.h"

using namespace syncline;
using tests::PieceBody;
using tests::RandomText;

namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string ReadAll(const std::string& member, std::uint64_t limit, std::size_t piece = 1 << 20,
                    std::size_t buffer_size = 1000) {
  PieceBody source(member, piece);
  GzipReader reader(source, limit);
  return tests::ReadAll(reader, buffer_size);
}

std::string CodeOf(const std::string& member, std::uint64_t limit = 1 << 20) {
  return tests::CodeOf([&] { ReadAll(member, limit); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(compressed_texts_are_expanded_however_they_arrive) {
  for (const std::size_t size : {0, 1, 999, 1000, 1001, 300'000}) {
    const std::string text = RandomText(size), member = Gzip(text);
    BOOST_TEST((ReadAll(member, size) == text));
    BOOST_TEST((ReadAll(member, size, 1) == text));
    BOOST_TEST((ReadAll(member, size, 7, 1) == text));
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_gzip_is_refused) {
  for (const std::string& garbage :
       {std::string(), std::string("hello"), std::string(100, '\0'), std::string("\x1f\x8b\x08"),
        std::string("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)})
    BOOST_TEST(CodeOf(garbage) == "bad_gzip");
}

BOOST_AUTO_TEST_CASE(every_truncation_is_detected) {
  const std::string member = Gzip(RandomText(3000));
  for (std::size_t size = 0; size < member.size(); ++size)
    BOOST_TEST(CodeOf(member.substr(0, size)) == "bad_gzip", size);
}

BOOST_AUTO_TEST_CASE(a_wrong_checksum_is_detected) {
  for (const std::size_t from_end : {1, 5, 8}) {
    std::string member = Gzip(RandomText(3000));
    member[member.size() - from_end] ^= 1;
    BOOST_TEST(CodeOf(member) == "bad_gzip", from_end);
  }
}

BOOST_AUTO_TEST_CASE(only_one_member_is_read) {
  const std::string member = Gzip("text");
  BOOST_TEST(CodeOf(member + member) == "bad_gzip");
  BOOST_TEST(CodeOf(member + "x") == "bad_gzip");
}

BOOST_AUTO_TEST_CASE(output_ends_at_its_limit) {
  const std::string bomb = Gzip(std::string(50'000'000, ' '));
  BOOST_TEST(bomb.size() < 60'000u);
  BOOST_TEST(CodeOf(bomb, 1 << 20) == "too_large");
  BOOST_TEST(CodeOf(bomb, 50'000'000) == "");
  BOOST_TEST(CodeOf(bomb, 49'999'999) == "too_large");
}
