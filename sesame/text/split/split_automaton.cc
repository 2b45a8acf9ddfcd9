#include "sesame/text/split/split_automaton.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace sesame {
namespace {

using Node = SplitExpression;
using Kind = SplitExpression::Kind;

constexpr size_t max_instructions = 4000;
constexpr size_t max_states = 4000;
constexpr size_t max_classes = 250;

/// An instruction of a backtracking matcher.
struct Instruction {
  enum class Op : uint8_t { take, look, fork, match };
  Op op = Op::match;
  bool or_end = false;
  uint32_t set = 0;     // take, look: a number among the sets
  uint32_t next = 0;    // the preferred one of a fork
  uint32_t second = 0;  // fork
};

struct TooLarge {};

/// Builds the program from its end: every function returns where to start so as to go on at `next`.
class Program {
 public:
  explicit Program(const Node& expression) {
    instructions.push_back({});
    start = add(expression, 0);
  }

  std::vector<Instruction> instructions;
  std::vector<CodePointSet> sets;
  uint32_t start = 0;

 private:
  uint32_t push(const Instruction& instruction) {
    if (instructions.size() >= max_instructions) throw TooLarge{};
    instructions.push_back(instruction);
    return static_cast<uint32_t>(instructions.size() - 1);
  }

  uint32_t fork(uint32_t first, uint32_t second, bool lazy) {
    Instruction i;
    i.op = Instruction::Op::fork;
    i.next = lazy ? second : first;
    i.second = lazy ? first : second;
    return push(i);
  }

  uint32_t add(const Node& node, uint32_t next) {
    switch (node.kind) {
      case Kind::set:
      case Kind::lookahead: {
        Instruction i;
        i.op = node.kind == Kind::set ? Instruction::Op::take : Instruction::Op::look;
        i.or_end = node.or_end;
        i.set = static_cast<uint32_t>(sets.size());
        i.next = next;
        sets.push_back(node.set);
        return push(i);
      }
      case Kind::sequence:
        for (size_t i = node.children.size(); i-- > 0;) next = add(node.children[i], next);
        return next;
      case Kind::choice: {
        uint32_t entry = add(node.children.back(), next);
        for (size_t i = node.children.size() - 1; i-- > 0;) entry = fork(add(node.children[i], next), entry, false);
        return entry;
      }
      case Kind::repeat:
        return add_repeat(node, next);
    }
    return next;
  }

  uint32_t add_repeat(const Node& node, uint32_t next) {
    const Node& child = node.children.front();
    uint32_t entry = next;
    if (node.most == Node::unlimited) {
      const uint32_t loop = fork(0, next, node.lazy);
      const uint32_t body = add(child, loop);
      (node.lazy ? instructions[loop].second : instructions[loop].next) = body;
      entry = loop;
    } else {
      for (uint32_t i = node.least; i < node.most; ++i) entry = fork(add(child, entry), next, node.lazy);
    }
    for (uint32_t i = 0; i < node.least; ++i) entry = add(child, entry);
    return entry;
  }
};

}  // namespace

struct SplitAutomaton::Builder {
  explicit Builder(const Node& expression) : program(expression) {}

  Program program;
  SplitAutomaton result;
  std::vector<std::vector<bool>> set_has_class;  // [set][class]
  std::map<std::vector<uint32_t>, uint32_t> numbers;
  std::vector<std::vector<uint32_t>> states;  // the take, look and match instructions, in order of preference

  /// Classes: the characters that no set tells apart.
  void make_classes() {
    std::map<uint32_t, std::vector<uint32_t>> changes;  // code point: the sets that begin or end there
    for (uint32_t s = 0; s < program.sets.size(); ++s) {
      for (const auto& range : program.sets[s].ranges()) {
        changes[range.first].push_back(s);
        changes[range.last + 1].push_back(s);
      }
    }
    changes[CodePointSet::not_utf8];  // a class of its own is not needed, but an interval is
    changes[CodePointSet::not_utf8 + 1];
    std::map<std::vector<bool>, uint8_t> classes;
    std::vector<bool> inside(program.sets.size());
    set_has_class.resize(program.sets.size());
    uint32_t begin = 0;
    for (const auto& [code, sets] : changes) {
      if (code > begin) add_interval(begin, code - 1, inside, classes);
      for (const uint32_t s : sets) inside[s] = !inside[s];
      begin = code;
    }
    result.class_count_ = static_cast<uint32_t>(classes.size()) + 1;
    for (uint32_t code = 0; code < 128; ++code) result.ascii_[code] = result.classes_.of(code);
  }

  void add_interval(uint32_t first, uint32_t last, const std::vector<bool>& inside,
                    std::map<std::vector<bool>, uint8_t>& classes) {
    if (classes.size() >= max_classes) throw TooLarge{};
    const auto [entry, added] = classes.try_emplace(inside, static_cast<uint8_t>(classes.size()));
    if (added) {
      for (size_t s = 0; s < inside.size(); ++s) set_has_class[s].push_back(inside[s]);
    }
    if (first == CodePointSet::not_utf8) {
      result.not_utf8_class_ = entry->second;
    } else {
      result.classes_.set(first, last, entry->second);
    }
  }

  /// Appends what `instruction` leads to without reading. Returns whether a match was among it: what is less preferred
  /// is of no interest then.
  bool follow(uint32_t instruction, std::vector<bool>& seen, std::vector<uint32_t>& list) {
    std::vector<uint32_t> stack{instruction};
    while (!stack.empty()) {
      const uint32_t at = stack.back();
      stack.pop_back();
      if (seen[at]) continue;
      seen[at] = true;
      const Instruction& i = program.instructions[at];
      if (i.op == Instruction::Op::fork) {
        stack.push_back(i.second);
        stack.push_back(i.next);
        continue;
      }
      list.push_back(at);
      if (i.op == Instruction::Op::match) return true;
    }
    return false;
  }

  [[nodiscard]] bool allows(const Instruction& i, uint32_t char_class) const {
    if (char_class + 1 == result.class_count_) return i.op == Instruction::Op::look && i.or_end;
    return set_has_class[i.set][char_class];
  }

  uint32_t number_of(std::vector<uint32_t> list) {
    const auto [entry, added] = numbers.try_emplace(std::move(list), static_cast<uint32_t>(states.size()));
    if (added) {
      if (states.size() >= max_states) throw TooLarge{};
      states.push_back(entry->first);
    }
    return entry->second;
  }

  Step step_of(std::vector<uint32_t> threads, uint32_t char_class) {
    const size_t count = program.instructions.size();
    std::vector<bool> seen(count);
    std::vector<bool> seen_next(count);
    for (const uint32_t thread : threads) seen[thread] = true;
    std::vector<uint32_t> next;
    bool done = false;
    bool matched = false;
    while (!threads.empty() && !matched) {
      const uint32_t thread = threads.front();
      threads.erase(threads.begin());
      const Instruction& i = program.instructions[thread];
      if (i.op == Instruction::Op::match) {
        matched = true;
      } else if (!allows(i, char_class)) {
        continue;
      } else if (i.op == Instruction::Op::take) {
        done = done || follow(i.next, seen_next, next);
      } else {
        // Passed lookaheads read this very character, in the place of their thread.
        std::vector<bool> unseen(count);
        std::vector<uint32_t> passed;
        follow(i.next, unseen, passed);
        threads.insert(threads.begin(), passed.begin(), passed.end());
      }
    }
    return static_cast<Step>(number_of(std::move(next)) << 1 | (matched ? 1 : 0));
  }

  void build() {
    make_classes();
    number_of({});
    std::vector<uint32_t> first;
    std::vector<bool> seen(program.instructions.size());
    follow(program.start, seen, first);
    number_of(std::move(first));
    for (size_t state = 0; state < states.size(); ++state) {
      for (uint32_t c = 0; c < result.class_count_; ++c) {
        // The list is copied: new states move the others.
        const Step step = step_of(states[state], c);
        result.steps_.push_back(step);
      }
    }
  }
};

std::shared_ptr<const SplitAutomaton> SplitAutomaton::compile(std::string_view regex, RegexSyntax syntax) {
  const auto expression = parse_split_expression(regex, syntax);
  if (!expression || expression->nullable()) return nullptr;
  try {
    Builder builder(*expression);
    builder.build();
    builder.result.find_places();
    builder.result.make_byte_tables();
    return std::shared_ptr<const SplitAutomaton>(new SplitAutomaton(std::move(builder.result)));
  } catch (const TooLarge&) {
    return nullptr;
  }
}

void SplitAutomaton::make_byte_tables() {
  const size_t states = steps_.size() / class_count_;
  ascii_steps_.resize(states * 128);
  for (uint32_t state = 0; state < states; ++state) {
    for (uint32_t byte = 0; byte < 128; ++byte) ascii_steps_[state * 128 + byte] = step(state, ascii_[byte]);
  }
  const auto begins = [&](uint32_t char_class) { return step(start, char_class) >> 1 != dead; };
  for (uint32_t byte = 0; byte < 128; ++byte) begins_nothing_[byte] = !begins(ascii_[byte]);
  // The bytes behind a first byte that is passed over are passed over one by one.
  if (begins(not_utf8_class_)) return;
  std::fill(begins_nothing_ + 128, begins_nothing_ + 256, true);
  for (uint32_t code = 0x80; code < PropertyTable::code_points; ++code) {
    if (!begins(classes_.of(code))) continue;
    const uint32_t first = code < 0x800 ? 0xC0 | code >> 6 : code < 0x10000 ? 0xE0 | code >> 12 : 0xF0 | code >> 18;
    begins_nothing_[first] = false;
  }
}

size_t SplitAutomaton::match_end(std::string_view text, size_t begin) const noexcept {
  const Step* ascii_steps = ascii_steps_.data();
  size_t end = begin;
  uint32_t state = start;
  size_t position = begin;
  while (position < text.size()) {
    const auto byte = static_cast<uint8_t>(text[position]);
    uint32_t length = 1;
    Step s = 0;
    if (byte < 0x80) {
      s = ascii_steps[state * 128 + byte];
    } else {
      const Char c = read(text, position);
      s = step(state, c.char_class);
      length = c.length;
    }
    end = (s & 1) != 0 ? position : end;
    state = s >> 1;
    if (state == dead) return end;
    position += length;
  }
  return (step(state, class_count_ - 1) & 1) != 0 ? position : end;
}

SplitAutomaton::Match SplitAutomaton::find(std::string_view text, size_t begin) const noexcept {
  while (begin < text.size()) {
    if (begins_nothing_[static_cast<uint8_t>(text[begin])]) {
      ++begin;
      continue;
    }
    if (const size_t end = match_end(text, begin); end > begin) return {begin, end};
    begin += read(text, begin).length;
  }
  return {text.size(), text.size()};
}

SplitAutomaton::Place SplitAutomaton::place_at(std::string_view text, size_t position) const noexcept {
  size_t before = position - 1;
  // A continuation byte belongs to the character whose bytes reach just to `position`, if there is one.
  for (size_t back = 2; back <= 4 && back <= position && static_cast<uint8_t>(text[before]) >= 0x80; ++back) {
    const Utf8Char c = decode_utf8(text, position - back);
    if (c.valid && c.length == back) {
      before = position - back;
      break;
    }
  }
  const Char a = read(text, before);
  if (before + a.length != position) return Place::unknown;  // inside a character
  return places_[a.char_class * class_count_ + read(text, position).char_class];
}

void SplitAutomaton::find_places() {
  const uint32_t end_class = class_count_ - 1;
  const size_t state_count = steps_.size() / class_count_;
  // A match begins at every character of such a class that none has reached.
  const auto matches_alone = [&](uint32_t c) {
    const uint32_t after = step(start, c) >> 1;
    for (uint32_t next = 0; next < class_count_; ++next) {
      if ((step(after, next) & 1) == 0) return false;
    }
    return true;
  };
  const auto place_of = [&](uint32_t before, uint32_t after) {
    bool outside = step(start, before) >> 1 == dead && step(start, after) >> 1 == dead;
    bool boundary = matches_alone(before);
    for (uint32_t state = 1; state < state_count; ++state) {
      const Step into = step(state, before);
      if (into >> 1 == dead) continue;
      outside = false;
      const Step beyond = step(into >> 1, after);
      if (beyond >> 1 != dead || (beyond & 1) != (step(into >> 1, end_class) & 1)) boundary = false;
    }
    return boundary ? Place::boundary : outside ? Place::outside : Place::unknown;
  };
  places_.resize(size_t{class_count_} * class_count_, Place::unknown);
  for (uint32_t before = 0; before < end_class; ++before) {
    for (uint32_t after = 0; after < end_class; ++after) {
      places_[before * class_count_ + after] = place_of(before, after);
    }
  }
}

bool SplitAutomaton::equivalent(const SplitAutomaton& other) const {
  // The common refinement of the classes, then pairs of states that are reached together.
  std::vector<bool> together(size_t{class_count_} * other.class_count_);
  const auto pair = [&](uint32_t mine, uint32_t theirs) { together[mine * other.class_count_ + theirs] = true; };
  for (uint32_t code = 0; code < PropertyTable::code_points; ++code) pair(classes_.of(code), other.classes_.of(code));
  pair(not_utf8_class_, other.not_utf8_class_);
  pair(class_count_ - 1, other.class_count_ - 1);
  // Pairs of states that one text leads to, and whether the last matches seen on the way ended at one place. A match
  // that is overtaken by a later one makes no difference.
  struct Together {
    uint32_t mine;
    uint32_t theirs;
    bool same;
    auto operator<=>(const Together&) const = default;
  };
  std::set<Together> seen{{start, start, true}};
  std::vector<Together> open{{start, start, true}};
  while (!open.empty()) {
    const Together at = open.back();
    open.pop_back();
    for (uint32_t i = 0; i < together.size(); ++i) {
      if (!together[i]) continue;
      const uint32_t my_class = i / other.class_count_;
      const Step a = step(at.mine, my_class);
      const Step b = other.step(at.theirs, i % other.class_count_);
      const bool same = ((a | b) & 1) == 0 ? at.same : (a & b & 1) != 0;
      const Together next{uint32_t{a} >> 1, uint32_t{b} >> 1, same};
      const bool over = my_class + 1 == class_count_ || (next.mine == dead && next.theirs == dead);
      if (over && !same) return false;
      if (!over && seen.insert(next).second) open.push_back(next);
    }
  }
  return true;
}

}  // namespace sesame
