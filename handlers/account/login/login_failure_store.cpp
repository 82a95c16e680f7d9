#include "handlers/account/login/login_failure_store.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "handlers/base/request.h"
#include "handlers/base/sha256.h"
#include "sql/queries/account.h"

namespace syncline::account {
namespace {

using std::chrono::seconds;

// One person mistypes a password a few times, and so may each pupil in a class of thirty.
constexpr std::int64_t kFreePairFailures = 10;
constexpr std::int64_t kFreeAddressFailures = 50;
// Allows at most 288 guesses a day per account and address, 1440 a day per address: too slow for any list of
// passwords, and short enough that a user who shares an address with an attacker can still log in.
constexpr seconds kLongestPairDelay{300};
constexpr seconds kLongestAddressDelay{60};
// The count resets after this long without a failure.
constexpr double kForgetAfterSeconds = 3600;

seconds Delay(std::int64_t failures, std::int64_t free, seconds longest) {
  if (failures < free) return seconds(0);
  const auto doublings = std::min<std::int64_t>(failures - free, 20);
  return std::min(seconds(std::int64_t{1} << doublings), longest);
}

}  // namespace

LoginSubjects SubjectsOf(std::string_view folded_name, std::string_view remote_address) {
  const std::string network = NetworkOf(remote_address);
  // NUL cannot occur in an address, so no two pairs give the same text.
  return {Sha256("pair " + network + '\0' + std::string(folded_name)), Sha256("address " + network)};
}

seconds PairDelay(std::int64_t failures) {
  return Delay(failures, kFreePairFailures, kLongestPairDelay);
}

seconds AddressDelay(std::int64_t failures) {
  return Delay(failures, kFreeAddressFailures, kLongestAddressDelay);
}

seconds LoginFailureStore::Wait(const LoginSubjects& subjects) {
  seconds wait{0};
  const std::vector<std::string> keys{subjects.pair, subjects.address};
  for (const sql::Row row : tx_.Query(sql::account::login_failures, keys)) {
    const auto failures = row["failures"].As<std::int64_t>();
    const bool is_pair = row["subject"].As<std::string_view>() == subjects.pair;
    const seconds delay = is_pair ? PairDelay(failures) : AddressDelay(failures);
    const double left = static_cast<double>(delay.count()) - row["age_s"].As<double>();
    if (left > 0) wait = std::max(wait, seconds(static_cast<std::int64_t>(std::ceil(left))));
  }
  return wait;
}

void LoginFailureStore::Count(const LoginSubjects& subjects) {
  const std::vector<std::string> keys{subjects.pair, subjects.address};
  tx_.Execute(sql::account::count_login_failure, keys, kForgetAfterSeconds);
}

void LoginFailureStore::ClearPair(const LoginSubjects& subjects) {
  tx_.Execute(sql::account::clear_login_failures, subjects.pair);
}

std::int64_t LoginFailureStore::Sweep(std::int64_t limit) {
  return tx_.Execute(sql::account::sweep_login_failures, limit);
}

}  // namespace syncline::account
