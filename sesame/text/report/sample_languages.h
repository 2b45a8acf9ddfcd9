#pragma once

#include <span>
#include <string_view>

namespace sesame {

struct LanguageSample {
  std::string_view language;
  std::string_view text;
};

/// The same sentences in languages of many scripts: article 1 of the Universal Declaration of Human Rights. Enough to
/// see which languages a tokenizer was made for, too little to choose one by.
std::span<const LanguageSample> sample_languages();

}  // namespace sesame
