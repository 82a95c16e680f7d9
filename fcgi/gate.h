#pragma once
// What the web server sends, checked record by record before anything else sees it.
//
// libfcgi takes its peer at its word: a param that claims two gigabytes ends the process with an assertion, a
// management record that repeats a name overflows a buffer. So it gets to read only the head of a request
// (BEGIN and PARAMS), only after this class has checked and bounded it, and never from the connection itself.
// The body is read here. Everything that is not a plain request of a responder ends the connection:
// multiplexing, management records, filters and authorizers are not needed. Source: the FastCGI
// specification, 3 to 5.
#include <cstddef>
#include <string>
#include <vector>

namespace syncline::front {

/// All params of a request. nginx' own bound is that of its header buffers, 32 KiB by default; more would not
/// fit into the channel through which libfcgi gets them.
inline constexpr std::size_t kMaxHeadBytes = 60 << 10;

/// Belongs to a slot, which uses it for one connection after another.
class Gate {
 public:
  Gate();

  /// Begins with a new connection; does not close the one before.
  void Open(int connection);

  /// Reads the records up to the end of the params. False when they are no request or the peer went away; the
  /// connection is then of no use any more.
  bool ReadHead();
  /// After ReadHead: the head in the one form that libfcgi is given, without padding, in as few records as
  /// possible.
  const std::string& head() const { return head_; }

  /// Bytes of the body, up to `size`; 0 at its end. Throws Error BadInput "body_cut" when it does not come to
  /// its end.
  std::size_t ReadBody(char* buffer, std::size_t size);
  /// Reads what of the body is there already. True when it has come to its end.
  bool EndsNow();

 private:
  struct Record {
    unsigned char type;
    unsigned id;
    std::size_t content, padding;
  };
  bool Fill();
  bool TakeHeader(Record& record);
  bool Take(std::string& out, std::size_t size);
  bool Skip(std::size_t size);

  int connection_ = -1;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what is in buffer_
  std::string head_;
  unsigned id_ = 0;
  std::size_t content_left_ = 0, padding_left_ = 0;  // of the current record of the body
  bool body_ended_ = false;
  bool may_wait_ = true;
  bool broken_ = false;  // where the next record begins is no longer known
};

/// True when `pairs` is a whole number of FastCGI name-value pairs.
bool ArePairs(const std::string& pairs);

}  // namespace syncline::front
