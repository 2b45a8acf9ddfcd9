// The optimiser's fragment against torch.optim.AdamW: tests/golden/generate.py.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sesame/io/safetensors.h"
#include "sesame/optim/adamw.h"
#include "sesame/runtime/program.h"

namespace sesame {
namespace {

std::vector<double> numbers(const TensorView& view) {
  std::vector<double> values(static_cast<size_t>(view.elements()));
  copy_elements<double>(view, values);
  return values;
}

void expect_update(const Backend& backend) {
  constexpr int64_t kElements = 80, kDecayed = 48, kSteps = 5;
  const SafetensorsFile golden("tests/golden/adamw.safetensors");
  AdamWAttributes attributes;
  attributes.max_grad_norm = 1;
  attributes.decayed = kDecayed;

  Variables variables;
  for (const char* name : {"parameters", "gradients", "adam.first_moment", "adam.second_moment"}) {
    variables.create(name, {DType::f32, {kElements}});
  }
  copy_as_float32(golden.at("before"), {variables.get("parameters").as<float>(), kElements});
  ThreadPool threads(2);
  Program norm(grad_norm_graph(kElements), {&backend, &threads, &variables, nullptr});
  Program program(adamw_graph(kElements, attributes), {&backend, &threads, &variables, nullptr});
  for (int64_t step = 0; step < kSteps; ++step) {
    const TensorView& gradients = golden.at("gradients." + std::to_string(step));
    copy_as_float32(gradients, {variables.get("gradients").as<float>(), kElements});
    const auto hyper = adamw_hyper(0.01 * static_cast<double>(step + 1), step + 1, attributes);
    std::copy(hyper.begin(), hyper.end(), program.input("hyper").as<float>());
    norm.run({});
    const double norm_squared = *norm.output("grad_norm_squared").as<double>();
    double squares = 0;
    for (const double g : numbers(gradients)) squares += g * g;
    EXPECT_NEAR(norm_squared, squares, 1e-6 * squares);
    *program.input("grad_norm_squared").as<double>() = norm_squared;
    program.run({});
  }
  const std::vector<double> after = numbers(golden.at("after"));
  const float* parameters = variables.get("parameters").as<float>();
  for (size_t i = 0; i < after.size(); ++i) EXPECT_NEAR(parameters[i], after[i], 2e-6) << i;
}

TEST(AdamWGolden, ReferenceKernels) { expect_update(ref_backend()); }
TEST(AdamWGolden, CpuKernels) { expect_update(cpu_backend()); }

}  // namespace
}  // namespace sesame
