#include "sql/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <exception>

#include "sql/errors.h"

namespace syncline::sql {
namespace {

using Result = std::shared_ptr<const PGresult>;

Result Own(PGresult* result) {
  return {result, [](const PGresult* r) { PQclear(const_cast<PGresult*>(r)); }};
}

// Ordinary chunks of a sync stay below.
constexpr std::size_t kKeptBytes = 4 << 20;

std::string Options(const Settings& settings) {
  // Set in the start-up packet: no round trip, and no session without them. Whoever writes says so at BEGIN.
  // force_generic_plan: every statement is an index access by tenant; replanning each costs more than it can
  // win. With statistics of all tenants the other joins and scans look cheap that read all rows of one;
  // nothing here is long enough for jit.
  const auto ms = [](std::chrono::milliseconds value) { return std::to_string(value.count()); };
  return "-c timezone=UTC -c default_transaction_read_only=on -c jit=off -c "
         "plan_cache_mode=force_generic_plan -c enable_hashjoin=off"
         " -c enable_mergejoin=off -c enable_seqscan=off"
         " -c statement_timeout=" +
         ms(settings.statement_timeout) + " -c lock_timeout=" + ms(settings.lock_timeout) +
         " -c idle_in_transaction_session_timeout=" + ms(settings.idle_in_transaction_timeout);
}

// Class and code of SQLSTATE: which error it is for a caller.
[[noreturn]] void Throw(std::string_view state, const std::string& text, const char* constraint) {
  if (state == "40001" || state == "40P01") throw Conflict(text);
  if (state.starts_with("23")) throw ConstraintViolated(text, constraint != nullptr ? constraint : "");
  // Terminated by an administrator, crash of another backend, idle too long: this connection is over.
  if (state == "57P01" || state == "57P02" || state == "57P05" || state == "25P03")
    throw ConnectionLost(text);
  // Timeouts, no resources, no connection, shutting down or starting up.
  if (state == "55P03" || state == "57014" || state.starts_with("53") || state.starts_with("08") ||
      state == "57P03") {
    throw Unavailable(text);
  }
  throw Failure(text);
}

// What libpq says nothing about: it has no text of its own for a connection that was gone before.
constexpr const char* kNoConnection = "connection to PostgreSQL lost";

// Tells how long something took, also when it threw: a statement that ran into its timeout is the slowest of
// all.
class Stopwatch {
 public:
  using Report = void (Observer::*)(const char* name, std::chrono::microseconds took);
  Stopwatch(Observer* observer, Report report, const char* name)
      : observer_(observer), report_(report), name_(name) {}
  ~Stopwatch() {
    if (observer_ == nullptr) return;
    try {
      (observer_->*report_)(name_, std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::steady_clock::now() - begin_));
    } catch (...) {
      // No memory for a line of the log.
    }
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Observer* observer_;
  Report report_;
  const char* name_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

Connection::Connection(const Settings& settings, Observer* observer)
    : conn_(nullptr, PQfinish), observer_(observer) {
  const std::string options = Options(settings);
  const std::string timeout = std::to_string(settings.connect_timeout.count());
  const char* keys[] = {"dbname",          "application_name", "options",
                        "client_encoding", "connect_timeout",  nullptr};
  const char* values[] = {settings.url.c_str(), settings.application_name.c_str(),
                          options.c_str(),      "UTF8",
                          timeout.c_str(),      nullptr};
  conn_.reset(PQconnectdbParams(keys, values, /*expand_dbname=*/1));
  if (PQstatus(conn_.get()) != CONNECTION_OK) {
    throw Unavailable(std::string("cannot connect: ") + PQerrorMessage(conn_.get()));
  }
  // libpq would print notices to stderr; ours are of no use to anybody (a COMMIT without BEGIN, and the
  // like).
  PQsetNoticeProcessor(
      conn_.get(), [](void*, const char*) {}, nullptr);
  PQenterPipelineMode(conn_.get());
}

Connection::~Connection() = default;

bool Connection::Settle() {
  try {
    if (!expected_.empty()) Collect(nullptr);
  } catch (const Failure&) {
    // Nobody waited for it. Whether the connection can be used is asked below.
  }
  // An idle connection has nothing to read but its end.
  pollfd poll_fd{PQsocket(conn_.get()), POLLIN, 0};
  if (poll(&poll_fd, 1, 0) != 0) PQconsumeInput(conn_.get());
  return !IsBroken() && PQtransactionStatus(conn_.get()) == PQTRANS_IDLE;
}

bool Connection::IsBroken() const {
  return PQstatus(conn_.get()) != CONNECTION_OK;
}

void Connection::ThrowError(const PGresult* result, const char* what) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string text = std::string(what) + ": " + (state != nullptr ? state : "-----") + " " +
                           (primary != nullptr ? primary : PQerrorMessage(conn_.get()));
  if (state == nullptr && IsBroken()) throw ConnectionLost(text);
  Throw(state != nullptr ? state : "", text, PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
}

void Connection::ThrowNotSent(const char* what) const {
  const std::string text = std::string(what) + ": " + PQerrorMessage(conn_.get());
  if (IsBroken()) throw ConnectionLost(text);
  throw Failure(text);
}

const Connection::Prepared& Connection::Prepare(const Statement& statement) {
  if (const auto found = prepared_.find(statement.name); found != prepared_.end()) return found->second;
  // What is queued must not be mixed with the answers read here.
  if (!expected_.empty() && expected_.back().what != Expect::kSync) Flush();
  if (PQsendPrepare(conn_.get(), statement.name, statement.text, 0, nullptr) == 0 ||
      PQsendDescribePrepared(conn_.get(), statement.name) == 0) {
    ThrowNotSent(statement.name);
  }
  expected_.push_back({Expect::kIgnore, statement.name});
  expected_.push_back({Expect::kRows, statement.name});
  Sync();
  const Result described = Collect(nullptr);
  Prepared prepared;
  for (int i = 0; i < PQnparams(described.get()); ++i)
    prepared.types.push_back(PQparamtype(described.get(), i));
  return prepared_.emplace(statement.name, std::move(prepared)).first->second;
}

void Connection::QueueCommand(const Statement& command) {
  Send(command, {}, Expect::kIgnore);
}

void Connection::Send(const Statement& statement, std::span<const Param> params, Expect expect,
                      Arriving rows) {
  const Prepared& prepared = Prepare(statement);
  if (prepared.types.size() != params.size()) {
    throw Failure(std::string(statement.name) + ": takes " + std::to_string(prepared.types.size()) +
                  " parameters, got " + std::to_string(params.size()));
  }
  std::string buffer;
  std::vector<std::size_t> offsets(params.size());
  std::vector<const char*> values(params.size(), nullptr);
  std::vector<int> lengths(params.size(), 0), formats(params.size(), 1);
  std::vector<char> present(params.size());
  for (std::size_t i = 0; i < params.size(); ++i) {
    offsets[i] = buffer.size();
    present[i] = Encode(params[i], prepared.types[i], buffer);
    lengths[i] = static_cast<int>(buffer.size() - offsets[i]);
  }
  is_bloated_ = is_bloated_ || buffer.size() > kKeptBytes;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (present[i]) values[i] = buffer.data() + offsets[i];
  }
  if (PQsendQueryPrepared(conn_.get(), statement.name, static_cast<int>(params.size()), values.data(),
                          lengths.data(), formats.data(), /*resultFormat=*/1) == 0) {
    ThrowNotSent(statement.name);
  }
  expected_.push_back({expect, statement.name, std::move(rows)});
}

void Connection::Sync() {
  if (PQpipelineSync(conn_.get()) == 0) ThrowNotSent("sync");
  expected_.push_back({Expect::kSync, "sync"});
}

Result Connection::Collect(const std::function<void(const Row&)>* each) {
  Result wanted;
  Result error;
  const char* failed = nullptr;
  std::exception_ptr thrown;
  while (!expected_.empty()) {
    const Expected expected = expected_.front();
    if (each != nullptr && expected.what == Expect::kRows) PQsetSingleRowMode(conn_.get());
    Result result = Own(PQgetResult(conn_.get()));
    if (result == nullptr || IsBroken()) {
      expected_.clear();
      if (result != nullptr && PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
        throw ConnectionLost(std::string(expected.name) + ": " + PQresultErrorMessage(result.get()));
      }
      throw ConnectionLost(std::string(expected.name) + ": " + kNoConnection);
    }
    expected_.pop_front();
    if (expected.what == Expect::kSync) continue;
    for (; result != nullptr; result = Own(PQgetResult(conn_.get()))) {
      is_bloated_ = is_bloated_ || PQresultMemorySize(result.get()) > kKeptBytes;
      switch (PQresultStatus(result.get())) {
        case PGRES_SINGLE_TUPLE:
          if (error == nullptr && !thrown) {
            try {
              (*each)(Row(result, 0));
            } catch (...) {
              thrown = std::current_exception();  // the rest still has to be read off the wire
            }
          }
          break;
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
          last_tag_ = PQcmdStatus(const_cast<PGresult*>(result.get()));
          if (expected.rows != nullptr) {
            expected.rows->emplace(result);
          } else if (expected.what == Expect::kRows) {
            wanted = result;
          }
          break;
        case PGRES_PIPELINE_ABORTED:
          break;  // the error before it is the one to tell
        default:
          if (error == nullptr) {
            error = result;
            failed = expected.name;
          }
      }
    }
  }
  if (thrown) std::rethrow_exception(thrown);
  if (error != nullptr) ThrowError(error.get(), failed);
  return wanted;
}

void Connection::Queue(const Statement& statement, std::span<const Param> params) {
  Send(statement, params, Expect::kIgnore);
  if (observer_ != nullptr) observer_->OnStatement(statement.name, {});
}

Answer Connection::Ask(const Statement& statement, std::span<const Param> params) {
  Answer answer(*this);
  Send(statement, params, Expect::kRows, answer.rows_);
  if (observer_ != nullptr) observer_->OnStatement(statement.name, {});
  return answer;
}

const Rows& Answer::Get() {
  if (!rows_->has_value()) connection_->Flush();
  if (!rows_->has_value()) throw Failure("an answer was asked for after its transaction failed");
  return **rows_;
}

Rows Connection::Run(const Statement& statement, std::span<const Param> params) {
  const Stopwatch stopwatch(observer_, &Observer::OnStatement, statement.name);
  Send(statement, params, Expect::kRows);
  Sync();
  return Rows(Collect(nullptr));
}

void Connection::Each(const Statement& statement, std::span<const Param> params,
                      const std::function<void(const Row&)>& row) {
  const Stopwatch stopwatch(observer_, &Observer::OnStatement, statement.name);
  // Single-row mode is asked for when the statement is at the head of the queue.
  if (!expected_.empty()) Flush();
  Send(statement, params, Expect::kRows);
  Sync();
  Collect(&row);
}

std::string Connection::Flush() {
  const Stopwatch stopwatch(observer_, &Observer::OnWait, expected_.empty() ? "sync" : expected_.back().name);
  last_tag_.clear();
  Sync();
  Collect(nullptr);
  return last_tag_;
}

void Connection::FlushLater() {
  Sync();
}

void Connection::DropQueue() {
  if (expected_.empty()) return;
  try {
    Flush();
  } catch (const Failure&) {
    if (IsBroken()) throw;
  }
}

}  // namespace syncline::sql
