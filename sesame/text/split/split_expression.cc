#include "sesame/text/split/split_expression.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unicode/unicode_properties.h"
#include "sesame/text/unicode/unicode_runs.h"

namespace sesame {
namespace {

using Node = SplitExpression;
using Kind = SplitExpression::Kind;

/// What the trees cannot say, or no regular expression.
struct Unsupported {};

constexpr int max_depth = 100;
constexpr uint32_t max_count = 1000;

Node set_node(CodePointSet set) {
  Node node;
  node.kind = Kind::set;
  node.set = std::move(set);
  return node;
}

Node lookahead(CodePointSet set, bool or_end) {
  Node node = set_node(std::move(set));
  node.kind = Kind::lookahead;
  node.or_end = or_end;
  return node;
}

Node with_children(Kind kind, std::vector<Node> children) {
  if (children.size() == 1) return std::move(children.front());
  Node node;
  node.kind = kind;
  node.children = std::move(children);
  return node;
}

Node repeat(Node child, uint32_t least, uint32_t most, bool lazy) {
  Node node;
  node.kind = Kind::repeat;
  node.children.push_back(std::move(child));
  node.least = least;
  node.most = most;
  node.lazy = lazy;
  return node;
}

/// A run of characters of one set that gives nothing back: as long as may be, or ended by another character.
Node possessive(const Node& child, uint32_t least, uint32_t most) {
  if (child.kind != Kind::set) throw Unsupported{};
  const Node ended = lookahead(child.set.complement(), true);
  if (most == Node::unlimited) return with_children(Kind::sequence, {repeat(child, least, most, false), ended});
  Node full = repeat(child, most, most, false);
  if (least == most) return full;
  return with_children(
      Kind::choice, {std::move(full), with_children(Kind::sequence, {repeat(child, least, most - 1, false), ended})});
}

CodePointSet alphabetic() { return CodePointSet::of_runs(alphabetic_runs.data(), alphabetic_runs.size(), 1); }

CodePointSet white_space() {
  CodePointSet set;
  for (uint32_t code = 0; code <= 0x3000; ++code) {
    if (is_white_space(code)) set.add(CodePointSet::of(code));
  }
  return set;
}

CodePointSet categories(std::string_view name) { return CodePointSet::of_categories(*category_set(name)); }

/// \w: UTS 18 has the join controls; Oniguruma has not, but outside of brackets the superscripts and fractions of
/// Latin-1.
CodePointSet word_characters(RegexSyntax syntax, bool in_bracket) {
  CodePointSet set = alphabetic();
  for (const std::string_view name : {"M", "Nd", "Pc"}) set.add(categories(name));
  if (syntax == RegexSyntax::rust) {
    set.add(CodePointSet::range(0x200C, 0x200D));
  } else if (!in_bracket) {
    for (const uint32_t code : {0xB2u, 0xB3u, 0xB9u, 0xBCu, 0xBDu, 0xBEu}) set.add(CodePointSet::of(code));
  }
  return set;
}

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '_' && c != '-' && c != ' ') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return plain;
}

struct LongName {
  std::string_view name;
  std::string_view category;
};
constexpr std::array long_names = {LongName{"letter", "L"},      LongName{"mark", "M"},   LongName{"number", "N"},
                                   LongName{"punctuation", "P"}, LongName{"symbol", "S"}, LongName{"separator", "Z"},
                                   LongName{"other", "C"}};

CodePointSet property(std::string_view name) {
  const std::string plain = plain_name(name);
  if (plain == "any") return CodePointSet::range(0, CodePointSet::not_utf8 - 1);
  if (plain == "alphabetic" || plain == "alpha") return alphabetic();
  if (plain == "whitespace" || plain == "space") return white_space();
  for (const LongName& known : long_names) {
    if (plain == known.name) return categories(known.category);
  }
  if (!plain.empty() && plain.size() <= 2) {
    std::string category = plain;
    category[0] = static_cast<char>(category[0] - ('a' - 'A'));
    if (plain == "lc" || plain == "l&") category = "LC";
    if (const auto set = category_set(category)) return CodePointSet::of_categories(*set);
  }
  for (size_t i = 1; i < script_names.size(); ++i) {
    if (plain_name(script_names[i]) == plain) {
      return CodePointSet::of_runs(script_runs.data(), script_runs.size(), static_cast<uint8_t>(i));
    }
  }
  throw Unsupported{};
}

class Parser {
 public:
  Parser(std::string_view regex, RegexSyntax syntax) : text_(regex), syntax_(syntax) {}

  Node parse() {
    Node node = choice(0);
    if (position_ < text_.size()) throw Unsupported{};  // a ')' too many
    return node;
  }

 private:
  [[nodiscard]] bool at(std::string_view expected) const {
    return text_.substr(position_, expected.size()) == expected;
  }
  bool take(std::string_view expected) {
    if (!at(expected)) return false;
    position_ += expected.size();
    return true;
  }
  uint32_t take_character() {
    if (position_ >= text_.size()) throw Unsupported{};
    const Utf8Char c = decode_utf8(text_, position_);
    if (!c.valid) throw Unsupported{};
    position_ += c.length;
    return c.code;
  }
  [[nodiscard]] CodePointSet cased(const CodePointSet& set) const {
    return ignore_case_ ? set.closed_under_case() : set;
  }

  Node choice(int depth) {
    if (depth > max_depth) throw Unsupported{};
    std::vector<Node> branches;
    do {
      branches.push_back(sequence(depth));
    } while (take("|"));
    return with_children(Kind::choice, std::move(branches));
  }

  Node sequence(int depth) {
    std::vector<Node> items;
    while (position_ < text_.size() && !at("|") && !at(")")) items.push_back(repeated(atom(depth)));
    return with_children(Kind::sequence, std::move(items));
  }

  Node atom(int depth) {
    if (take("(")) return group(depth);
    if (take("[")) return set_node(cased(bracket(depth)));
    if (take("\\")) return escape();
    if (take(".")) {
      return set_node(dot_is_everything_ ? CodePointSet::everything() : CodePointSet::of('\n').complement());
    }
    if (take("$")) {
      return lookahead(syntax_ == RegexSyntax::oniguruma ? CodePointSet::of('\n') : CodePointSet(), true);
    }
    if (at("^") || at("*") || at("+") || at("?") || at("{")) throw Unsupported{};
    return set_node(cased(CodePointSet::of(take_character())));
  }

  Node group(int depth) {
    if (take("?=")) return look(depth, false);
    if (take("?!")) return look(depth, true);
    if (at("*")) throw Unsupported{};
    const bool outer_case = ignore_case_;
    const bool outer_dot = dot_is_everything_;
    if (take("?")) flags();
    Node node = group_body(depth);
    ignore_case_ = outer_case;
    dot_is_everything_ = outer_dot;
    return node;
  }

  Node group_body(int depth) {
    Node node = choice(depth + 1);
    if (!take(")")) throw Unsupported{};
    return node;
  }

  /// Up to a ':'. Flags without a group of their own are not supported.
  void flags() {
    for (bool on = true; !take(":");) {
      if (take("-")) {
        on = false;
      } else if (take("i")) {
        ignore_case_ = on;
      } else if (take(syntax_ == RegexSyntax::oniguruma ? "m" : "s")) {
        dot_is_everything_ = on;
      } else {
        throw Unsupported{};
      }
    }
  }

  Node look(int depth, bool negative) {
    Node inner = group_body(depth);
    if (inner.kind == Kind::choice) {
      CodePointSet joined;
      for (const Node& child : inner.children) {
        if (child.kind != Kind::set) throw Unsupported{};
        joined.add(child.set);
      }
      inner = set_node(std::move(joined));
    }
    if (inner.kind == Kind::lookahead) {  // (?!$)
      return negative ? lookahead(inner.set.complement(), !inner.or_end) : inner;
    }
    if (inner.kind != Kind::set) throw Unsupported{};
    return negative ? lookahead(inner.set.complement(), true) : lookahead(inner.set, false);
  }

  struct Count {
    uint32_t least;
    uint32_t most;
    bool braces;
  };

  std::optional<uint32_t> number() {
    std::optional<uint32_t> value;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
      value = value.value_or(0) * 10 + static_cast<uint32_t>(text_[position_++] - '0');
      if (*value > max_count) throw Unsupported{};
    }
    return value;
  }

  std::optional<Count> quantifier() {
    if (take("*")) return Count{0, Node::unlimited, false};
    if (take("+")) return Count{1, Node::unlimited, false};
    if (take("?")) return Count{0, 1, false};
    if (!take("{")) return std::nullopt;
    const auto least = number();
    std::optional<uint32_t> most = least;
    if (take(",")) {
      most = number();
      if (!most) most = Node::unlimited;
    }
    // Where braces hold no count they are characters, by rules that differ.
    if (!take("}") || (!least && (syntax_ == RegexSyntax::rust || most == Node::unlimited))) throw Unsupported{};
    if (least.value_or(0) > *most) throw Unsupported{};
    return Count{least.value_or(0), *most, true};
  }

  Node repeated(Node node) {
    while (const auto count = quantifier()) {
      if (node.kind == Kind::lookahead) throw Unsupported{};
      if (node.nullable() && count->most > 1) throw Unsupported{};
      const bool ruby_braces = count->braces && syntax_ == RegexSyntax::oniguruma;
      if (!ruby_braces && take("+")) {
        node = possessive(node, count->least, count->most);
        continue;
      }
      if (ruby_braces && count->least == count->most && at("?")) throw Unsupported{};  // optional there, not lazy
      const bool lazy = take("?");
      node = repeat(std::move(node), count->least, count->most, lazy);
    }
    return node;
  }

  Node escape() {
    if (take("z")) return lookahead(CodePointSet(), true);
    return set_node(cased(escaped_set(false)));
  }

  uint32_t hexadecimal(size_t least, size_t most) {
    uint32_t value = 0;
    size_t digits = 0;
    for (; digits < most && position_ < text_.size(); ++digits, ++position_) {
      const char c = text_[position_];
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<uint32_t>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        value = value * 16 + static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        break;
      }
    }
    if (digits < least || value >= CodePointSet::not_utf8) throw Unsupported{};
    return value;
  }

  uint32_t hexadecimal_escape() {
    if (!take("{")) return hexadecimal(2, 2);
    const uint32_t code = hexadecimal(1, 8);
    if (!take("}")) throw Unsupported{};
    return code;
  }

  /// What stands behind a backslash, as a set.
  CodePointSet escaped_set(bool in_bracket) {
    const uint32_t c = take_character();
    switch (c) {
      case 's':
        return white_space();
      case 'S':
        return white_space().complement();
      case 'd':
        return categories("Nd");
      case 'D':
        return categories("Nd").complement();
      case 'w':
        return word_characters(syntax_, in_bracket);
      case 'W':
        return word_characters(syntax_, in_bracket).complement();
      case 'p':
      case 'P':
        return named_property(c == 'P');
      case 'n':
        return CodePointSet::of('\n');
      case 'r':
        return CodePointSet::of('\r');
      case 't':
        return CodePointSet::of('\t');
      case 'f':
        return CodePointSet::of('\f');
      case 'v':
        return CodePointSet::of('\v');
      case 'u': {
        if (at("{")) return CodePointSet::of(hexadecimal_escape());
        const uint32_t code = hexadecimal(4, 4);
        if (code >= 0xD800 && code <= 0xDFFF) throw Unsupported{};
        return CodePointSet::of(code);
      }
      case 'x': {
        const uint32_t code = hexadecimal_escape();
        if (code >= 0x80 && syntax_ == RegexSyntax::oniguruma && text_[position_ - 1] != '}') throw Unsupported{};
        return CodePointSet::of(code);
      }
      default:
        break;
    }
    const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter_or_digit || c >= 0x80) throw Unsupported{};
    return CodePointSet::of(c);
  }

  CodePointSet named_property(bool negative) {
    std::string_view name;
    if (take("{")) {
      if (take("^")) negative = !negative;
      const size_t end = text_.find('}', position_);
      if (end == std::string_view::npos) throw Unsupported{};
      name = text_.substr(position_, end - position_);
      position_ = end + 1;
    } else {
      if (position_ >= text_.size() || syntax_ == RegexSyntax::oniguruma) throw Unsupported{};
      name = text_.substr(position_++, 1);
    }
    CodePointSet set = property(name);
    return negative ? set.complement() : set;
  }

  /// The inside of [...], behind the '['.
  CodePointSet bracket(int depth) {
    if (depth > max_depth || at("]") || at("^]") || at(":")) throw Unsupported{};
    const bool negative = take("^");
    CodePointSet set;
    while (!take("]")) {
      if (at("&&") || at("--") || at("~~") || at("[:")) throw Unsupported{};
      if (take("[")) {
        set.add(bracket(depth + 1));
        continue;
      }
      add_item(set);
    }
    return negative ? cased(set).complement() : set;
  }

  /// A character, a class, or a range of characters.
  void add_item(CodePointSet& set) {
    const bool escaped = at("\\");
    const size_t begin = position_;
    CodePointSet item = take("\\") ? escaped_set(true) : CodePointSet::of(take_character());
    const bool single = item.ranges().size() == 1 && item.ranges()[0].first == item.ranges()[0].last &&
                        !(escaped && (text_[begin + 1] == 'p' || text_[begin + 1] == 'P'));
    if (!at("-") || text_.substr(position_, 2) == "-]") return set.add(item);
    if (!single || !take("-") || at("[") || at("-")) throw Unsupported{};
    const uint32_t first = item.ranges()[0].first;
    item = take("\\") ? escaped_set(true) : CodePointSet::of(take_character());
    if (item.ranges().size() != 1 || item.ranges()[0].first != item.ranges()[0].last) throw Unsupported{};
    if (item.ranges()[0].first < first) throw Unsupported{};
    set.add(CodePointSet::range(first, item.ranges()[0].first));
  }

  std::string_view text_;
  RegexSyntax syntax_;
  size_t position_ = 0;
  bool ignore_case_ = false;
  bool dot_is_everything_ = false;
};

}  // namespace

bool SplitExpression::nullable() const {
  const auto is_nullable = [](const SplitExpression& child) { return child.nullable(); };
  switch (kind) {
    case Kind::set:
      return false;
    case Kind::sequence:
      return std::all_of(children.begin(), children.end(), is_nullable);
    case Kind::choice:
      return std::any_of(children.begin(), children.end(), is_nullable);
    case Kind::repeat:
      return least == 0 || is_nullable(children.front());
    case Kind::lookahead:
      return true;
  }
  return true;
}

std::optional<SplitExpression> parse_split_expression(std::string_view regex, RegexSyntax syntax) {
  try {
    return Parser(regex, syntax).parse();
  } catch (const Unsupported&) {
    return std::nullopt;
  }
}

}  // namespace sesame
