#include "handlers/decks/delivery/spread_flow.h"

#include <functional>
#include <vector>

#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/catalogue/deck_store.h"

namespace syncline::decks {
namespace {

constexpr std::int64_t kSubscribersAtOnce = 500;

// Enqueues the jobs of deliveries, page by page. `page`: those after one.
void EnqueuePages(
    Context& context, JobControl& control,
    const std::function<std::vector<DeliveryKey>(DeliveryStore&, const DeliveryKey& after)>& page) {
  DeliveryKey after{};
  for (std::size_t count = kSubscribersAtOnce; count == kSubscribersAtOnce;) {
    control.Progress(0, 0, "subscribers");
    const auto found =
        context.ReadOnce<DeliveryStore>([&](DeliveryStore& deliveries) { return page(deliveries, after); });
    context.Write<Transaction>([&](Transaction& transaction) {
      for (const DeliveryKey& one : found) DeliveryStore(transaction.tx, one.user).Enqueue(one.deck);
    });
    count = found.size();
    if (count > 0) after = found.back();
  }
}

}  // namespace

void SpreadDeck(Context& context, DeckId deck, JobControl& control) {
  for (bool has_ended = false; !has_ended;) {
    const auto found = context.Read<DeckStore>([&](DeckStore& decks) { return decks.Find(deck); });
    if (!found) return;
    EnqueuePages(context, control, [&](DeliveryStore& deliveries, const DeliveryKey& after) {
      return deliveries.List(deck, after.user, kSubscribersAtOnce);
    });
    // Under the deck's lock: a push that comes now finds this job unfinished, and enqueues no other one.
    has_ended = context.Write<DeckStore, Transaction>([&](DeckStore& decks, Transaction& transaction) {
      const auto now = decks.Lock(found->shown.id);
      if (now && now->shown.updated_at != found->shown.updated_at) return false;
      control.FinishIn(transaction.tx);
      return true;
    });
  }
}

void ResumeDeliveries(Context& context, JobControl& control) {
  EnqueuePages(context, control, [](DeliveryStore& deliveries, const DeliveryKey& after) {
    return deliveries.ListLate(after, kSubscribersAtOnce);
  });
}

}  // namespace syncline::decks
