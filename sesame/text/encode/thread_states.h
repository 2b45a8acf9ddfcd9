#pragma once

#include <cstdint>

#include "sesame/text/encode/text_encoder.h"

namespace sesame {

/// A number for a new tokenizer that no other has had in this process.
uint64_t next_state_serial();

/// The state of this thread for the tokenizer `serial`, whose encoder makes it. A thread keeps the states of the four
/// tokenizers that it used last.
TextEncoder::State& thread_state(uint64_t serial, const TextEncoder& encoder);

/// A buffer of this thread for ids that are on their way somewhere else.
IdBuffer& thread_ids();

}  // namespace sesame
