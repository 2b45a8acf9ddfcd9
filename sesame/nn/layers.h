#pragma once

#include "sesame/nn/parameters.h"

/// Layers as functions. Each makes its parameters under the builder's current scope, so that a parameter's full name is
/// where it stands in the model.

namespace sesame {

struct LinearOptions {
  int64_t outputs = 0;
  double std = 0.02;  // of the weight's initial values
  bool bias = true;
};

/// x [..., in] W + b -> [..., outputs], weight [in, outputs] as GPT-2's Conv1D stores it.
Value linear_in_out(Parameters& parameters, std::string_view name, Value x, LinearOptions options);

/// x [..., in] W^T + b -> [..., outputs], weight [outputs, in] as torch.nn.Linear stores it.
Value linear_out_in(Parameters& parameters, std::string_view name, Value x, LinearOptions options);

/// gelu(x W + b), weight [in, outputs], with bias and GELU in one pass.
Value linear_gelu(Parameters& parameters, std::string_view name, Value x, LinearOptions options);

/// Rows of the table "<name>.weight" [rows, channels] by ids (int32, any shape): [..., channels].
Value embedding_layer(Parameters& parameters, std::string_view name, Value ids, const Shape& table, double std);

/// Layer norm with "<name>.weight" (ones) and "<name>.bias" (zeros), both [channels].
Value layer_norm_layer(Parameters& parameters, std::string_view name, Value x, double epsilon);

/// RMS norm with "<name>.weight" (ones) [channels].
Value rms_norm_layer(Parameters& parameters, std::string_view name, Value x, double epsilon);

}  // namespace sesame
