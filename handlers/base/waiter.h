#pragma once
// Waiting on behalf of a caller who may have to give up meanwhile.
#include <chrono>
#include <functional>

namespace syncline {

/// Waits, and throws when the caller must give up: JobControl::Pause, or WaitingFor(context) of upstream.h. It is
/// called with 0 while the network is waited for, some ten times a second.
using Waiter = std::function<void(std::chrono::milliseconds)>;

}  // namespace syncline
