#include "handlers/base/id_map.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <unordered_set>

using namespace syncline;

namespace {

template <typename Set>
std::size_t LargestBucket(const Set& set) {
  std::size_t largest = 0;
  for (std::size_t i = 0; i < set.bucket_count(); ++i) largest = std::max(largest, set.bucket_size(i));
  return largest;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ids_chosen_to_share_a_bucket_do_not) {
  constexpr std::int64_t kCount = 5000;
  std::unordered_set<std::int64_t> known;
  known.reserve(kCount);
  const auto step = static_cast<std::int64_t>(known.bucket_count());
  IdSet ids;
  ids.reserve(kCount);
  for (std::int64_t i = 0; i < kCount; ++i) {
    known.insert(i * step);
    ids.insert(i * step);
  }
  BOOST_TEST(LargestBucket(known) == kCount);  // the attack works on the standard hash
  BOOST_TEST(ids.size() == kCount);
  BOOST_TEST(LargestBucket(ids) < 30U);
}
