#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sesame/io/byte_stream.h"

namespace sesame {

/// The part of a text source that is being looked at: grows at the end, is consumed at the front. Drops a UTF-8 byte
/// order mark and refuses binary input as soon as it sees it.
class ScanWindow {
 public:
  /// Bytes that may be read behind view(), whatever they hold: what simdjson wants.
  static constexpr size_t kPadding = 64;

  explicit ScanWindow(std::unique_ptr<ByteReader> source);

  /// Reads until view() has at least `bytes` or the source has ended. Invalidates earlier views.
  void fill(size_t bytes);

  [[nodiscard]] std::string_view view() const { return std::string_view(buffer_).substr(begin_, end_ - begin_); }
  [[nodiscard]] bool at_end() const { return at_end_; }
  [[nodiscard]] uint64_t line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return source_->name(); }

  /// Drops bytes at the front. Views stay valid until the next fill.
  void consume(size_t bytes);

 private:
  void check_start();
  void check_new_bytes(std::string_view bytes) const;

  std::unique_ptr<ByteReader> source_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t position_ = 0;  // of end_ in the source
  uint64_t line_ = 1;
  bool at_end_ = false;
  bool started_ = false;
};

}  // namespace sesame
