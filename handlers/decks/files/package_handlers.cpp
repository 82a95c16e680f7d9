#include "handlers/decks/files/package_handlers.h"

#include <memory>
#include <utility>
#include <vector>

#include "handlers/base/sha256.h"
#include "handlers/base/temp_file.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/files/media_flow.h"
#include "handlers/decks/files/package_flow.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 64 << 10;
constexpr std::size_t kMostDecks = 10;  // that the add-on's documents allow

std::string ReadListedId(const JsonValue& value) {
  constexpr std::size_t kUuid = 36;
  return value.Text(kUuid, 1);
}

void WriteFound(JsonWriter& json, const Deck& deck, const MediaLinks& links) {
  json.Object()
      .Add("success", true)
      .Add("deck_id", deck.shown.id)
      .Add("title", deck.shown.title)
      .Add("version", PrintVersion(deck.shown.version))
      .Add("download_url", links.Package(deck))
      .End();
}

// A hidden deck and none look the same: a refusal would log the add-on out.
void WriteGone(JsonWriter& json, const std::string& id) {
  constexpr std::string_view kWhy = "This deck is gone, or not open to you.";
  json.Object()
      .Add("success", false)
      .Add("deck_id", id)
      .Add("title", "")
      .Add("error", kWhy)
      .Add("message", kWhy)
      .End();
}

// Where nginx keeps the package of a deck as it is now: every change of cards, note types, files and the title is a new time.
std::string PlaceOfPackage(const Deck& deck) {
  const std::string state =
      deck.shown.id + " " + std::to_string(deck.head_seq) + " " + HexText(deck.content_hash) + " " +
      std::to_string(deck.shown.updated_at.time_since_epoch().count()) + " " + deck.shown.title;
  return "/internal/deck-files/" + HexText(Sha256(state));
}

}  // namespace

// POST addon-batch-download -- links to the files of up to ten decks. Those that are gone are named beside the others.
Response PostBatchDownload(Request& request, Context& context) {
  const auto ids = ReadBody(request, context, kBody, [](const JsonObject& in) {
    return in["deck_ids"].List(kMostDecks, ReadListedId);
  });
  if (ids.empty()) throw Refused("no_decks", "deck_ids has one to ten decks.");
  std::vector<Deck> found;
  std::vector<std::string> gone;
  context.Read<DeckStore>([&](DeckStore& decks) {
    found.clear();
    gone.clear();
    for (const std::string& id : ids) {
      auto deck = IsUuid(id) ? decks.Find(id) : std::nullopt;
      if (deck && !deck->is_deleted && (deck->MayRead() || IsAdmin(context))) {
        found.push_back(*std::move(deck));
      } else {
        gone.push_back(id);
      }
    }
  });
  const MediaLinks links = LinksFor(request, context);
  JsonWriter json;
  Success(json).Array("downloads");
  for (const Deck& deck : found) WriteFound(json, deck, links);
  json.End().Array("failed");
  for (const std::string& id : gone) WriteGone(json, id);
  json.End().Add("total_successful", found.size()).Add("total_failed", gone.size());
  return Answer(json);
}

// GET /deck-files/{grant} -- a deck as an .apkg, by its link. No login; 403 for a link that has ended, 404 for a deck that is gone.
//
// nginx asks twice, as for media: a state of a deck is made once and then kept by nginx.
Response GetDeckFile(Request& request, Context& context) {
  const MediaGrant grant = OpenPackage(context, request.PathParam("grant"));
  const auto deck = context.Read<DeckStore>([&](DeckStore& decks) {
    auto found = decks.Find(grant.deck);
    if (!found || found->is_deleted) throw NotFound("deck_not_found");
    // The link shows what the deck has now, so it ends with the access of whoever asked for it.
    if (!decks.AccessOf(grant.deck, grant.user).may_read) throw Forbidden("link_gone");
    return found;
  });
  if (!request.Header("syncline-content"))
    return Response{200, {}, {}, std::nullopt}.With("X-Accel-Redirect", PlaceOfPackage(*deck));
  // Its length is told first, so that nothing cut off is kept.
  const auto file = std::make_shared<TempFile>(context.config().temp_dir);
  DeckPackage(context, *deck).Write(*file);
  return Response::Stream([file](BodySink& sink) { file->ReadAll(sink); }, file->Size())
      .With("Content-Disposition", "attachment; filename=\"" + deck->shown.id + ".apkg\"");
}

std::vector<ExportedFile> ExportFiles(Context& context) {
  const auto own = context.Read<DeckStore>([](DeckStore& decks) { return decks.ListOwn(); });
  std::vector<ExportedFile> files;
  files.push_back({"decks/decks.json", [own](BodySink& sink) {
                     JsonWriter json(sink);
                     json.Object().Array("decks");
                     for (const Deck& deck : own) {
                       json.Object();
                       WriteDeck(json, deck.shown);
                       json.End();
                     }
                     json.Finish();
                   }});
  for (const Deck& deck : own)
    files.push_back({"decks/" + deck.shown.id + ".apkg",
                     [&context, deck](BodySink& sink) { DeckPackage(context, deck).Write(sink); }});
  return files;
}

}  // namespace syncline::decks
