// Background jobs of the decks service.
#include "handlers/decks/jobs.h"

#include "handlers/anki/package/import_flow.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/log.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/delivery/deliver_flow.h"
#include "handlers/decks/delivery/spread_flow.h"
#include "handlers/decks/dialect/job_wire.h"
#include "handlers/decks/files/collect_flow.h"
#include "handlers/decks/files/media_store.h"
#include "handlers/decks/settings.h"

namespace syncline::decks {
namespace {

using namespace std::chrono_literals;

constexpr int kRowsAtOnce = 5000, kUploadsAtOnce = 100, kTombstonesAtOnce = 1000;

// A collection that cannot take the deck stays as it is: the deck itself is published all the same, and its owner can download it.
void RunCollect(const Job& job, Context& context, JobControl& control) {
  constexpr auto kAgain = 5s;
  try {
    WhenDiskHasRoom([&] { CollectDeck(context, DeckOf(job), job, control); });
  } catch (const anki::ImportPutOff& later) {
    throw JobPutOff(later.reason, kAgain);
  } catch (const anki::FileRefused& refused) {
    LogLine(LogLevel::kInfo).Add("event", "deck_not_collected").Add("why", refused.what()).Write();
  } catch (const Error& error) {
    if (error.code() != "over_quota") throw;
    LogLine(LogLevel::kInfo).Add("event", "deck_not_collected").Add("why", error.code()).Write();
  }
}

// What stops a delivery is told to its subscriber, and it is tried again from time to time.
void RunDeliver(const Job& job, Context& context, JobControl& control) {
  constexpr auto kAgain = 5s;
  const DeckId deck = DeckOf(job);
  try {
    WhenDiskHasRoom([&] { DeliverDeck(context, deck, job, control); });
  } catch (const anki::ImportPutOff& later) {
    throw JobPutOff(later.reason, kAgain);
  } catch (const anki::PackageRefused& refused) {
    NoteDeliveryProblem(context, deck, refused.code());
  } catch (const anki::FileRefused& refused) {
    LogLine(LogLevel::kWarn).Add("event", "deck_not_delivered").Add("why", refused.what()).Write();
    NoteDeliveryProblem(context, deck, "collection_refused");
  } catch (const Error& error) {
    if (error.code() != "over_quota") throw;
    NoteDeliveryProblem(context, deck, error.code());
  }
}

void RunSpread(const Job& job, Context& context, JobControl& control) {
  SpreadDeck(context, DeckOf(job), control);
}

void RunResume(const Job&, Context& context, JobControl& control) {
  ResumeDeliveries(context, control);
}

// The rest of a deleted deck, in short steps. Its tombstone stays for a while.
void RunRemove(const Job& job, Context& context, JobControl& control) {
  const DeckId deck = DeckOf(job);
  context.Write<MediaStore>([&](MediaStore& media) { media.ReleaseAll(deck); });
  for (std::int64_t deleted = 1, all = 0; deleted > 0; all += deleted) {
    control.Progress(all, 0, "rows");
    deleted = UpkeepStep(control, [&] {
      return context.Write<DeckStore>([&](DeckStore& decks) { return decks.RemoveRows(deck, kRowsAtOnce); });
    });
  }
}

void RunUpkeep(const Job&, Context& context, JobControl& control) {
  const int days = static_cast<int>(context.config().Of<Settings>().idle_days);
  const auto idle =
      context.ReadOnce<ReaderStore>([&](ReaderStore& readers) { return readers.DecksWithIdle(days); });
  for (const DeckId deck : idle) {
    control.Progress(0, 0, "subscribers");
    // Marked and counted at once, so that a job that is killed in between leaves nothing half done.
    context.Write<DeckStore, ReaderStore>([&](DeckStore& decks, ReaderStore& readers) {
      const auto id = decks.PublicId(deck);
      if (!id || !decks.Lock(*id)) return;
      readers.MarkIdle(deck, days);
      readers.CountSubscribers(deck);
    });
  }
  context.Write<ReaderStore>([&](ReaderStore& readers) { readers.Forget(days); });
  for (std::int64_t forgotten = 1; forgotten > 0;) {
    control.Progress(0, 0, "what was seen");
    forgotten = UpkeepStep(control, [&] {
      return context.Write<ReaderStore>(
          [&](ReaderStore& readers) { return readers.ForgetRows(days, kRowsAtOnce); });
    });
  }
  for (std::size_t found = kUploadsAtOnce; found == kUploadsAtOnce;) {
    control.Progress(0, 0, "uploads");
    found = UpkeepStep(control, [&] {
      return context.Write<MediaStore>([](MediaStore& media) {
        const auto uploads = media.OldUploads(kUploadsAtOnce);
        for (const OldUpload& upload : uploads) media.DropUpload(upload);
        return uploads.size();
      });
    });
  }
  context.Write<DeckStore>([](DeckStore& decks) { decks.DropTombstones(kTombstonesAtOnce); });
}

constexpr JobKind kJobs[] = {
    {.name = "decks.collect", .body = RunCollect},
    {.name = "decks.deliver", .body = RunDeliver},
    {.name = "decks.remove", .body = RunRemove},
    {.name = "decks.resume", .body = RunResume, .max_running = 1, .every = 10min},
    {.name = "decks.spread", .body = RunSpread},
    {.name = "decks.upkeep", .body = RunUpkeep, .max_running = 1, .is_daily = true},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::decks
