#pragma once
// The result of a statement. Rows share the libpq result; a view of text or bytes is valid as long as any of
// them lives.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/value.h"

struct pg_result;

namespace syncline::sql {

class Field {
 public:
  Field(const pg_result* result, int row, int column) : result_(result), row_(row), column_(column) {}

  bool IsNull() const;
  /// The value as T: integers, bool, double, enums, std::string, std::string_view, Bytes, Time, vectors of
  /// int64 or of string, and std::optional of these (empty for null). Throws Failure on null for any other T,
  /// a null in an array, or another type.
  template <typename T>
  T As() const {
    if constexpr (IsOptional<T>::value) {
      if (IsNull()) return std::nullopt;
      return As<typename T::value_type>();
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return View();
    } else if constexpr (std::is_same_v<T, std::string>) {
      return std::string(View());
    } else if constexpr (std::is_same_v<T, Bytes>) {
      return AsBytes(View());
    } else if constexpr (std::is_same_v<T, double>) {
      return DecodeDouble(Type(), View());
    } else if constexpr (std::is_same_v<T, Time>) {
      return DecodeTime(Type(), View());
    } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
      return DecodeInts(Type(), View());
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      return DecodeTexts(Type(), View());
    } else {
      static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
      return static_cast<T>(DecodeInt(Type(), View()));
    }
  }

 private:
  template <typename T>
  struct IsOptional : std::false_type {};
  template <typename T>
  struct IsOptional<std::optional<T>> : std::true_type {};

  std::string_view View() const;  ///< throws Failure on null
  unsigned Type() const;

  const pg_result* result_;
  int row_, column_;
};

class Row {
 public:
  Row(std::shared_ptr<const pg_result> result, int row) : result_(std::move(result)), row_(row) {}
  Field operator[](const char* column) const;  ///< throws Failure if the result has no such column
  Field operator[](int column) const { return {result_.get(), row_, column}; }

 private:
  std::shared_ptr<const pg_result> result_;
  int row_;
};

class Rows {
 public:
  class Iterator {
   public:
    Iterator(const Rows* rows, int at) : rows_(rows), at_(at) {}
    Row operator*() const { return (*rows_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Rows* rows_;
    int at_;
  };

  explicit Rows(std::shared_ptr<const pg_result> result) : result_(std::move(result)) {}
  int size() const;
  bool empty() const { return size() == 0; }
  std::int64_t affected() const;  ///< rows inserted, updated, deleted or selected
  Row operator[](int row) const { return {result_, row}; }
  /// One column of all rows.
  template <typename T>
  std::vector<T> Column(const char* name) const {
    std::vector<T> values;
    values.reserve(static_cast<std::size_t>(size()));
    for (const Row row : *this) values.push_back(row[name].template As<T>());
    return values;
  }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  std::shared_ptr<const pg_result> result_;
};

}  // namespace syncline::sql
