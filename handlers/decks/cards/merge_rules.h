#pragma once
// What a whole card, pushed from a copy of some age, must not undo: what others have changed since that copy was made. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "handlers/decks/cards/card_wire.h"

namespace syncline::decks {

/// An entry of the log that the pusher has not seen, and what was there before it; or one of its own after that.
struct UnseenChange {
  std::string kind{};   ///< modify, delete, tags, type, path
  std::string field{};  ///< of "modify"
  std::string old_value{};
  bool is_own = false;
};

/// Puts into `pushed` what the card has `now`, where the pusher has left what was there before one of the `changes`. Tags are
/// merged: those that the pusher has added or removed are so in the result. Returns how much was put back.
std::int64_t KeepUnseen(const CardContent& now, const std::vector<UnseenChange>& changes, PushedCard& pushed);

}  // namespace syncline::decks
