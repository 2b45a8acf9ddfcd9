#include "sesame/text/report/script_of_text.h"

#include <algorithm>
#include <map>

#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unicode/unicode_properties.h"

namespace sesame {

std::string script_of_text(std::string_view text) {
  std::map<Script, size_t> letters;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    const Script script = c.valid ? script_of(c.code) : Script::unknown;
    if (script != Script::common && script != Script::inherited && script != Script::unknown) ++letters[script];
    i += c.length;
  }
  const auto most = std::max_element(letters.begin(), letters.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == letters.end() ? "none" : std::string(script_name(most->first));
}

}  // namespace sesame
