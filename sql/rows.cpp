#include "sql/rows.h"

#include <libpq-fe.h>

#include <charconv>

#include "sql/errors.h"

namespace syncline::sql {

bool Field::IsNull() const {
  return PQgetisnull(result_, row_, column_) != 0;
}

std::string_view Field::View() const {
  if (IsNull()) throw Failure(std::string("null in column ") + PQfname(result_, column_));
  return {PQgetvalue(result_, row_, column_), static_cast<std::size_t>(PQgetlength(result_, row_, column_))};
}

unsigned Field::Type() const {
  return PQftype(result_, column_);
}

Field Row::operator[](const char* column) const {
  const int index = PQfnumber(result_.get(), column);
  if (index < 0) throw Failure(std::string("no column ") + column);
  return {result_.get(), row_, index};
}

int Rows::size() const {
  return PQntuples(result_.get());
}

std::int64_t Rows::affected() const {
  // PQcmdTuples takes a non-const pointer but reads only.
  const std::string_view text = PQcmdTuples(const_cast<PGresult*>(result_.get()));
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace syncline::sql
