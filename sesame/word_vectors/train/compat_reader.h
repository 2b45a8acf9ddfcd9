#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sesame {

/// The words of a text as word2vec.c's ReadWord gives them: bytes between spaces, tabs and line breaks, carriage
/// returns dropped, "</s>" for each line break. Of a word of more than 98 bytes there are the first 98.
class CompatReader {
 public:
  static constexpr size_t kMostBytes = 98;

  /// `text` must outlive the reader.
  explicit CompatReader(std::string_view text) : text_(text) {}

  void seek(uint64_t offset) { at_ = offset; }
  /// The next word, valid until the next call; false at the end of the text, where a word that no white space ends is
  /// dropped.
  bool next(std::string_view& word);

 private:
  bool next_unusual(std::string_view& word);

  std::string_view text_;
  size_t at_ = 0;
  std::string word_;
};

}  // namespace sesame
