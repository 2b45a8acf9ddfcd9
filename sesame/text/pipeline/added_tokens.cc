#include "sesame/text/pipeline/added_tokens.h"

#include <algorithm>
#include <string>
#include <utility>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

/// The start of the last character before `end` > 0.
size_t previous_character(std::string_view text, size_t end) {
  size_t start = end - 1;
  while (start > 0 && end - start < 4 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80) --start;
  return decode_utf8(text, start).length == end - start ? start : end - 1;
}

uint8_t class_before(std::string_view text, size_t end) {
  return end == 0 ? uint8_t{0} : classify_utf8(CharClasses::get(), text, previous_character(text, end)).bits;
}

uint8_t class_after(std::string_view text, size_t begin) {
  return begin == text.size() ? uint8_t{0} : classify_utf8(CharClasses::get(), text, begin).bits;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<std::pair<std::string, AddedToken>> tokens) : nodes_(1) {
  for (auto& [text, token] : tokens) {
    if (text.empty()) continue;
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
    nodes_[static_cast<size_t>(node)].token = static_cast<int32_t>(tokens_.size());
    tokens_.push_back(std::move(token));
    starts_.push_back(static_cast<uint8_t>(text[0]));
  }
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
    if (sought.token[token] != 0) match = {i + 1 - position, &tokens_[token]};
  }
  return match;
}

void AddedTokenFinder::split(std::string_view text, const Sought& sought,
                             FunctionRef<void(std::string_view stretch, const AddedToken* token)> visit) const {
  size_t done = 0;
  for (size_t i = 0; sought.any && i < text.size();) {
    if (sought.first_bytes[static_cast<uint8_t>(text[i])] == 0) {
      ++i;
      continue;
    }
    const auto [length, token] = longest_at(text, i, sought);
    if (token == nullptr) {
      ++i;
      continue;
    }
    size_t begin = i;
    size_t end = i + length;
    i = end;
    if (token->single_word &&
        ((class_before(text, begin) & char_word) != 0 || (class_after(text, end) & char_word) != 0)) {
      continue;
    }
    while (token->lstrip && begin > done && (class_before(text, begin) & char_space) != 0) {
      begin = std::max(done, previous_character(text, begin));
    }
    while (token->rstrip && end < text.size() && (class_after(text, end) & char_space) != 0) {
      end += decode_utf8(text, end).length;
    }
    if (begin > done) visit(text.substr(done, begin - done), nullptr);
    visit(text.substr(begin, end - begin), token);
    done = i = end;
  }
  if (done < text.size()) visit(text.substr(done), nullptr);
}

}  // namespace sesame
