// The routes of the decks service and the dialect of the add-on. nginx leads /addon-NAME to /functions/v1/addon-NAME.
#include "handlers/decks/routes.h"

#include "handlers/account/api_dialect.h"
#include "handlers/decks/catalogue/deck_handlers.h"
#include "handlers/decks/catalogue/session_handlers.h"
#include "handlers/decks/delivery/delivery_handlers.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/files/media_handlers.h"
#include "handlers/decks/files/package_handlers.h"
#include "handlers/decks/publishing/content_handlers.h"
#include "handlers/decks/publishing/history_handlers.h"
#include "handlers/decks/publishing/push_handlers.h"
#include "handlers/decks/publishing/suggestion_handlers.h"
#include "handlers/decks/reading/follow_handlers.h"
#include "handlers/decks/reading/personal_handlers.h"
#include "handlers/decks/reading/reading_handlers.h"
#include "handlers/decks/settings.h"

namespace syncline::decks {
namespace {

using namespace std::chrono_literals;

// Whatever is wrong with a refresh token, its holder has to log in again.
Response RenderRefreshError(const Error& error, const Request& request) {
  const bool is_login = error.kind() == ErrorKind::kUnauthenticated && error.code() != "account_gone";
  return RenderError(is_login ? Unauthenticated("refresh_token_expired") : error, request);
}

const Dialect kDialect{.service = "decks",
                       .authenticate = account::AuthenticateApi,
                       .render_error = RenderError,
                       .ignores_slashes = true,
                       .has_secret_paths = true};
const Dialect kRefreshDialect{.service = "decks",
                              .authenticate = account::AuthenticateApi,
                              .render_error = RenderRefreshError,
                              .ignores_slashes = true};

const Dialect kUploadDialect{.service = "decks",
                             .authenticate = AuthenticateUpload,
                             .render_error = RenderError,
                             .ignores_slashes = true,
                             .has_secret_paths = true};

constexpr std::size_t kBody = 64 << 10;
// 500 cards of 100 KB. nginx asks the authorizer before it takes such a body.
constexpr std::size_t kLargeBody = 50 << 20;
constexpr auto kQuick = 20s;
// The add-on waits for 120 s for an answer to a push, and 30 s for the first byte of a deck.
constexpr auto kTransfer = 110s;

std::size_t MediaLimit(const Config& config) {
  return static_cast<std::size_t>(config.Of<Settings>().max_media_mib) << 20;
}

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;

// A deck of 33,000 cards is pushed in 67 batches, one after the other. The add-on sleeps as long as it is told, with its window:
// the next call is allowed within seconds.
constexpr CallLimit kReads{.rate = {.count = 120, .per = 60s}, .per = CallLimit::Per::kAccount};
// What reads the whole history of a deck.
constexpr CallLimit kWholeReads{.rate = {.count = 10, .per = 60s}, .per = CallLimit::Per::kAccount};
constexpr CallLimit kWrites{.rate = {.count = 60, .per = 60s}, .per = CallLimit::Per::kAccount};

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect.
const Route kRoutes[] = {
    {"POST", "/functions/v1/addon-login", "decks.login", Auth::kPublic, kWrite, kBody, kQuick, PostLogin,
     &kDialect},
    {"POST", "/functions/v1/addon-refresh-token", "decks.refresh", Auth::kPublic, kWrite, kBody, kQuick,
     PostRefreshToken, &kRefreshDialect},
    Route{"POST", "/functions/v1/addon-logout", "decks.logout", Auth::kRequired, kWrite, kBody, kQuick,
          PostLogout, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-me", "decks.me", Auth::kRequired, kRead, kBody, kQuick, PostMe,
          &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-get-purchases", "decks.purchases", Auth::kRequired, kRead, kBody,
          kQuick, PostPurchases, &kDialect}
        .Limited(kReads),
    Route{"GET", "/functions/v1/addon-get-purchases", "decks.purchases_get", Auth::kRequired, kRead, kBody,
          kQuick, PostPurchases, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-download-deck", "decks.download", Auth::kRequired, kWrite, kBody,
          kTransfer, PostDownload, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-batch-download", "decks.batch_download", Auth::kRequired, kRead, kBody,
          kQuick, PostBatchDownload, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-pull-changes", "decks.pull", Auth::kRequired, kWrite, kBody, kTransfer,
          PostPull, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-push-changes", "decks.push_changes", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostPushChanges, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-sync-tags", "decks.tags", Auth::kRequired, kWrite, kLargeBody,
          kTransfer, PostTags, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-sync-suspend-state", "decks.suspend_state", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostSuspendState, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-sync-media", "decks.media", Auth::kRequired, kWrite, kLargeBody,
          kTransfer, PostMedia, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-sync-note-types", "decks.note_types", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostNoteTypes, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-manage-delivery", "decks.delivery", Auth::kRequired, kWrite, kBody,
          kTransfer, PostDelivery, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-submit-suggestion", "decks.submit_suggestion", Auth::kRequired, kWrite,
          kLargeBody, kQuick, PostSubmitSuggestion, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-list-suggestions", "decks.list_suggestions", Auth::kRequired, kRead,
          kBody, kQuick, PostListSuggestions, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-review-suggestion", "decks.review_suggestion", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostReviewSuggestion, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-my-suggestions", "decks.my_suggestions", Auth::kRequired, kRead, kBody,
          kQuick, PostMySuggestions, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-withdraw-suggestion", "decks.withdraw_suggestion", Auth::kRequired,
          kWrite, kBody, kQuick, PostWithdrawSuggestion, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-request-card-removal", "decks.request_removal", Auth::kRequired,
          kWrite, kBody, kQuick, PostRequestRemoval, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-protected-fields", "decks.protected_fields", Auth::kRequired, kWrite,
          kBody, kQuick, ProtectedFields, &kDialect}
        .Limited(kReads),
    Route{"GET", "/functions/v1/addon-protected-fields", "decks.protected_fields_get", Auth::kRequired,
          kWrite, kBody, kQuick, ProtectedFields, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-get-protected-fields", "decks.get_protected_fields", Auth::kRequired,
          kWrite, kBody, kQuick, ProtectedFields, &kDialect}
        .Limited(kReads),
    Route{"GET", "/functions/v1/addon-get-protected-fields", "decks.get_protected_fields_get",
          Auth::kRequired, kWrite, kBody, kQuick, ProtectedFields, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-create-deck", "decks.create_deck", Auth::kRequired, kWrite, kBody,
          kQuick, PostCreateDeck, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-update-deck", "decks.update_deck", Auth::kRequired, kWrite, kBody,
          kQuick, PostUpdateDeck, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-delete-user-deck", "decks.delete_deck", Auth::kRequired, kWrite, kBody,
          kQuick, PostDeleteDeck, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-push-deck-cards", "decks.push_cards", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostPushCards, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-get-my-decks", "decks.my_decks", Auth::kRequired, kRead, kBody, kQuick,
          PostMyDecks, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-manage-members", "decks.members", Auth::kRequired, kWrite, kBody,
          kQuick, PostMembers, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-my-invitations", "decks.my_invitations", Auth::kRequired, kRead, kBody,
          kQuick, PostMyInvitations, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-get-deck", "decks.get_deck", Auth::kRequired, kRead, kBody, kQuick,
          PostDeck, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-browse-decks", "decks.browse", Auth::kRequired, kRead, kBody, kQuick,
          PostBrowse, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-manage-subscription", "decks.subscription", Auth::kRequired, kWrite,
          kBody, kQuick, PostSubscription, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-check-updates", "decks.check_updates", Auth::kRequired, kRead, kBody,
          kQuick, PostCheckUpdates, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-get-changelog", "decks.changelog", Auth::kRequired, kRead, kBody,
          kQuick, PostChangelog, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-check-notifications", "decks.notifications", Auth::kRequired, kWrite,
          kBody, kQuick, PostNotifications, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-sync-progress", "decks.progress", Auth::kRequired, kWrite, kLargeBody,
          kQuick, PostProgress, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-get-card-history", "decks.card_history", Auth::kRequired, kRead, kBody,
          kQuick, PostCardHistory, &kDialect}
        .Limited(kReads),
    Route{"POST", "/functions/v1/addon-rollback-card", "decks.rollback_card", Auth::kRequired, kWrite, kBody,
          kQuick, PostRollbackCard, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-rollback-deck", "decks.rollback_deck", Auth::kRequired, kWrite, kBody,
          kTransfer, PostRollbackDeck, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-verify-version", "decks.verify_version", Auth::kRequired, kRead, kBody,
          kTransfer, PostDeckAt, &kDialect}
        .Limited(kWholeReads),
    Route{"POST", "/functions/v1/addon-admin-push-changes", "decks.admin_push", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostAdminPush, &kDialect}
        .Limited(kWrites),
    Route{"POST", "/functions/v1/addon-admin-import-deck", "decks.admin_import", Auth::kRequired, kWrite,
          kLargeBody, kTransfer, PostAdminImport, &kDialect}
        .Limited(kWrites),
    {"GET", "/deck-media/{grant}", "decks.media_file", Auth::kPublic, kRead, 0, kTransfer, GetMediaFile,
     &kDialect},
    {"GET", "/deck-files/{grant}", "decks.file", Auth::kPublic, kRead, 0, kTransfer, GetDeckFile, &kDialect},
    {"PUT", "/deck-uploads/{grant}", "decks.upload", Auth::kRequired, kWrite, MediaLimit, kTransfer,
     PutUpload, &kUploadDialect},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::decks
