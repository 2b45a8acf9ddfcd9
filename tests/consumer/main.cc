#include <cstdio>

#include "sesame/sesame.h"

/// d(sum x^2)/dx at x = (1, 2, 3) with the installed library: 2, 4, 6.
int main() {
  using namespace sesame;
  try {
    Graph graph;
    Builder builder(graph);
    const Value x = builder.input("x", {DType::f32, {3}});
    const Value loss = reshape(reduce_sum(x * x), {});
    const Value gradient = gradients(builder, loss, std::vector{x}).front();
    builder.output("gradient", gradient);

    ThreadPool threads(1);
    Program program(graph, {.threads = &threads});
    float* const in = static_cast<float*>(program.input("x").data);
    for (int i = 0; i < 3; ++i) in[i] = static_cast<float>(i + 1);
    program.run({});
    const float* const out = static_cast<const float*>(program.output("gradient").data);
    std::printf("%g %g %g\n", out[0], out[1], out[2]);
    return out[0] == 2 && out[1] == 4 && out[2] == 6 ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
