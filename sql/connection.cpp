#include "sql/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <exception>

#include "sql/connect.h"
#include "sql/errors.h"
#include "sql/plan.h"

namespace syncline::sql {
namespace {

using Result = std::shared_ptr<const PGresult>;

Result Own(PGresult* result) {
  if (result == nullptr) return nullptr;
  return {result, [](const PGresult* r) { PQclear(const_cast<PGresult*>(r)); }};
}

// Ordinary sync chunks are smaller.
constexpr std::size_t kKeptBytes = 4 << 20;

// For a wait that begins at the deadline: a COMMIT or ROLLBACK that PostgreSQL answers at once.
constexpr std::chrono::milliseconds kLeastWait{500};

std::string Options(const Settings& settings) {
  // Sent in the start-up packet: no round trip, and no session without them. Writes ask for READ WRITE at
  // BEGIN. No query runs long enough for JIT to pay off.
  const auto ms = [](std::chrono::milliseconds value) { return std::to_string(value.count()); };
  return StartupPlan() +
         " -c timezone=UTC -c default_transaction_read_only=on -c jit=off"
         " -c statement_timeout=" +
         ms(settings.statement_timeout) + " -c lock_timeout=" + ms(settings.lock_timeout) +
         " -c idle_in_transaction_session_timeout=" + ms(settings.idle_in_transaction_timeout);
}

// libpq has no message for a connection that was already lost.
constexpr const char* kNoConnection = "connection to PostgreSQL lost";

ConnectionLost OutOfStep(const char* name) {
  return ConnectionLost(std::string(name) + ": the answers of PostgreSQL are out of step");
}

// Reports how long something took, also if it threw: a statement that hit its timeout is the slowest of all.
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
      // Out of memory: the log line is lost.
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
  conn_.reset(PQconnectdb(ConnectionString(settings, settings.application_name, Options(settings)).c_str()));
  if (PQstatus(conn_.get()) != CONNECTION_OK) {
    throw Unavailable(std::string("cannot connect: ") + PQerrorMessage(conn_.get()));
  }
  // libpq would print notices to stderr; ours carry no information (COMMIT without BEGIN and the like).
  PQsetNoticeProcessor(
      conn_.get(), [](void*, const char*) {}, nullptr);
  PQenterPipelineMode(conn_.get());
}

Connection::~Connection() {
  Abandon();
}

// In-flight answers are lost, and what is left of them on the wire must not be read as other answers.
void Connection::Abandon() noexcept {
  for (const Expected& expected : expected_) {
    if (expected.arrival == nullptr) continue;
    expected.arrival->connection = nullptr;
    expected.arrival->rows.reset();
  }
  expected_.clear();
  is_abandoned_ = true;
}

bool Connection::Settle() {
  try {
    if (!expected_.empty()) Collect(nullptr);
  } catch (const Failure&) {
    // No caller waits for this answer. The state of the connection is checked below.
  }
  if (IsBroken()) return false;
  if (PQtransactionStatus(conn_.get()) != PQTRANS_IDLE) return false;
  // An idle connection is readable only when the server closes it: an error, then the end of the stream. A commit
  // sent now would have an unknown outcome.
  pollfd poll_fd{PQsocket(conn_.get()), POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 0;
}

bool Connection::IsBroken() const {
  return is_abandoned_ || PQstatus(conn_.get()) != CONNECTION_OK;
}

void Connection::ThrowError(const PGresult* result, const char* what) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string text = std::string(what) + ": " + (state != nullptr ? state : "-----") + " " +
                           (primary != nullptr ? primary : PQerrorMessage(conn_.get()));
  if (state == nullptr && IsBroken()) throw ConnectionLost(text);
  ThrowSqlState(state != nullptr ? state : "", text, PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
}

// It is unknown how much of the message was sent, and whether libpq expects an answer to it.
void Connection::ThrowNotSent(const char* what) {
  const std::string text = std::string(what) + ": " + PQerrorMessage(conn_.get());
  const bool is_lost = IsBroken();
  Abandon();
  if (is_lost) throw ConnectionLost(text);
  throw Failure(text);
}

const Connection::Prepared& Connection::PreparedFor(const Statement& statement) {
  if (const auto found = prepared_.find(statement.name); found != prepared_.end()) return found->second;
  // Collect below must read only the answers of this Prepare.
  if (!expected_.empty() && expected_.back().what != Expect::kSync) Flush();
  Await({Expect::kIgnore, statement.name});
  Await({Expect::kRows, statement.name});
  if (PQsendPrepare(conn_.get(), statement.name, statement.text, 0, nullptr) == 0 ||
      PQsendDescribePrepared(conn_.get(), statement.name) == 0) {
    ThrowNotSent(statement.name);
  }
  Sync();
  const Result described = Collect(nullptr);
  Prepared prepared;
  for (int i = 0; i < PQnparams(described.get()); ++i)
    prepared.types.push_back(PQparamtype(described.get(), i));
  for (int i = 0; i < PQnfields(described.get()); ++i)
    prepared.columns.push_back(PQftype(described.get(), i));
  return prepared_.emplace(statement.name, std::move(prepared)).first->second;
}

void Connection::QueueCommand(const Statement& command) {
  Send(command, {}, Expect::kIgnore);
}

void Connection::Send(const Statement& statement, std::span<const Param> params, Expect expect,
                      std::shared_ptr<Answer::Arrival> arrival) {
  const Prepared& prepared = PreparedFor(statement);
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
  Await({expect, statement.name, &prepared, std::move(arrival)});
  if (PQsendQueryPrepared(conn_.get(), statement.name, static_cast<int>(params.size()), values.data(),
                          lengths.data(), formats.data(), /*resultFormat=*/1) == 0) {
    ThrowNotSent(statement.name);
  }
}

// Called before a command is sent, so that every answer is expected. If our queue is empty, libpq's must be
// too.
void Connection::Await(Expected expected) {
  if (expected_.empty() && PQtransactionStatus(conn_.get()) == PQTRANS_ACTIVE) {
    Abandon();
    throw OutOfStep(expected.name);
  }
  expected_.push_back(std::move(expected));
}

void Connection::Sync() {
  Await({Expect::kSync, "sync"});
  if (PQpipelineSync(conn_.get()) == 0) ThrowNotSent("sync");
}

bool Connection::Fits(const PGresult* result, const Expected& expected) {
  const ExecStatusType status = PQresultStatus(result);
  if (expected.statement == nullptr) return status == PGRES_COMMAND_OK;
  const std::vector<unsigned>& columns = expected.statement->columns;
  if (PQnfields(result) != static_cast<int>(columns.size())) return false;
  if (!columns.empty() && status == PGRES_COMMAND_OK) return false;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (PQftype(result, static_cast<int>(i)) != columns[i]) return false;
  }
  return true;
}

std::chrono::steady_clock::time_point Connection::WaitUntil() const {
  if (!deadline_) return std::chrono::steady_clock::time_point::max();
  return std::max(*deadline_, std::chrono::steady_clock::now() + kLeastWait);
}

void Connection::WaitForSocket(const char* name, std::chrono::steady_clock::time_point until) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLongest{60'000};
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    const auto left =
        until - now > kLongest ? kLongest : std::chrono::ceil<milliseconds>(std::max(until - now, {}));
    pollfd poll_fd{PQsocket(conn_.get()), POLLIN, 0};
    if (poll(&poll_fd, 1, static_cast<int>(left.count())) > 0) return;
    if (now >= until) {
      Abandon();
      throw ConnectionLost(std::string(name) +
                           ": no answer of PostgreSQL before the deadline of the request");
    }
  }
}

// As PQgetResult, but only until then.
Result Connection::NextResult(const char* name, std::chrono::steady_clock::time_point until) {
  while (PQisBusy(conn_.get()) != 0) {
    WaitForSocket(name, until);
    if (PQconsumeInput(conn_.get()) == 0) break;  // PQgetResult says why
  }
  return Own(PQgetResult(conn_.get()));
}

Result Connection::Collect(const std::function<void(const Row&)>* each) {
  Result wanted;
  Result error;
  const char* failed = nullptr;
  std::exception_ptr thrown;
  const auto hand_out = [&](const Result& rows) {
    if (error != nullptr || thrown) return;
    try {
      for (int row = 0; row < PQntuples(rows.get()); ++row) (*each)(Row(rows, row));
    } catch (...) {
      thrown = std::current_exception();  // the rest still has to be read off the wire
    }
  };
  const auto until = WaitUntil();
  try {
    for (const Expected& expected : expected_) {
      if (each != nullptr && expected.what == Expect::kRows) PQsetSingleRowMode(conn_.get());
      Result result = NextResult(expected.name, until);
      const bool is_sync = result != nullptr && PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC;
      if (result == nullptr || IsBroken() || is_sync != (expected.what == Expect::kSync)) {
        if (result != nullptr && PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
          throw ConnectionLost(std::string(expected.name) + ": " + PQresultErrorMessage(result.get()));
        }
        if (result != nullptr && !IsBroken()) throw OutOfStep(expected.name);
        throw ConnectionLost(std::string(expected.name) + ": " + kNoConnection);
      }
      if (expected.what == Expect::kSync) continue;
      for (bool is_first = true; result != nullptr;
           is_first = false, result = NextResult(expected.name, until)) {
        is_bloated_ = is_bloated_ || PQresultMemorySize(result.get()) > kKeptBytes;
        switch (PQresultStatus(result.get())) {
          case PGRES_SINGLE_TUPLE:
          case PGRES_TUPLES_OK:
          case PGRES_COMMAND_OK:
            if (is_first && !Fits(result.get(), expected)) throw OutOfStep(expected.name);
            if (PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE) {
              last_tag_ = PQcmdStatus(const_cast<PGresult*>(result.get()));
            }
            if (each != nullptr && expected.what == Expect::kRows) {
              hand_out(result);
            } else if (expected.arrival != nullptr) {
              expected.arrival->rows.emplace(result);
            } else if (expected.what == Expect::kRows) {
              wanted = result;
            }
            break;
          case PGRES_PIPELINE_ABORTED:
            break;  // the error before it is reported
          default:
            if (error == nullptr) {
              error = result;
              failed = expected.name;
            }
        }
      }
    }
  } catch (...) {
    // In every case, answers are left unread.
    Abandon();
    throw;
  }
  for (const Expected& expected : expected_) {
    if (expected.arrival != nullptr) expected.arrival->connection = nullptr;
  }
  expected_.clear();
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
  Send(statement, params, Expect::kRows, answer.arrival_);
  if (observer_ != nullptr) observer_->OnStatement(statement.name, {});
  return answer;
}

const Rows& Answer::Get() {
  if (arrival_->connection != nullptr) arrival_->connection->Flush();
  if (!arrival_->rows) {
    throw Failure("an answer was asked for after its transaction failed or its connection was closed");
  }
  return *arrival_->rows;
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
  // Alone between two syncs: its rows are passed on before the second sync confirms that the answers are in
  // step.
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
