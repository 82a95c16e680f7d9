#pragma once
// Checks what the web server sends, record by record, before anything else sees it.
//
// libfcgi trusts its peer: a param that claims two gigabytes ends the process with an assertion, a management
// record that repeats a name overflows a buffer. So libfcgi reads only the head of a request (BEGIN and
// PARAMS), only after this class has checked and bounded it, and never from the connection itself. The body
// is read here. Anything but a plain responder request ends the connection: multiplexing, management records,
// filters and authorizers are not needed. Source: the FastCGI specification, 3 to 5.
#include <cstddef>
#include <string>
#include <vector>

namespace syncline::front {

/// Limit for all params of a request. nginx's own limit is its header buffers, 32 KiB by default; more would
/// not fit into HeadChannel.
inline constexpr std::size_t kMaxHeadBytes = 60 << 10;

/// Belongs to a slot, which reuses it for one connection after another.
class Gate {
 public:
  Gate();

  /// Starts on a new connection; does not close the previous one.
  void Open(int connection);

  /// Reads the records up to the end of the params. False if they are no valid request or the peer
  /// disconnected; the caller must then close the connection.
  bool ReadHead();
  /// After ReadHead: the head in normalized form for libfcgi, without padding, in as few records as possible.
  const std::string& head() const { return head_; }

  /// Reads up to `size` bytes of the body; 0 at its end. Throws Error BadInput "body_cut" if the body is
  /// incomplete or malformed.
  std::size_t ReadBody(char* buffer, std::size_t size);
  /// Discards the part of the body that has already arrived. True if the body ends there.
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
  std::size_t begin_ = 0, end_ = 0;  // unread bytes of buffer_
  std::string head_;
  unsigned id_ = 0;
  std::size_t content_left_ = 0, padding_left_ = 0;  // of the current record of the body
  bool body_ended_ = false;
  bool may_wait_ = true;
  bool broken_ = false;  // the start of the next record is unknown
};

/// True when `pairs` is a whole number of FastCGI name-value pairs.
bool ArePairs(const std::string& pairs);

}  // namespace syncline::front
