// handlers/base/zstd: exactly one frame, bounded.
#include "handlers/base/zstd.h"

#include <zstd.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/support/inputs.h"

using namespace syncline;
using tests::PieceBody;
using tests::RandomText;
using tests::StringSink;

namespace {

std::string ReadAll(std::string_view frame, std::uint64_t limit, std::size_t piece = 1 << 20) {
  PieceBody source(std::string(frame), piece);
  ZstdReader reader(source, limit);
  return tests::ReadAll(reader);
}

std::string CodeOf(std::string_view frame, std::uint64_t limit = 1 << 20) {
  return tests::CodeOf([&] { ReadAll(frame, limit); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(compressed_texts_round_trip) {
  for (const std::size_t size : {0, 1, 999, 1000, 1001, 300'000}) {
    const std::string text = RandomText(size);
    const std::string frame = ZstdCompress(text);
    BOOST_TEST((ReadAll(frame, size) == text));
    BOOST_TEST((ReadAll(frame, size, 1) == text));
    BOOST_TEST(ZSTD_getFrameContentSize(frame.data(), frame.size()) == size);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_becomes_one_frame) {
  const std::string text = RandomText(500'000);
  StringSink sink;
  ZstdWriter writer(sink, 3);
  for (std::size_t at = 0; at < text.size(); at += 777) writer.Write(std::string_view(text).substr(at, 777));
  writer.Finish();
  BOOST_TEST(ZSTD_findFrameCompressedSize(sink.text.data(), sink.text.size()) == sink.text.size());
  BOOST_TEST((ReadAll(sink.text, text.size()) == text));
}

BOOST_AUTO_TEST_CASE(garbage_is_refused) {
  BOOST_TEST(CodeOf("") == "bad_zstd");
  BOOST_TEST(CodeOf("hello") == "bad_zstd");
  BOOST_TEST(CodeOf(std::string(100, '\0')) == "bad_zstd");
}

BOOST_AUTO_TEST_CASE(every_truncation_is_detected) {
  const std::string frame = ZstdCompress(RandomText(3000));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    BOOST_TEST(CodeOf(std::string_view(frame).substr(0, size)) == "bad_zstd");
  }
}

BOOST_AUTO_TEST_CASE(an_unfinished_frame_is_detected) {
  StringSink sink;
  ZstdWriter writer(sink, 1);
  writer.Write(RandomText(500'000));
  BOOST_TEST(CodeOf(sink.text) == "bad_zstd");
}

BOOST_AUTO_TEST_CASE(bytes_after_the_frame_are_refused) {
  const std::string frame = ZstdCompress("abc");
  BOOST_TEST(CodeOf(frame + "x") == "bad_zstd");
  BOOST_TEST(CodeOf(frame + frame) == "bad_zstd");
}

BOOST_AUTO_TEST_CASE(a_bomb_stops_at_the_limit) {
  const std::string frame = ZstdCompress(std::string(50 << 20, '\0'));
  BOOST_TEST(frame.size() < 10'000u);
  BOOST_TEST(CodeOf(frame, (50 << 20) - 1) == "too_large");
  BOOST_TEST(CodeOf(frame, 50 << 20) == "");
  BOOST_TEST(CodeOf(frame, 0) == "too_large");
}

BOOST_AUTO_TEST_CASE(a_window_that_is_too_large_is_refused) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, kMaxZstdWindowLog + 1);
  // Flushed in between: otherwise the frame would be a single segment without a window.
  const std::string text(1000, 'a');
  std::string frame(2 * ZSTD_compressBound(text.size()), '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer out{frame.data(), frame.size(), 0};
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  BOOST_TEST(CodeOf(std::string_view(frame).substr(0, out.pos)) == "bad_zstd");
}

BOOST_AUTO_TEST_CASE(a_context_is_clean_after_an_error) {
  BOOST_TEST(CodeOf("hello") == "bad_zstd");
  BOOST_TEST(ReadAll(ZstdCompress("abc"), 3) == "abc");
}

BOOST_AUTO_TEST_CASE(reading_after_the_end_returns_nothing) {
  const std::string frame = ZstdCompress("abc");
  PieceBody source(frame, 1000);
  ZstdReader reader(source, 100);
  char buffer[10];
  BOOST_TEST(reader.Read(buffer, 0) == 0u);
  BOOST_TEST(reader.Read(buffer, 10) == 3u);
  BOOST_TEST(reader.Read(buffer, 10) == 0u);
  BOOST_TEST(reader.Read(buffer, 10) == 0u);
}
