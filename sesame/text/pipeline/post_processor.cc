#include "sesame/text/pipeline/post_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {

PostProcessor::PostProcessor(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin) {
  bool found_template = false;
  for (const post_processor::Step& step : spec.post_processors) {
    const auto* text_template = std::get_if<post_processor::Template>(&step);
    if (text_template == nullptr) continue;
    if (std::exchange(found_template, true)) {
      fail(fmt::format("{}: post_processor: Sesame supports one TemplateProcessing", origin));
    }
    bool after = false;
    for (const post_processor::Place& place : text_template->single) {
      if (place.sequence) {
        if (after || place.id != "A") {
          fail(fmt::format("{}: post_processor.single: expected the sequence A once", origin));
        }
        after = true;
        continue;
      }
      const auto token = std::find_if(text_template->special_tokens.begin(), text_template->special_tokens.end(),
                                      [&](const post_processor::TemplateToken& t) { return t.id == place.id; });
      if (token == text_template->special_tokens.end()) {
        fail(fmt::format("{}: post_processor.special_tokens: '{}' is missing", origin, place.id));
      }
      for (const int32_t id : token->ids) {
        if (!table.contains(id)) {
          fail(fmt::format("{}: post_processor.special_tokens: the id {} is not in the vocabulary", origin, id));
        }
        (after ? after_ : before_).push_back(id);
      }
    }
    if (!after) fail(fmt::format("{}: post_processor.single: the sequence A is missing", origin));
  }
}

}  // namespace sesame
