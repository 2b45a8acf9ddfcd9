#include "sesame/text/pipeline/added_tokens.h"

#include <algorithm>
#include <string>
#include <utility>

#include "sesame/text/pipeline/hugging_face_classes.h"
#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

/// The start of the last character before `end` > 0.
size_t previous_character(std::string_view text, size_t end) {
  size_t start = end - 1;
  while (start > 0 && end - start < 4 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80) --start;
  return decode_utf8(text, start).length == end - start ? start : end - 1;
}

template <typename IsClass>
bool before_is(std::string_view text, size_t end, IsClass is_class) {
  if (end == 0) return false;
  const Utf8Char c = decode_utf8(text, previous_character(text, end));
  return c.valid && is_class(c.code);
}

template <typename IsClass>
bool after_is(std::string_view text, size_t begin, IsClass is_class) {
  if (begin == text.size()) return false;
  const Utf8Char c = decode_utf8(text, begin);
  return c.valid && is_class(c.code);
}

bool is_word_before(std::string_view text, size_t end) { return before_is(text, end, hugging_face::is_word); }
bool is_word_after(std::string_view text, size_t begin) { return after_is(text, begin, hugging_face::is_word); }
bool is_space_before(std::string_view text, size_t end) { return before_is(text, end, hugging_face::is_white_space); }
bool is_space_after(std::string_view text, size_t begin) { return after_is(text, begin, hugging_face::is_white_space); }

std::vector<std::string> texts_of(const std::vector<std::pair<std::string, AddedToken>>& tokens) {
  std::vector<std::string> texts;
  for (const auto& [text, token] : tokens) {
    if (!text.empty()) texts.push_back(text);
  }
  return texts;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<std::pair<std::string, AddedToken>> tokens)
    : nodes_(1), candidates_(texts_of(tokens)) {
  for (auto& [text, token] : tokens) {
    if (text.empty()) continue;
    add(text, static_cast<int32_t>(tokens_.size()));
    tokens_.push_back(std::move(token));
    starts_.push_back(static_cast<uint8_t>(text[0]));
  }
}

void AddedTokenFinder::add(std::string_view text, int32_t token) {
  int32_t node = 0;
  for (const char c : text) {
    auto& children = nodes_[static_cast<size_t>(node)].children;
    const std::pair<uint8_t, int32_t> edge{static_cast<uint8_t>(c), 0};
    const auto place = std::lower_bound(children.begin(), children.end(), edge);
    if (place != children.end() && place->first == edge.first) {
      node = place->second;
      continue;
    }
    node = static_cast<int32_t>(nodes_.size());
    children.insert(place, {edge.first, node});
    nodes_.emplace_back();
  }
  int32_t& end = nodes_[static_cast<size_t>(node)].token;
  if (end < 0) end = token;
}

AddedTokenFinder::Sought AddedTokenFinder::seek(bool special, const std::vector<std::string>& named,
                                                bool ordinary) const {
  Sought sought;
  sought.token.resize(tokens_.size());
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const bool listed = std::find(named.begin(), named.end(), tokens_[i].content) != named.end();
    sought.token[i] = tokens_[i].special ? special || listed : ordinary;
    if (sought.token[i] == 0) continue;
    sought.first_bytes[starts_[i]] = 1;
    sought.any = true;
  }
  sought.others_hide = ordinary && named.empty();
  return sought;
}

AddedTokenFinder::Match AddedTokenFinder::longest_at(std::string_view text, size_t position,
                                                     const Sought& sought) const {
  Match match{0, nullptr};
  const Node* node = nodes_.data();
  for (size_t i = position; i < text.size(); ++i) {
    const std::pair<uint8_t, int32_t> edge{static_cast<uint8_t>(text[i]), 0};
    const auto child = std::lower_bound(node->children.begin(), node->children.end(), edge);
    if (child == node->children.end() || child->first != edge.first) break;
    node = &nodes_[static_cast<size_t>(child->second)];
    if (node->token < 0) continue;
    const auto token = static_cast<size_t>(node->token);
    if (sought.token[token] != 0) {
      match = {i + 1 - position, &tokens_[token]};
    } else if (sought.others_hide) {
      match = {i + 1 - position, nullptr};
    }
  }
  return match;
}

void AddedTokenFinder::split(std::string_view text, const Sought& sought,
                             FunctionRef<void(std::string_view stretch, const AddedToken* token)> visit) const {
  size_t done = 0;
  for (size_t i = sought.any ? candidates_.next(text, 0) : text.size(); i < text.size();
       i = candidates_.next(text, i)) {
    const auto [length, token] = longest_at(text, i, sought);
    size_t begin = i;
    size_t end = i + length;
    i += std::max<size_t>(length, 1);
    if (token == nullptr) continue;
    if (token->single_word && (is_word_before(text, begin) || is_word_after(text, end))) continue;
    while (token->lstrip && begin > 0 && is_space_before(text, begin)) begin = previous_character(text, begin);
    begin = token->lstrip ? std::max(begin, done) : begin;
    while (token->rstrip && end < text.size() && is_space_after(text, end)) end += decode_utf8(text, end).length;
    if (begin > done) visit(text.substr(done, begin - done), nullptr);
    if (end > begin) visit(text.substr(begin, end - begin), token);
    done = end;
  }
  if (done < text.size()) visit(text.substr(done), nullptr);
}

}  // namespace sesame
