#include "handlers/base/freed_memory.h"

#include <malloc.h>

namespace syncline {
namespace {

constexpr int kMmapThreshold = 512 << 10;
// How much freed memory each thread keeps. Media requests use buffers of some 300 KB; mapping and unmapping
// their pages every time costs a tenth of such a request.
constexpr int kKeptByThread = 1 << 20;

}  // namespace

void ReturnFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
  mallopt(M_TRIM_THRESHOLD, kKeptByThread);
}

}  // namespace syncline
