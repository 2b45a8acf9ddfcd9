#include "sesame/text/split/splitter.h"

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/split/mask_splitter.h"
#include "sesame/text/split/regex.h"
#include "sesame/text/split/split_automaton.h"

namespace sesame {
namespace {

/// Writes ends of pieces for a splitter's find_ends.
class EndWriter {
 public:
  EndWriter(size_t begin, std::span<uint32_t> ends) : begin_(begin), ends_(ends) {}

  /// Whether there is room for more.
  bool add(size_t end) {
    if (end - begin_ > UINT32_MAX) {
      if (count_ == 0) fail("a text has a piece of 4 GiB that no place splits");
      return false;
    }
    ends_[count_++] = static_cast<uint32_t>(end - begin_);
    return count_ < ends_.size();
  }
  [[nodiscard]] size_t count() const { return count_; }

 private:
  size_t begin_;
  std::span<uint32_t> ends_;
  size_t count_ = 0;
};

/// The first place from `from` on that is a boundary by the characters on both sides of it.
size_t next_boundary(const SplitAutomaton& automaton, std::string_view text, size_t from) {
  for (size_t p = std::max<size_t>(from, 1); p < text.size(); ++p) {
    if (automaton.place_at(text, p) == SplitAutomaton::Place::boundary) return p;
  }
  return text.size();
}

class PatternSplitter : public Splitter {
 public:
  explicit PatternSplitter(SplitPattern pattern) : pattern_(pattern) {}

  [[nodiscard]] size_t find_ends(std::string_view text, size_t begin, std::span<uint32_t> ends) const override {
    return find_ends_by_masks(pattern_, text, begin, ends);
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    return next_boundary(split_automaton(pattern_), text, from);
  }

 private:
  SplitPattern pattern_;
};

class AutomatonSplitter : public Splitter {
 public:
  explicit AutomatonSplitter(std::shared_ptr<const SplitAutomaton> automaton) : automaton_(std::move(automaton)) {}

  [[nodiscard]] size_t find_ends(std::string_view text, size_t begin, std::span<uint32_t> ends) const override {
    EndWriter writer(begin, ends);
    bool room = !ends.empty();
    for (size_t p = begin; room && p < text.size();) {
      const SplitAutomaton::Match match = automaton_->find(text, p);
      if (match.begin > p) room = writer.add(match.begin);
      if (room && match.end > match.begin) room = writer.add(match.end);
      p = match.end;
    }
    return writer.count();
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    return next_boundary(*automaton_, text, from);
  }

 private:
  std::shared_ptr<const SplitAutomaton> automaton_;
};

class RegexSplitter : public Splitter {
 public:
  RegexSplitter(std::string_view regex, std::string_view origin) : regex_(regex, origin) {}

  [[nodiscard]] size_t find_ends(std::string_view text, size_t begin, std::span<uint32_t> ends) const override {
    EndWriter writer(begin, ends);
    if (ends.empty()) return 0;
    size_t done = begin;
    bool room = true;
    regex_.for_each_match_from(text, begin, [&](size_t match_begin, size_t match_end) {
      if (match_begin > done) room = writer.add(match_begin);
      if (room && match_end > match_begin) room = writer.add(match_end);
      done = match_end;
      return room;
    });
    if (room && done < text.size()) writer.add(text.size());
    return writer.count();
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t /*from*/) const override { return text.size(); }

 private:
  Regex regex_;
};

}  // namespace

std::shared_ptr<const Splitter> Splitter::known(SplitPattern pattern) {
  return std::make_shared<const PatternSplitter>(pattern);
}

std::shared_ptr<const Splitter> Splitter::compile(std::string_view regex, std::string_view origin) {
  if (const auto pattern = recognize_split_regex(regex)) return known(*pattern);
  if (auto automaton = SplitAutomaton::compile(regex, RegexSyntax::oniguruma)) {
    return std::make_shared<const AutomatonSplitter>(std::move(automaton));
  }
  return std::make_shared<const RegexSplitter>(regex, origin);
}

}  // namespace sesame
