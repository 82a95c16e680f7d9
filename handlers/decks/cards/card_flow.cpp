#include "handlers/decks/cards/card_flow.h"

#include <algorithm>
#include <vector>

namespace syncline::decks {

std::int64_t EachCard(Context& context, DeckId deck, std::int64_t after, std::int64_t limit,
                      const std::function<void(const Card&)>& card, const std::function<void()>& after_read) {
  for (std::int64_t left = limit; left > 0;) {
    const CardLimit wanted{std::min(left, kCardsAtOnce.cards), kCardsAtOnce.bytes};
    const auto cards = context.ReadOnce<CardStore>([&](CardStore& store) {
      std::vector<Card> page;
      store.Each(deck, after, wanted, [&](const Card& one) { page.push_back(one); });
      return page;
    });
    if (after_read) after_read();
    if (cards.empty()) break;
    for (const Card& one : cards) card(one);
    after = cards.back().ord;
    left -= static_cast<std::int64_t>(cards.size());
  }
  return after;
}

}  // namespace syncline::decks
