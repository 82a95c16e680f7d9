#pragma once
// For programs that write to servers which may have gone: as in the daemons, such a write fails and ends nothing.
#include <csignal>

namespace syncline::tests {

/// BOOST_TEST_GLOBAL_FIXTURE(IgnoreSigpipe);
struct IgnoreSigpipe {
  IgnoreSigpipe() { std::signal(SIGPIPE, SIG_IGN); }
};

}  // namespace syncline::tests
