#include "handlers/decks/dialect/id_wire.h"

#include <algorithm>
#include <cctype>

#include "handlers/base/header_values.h"
#include "handlers/base/sha256.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kDashes[] = {8, 13, 18, 23};
constexpr std::size_t kTextBytes = 36;
constexpr int kDeckBits = 48, kNumberBits = 56;

std::string BigEndian(std::int64_t value, int bits) {
  std::string bytes;
  for (int shift = bits - 8; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::int64_t FromHex(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 16 + (c <= '9' ? c - '0' : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10);
  }
  return value;
}

}  // namespace

std::string PrintId(IdKind kind, NumberedId id) {
  const std::string deck = BigEndian(static_cast<std::int64_t>(id.deck), kDeckBits);
  const std::string number = BigEndian(id.number, kNumberBits);
  const std::string check = Sha256(std::to_string(static_cast<int>(kind)) + deck + number);
  std::string bytes = deck;
  bytes += static_cast<char>(0x80 | (check[0] & 0x0f));  // the version
  bytes += check[1];
  bytes += static_cast<char>(0x80 | (check[2] & 0x3f));  // the variant
  bytes += number;
  std::string text = HexText(bytes);
  for (const std::size_t at : kDashes) text.insert(at, 1, '-');
  return text;
}

std::string PersonId(UserId user) {
  return PrintId(IdKind::kPerson, {DeckId{}, static_cast<std::int64_t>(user)});
}

std::optional<std::string> ChangeId(DeckId deck, std::int64_t seq) {
  return seq > 0 ? std::optional(PrintId(IdKind::kChange, {deck, seq})) : std::nullopt;
}

std::optional<NumberedId> ParseId(IdKind kind, std::string_view text) {
  if (!IsUuid(text)) return std::nullopt;
  std::string digits = LoweredAscii(text);
  std::erase(digits, '-');
  const std::string_view view(digits);
  const NumberedId id{DeckId{FromHex(view.substr(0, 12))}, FromHex(view.substr(18))};
  if (PrintId(kind, id) != LoweredAscii(text)) return std::nullopt;
  return id;
}

bool IsUuid(std::string_view text) {
  if (text.size() != kTextBytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = std::find(std::begin(kDashes), std::end(kDashes), i) != std::end(kDashes);
    if (is_dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

}  // namespace syncline::decks
