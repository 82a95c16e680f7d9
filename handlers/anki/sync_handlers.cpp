#include "handlers/anki/sync_handlers.h"

#include <algorithm>

#include "handlers/account/login/login_flow.h"
#include "handlers/anki/collection/config_wire.h"
#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/envelope/answer.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/problem_flow.h"
#include "handlers/anki/settings.h"
#include "handlers/base/disk_reserve.h"

namespace syncline::anki {
namespace {

// Limits of one chunk. Clients take any number of rows: more rows save round trips but cost memory. A chunk
// ends with the row that passes kChunkBytes.
constexpr int kChunkRows = 1000;
constexpr std::size_t kChunkBytes = kLargeBytes;

// A session that has staged more than this is refused while the disk is nearly full.
constexpr std::int64_t kLargeSessionBytes = std::int64_t{16} << 20;

// Graves in a start come from old clients only; this is room for 70,000 of them. There is no session yet that
// could be checked before a longer one is read.
constexpr std::size_t kMaxStartBytes = 1 << 20;

// The message of a request that belongs to a session. Error Conflict "no_session" if a long one has none.
std::string SessionMessageOf(Request& request, Context& context) {
  return MessageOf(request, context, [&] {
    context.ReadOnce<SessionStore>(
        [&](SessionStore& sessions) { sessions.RequireLive(SessionEnvelopeOf(request).session); });
  });
}

// Runs `answer`. If it throws a refusal of what the client sent, its transaction has been rolled back; this
// reports what the session has staged, ends the session in a second one and rethrows. Upstream ends the session, too: the
// client rolls back and starts over. What the session has staged is cleared.
template <typename F>
Response EndingSessionOnRefusal(Request& request, Context& context, const std::string& key, F&& answer) {
  try {
    return answer();
  } catch (const Error& e) {
    if (IsRefusal(e)) {
      KeepRefusal(request, context, e);
      // Only this session: another device may have started one in the meantime.
      context.Write<SessionStore>([&](SessionStore& sessions) { sessions.End(key); });
    }
    throw;
  }
}

std::int64_t SessionMinutes(const Context& context) {
  return context.config().Of<Settings>().session_minutes;
}

// A message always fits.
StagingLimits LimitsOf(const Context& context) {
  const Settings& settings = context.config().Of<Settings>();
  const std::int64_t session = std::max(settings.max_staged_mib, settings.max_message_mib + 1) << 20;
  return {session, std::max(settings.max_staged_hourly_mib << 20, session)};
}

std::int32_t PartsOf(const Changes& changes) {
  const bool has_objects =
      !changes.notetypes.empty() || !changes.decks.empty() || !changes.deck_configs.empty();
  return (has_objects ? kObjects : 0) | (changes.tags.empty() ? 0 : kTags);
}

// The session's collection. Error Conflict "collection_changed" if it was replaced or has a new usn since
// start.
Collection RequireUnchanged(const Session& session, const std::optional<Collection>& collection) {
  if (!collection || collection->generation != session.generation ||
      collection->meta.usn != session.server_usn) {
    throw Conflict("collection_changed");
  }
  return *collection;
}

// Runs `answer(max_bytes)`. If it throws TooLargeToSend, takes the turn for large requests and runs it again
// without a limit.
template <typename F>
auto InTurnIfLarge(Context& context, F&& answer) {
  try {
    return answer(static_cast<std::int64_t>(kLargeBytes));
  } catch (const TooLargeToSend&) {
    context.TakeLargeTurn();
    return answer(kAnySize);
  }
}

// The first sync versions that can handle these features of a collection.
constexpr int kFirstWithScheduler2 = 9;
constexpr int kFirstWithCreationOffset = 10;

// Whether a client of this sync version can handle the collection's scheduler. From version 11 on all can.
bool KnowsScheduler(Context& context, int version) {
  if (version >= kFirstZstdVersion) return true;
  const auto found = InTurnIfLarge(context, [&](std::int64_t max_bytes) {
    return context.ReadOnce<CollectionStore>(
        [&](CollectionStore& collections) { return collections.FindWithConfig(max_bytes); });
  });
  if (!found) return true;
  const DayConfig config = ReadDayConfig(found->second);
  return !(version < kFirstWithScheduler2 && config.scheduler == 2) &&
         !(version < kFirstWithCreationOffset && config.creation_west_min);
}

// Everything but rows that the client has not seen, given what it sent and how that was merged. Config and
// creation time go to the older side only, because they replace its own.
Changes ChangesForClient(const Session& session, const Changes& theirs, const MergedChanges& merged,
                         SmallObjects unseen, CollectionStore& collections, const MergeMoment& moment,
                         std::int64_t max_bytes) {
  Changes ours;
  const auto list = [&](ObjectKind kind, std::vector<Object>& unseen_objects,
                        const std::vector<Object>& sent) {
    std::vector<TakenObject> taken;
    std::copy_if(merged.objects.begin(), merged.objects.end(), std::back_inserter(taken),
                 [kind](const TakenObject& item) { return item.kind == kind; });
    return ListForClient(moment, kind, std::move(unseen_objects), sent, taken);
  };
  ours.notetypes = list(ObjectKind::kNotetype, unseen.notetypes, theirs.notetypes);
  ours.decks = list(ObjectKind::kDeck, unseen.decks, theirs.decks);
  ours.deck_configs = list(ObjectKind::kDeckConfig, unseen.deck_configs, theirs.deck_configs);
  for (Tag& tag : unseen.tags) ours.tags.push_back(std::move(tag.name));
  if (!session.client_is_newer) {
    const auto found = collections.FindWithConfig(max_bytes);
    ours.created_s =
        RequireUnchanged(session, found ? std::optional(found->first) : std::nullopt).meta.created_s;
    ours.config_json =
        session.unbury_day ? WithUnburiedDay(found->second, *session.unbury_day) : found->second;
  }
  return ours;
}

// Prints the next rows, in the order reviews, cards, notes, and advances the session's position.
std::string NextChunk(Session& session, CollectionStore& collections, std::int64_t max_bytes) {
  ChunkPrinter chunk;
  int room = kChunkRows;
  std::size_t bytes = 0;
  bool is_full = false;  // the remaining rows go into the next chunk
  const auto send = [&](Part part, auto page) {
    if ((session.to_send & part) == 0 || is_full || room <= 0) return;
    const bool has_more = page();
    is_full = is_full || has_more;
    if (is_full) return;
    session.to_send &= ~part;
    session.sent = {};
  };
  // Rows read but not added are read again for the next chunk: the session's position stops at the last row
  // added.
  const auto add = [&](const auto& row, RowPosition position) {
    is_full = is_full || bytes > kChunkBytes;
    if (is_full) return;
    bytes += chunk.Add(row);
    session.sent = position;
    --room;
  };
  const Since since = session.Unseen(max_bytes);
  // Without a limit for the data of a card, it is read card by card: a page would hold any number of them.
  const int card_room = max_bytes == kAnySize ? 1 : kChunkRows;
  send(kReviews, [&] { return collections.ReviewsSince(since, session.sent, room, add); });
  send(kCards, [&] {
    return collections.CardsSince(since, session.sent, std::min(room, card_room),
                                  [&](Card card, RowPosition position) {
                                    if (session.unbury_day && IsBuried(card.queue))
                                      card.queue = UnburiedQueue(card.type, card.due);
                                    add(card, position);
                                  });
  });
  send(kNotes, [&] { return collections.NotesSince(since, session.sent, room, add); });
  return chunk.Finish((session.to_send & kRowParts) == 0);
}

}  // namespace

// POST /sync/hostKey -- exchanges name and password for a new device key.
//
// Answers 200 {"key"}; 403 wrong name or password; 429 too many failures.
Response PostHostKey(Request& request, Context& context) {
  const Envelope& envelope = OpenEnvelope(request, context);
  const LoginMessage login = ParseLogin(SmallMessageOf(request));
  const std::string key = account::LogIn(context, login.user, login.password, request.remote_address, "anki",
                                         envelope.client.empty() ? "Anki" : envelope.client);
  return Answer(envelope, LoginReply(key));
}

// POST /sync/meta -- the state from which the client chooses the kind of sync. Read-only: one device's status
// poll does not disturb another device's sync.
//
// An account without data answers mod 0, usn 0 and its creation as schema time, so that a new client sees no
// changes and one with cards is asked to upload. Answers 200; 501 for a version we do not support.
Response PostMeta(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  const MetaMessage message = ParseMeta(SmallMessageOf(request));
  if (message.version < kMinVersion || message.version > kMaxVersion) {
    // Shown as "please update". A header with such a version has already been answered with 400.
    throw Error(ErrorKind::kUnsupported, "unsupported_version");
  }
  const CollectionTimes times =
      context.ReadOnce<CollectionStore>([](CollectionStore& collections) { return collections.FindTimes(); });
  MetaReply reply{};
  reply.mod_ms = times.mod_ms;
  reply.schema_ms = times.schema_ms;
  reply.usn = times.usn;
  reply.media_usn = times.media_usn;
  reply.is_empty = times.is_empty;
  reply.now_s = context.NowSeconds();
  // Shown after the sync, which continues: deletions and reads are never refused.
  if (times.is_over_quota) {
    reply.message =
        "Your storage on this server is full, and it takes nothing new. Delete what you do not need, or ask "
        "its administrator for more.";
  }
  if (times.exists && !KnowsScheduler(context, message.version)) {
    reply.may_continue = false;
    reply.message = "Your client does not support the scheduler of this collection. Please update it.";
  }
  return Answer(envelope, Print(reply));
}

// POST /sync/start -- opens a session and returns the deletions that the client has not seen.
//
// The newest start wins: it ends another device's session, and that device syncs again. If a new day has
// begun, finish will unbury the buried cards. Answers 200; 503 if the client asks for rows of a file that is
// still being imported, which no client with the right schema time does.
Response PostStart(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  const StartMessage message = ParseStart(SmallMessageOf(request, kMaxStartBytes));
  const auto start = [&](SessionStore& sessions, CollectionStore& collections,
                         std::int64_t max_bytes) -> std::optional<GraveIds> {
    // First, because ending a session waits for a finish that is running: the reads below see its changes.
    const auto found_both = sessions.EndAndFind(max_bytes);
    if (!found_both) return std::nullopt;
    const auto& [collection, config_json] = *found_both;
    StartMessage seen = message;
    seen.client_usn = collection.SeenBy(message.client_usn);
    // A client with the base file's usn has seen the whole file; usn 0 means that file was never synced.
    const bool has_seen_file = seen.client_usn >= std::max(collection.base_usn, 1);
    if (!collection.IsImported() && !has_seen_file) throw Busy("importing");
    const auto unbury_day =
        UnburyDay(ReadDayConfig(config_json), collection.meta.created_s, context.NowSeconds());
    const std::int64_t minutes = SessionMinutes(context);
    const Session session =
        sessions.Start(collection, envelope.session, seen, unbury_day, minutes, LimitsOf(context));
    GraveIds found;
    if (session.to_send & kGraves)
      found = collections.GravesSince(session.generation, session.client_usn, max_bytes);
    // This transaction has created the session, but the session may not stage that many.
    if (!message.graves.empty()) sessions.StageGraves(envelope.session, minutes, message.graves).Get();
    return found;
  };
  const auto start_in_turn = [&] {
    return InTurnIfLarge(context, [&](std::int64_t max_bytes) {
      return context.Write<SessionStore, CollectionStore>(
          [&](SessionStore& sessions, CollectionStore& collections) {
            return start(sessions, collections, max_bytes);
          });
    });
  };
  auto graves = start_in_turn();
  if (!graves) {
    EnsureCollection(context);
    graves = start_in_turn();
    if (!graves) throw Conflict("collection_changed");
  }
  return Answer(envelope, Print(*graves));
}

// POST /sync/applyGraves -- what the client has deleted. Answers 200 null; 409 no session; 413, 429 or 507 if
// the session has staged more than it may, and ends.
Response PostApplyGraves(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  const GraveIds graves = ParseGraves(SessionMessageOf(request, context));
  return EndingSessionOnRefusal(request, context, envelope.session, [&] {
    context
        .Write<SessionStore>([&](SessionStore& sessions) {
          return sessions.StageGraves(envelope.session, SessionMinutes(context), graves);
        })
        .Get();
    return Answer(envelope, "null");
  });
}

// POST /sync/applyChanges -- exchanges notetypes, decks, deck configs, tags and config with the client.
//
// Ours are read before the client's are merged, so that its own changes are not sent back. Answers 200; 400
// if a notetype changed its number of fields or templates, which only a full sync can express; 409 no
// session.
Response PostApplyChanges(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  const Changes theirs = ParseChanges(SessionMessageOf(request, context));
  return EndingSessionOnRefusal(request, context, envelope.session, [&] {
    const auto merge = [&](SessionStore& sessions, CollectionStore& collections, std::int64_t max_bytes) {
      const Session session = sessions.Touch(envelope.session, SessionMinutes(context),
                                             {PartsOf(theirs), SessionStore::BytesOf(theirs)});
      // Clients send changes once. A second merge would not see the first.
      if (session.has_changes) throw BadInput("changes_sent_twice");
      const Since unseen_by = session.Unseen(max_bytes);
      SmallObjects unseen;
      if (session.to_send & kObjects) unseen = collections.ObjectsSince(unseen_by);
      if (session.to_send & kTags) unseen.tags = collections.TagsSince(unseen_by);
      const MergeMoment moment =
          session.MergeAt(context.NowSeconds(), /*may_keep_equal=*/envelope.version < kFirstZstdVersion);
      const MergedChanges merged = sessions.Merge(session, theirs, moment);
      sessions.StageChanges(session, merged, theirs);
      return ChangesForClient(session, theirs, merged, std::move(unseen), collections, moment, max_bytes);
    };
    const Changes ours = InTurnIfLarge(context, [&](std::int64_t max_bytes) {
      return context.Write<SessionStore, CollectionStore>(
          [&](SessionStore& sessions, CollectionStore& collections) {
            return merge(sessions, collections, max_bytes);
          });
    });
    return Answer(envelope, Print(ours));
  });
}

// POST /sync/chunk -- the next rows the client has not seen. Answers 200; 409 no session.
//
// Does not wait for the commit: if the session's position is lost, the same rows are sent twice, and merge.
Response PostChunk(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  // Most devices have seen everything. Then nothing is locked or written.
  const bool is_idle = context.ReadOnce<SessionStore>([&](SessionStore& sessions) {
    return sessions.HasNothingToSend(envelope.session, SessionMinutes(context));
  });
  if (is_idle) return Answer(envelope, ChunkPrinter().Finish(/*done=*/true));
  const auto next_chunk = [&](SessionStore& sessions, CollectionStore& collections, std::int64_t max_bytes) {
    Session session = sessions.Touch(envelope.session, SessionMinutes(context));
    const bool has_rows = (session.to_send & kRowParts) != 0;
    std::string next = NextChunk(session, collections, max_bytes);
    if (has_rows) sessions.RememberSent(session);
    return next;
  };
  const std::string chunk = InTurnIfLarge(context, [&](std::int64_t max_bytes) {
    return context.WriteUnawaited<SessionStore, CollectionStore>(
        [&](SessionStore& sessions, CollectionStore& collections) {
          return next_chunk(sessions, collections, max_bytes);
        });
  });
  return Answer(envelope, chunk);
}

// POST /sync/applyChunk -- the client's rows. Answers 200 null; 400 if a note has no notetype or the wrong
// number of fields; 409 no session; 413, 429 or 507 if the session has staged more than it may, 503 if it has
// staged much while the disk is nearly full. A refusal of what it stages ends the session; one of the message
// itself (400, 413) does not.
Response PostApplyChunk(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  const ReceivedChunk chunk = ParseChunk(SessionMessageOf(request, context));
  return EndingSessionOnRefusal(request, context, envelope.session, [&] {
    const Session session =
        context
            .Write<SessionStore>([&](SessionStore& sessions) {
              return sessions.StageChunk(envelope.session, SessionMinutes(context), chunk);
            })
            .Get();
    // Small syncs use the reserve.
    if (session.staged_bytes > kLargeSessionBytes) DiskReserve(context).Require();
    return Answer(envelope, "null");
  });
}

// POST /sync/sanityCheck2 -- compares the counts of both sides.
//
// Ours are the collection's counters, adjusted for the staged rows; the collection itself is never counted. A
// false "bad" would cost the user a full sync, so only the six counts that both sides can know are compared.
// A "bad" ends the session and stores a report for the operator. Does not wait for the commit: finish
// computes lost counts again; if a "bad" is lost, the client's abort ends the session, and there is no
// report. Answers 200 with "ok" or "bad"; 409 no session; 507 if the collection would grow past the quota,
// which ends the session.
Response PostSanityCheck2(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  const SanityMessage client = ParseSanity(SmallMessageOf(request));
  const auto count = [&](SessionStore& sessions, CollectionStore& collections, ProblemStore& problems) {
    auto locked = sessions.AskLock(envelope.session);
    // Before the look-up of new ids: an import that ends in between makes fewer of them new, not more.
    auto found = collections.AskFind();
    auto new_ids = sessions.AskNewIds(envelope.session);
    const Session session = locked.Get();
    const Collection collection = RequireUnchanged(session, found.Get());
    const SyncOutcome outcome = sessions.OutcomeOf(session, collection, new_ids.Get());
    const CollectionCounts& counts = outcome.counts;
    if (counts != client.counts) {
      problems.KeepMismatch({context.device(), envelope.client}, session, client.counts, counts);
      sessions.End();  // ends this session: its row is locked
    } else {
      sessions.RememberOutcome(outcome, SessionMinutes(context));
    }
    return counts;
  };
  return EndingSessionOnRefusal(request, context, envelope.session, [&] {
    const auto ours = context.WriteUnawaited<SessionStore, CollectionStore, ProblemStore>(count);
    return Answer(envelope, SanityReply(ours == client.counts, client.client_json, ours));
  });
}

// POST /sync/finish -- applies the whole session in one transaction and ends it. The answer is the
// modification time in ms that the client stores as its own.
//
// It is also the collection's new time, with one exception: if a review had to move to another id
// (apply_revlog), the collection's time is 1 ms later, so that this client syncs again and fetches the
// review. A crash before the commit changes nothing. A client that does not receive the answer sends the same
// rows again in its next sync, and they merge. Answers 200; 409 no session; 507 as sanityCheck2.
Response PostFinish(Request& request, Context& context) {
  const Envelope& envelope = SessionEnvelopeOf(request);
  const auto apply = [&](SessionStore& sessions, CollectionStore& collections, std::int64_t max_bytes) {
    // Lock order: the collection, then the session.
    auto head = collections.AskLock();
    const Session session = sessions.AskLock(envelope.session).Get();
    const Collection collection = RequireUnchanged(session, head.Get());
    const auto remembered = session.OutcomeFor(collection);
    const SyncOutcome outcome =
        remembered ? *remembered
                   : sessions.OutcomeOf(session, collection, sessions.AskNewIds(envelope.session).Get());
    // Clients compare this time for equality: it must increase even if the clock does not.
    const std::int64_t now_ms = std::max(context.NowMs(), collection.meta.mod_ms + 1);
    sessions.Apply(session, outcome, now_ms, context.device(), max_bytes);
    return now_ms;
  };
  return EndingSessionOnRefusal(request, context, envelope.session, [&] {
    const auto mod_ms = InTurnIfLarge(context, [&](std::int64_t max_bytes) {
      return context.Write<SessionStore, CollectionStore>(
          [&](SessionStore& sessions, CollectionStore& collections) {
            return apply(sessions, collections, max_bytes);
          });
    });
    return Answer(envelope, std::to_string(mod_ms));
  });
}

// POST /sync/abort -- ends any session of the user. A cancelled client sends a new session key, so the key is
// ignored. Always 200 null.
Response PostAbort(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  context.Write<SessionStore>([](SessionStore& sessions) { sessions.End(); });
  return Answer(envelope, "null");
}

}  // namespace syncline::anki
