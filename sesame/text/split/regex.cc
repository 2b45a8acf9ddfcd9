#include "sesame/text/split/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr uint32_t match_limit = 10'000'000;
constexpr uint32_t heap_limit_kib = 64 * 1024;
constexpr size_t jit_stack_start = 64 << 10;
constexpr size_t jit_stack_limit = 8 << 20;

struct Free {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_jit_stack* p) const { pcre2_jit_stack_free(p); }
};

std::string reason(int error) {
  std::array<PCRE2_UCHAR, 160> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Free> code;
};

Regex::Regex(std::string_view pattern, std::string_view origin) : pattern_(pattern.substr(0, 120)) {
  int error = 0;
  PCRE2_SIZE place = 0;
  auto code = std::make_shared<Code>();
  code->code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error,
                    &place, nullptr));
  if (!code->code) {
    fail(fmt::format("{}: the regular expression '{}' is not valid at character {}: {}", origin, pattern_, place,
                     reason(error)));
  }
  // Without the JIT matching still works, more slowly.
  pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE);
  code_ = std::move(code);
}

void Regex::for_each_match(std::string_view text, FunctionRef<void(size_t begin, size_t end)> visit) const {
  for_each_match_from(text, 0, [&](size_t begin, size_t end) {
    visit(begin, end);
    return true;
  });
}

void Regex::for_each_match_from(std::string_view text, size_t begin,
                                FunctionRef<bool(size_t begin, size_t end)> visit) const {
  const pcre2_code* code = code_->code.get();
  const std::unique_ptr<pcre2_match_data, Free> match(pcre2_match_data_create_from_pattern(code, nullptr));
  const std::unique_ptr<pcre2_match_context, Free> context(pcre2_match_context_create(nullptr));
  const std::unique_ptr<pcre2_jit_stack, Free> stack(pcre2_jit_stack_create(jit_stack_start, jit_stack_limit, nullptr));
  pcre2_set_match_limit(context.get(), match_limit);
  pcre2_set_heap_limit(context.get(), heap_limit_kib);
  pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  for (size_t start = begin; start <= text.size();) {
    int result = pcre2_match(code, subject, text.size(), start, 0, match.get(), context.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = pcre2_match(code, subject, text.size(), start, PCRE2_NO_JIT, match.get(), context.get());
    }
    if (result == PCRE2_ERROR_NOMATCH) return;
    if (result < 0) {
      fail(fmt::format("the pre-tokenizer's regular expression '{}' fails on this text: {}", pattern_, reason(result)));
    }
    const PCRE2_SIZE* place = pcre2_get_ovector_pointer(match.get());
    if (!visit(place[0], place[1])) return;
    start = place[1];
    // After an empty match the search goes on behind the next character.
    if (place[1] == place[0]) start += start < text.size() ? decode_utf8(text, start).length : 1;
  }
}

}  // namespace sesame
