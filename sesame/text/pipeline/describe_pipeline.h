#pragma once

#include <string>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The pipeline in words, one line a stage.
std::string describe_pipeline(const TokenizerSpec& spec);

}  // namespace sesame
