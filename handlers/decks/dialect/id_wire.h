#pragma once
// Ids as clients see them: UUIDs as text. Decks have random ones, which are stored. What belongs to a deck and is numbered in
// it has a computed one, of version 8 (RFC 9562): the deck's number and its own in it, and a checksum, so that no index has to
// find it and a number of another deck is recognised. They are no secrets: every call checks what its caller may do. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/ids.h"

namespace syncline::decks {

enum class DeckId : std::int64_t {};

/// What a number counts; it takes part in the checksum.
enum class IdKind { kChange, kSuggestion, kRelease, kNotice, kSubscription, kPerson };

struct NumberedId {
  DeckId deck{};
  std::int64_t number = 0;  ///< 56 bits
};

std::string PrintId(IdKind kind, NumberedId id);
std::string PersonId(UserId user);
/// Of an entry of a deck's log. None for 0, where the log has none.
std::optional<std::string> ChangeId(DeckId deck, std::int64_t seq);
/// None: not such an id.
std::optional<NumberedId> ParseId(IdKind kind, std::string_view text);

/// Whether the text has the form of a UUID, in either case.
bool IsUuid(std::string_view text);

}  // namespace syncline::decks
