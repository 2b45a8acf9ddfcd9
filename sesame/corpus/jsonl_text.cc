#include "sesame/corpus/jsonl_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "sesame/corpus/scan_window.h"

namespace sesame {

static_assert(ScanWindow::kPadding >= simdjson::SIMDJSON_PADDING);

struct JsonlText::State {
  simdjson::dom::parser parser;
};

JsonlText::JsonlText() : state_(std::make_unique<State>()) {}
JsonlText::~JsonlText() = default;
JsonlText::JsonlText(JsonlText&&) noexcept = default;

std::optional<std::string_view> JsonlText::extract(std::string_view line, std::string_view field, std::string& reason) {
  simdjson::dom::element document;
  if (const auto error = state_->parser.parse(line.data(), line.size(), false).get(document)) {
    reason = fmt::format("no valid JSON ({})", simdjson::error_message(error));
    return std::nullopt;
  }
  simdjson::dom::object object;
  if (document.get(object)) {
    reason = "no JSON object";
    return std::nullopt;
  }
  simdjson::dom::element value;
  if (object.at_key(field).get(value)) {
    reason = fmt::format("no field \"{}\"", field);
    return std::nullopt;
  }
  std::string_view text;
  if (value.get(text)) {
    reason = fmt::format("field \"{}\" is no string", field);
    return std::nullopt;
  }
  return text;
}

}  // namespace sesame
