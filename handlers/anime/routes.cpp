// The routes of the anime service and the dialect of its clients, which were written for a server on FastAPI.
#include "handlers/anime/routes.h"

#include "handlers/account/api_dialect.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/anime/entry_handlers.h"
#include "handlers/anime/list_transfer_handlers.h"
#include "handlers/anime/sync_handlers.h"
#include "handlers/anime/title_handlers.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/json_body.h"

namespace syncline::anime {
namespace {

using namespace std::chrono_literals;

// The original's texts, which clients may compare.
constexpr DetailText kTexts[] = {
    // Of Basic.
    {"bad_key", "Invalid token"},
    {"bad_credentials", "Invalid token"},
    {"app_password_required", "Basic needs an app password"},
    {"no_such_title",
     "\u0430\u043d\u0438\u043c\u0435 \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d\u043e \u0432 "
     "\u0431\u0430\u0437\u0435 \u0434\u0430\u043d\u043d\u044b\u0445 \u043f\u043e "
     "\u0432\u043d\u0443\u0442\u0440\u0435\u043d\u043d\u0435\u043c\u0443 {}"},
    {"not_at_mal",
     "\u0410\u043d\u0438\u043c\u0435 {} \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d\u043e \u043d\u0430 "
     "MAL"},
    {"in_list",
     "\u0410\u043d\u0438\u043c\u0435 \u0443\u0436\u0435 \u0432 \u0432\u0430\u0448\u0435\u043c "
     "\u0441\u043f\u0438\u0441\u043a\u0435"},
    {"no_title_to_list",
     "\u0410\u043d\u0438\u043c\u0435 \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d\u043e \u0432 "
     "\u0431\u0430\u0437\u0435 \u0434\u0430\u043d\u043d\u044b\u0445"},
    {"not_in_list",
     "\u0410\u043d\u0438\u043c\u0435 \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d\u043e \u0432 "
     "\u0432\u0430\u0448\u0435\u043c \u0441\u043f\u0438\u0441\u043a\u0435"},
    {"nothing_to_change",
     "\u041d\u0435\u0442 \u043f\u043e\u043b\u0435\u0439 \u0434\u043b\u044f "
     "\u043e\u0431\u043d\u043e\u0432\u043b\u0435\u043d\u0438\u044f"},
    {"upstream_failed", "\u041e\u0448\u0438\u0431\u043a\u0430 Jikan API"},
    {"upstream_refused", "\u041e\u0448\u0438\u0431\u043a\u0430 Jikan API"},
    {"upstream_hollow", "\u041e\u0448\u0438\u0431\u043a\u0430 Jikan API"},
    {"upstream_connect", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_tls", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_timeout", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_too_large", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_refused_address", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_bad_response", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_redirect", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"upstream_malformed", "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"},
    {"empty_body", "The request has no file", 422},
    {"bad_multipart", "There was an error parsing the body"},
    {"list_not_xml", "The file is not XML that can be read (line {})"},
    {"list_has_dtd", "The file has a document type declaration, which a list of MyAnimeList never has"},
    {"list_too_deep", "The file is nested deeper than a list of MyAnimeList ever is"},
    {"list_markup_too_long",
     "The file has a tag or a comment that is longer than any of a list of MyAnimeList"},
    {"not_an_anime_list", "The file is not a list of MyAnimeList"},
    {"manga_list", "The file is a list of manga; only anime can be imported"},
    {"bad_gzip", "The compressed file is damaged"},
    {"list_too_large", "The file has more than 20 MiB when it is unpacked"},
    {"list_too_long", "The file has more than 50000 entries"},
    {"list_full", "A list has at most 20000 entries"},
    {"no_such_import", "There is no such import"},
    {"over_quota", "Your storage on this server is full"},
};

Response RenderError(const Error& error, const Request&) {
  return DetailAnswer(error, {.texts = kTexts, .more_texts = account::kTokenTexts});
}

const Dialect kDialect{.service = "anime",
                       .authenticate = account::AuthenticateApi,
                       .render_error = RenderError,
                       .redirects_slashes = true};

constexpr std::size_t kBody = 64 << 10;
constexpr auto kQuick = 10s;
// Health checks do not wait longer.
constexpr auto kHealth = 5s;
// A file of 20 MiB and what a form adds. It is read whole before the answer.
constexpr std::size_t kListFile = 21 << 20;
constexpr auto kTransfer = 60s;
// The upstream has ten seconds, and storing takes some more. nginx waits longer.
constexpr auto kUpstream = 20s;

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;

// A job costs requests to the upstream.
constexpr CallLimit kSyncs{.rate = {.count = 30, .per = 60s}, .per = CallLimit::Per::kAccount};
// All accounts share the catalogue.
constexpr CallLimit kTitles{.rate = {.count = 300, .per = 3600s}, .per = CallLimit::Per::kAccount};
// Cached answers cost nothing, but search texts rarely repeat.
constexpr CallLimit kProxied{.rate = {.count = 60, .per = 60s}, .per = CallLimit::Per::kNetwork};

// A file is read whole twice.
constexpr CallLimit kImports{.rate = {.count = 30, .per = 3600s}, .per = CallLimit::Per::kAccount};

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect. Where the login is
// optional, the setting anime_write_access decides.
const Route kRoutes[] = {
    {"GET", "/anime/", "anime.list_titles", Auth::kPublic, kRead, 0, kQuick, GetTitles, &kDialect},
    Route{"POST", "/anime/", "anime.add_title", Auth::kOptional, kWrite, kBody, kQuick, PostTitle, &kDialect}
        .ParsingFirst(ParseBodyFirst)
        .Limited(kTitles),
    {"GET", "/anime/{anime_id}", "anime.title", Auth::kPublic, kRead, 0, kQuick, GetTitle, &kDialect},
    {"GET", "/anime/{anime_id}/relations", "anime.relations", Auth::kPublic, kWrite, 0, kQuick, GetRelations,
     &kDialect},
    {"GET", "/anime/mal/{mal_id}", "anime.title_by_mal", Auth::kPublic, kWrite, 0, kUpstream, GetTitleByMal,
     &kDialect},
    Route{"GET", "/anime/jikan/top", "anime.jikan_top", Auth::kPublic, kRead, 0, kUpstream, GetJikanTop,
          &kDialect}
        .Limited(kProxied),
    Route{"GET", "/anime/jikan/search", "anime.jikan_search", Auth::kPublic, kRead, 0, kUpstream,
          GetJikanSearch, &kDialect}
        .Limited(kProxied),
    Route{"GET", "/anime/jikan/{mal_id}", "anime.jikan_title", Auth::kPublic, kWrite, 0, kUpstream,
          GetJikanTitle, &kDialect}
        .Limited(kProxied),
    Route{"POST", "/anime/sync/top", "anime.start_sync_top", Auth::kOptional, kWrite, kBody, kQuick,
          PostSyncTop, &kDialect}
        .Limited(kSyncs),
    Route{"POST", "/anime/sync/{mal_id}", "anime.start_sync_title", Auth::kOptional, kWrite, kBody, kQuick,
          PostSyncTitle, &kDialect}
        .Limited(kSyncs),
    {"GET", "/anime/sync/jobs/{job_id}", "anime.sync_job", Auth::kPublic, kRead, 0, kQuick, GetSyncJob,
     &kDialect},
    {"GET", "/health", "anime.health", Auth::kPublic, kRead, 0, kHealth, GetHealth, &kDialect},
    {"GET", "/genres/", "anime.genres", Auth::kPublic, kRead, 0, kQuick, GetGenres, &kDialect},
    {"GET", "/users/me/list", "anime.list", Auth::kRequired, kRead, 0, kQuick, GetList, &kDialect},
    Route{"POST", "/users/me/list", "anime.add_entry", Auth::kRequired, kWrite, kBody, kQuick, PostEntry,
          &kDialect}
        .ParsingFirst(ParseBodyFirst),
    {"GET", "/users/me/list/stats", "anime.stats", Auth::kRequired, kRead, 0, kQuick, GetListStats,
     &kDialect},
    {"GET", "/users/me/list/history", "anime.history", Auth::kRequired, kRead, 0, kQuick, GetListHistory,
     &kDialect},
    {"GET", "/users/me/list/settings", "anime.settings", Auth::kRequired, kRead, 0, kQuick, GetListSettings,
     &kDialect},
    Route{"PATCH", "/users/me/list/settings", "anime.change_settings", Auth::kRequired, kWrite, kBody, kQuick,
          PatchListSettings, &kDialect}
        .ParsingFirst(ParseBodyFirst),
    Route{"POST", "/users/me/list/import", "anime.start_import", Auth::kRequired, kWrite, kListFile,
          kTransfer, PostListImport, &kDialect}
        .Limited(kImports),
    {"GET", "/users/me/list/import/{job_id}", "anime.import", Auth::kRequired, kRead, 0, kQuick,
     GetListImport, &kDialect},
    {"GET", "/users/me/list/export", "anime.export", Auth::kRequired, kRead, 0, kTransfer, GetListExport,
     &kDialect},
    Route{"PUT", "/users/me/list/by-mal/{mal_id}", "anime.put_entry", Auth::kRequired, kWrite, kBody,
          kUpstream, PutEntryByMal, &kDialect}
        .ParsingFirst(ParseBodyFirst),
    {"GET", "/users/me/list/{anime_id}", "anime.entry", Auth::kRequired, kRead, 0, kQuick, GetEntry,
     &kDialect},
    Route{"PATCH", "/users/me/list/{anime_id}", "anime.change_entry", Auth::kRequired, kWrite, kBody, kQuick,
          PatchEntry, &kDialect}
        .ParsingFirst(ParseBodyFirst),
    {"DELETE", "/users/me/list/{anime_id}", "anime.delete_entry", Auth::kRequired, kWrite, kBody, kQuick,
     DeleteEntry, &kDialect},
    {"POST", "/users/me/list/{anime_id}/increment", "anime.increment", Auth::kRequired, kWrite, kBody, kQuick,
     PostIncrement, &kDialect},
    {"GET", "/users/me/recommendations", "anime.recommendations", Auth::kRequired, kRead, 0, kQuick,
     GetRecommendations, &kDialect},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::anime
