#pragma once

#include "sesame/graph/op_def.h"

/// The blocks of all ops, each defined in the file of its family.
namespace sesame::op_defs {
#define SESAME_OP(name) extern const OpDef name##_def;
#include "sesame/graph/ops/ops.def"
#undef SESAME_OP
}  // namespace sesame::op_defs
