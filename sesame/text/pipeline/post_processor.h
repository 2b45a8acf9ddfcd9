#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "sesame/text/encode/token_table.h"
#include "sesame/text/pipeline/token_windows.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The tokens that a pipeline adds around a text or between the texts of a pair, their types, and the white space that
/// offsets leave out.
class PostProcessor {
 public:
  /// Throws Error, beginning with `origin`, for templates that contradict themselves or the vocabulary.
  PostProcessor(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin);

  /// The ids before and behind a single text.
  [[nodiscard]] const std::vector<int32_t>& before() const noexcept { return before_; }
  [[nodiscard]] const std::vector<int32_t>& after() const noexcept { return after_; }

  /// How many tokens process adds.
  [[nodiscard]] uint64_t added_tokens(bool pair) const noexcept;
  /// Whether process looks at TokenWindow::spaces.
  [[nodiscard]] bool trims() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

  /// One window from that of a text, or those of a pair; `texts` are those texts.
  [[nodiscard]] TokenWindow process(std::vector<TokenWindow> windows, const std::array<std::string_view, 2>& texts,
                                    bool add_special) const;

 private:
  /// Sets offsets off white space at the ends of tokens, but for one space that add_prefix_space put there.
  struct Trim {
    bool add_prefix_space;
  };
  /// Numbers the windows.
  struct Number {};
  struct Piece {
    std::vector<int32_t> ids;  // of a special token
    int32_t sequence = -1;     // else
    int32_t type_id = 0;
  };
  struct Template {
    std::vector<Piece> single;
    std::vector<Piece> pair;
  };
  struct Surround {  // BertProcessing and RobertaProcessing
    int32_t cls;
    int32_t sep;
    bool roberta;
  };
  using Step = std::variant<Trim, Number, Template, Surround>;

  void add_template(const post_processor::Template& given, const TokenTable& table, std::string_view origin);
  void find_around();

  static void apply(Trim step, std::vector<TokenWindow>& windows, const std::array<std::string_view, 2>& texts);
  static void apply(const Template& step, std::vector<TokenWindow>& windows, bool add_special);
  static void apply(Surround step, std::vector<TokenWindow>& windows, bool add_special);

  std::vector<Step> steps_;
  std::vector<int32_t> before_;
  std::vector<int32_t> after_;
};

}  // namespace sesame
