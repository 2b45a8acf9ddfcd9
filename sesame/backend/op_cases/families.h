#pragma once

#include <vector>

#include "sesame/backend/op_cases.h"

namespace sesame::op_cases_of {

// One function per file of cases.
void elementwise(std::vector<OpCase>& cases);
void fused(std::vector<OpCase>& cases);
void layout(std::vector<OpCase>& cases);
void matmul(std::vector<OpCase>& cases);
void embedding(std::vector<OpCase>& cases);
void normalisation(std::vector<OpCase>& cases);
void activation(std::vector<OpCase>& cases);
void attention(std::vector<OpCase>& cases);
void cross_entropy(std::vector<OpCase>& cases);
void optimizer(std::vector<OpCase>& cases);

}  // namespace sesame::op_cases_of
