#include "sesame/text/unicode/property_table.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unicode/unicode_properties.h"
#include "sesame/text/unicode/unicode_runs.h"

namespace sesame {
namespace {

/// Grapheme_Cluster_Break, and for characters without one (or Extend) what rules GB9c and GB11 ask for.
enum class GraphemeBreak : uint8_t {
  other,
  cr,
  lf,
  control,
  extend,
  zwj,
  regional_indicator,
  prepend,
  spacing_mark,
  l,
  v,
  t,
  lv,
  lvt,
  pictographic,
  conjunct_consonant,
  conjunct_linker,
  conjunct_extend,
};
using G = GraphemeBreak;

GraphemeBreak grapheme_break(uint32_t code) {
  static const PropertyTable table(grapheme_break_runs);
  return static_cast<GraphemeBreak>(table.of(code));
}

bool is_control(G g) { return g == G::cr || g == G::lf || g == G::control; }
bool extends(G g) { return g == G::extend || g == G::zwj || g == G::conjunct_linker || g == G::conjunct_extend; }

bool joins_hangul(G before, G after) {
  if (before == G::l) return after == G::l || after == G::v || after == G::lv || after == G::lvt;
  if (before == G::lv || before == G::v) return after == G::v || after == G::t;
  return (before == G::lvt || before == G::t) && after == G::t;
}

/// What the rules look back upon inside one cluster.
struct Context {
  bool after_pictographic = false;  // Extended_Pictographic Extend* (GB11)
  bool after_consonant = false;     // Consonant [Extend Linker]* (GB9c)
  bool linked = false;              // with a Linker among them
  bool odd_regional = false;        // an odd number of regional indicators (GB12, GB13)

  void add(G g) {
    if (g == G::pictographic) {
      after_pictographic = true;
    } else if (g != G::zwj && !extends(g)) {
      after_pictographic = false;
    }
    if (g == G::conjunct_consonant) {
      after_consonant = true;
      linked = false;
    } else if (g == G::conjunct_linker) {
      linked = after_consonant;
    } else if (g != G::conjunct_extend && g != G::zwj) {
      after_consonant = linked = false;
    }
    odd_regional = g == G::regional_indicator && !odd_regional;
  }
};

/// GB3 to GB13 between two characters of one text.
bool joins(G before, G after, const Context& context) {
  if (before == G::cr && after == G::lf) return true;
  if (is_control(before) || is_control(after)) return false;
  if (joins_hangul(before, after) || extends(after) || after == G::spacing_mark || before == G::prepend) return true;
  if (after == G::conjunct_consonant && context.linked) return true;
  if (after == G::pictographic && before == G::zwj && context.after_pictographic) return true;
  return after == G::regional_indicator && context.odd_regional;
}

}  // namespace

size_t next_grapheme(std::string_view text, size_t position) noexcept {
  const Utf8Char first = decode_utf8(text, position);
  position += first.length;
  if (!first.valid) return position;
  GraphemeBreak before = grapheme_break(first.code);
  Context context;
  context.add(before);
  while (position < text.size()) {
    const Utf8Char c = decode_utf8(text, position);
    const GraphemeBreak after = grapheme_break(c.code);
    if (!c.valid || !joins(before, after, context)) break;
    context.add(after);
    before = after;
    position += c.length;
  }
  return position;
}

}  // namespace sesame
