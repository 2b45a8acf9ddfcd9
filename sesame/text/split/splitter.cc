#include "sesame/text/split/splitter.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"

namespace sesame {
namespace {

class PatternSplitter : public Splitter {
 public:
  explicit PatternSplitter(SplitPattern pattern) : pattern_(pattern) {}

  [[nodiscard]] size_t find_ends(std::string_view text, size_t begin, std::span<uint32_t> ends) const override {
    size_t count = 0;
    const size_t stop = std::min(text.size(), begin + ends.size());  // a piece has at least one byte
    split(pattern_, text, begin, stop, [&](std::string_view piece) {
      const size_t end = static_cast<size_t>(piece.data() + piece.size() - text.data()) - begin;
      if (end > UINT32_MAX) fail("a text has a piece of 4 GiB that no place splits");
      ends[count++] = static_cast<uint32_t>(end);
    });
    return count;
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override { return safe_cut(text, from); }

 private:
  SplitPattern pattern_;
};

}  // namespace

std::shared_ptr<const Splitter> Splitter::known(SplitPattern pattern) {
  return std::make_shared<const PatternSplitter>(pattern);
}

std::shared_ptr<const Splitter> Splitter::compile(std::string_view regex, std::string_view origin) {
  if (const auto pattern = recognize_split_regex(regex)) return known(*pattern);
  fail(fmt::format("{}: the pattern {} is not known", origin, regex));
}

}  // namespace sesame
