#include <queue>
#include <unordered_map>

#include "sesame/text/sentencepiece/bpe_segmenter.h"

namespace sesame {
namespace {

constexpr size_t no_symbol = SIZE_MAX;

struct Symbol {
  std::string_view text;  // empty once it is part of the one before
  size_t previous;
  size_t next;
  bool frozen;
};

struct Pair {
  size_t left;
  size_t right;
  float score;
  size_t size;  // of both texts
  friend bool operator<(const Pair& a, const Pair& b) {
    return a.score < b.score || (a.score == b.score && a.left > b.left);
  }
};

}  // namespace

struct AgendaBpeSegmenter::Run {
  const AgendaBpeSegmenter& model;
  std::vector<Symbol> symbols;
  std::priority_queue<Pair> agenda;
  std::unordered_map<std::string_view, size_t> cuts;  // of unused pieces: bytes of the left part

  void consider(size_t left, size_t right) {
    if (left == no_symbol || right == no_symbol || symbols[left].frozen || symbols[right].frozen) return;
    const std::string_view text(symbols[left].text.data(), symbols[left].text.size() + symbols[right].text.size());
    const int32_t id = model.text_pieces_.find(text);
    if (id < 0) return;
    agenda.push({left, right, model.scores_[static_cast<size_t>(id)], text.size()});
    if (model.unused_[static_cast<size_t>(id)] != 0) cuts[text] = symbols[left].text.size();
  }

  void merge_all() {
    while (!agenda.empty()) {
      const Pair pair = agenda.top();
      agenda.pop();
      Symbol& left = symbols[pair.left];
      Symbol& right = symbols[pair.right];
      if (left.text.empty() || right.text.empty() || left.text.size() + right.text.size() != pair.size) continue;
      left.text = {&left.text[0], pair.size};
      left.next = right.next;
      if (right.next != no_symbol) symbols[right.next].previous = pair.left;
      right.text = {};
      consider(left.previous, pair.left);
      consider(pair.left, left.next);
    }
  }

  /// `whole`: what `text` is a part of.
  void emit(std::string_view text, std::string_view whole, std::vector<PieceToken>& tokens) const {
    std::vector<std::string_view> waiting = {text};
    while (!waiting.empty()) {
      const std::string_view part = waiting.back();
      waiting.pop_back();
      int32_t id = model.text_pieces_.find(part);
      if (id >= 0 && model.unused_[static_cast<size_t>(id)] != 0) {
        if (const auto cut = cuts.find(part); cut != cuts.end()) {
          waiting.push_back(part.substr(cut->second));
          waiting.push_back(part.substr(0, cut->second));
          continue;
        }
        id = -1;
      }
      if (id < 0) id = model.unknown_;
      const auto at = static_cast<uint32_t>(part.data() - whole.data());
      tokens.push_back({id, at, at + static_cast<uint32_t>(part.size())});
    }
  }
};

AgendaBpeSegmenter::AgendaBpeSegmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model)
    : user_symbols_(vocabulary.text_pieces(model::PieceType::user_defined)),
      text_pieces_(vocabulary.text_pieces()),
      scores_(model.scores),
      unused_(model.types.size()),
      unknown_(vocabulary.unknown()) {
  for (size_t id = 0; id < unused_.size(); ++id) unused_[id] = model.types[id] == model::PieceType::unused ? 1 : 0;
}

std::unique_ptr<PieceSegmenter::Scratch> AgendaBpeSegmenter::make_scratch() const {
  return std::make_unique<Scratch>();
}

void AgendaBpeSegmenter::segment(std::string_view text, Scratch&, std::vector<PieceToken>& tokens,
                                 SegmentScore&) const {
  if (text.empty()) return;
  Run run{*this, {}, {}, {}};
  for (size_t i = 0; i < text.size();) {
    const size_t symbol = user_symbols_.longest_prefix(text, i).length;
    const size_t length = symbol > 0 ? symbol : character_length(text, i);
    const size_t number = run.symbols.size();
    run.symbols.push_back({text.substr(i, length), number == 0 ? no_symbol : number - 1, number + 1, symbol > 0});
    i += length;
  }
  run.symbols.back().next = no_symbol;
  for (size_t i = 1; i < run.symbols.size(); ++i) run.consider(i - 1, i);
  run.merge_all();
  for (size_t i = 0; i != no_symbol; i = run.symbols[i].next) run.emit(run.symbols[i].text, text, tokens);
}

}  // namespace sesame
