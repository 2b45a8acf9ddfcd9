#include "sesame/text/pipeline/post_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

/// `count` characters on from `begin`, but no further than `end`.
uint64_t forward(std::string_view text, uint64_t begin, uint64_t end, uint32_t count) {
  for (uint32_t i = 0; i < count && begin < end; ++i) begin += decode_utf8(text, begin).length;
  return std::min(begin, end);
}

/// `count` characters back from `end`, but no further than `begin`; `end` where the text has not so many before it.
uint64_t back(std::string_view text, uint64_t begin, uint64_t end, uint32_t count) {
  uint64_t at = end;
  for (uint32_t i = 0; i < count; ++i) {
    if (at == 0) return end;
    const uint64_t from = at - std::min<uint64_t>(at, 4);
    uint64_t before = at - 1;
    for (uint64_t p = from; p < at; ++p) {
      const Utf8Char c = decode_utf8(text, p);
      if (c.valid && p + c.length == at) {
        before = p;
        break;
      }
    }
    at = before;
  }
  return std::max(at, begin);
}

void trim_window(TokenWindow& window, const std::array<std::string_view, 2>& texts, bool add_prefix_space) {
  for (size_t i = 0; i < window.size(); ++i) {
    const TokenWindow::Spaces& spaces = window.spaces[i];
    TextSpan& span = window.tokens.offsets[i];
    const std::string_view text = texts[spaces.text];
    const bool own_space = (i == 0 || span.begin == 0) && add_prefix_space && spaces.leading == 1;
    if (spaces.leading > 0 && !own_space) span.begin = forward(text, span.begin, span.end, spaces.leading);
    if (spaces.trailing > 0) span.end = back(text, span.begin, span.end, spaces.trailing);
  }
}

TokenWindow special_tokens(const std::vector<int32_t>& ids, int32_t type_id) {
  TokenWindow window;
  for (const int32_t id : ids) window.add(id, type_id, {}, -1, -1, true, {});
  return window;
}

}  // namespace

PostProcessor::PostProcessor(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin) {
  const auto check = [&](const post_processor::Token& token) {
    if (table.contains(token.id)) return token.id;
    fail(fmt::format("{}: post_processor: the id {} of '{}' is not in the vocabulary", origin, token.id, token.token));
  };
  size_t adding = 0;
  for (const post_processor::Step& step : spec.post_processors) {
    if (const auto* bytes = std::get_if<post_processor::ByteLevel>(&step)) {
      if (bytes->trim_offsets) steps_.emplace_back(Trim{bytes->add_prefix_space});
      steps_.emplace_back(Number{});
      continue;
    }
    if (++adding > 1) {
      fail(fmt::format("{}: post_processor: Sesame supports one processor that adds tokens", origin));
    }
    if (const auto* text_template = std::get_if<post_processor::Template>(&step)) {
      add_template(*text_template, table, origin);
    } else if (const auto* bert = std::get_if<post_processor::Bert>(&step)) {
      steps_.emplace_back(Surround{check(bert->cls), check(bert->sep), false});
    } else {
      const auto& roberta = std::get<post_processor::Roberta>(step);
      if (roberta.trim_offsets) steps_.emplace_back(Trim{roberta.add_prefix_space});
      steps_.emplace_back(Surround{check(roberta.cls), check(roberta.sep), true});
    }
  }
  find_around();
}

void PostProcessor::add_template(const post_processor::Template& given, const TokenTable& table,
                                 std::string_view origin) {
  const auto compile = [&](const std::vector<post_processor::Place>& places, std::string_view key) {
    std::vector<Piece> pieces;
    int seen[2] = {};
    for (const post_processor::Place& place : places) {
      if (place.sequence) {
        const int32_t sequence = place.id == "A" ? 0 : 1;
        ++seen[sequence];
        pieces.push_back({{}, sequence, place.type_id});
        continue;
      }
      const auto token = std::find_if(given.special_tokens.begin(), given.special_tokens.end(),
                                      [&](const post_processor::TemplateToken& t) { return t.id == place.id; });
      if (token == given.special_tokens.end()) {
        fail(fmt::format("{}: post_processor.special_tokens: '{}' is missing", origin, place.id));
      }
      for (const int32_t id : token->ids) {
        if (!table.contains(id)) {
          fail(fmt::format("{}: post_processor.special_tokens: the id {} is not in the vocabulary", origin, id));
        }
      }
      pieces.push_back({token->ids, -1, place.type_id});
    }
    const bool pair = key == "pair";
    if (seen[0] != 1 || seen[1] > (pair ? 1 : 0)) {
      fail(fmt::format("{}: post_processor.{}: expected the sequence A once{}", origin, key,
                       pair ? ", and B once" : ""));
    }
    return pieces;
  };
  Template compiled;
  compiled.single = compile(given.single, "single");
  if (!given.pair.empty()) compiled.pair = compile(given.pair, "pair");
  steps_.emplace_back(std::move(compiled));
}

void PostProcessor::find_around() {
  for (const Step& step : steps_) {
    if (const auto* surround = std::get_if<Surround>(&step)) {
      before_.push_back(surround->cls);
      after_.push_back(surround->sep);
    } else if (const auto* text_template = std::get_if<Template>(&step)) {
      bool after = false;
      for (const Piece& piece : text_template->single) {
        after = after || piece.sequence == 0;
        auto& ids = after ? after_ : before_;
        ids.insert(ids.end(), piece.ids.begin(), piece.ids.end());
      }
    }
  }
}

uint64_t PostProcessor::added_tokens(bool pair) const noexcept {
  uint64_t count = 0;
  for (const Step& step : steps_) {
    if (const auto* surround = std::get_if<Surround>(&step)) {
      count += !pair ? 2 : surround->roberta ? 4 : 3;
    } else if (const auto* text_template = std::get_if<Template>(&step)) {
      for (const Piece& piece : pair ? text_template->pair : text_template->single) count += piece.ids.size();
    }
  }
  return count;
}

bool PostProcessor::trims() const noexcept {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return std::holds_alternative<Trim>(step); });
}

void PostProcessor::apply(Trim step, std::vector<TokenWindow>& windows, const std::array<std::string_view, 2>& texts) {
  for (TokenWindow& window : windows) {
    trim_window(window, texts, step.add_prefix_space);
    for (TokenWindow& other : window.overflowing) trim_window(other, texts, step.add_prefix_space);
  }
}

void PostProcessor::apply(const Template& step, std::vector<TokenWindow>& windows, bool add_special) {
  const std::vector<Piece>& pieces = windows.size() == 2 ? step.pair : step.single;
  if (pieces.empty()) fail("the tokenizer's post-processor has no template for pairs of texts");
  std::vector<TokenWindow> parts;
  for (const Piece& piece : pieces) {
    if (piece.sequence >= 0) {
      TokenWindow& window = windows[static_cast<size_t>(piece.sequence)];
      window.set_type(piece.type_id);
      window.set_sequence(piece.sequence);
      parts.push_back(window);
    } else if (add_special) {
      parts.push_back(special_tokens(piece.ids, piece.type_id));
    }
  }
  windows = std::move(parts);
}

void PostProcessor::apply(Surround step, std::vector<TokenWindow>& windows, bool add_special) {
  if (step.roberta) {
    for (TokenWindow& window : windows) window.set_type(0);
  }
  if (!add_special) return;
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto surround = [&](TokenWindow& window) {
      if (step.roberta) window.set_type(0);
      TokenWindow whole;
      if (i == 0) whole = special_tokens({step.cls}, 0);
      if (i > 0 && step.roberta) whole = special_tokens({step.sep}, 0);
      std::vector<TokenWindow> rest = std::exchange(window.overflowing, {});
      whole.append(window);
      whole.append(special_tokens({step.sep}, i > 0 && !step.roberta ? 1 : 0));
      whole.overflowing = std::move(rest);
      window = std::move(whole);
    };
    surround(windows[i]);
    for (TokenWindow& other : windows[i].overflowing) surround(other);
  }
}

TokenWindow PostProcessor::process(std::vector<TokenWindow> windows, const std::array<std::string_view, 2>& texts,
                                   bool add_special) const {
  if (!steps_.empty()) {
    for (size_t i = 0; i < windows.size(); ++i) windows[i].set_type(static_cast<int32_t>(i));
  }
  for (const Step& step : steps_) {
    if (const auto* trim = std::get_if<Trim>(&step)) {
      apply(*trim, windows, texts);
    } else if (const auto* text_template = std::get_if<Template>(&step)) {
      apply(*text_template, windows, add_special);
    } else if (const auto* surround = std::get_if<Surround>(&step)) {
      apply(*surround, windows, add_special);
    } else {
      for (size_t i = 0; i < windows.size(); ++i) windows[i].set_sequence(static_cast<int32_t>(i));
    }
  }
  TokenWindow whole;
  for (const TokenWindow& window : windows) whole.append(window);
  return whole;
}

}  // namespace sesame
