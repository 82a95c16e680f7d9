#include "handlers/decks/delivery/deliver_flow.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "handlers/base/sha256.h"
#include "handlers/decks/cards/card_flow.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/delivery/delivery_batch_flow.h"
#include "handlers/decks/delivery/delivery_end_flow.h"
#include "handlers/decks/delivery/device_look_flow.h"
#include "handlers/decks/files/media_store.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kNotesAtOnce = 500;
// A file gets its time before it can be seen, while its request waits for the deck.
constexpr auto kLateFile = 5min;

// Over names and contents.
std::string HashOf(const std::vector<MediaFile>& files) {
  std::string all;
  for (const MediaFile& file : files) all += file.name + '\0' + file.sha256;
  return Sha256(all);
}
std::optional<sql::Time> NewestOf(const std::vector<MediaFile>& files) {
  std::optional<sql::Time> newest;
  for (const MediaFile& file : files) newest = std::max(newest.value_or(file.updated_at), file.updated_at);
  return newest;
}

// One run of the job.
class Delivering {
 public:
  Delivering(Context& context, DeckId deck, const Job& job, JobControl& control)
      : context_(context), id_(deck), job_(job), control_(control), devices_(context, deck, job, control) {}

  void Run() {
    for (bool has_ended = false; !has_ended;) {
      control_.Progress(delivery_ ? delivery_->seq : 0, deck_ ? deck_->head_seq : 0, "delivering");
      Look();
      if (!delivery_) {
        has_ended = Finish([](DeliveryStore&, const std::optional<Delivery>& now) { return !now; });
      } else if (delivery_->state != DeliveryState::kOn) {
        EndDelivery(context_, id_, delivery_->state, job_, control_);
        has_ended = Finish([&](DeliveryStore& deliveries, const std::optional<Delivery>& now) {
          if (now && now->state == DeliveryState::kOn) return false;
          deliveries.Forget(id_);
          return true;
        });
      } else if (!deck_ || deck_->is_deleted || !deck_->is_subscribed) {
        context_.Write<DeliveryStore>(
            [&](DeliveryStore& deliveries) { deliveries.End(id_, NotesAfterwards::kStay); });
      } else {
        has_ended = Deliver();
      }
    }
  }

 private:
  void Look() {
    context_.Read<DeckStore, DeliveryStore>([&](DeckStore& decks, DeliveryStore& deliveries) {
      deck_ = decks.Find(id_);
      delivery_ = deliveries.Find(id_);
    });
  }

  // The next step. True: the job has ended.
  bool Deliver() {
    if (!delivery_->media_hash) {
      LookForFiles();
      NoteFiles();
      return false;
    }
    if (!has_files_) LookForFiles();
    try {
      const ChangedPart part = context_.ReadOnce<DeliveryStore>(
          [&](DeliveryStore& deliveries) { return deliveries.ChangedSince(id_, delivery_->seq); });
      if (!part.guids.empty()) {
        DeliverPart(part.guids, {delivery_->seq, part.seq}, {});
        return false;
      }
      if (devices_.Next(*delivery_, [&](const auto& guids) { return DeliverAgain(guids, {}); })) return false;
      if (DeliverDesigns()) return false;
      if (HashOf(files_) != *delivery_->media_hash) {
        DeliverFiles();
        NoteFiles();
        return false;
      }
    } catch (const NoCollection&) {
      NoteDeliveryProblem(context_, id_, "no_collection");
      return true;
    }
    return Finish([&](DeliveryStore& deliveries, const std::optional<Delivery>& now) {
      if (!now || now->state != DeliveryState::kOn || now->seq != delivery_->seq) return false;
      deliveries.NoteLookedAt(id_, devices_.looked_at().generation, devices_.looked_at().meta.usn);
      return true;
    });
  }

  // False: it has changed something else of these notes first. Do it again.
  bool DeliverPart(const std::vector<std::string>& guids, const Step& step,
                   const std::set<std::string>& new_files) {
    auto part = ReadPart(context_, id_, guids);
    if (!part) throw NoCollection{};
    DeliveryBatch batch(context_,
                        {.deck = *deck_, .delivery = *delivery_, .media = files_, .new_files = new_files},
                        *std::move(part));
    if (batch.HasChanges()) {
      batch.Change(job_);
      return false;
    }
    batch.Import(job_, control_, step);
    delivery_->homes = batch.homes();
    return true;
  }
  bool DeliverAgain(const std::vector<std::string>& guids, const std::set<std::string>& new_files) {
    return DeliverPart(guids, {delivery_->seq, delivery_->seq}, new_files);
  }
  void DeliverWhole(const std::vector<std::string>& guids, const std::set<std::string>& new_files) {
    while (!DeliverAgain(guids, new_files)) {
    }
  }

  // Note types that the publisher has changed, or a device that had an older one. True: there may be more.
  bool DeliverDesigns() {
    const auto& head = devices_.looked_at();
    std::vector<NoteType> types;
    std::vector<DeliveredType> delivered;
    context_.Read<CardStore, DeliveryStore>([&](CardStore& cards, DeliveryStore& deliveries) {
      types = cards.NoteTypes(id_);
      delivered = deliveries.Types(id_);
    });
    const std::string hash = HashOf(types);
    const bool is_news = delivery_->design_hash != hash;
    // Once for each state of the collection: a type without notes here stays as it is.
    if (!is_news && designs_at_ == head.meta.usn) return false;
    designs_at_ = head.meta.usn;
    const auto notetypes = context_.Read<anki::CollectionStore>([&](anki::CollectionStore& collections) {
      return collections.ObjectsSince({head.generation, 0}).notetypes;
    });
    bool has_changed = false;
    for (const NoteType& type : types) {
      const PlannedType plan = PlanType({.deck = *deck_,
                                         .type = type,
                                         .delivered = delivered,
                                         .notetypes = notetypes,
                                         .now_s = context_.NowSeconds()});
      if (!plan.has_news && (!is_news || plan.earlier.empty())) continue;
      EachOfType(type);
      has_changed = true;
    }
    if (is_news)
      context_.Write<DeliveryStore>([&](DeliveryStore& deliveries) { deliveries.NoteDesigns(id_, hash); });
    return is_news || has_changed;
  }

  // All notes of a type: they may have to become ones of another.
  void EachOfType(const NoteType& type) {
    std::string after;
    for (;;) {
      control_.Progress(0, 0, "note types");
      const auto guids = context_.ReadOnce<DeliveryStore>([&](DeliveryStore& deliveries) {
        return deliveries.DeliveredGuidsOf(id_, type.name, after, kNotesAtOnce);
      });
      if (guids.empty()) return;
      DeliverWhole(guids, {});
      after = guids.back();
    }
  }

  void LookForFiles() {
    files_ = context_.ReadOnce<MediaStore>([&](MediaStore& media) { return media.List(id_); });
    has_files_ = true;
  }
  void NoteFiles() {
    context_.Write<DeliveryStore>(
        [&](DeliveryStore& deliveries) { deliveries.NoteMedia(id_, HashOf(files_), NewestOf(files_)); });
  }

  // Files that came after the cards that name them.
  void DeliverFiles() {
    std::set<std::string> names;
    bool has_static = false;
    for (const MediaFile& file : files_) {
      if (delivery_->media_at && file.updated_at + kLateFile < *delivery_->media_at) continue;
      names.insert(file.name);
      has_static = has_static || file.name.starts_with('_');
    }
    std::vector<std::string> guids;
    const auto deliver_found = [&] {
      control_.Progress(0, 0, "files");
      if (!guids.empty()) DeliverWhole(std::exchange(guids, {}), names);
    };
    EachCard(
        context_, id_, 0, kAllCards,
        [&](const Card& card) {
          const Fields fields = ParseFields(card.content.fields);
          if (std::any_of(fields.begin(), fields.end(), [&](const FieldValue& field) {
                return DeliveryPackage::RefersTo(PlainText(field.json), names);
              }))
            guids.push_back(card.guid);
        },
        deliver_found);
    deliver_found();
    if (has_static) DeliverWhole({}, names);
  }

  // A push that comes now finds this job unfinished and adds none: it must not be forgotten. So the job ends under the deck's
  // lock, and only if `last` finds nothing new to do.
  bool Finish(const std::function<bool(DeliveryStore&, const std::optional<Delivery>&)>& last) {
    const bool is_whole =
        context_.Write<DeckStore, CardStore, DeliveryStore, ReaderStore, MediaStore, Transaction>(
            [&](DeckStore& decks, CardStore& cards, DeliveryStore& deliveries, ReaderStore& readers,
                MediaStore& media, Transaction& transaction) {
              const auto public_id = decks.PublicId(id_);
              const auto deck = public_id ? decks.Lock(*public_id) : std::nullopt;
              const auto now = deliveries.Find(id_);
              const bool is_on = now && now->state == DeliveryState::kOn && deck && !deck->is_deleted;
              if (is_on && (now->seq != deck->head_seq || HashOf(media.List(id_)) != now->media_hash ||
                            HashOf(cards.NoteTypes(id_)) != now->design_hash))
                return false;
              if (!last(deliveries, now)) return false;
              // As a call of the add-on: whoever gets a deck this way still follows it.
              if (is_on) readers.NotePull(id_, deck->shown.version);
              control_.FinishIn(transaction.tx);
              return true;
            });
    has_files_ = false;
    return is_whole;
  }

  Context& context_;
  DeckId id_;
  const Job& job_;
  JobControl& control_;
  DeviceLook devices_;
  std::optional<Deck> deck_{};
  std::optional<Delivery> delivery_{};
  std::vector<MediaFile> files_{};
  bool has_files_ = false;
  std::int32_t designs_at_ = -1;  // the usn at which note types were last looked at
};

}  // namespace

void DeliverDeck(Context& context, DeckId deck, const Job& job, JobControl& control) {
  Delivering(context, deck, job, control).Run();
}

void NoteDeliveryProblem(Context& context, DeckId deck, std::string_view problem) {
  context.Write<DeliveryStore>([&](DeliveryStore& deliveries) { deliveries.NoteProblem(deck, problem); });
}

}  // namespace syncline::decks
