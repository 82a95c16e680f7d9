#include "handlers/base/zstd.h"

#include <zstd.h>

#include <new>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
struct FreeEncoder {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

using Decoder = std::unique_ptr<ZSTD_DCtx, FreeDecoder>;
using Encoder = std::unique_ptr<ZSTD_CCtx, FreeEncoder>;

// Creating a context costs more than a small message. Each thread keeps one of each between requests, unless
// a large window made it large: one huge upload must not stay in memory for good.
constexpr std::size_t kKeepBytes = 4 << 20;
thread_local Decoder kept_decoder;
thread_local Encoder kept_encoder;

Decoder TakeDecoder() {
  Decoder context = std::move(kept_decoder);
  if (context == nullptr) context.reset(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  return context;
}

Encoder TakeEncoder(int level) {
  Encoder context = std::move(kept_encoder);
  if (context == nullptr) context.reset(ZSTD_createCCtx());
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  return context;
}

void Return(Decoder context) {
  if (ZSTD_sizeof_DCtx(context.get()) <= kKeepBytes) kept_decoder = std::move(context);
}

void Return(Encoder context) {
  if (ZSTD_sizeof_CCtx(context.get()) <= kKeepBytes) kept_encoder = std::move(context);
}

const std::size_t kInputBytes = ZSTD_DStreamInSize(), kOutputBytes = ZSTD_CStreamOutSize();

Error Bad(const char* why) {
  return BadInput("bad_zstd", why);
}

}  // namespace

struct ZstdReader::State {
  Decoder context = TakeDecoder();
  // Not a vector: zeroing 128 KiB costs more than expanding a small message.
  std::unique_ptr<char[]> input{new char[kInputBytes]};
  ZSTD_inBuffer in{nullptr, 0, 0};
  bool is_frame_over = false;
};

ZstdReader::ZstdReader(BodySource& source, std::uint64_t limit)
    : source_(source), left_(limit), state_(std::make_unique<State>()) {
  state_->in.src = state_->input.get();
}

ZstdReader::~ZstdReader() {
  Return(std::move(state_->context));
}

std::size_t ZstdReader::Read(char* buffer, std::size_t size) {
  if (size == 0) return 0;
  State& s = *state_;
  ZSTD_outBuffer out{buffer, size, 0};
  while (out.pos == 0) {
    if (s.is_frame_over) {
      // Clients read only the first frame, so a second one would be lost silently.
      if (s.in.pos < s.in.size || source_.Read(s.input.get(), 1) != 0) throw Bad("bytes after the frame");
      return 0;
    }
    if (s.in.pos == s.in.size) {
      s.in = {s.input.get(), source_.Read(s.input.get(), kInputBytes), 0};
      if (s.in.size == 0) throw Bad("frame ends too early");
    }
    const std::size_t more = ZSTD_decompressStream(s.context.get(), &out, &s.in);
    if (ZSTD_isError(more)) throw Bad(ZSTD_getErrorName(more));
    s.is_frame_over = more == 0;
  }
  if (out.pos > left_) throw TooLarge("too_large", "zstd output over its limit");
  left_ -= out.pos;
  return out.pos;
}

struct ZstdWriter::State {
  explicit State(int level) : context(TakeEncoder(level)) {}
  Encoder context;
  std::unique_ptr<char[]> output{new char[kOutputBytes]};
};

ZstdWriter::ZstdWriter(BodySink& sink, int level) : sink_(sink), state_(std::make_unique<State>(level)) {}

ZstdWriter::~ZstdWriter() {
  Return(std::move(state_->context));
}

void ZstdWriter::Pump(std::string_view bytes, bool is_end) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{state_->output.get(), kOutputBytes, 0};
    const std::size_t left =
        ZSTD_compressStream2(state_->context.get(), &out, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) throw Error(ErrorKind::kInternal, "internal", ZSTD_getErrorName(left));
    if (out.pos > 0) sink_.Write({state_->output.get(), out.pos});
    if (is_end ? left == 0 : in.pos == in.size) return;
  }
}

void ZstdWriter::Write(std::string_view bytes) {
  Pump(bytes, false);
}

void ZstdWriter::Finish() {
  Pump({}, true);
}

std::string ZstdCompress(std::string_view bytes, int level) {
  Encoder context = TakeEncoder(level);
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size)) throw Error(ErrorKind::kInternal, "internal", ZSTD_getErrorName(size));
  frame.resize(size);
  Return(std::move(context));
  return frame;
}

}  // namespace syncline
