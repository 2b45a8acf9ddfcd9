#pragma once

namespace sesame {

/// The number that Hugging Face's library has for a score. It reads tokenizer.json by serde_json, which makes a double
/// of the decimal digits and divides it by a power of ten: two roundings, where there should be one. What comes of that
/// is sometimes a neighbour of the number that was written, and decides between pieces whose scores are equal.
/// `written` is taken to stand in the file with the fewest digits that tell it from other numbers, as serde
/// and Python write numbers.
double as_serde_reads(double written);

}  // namespace sesame
