#include "check.h"

namespace plif::test {
namespace {

const Register sigmoids("sigmoid is exact to a few units in the last place, and saturates",
                        [](const KernelTable& kernels) {
                          const std::vector<float> values{0,     1e-7f,  -1e-7f, 0.5f,  -0.5f, 0.3465f, -0.3466f,
                                                          1,     -1,     2.5f,   -2.5f, 10.5f, -17,     -30.2f,
                                                          86.9f, -86.9f, 88,     -88,   1e30f, -1e30f};
                          Buffer<float> w(32);
                          Buffer<float> out(32);
                          for (std::size_t i = 0; i < values.size(); i++) w[i] = values[i];
                          kernels.neuron.sigmoid(w.data(), out.data(), 32);
                          for (std::size_t i = 0; i < values.size(); i++) {
                            const double x = std::fmin(87.0, std::fmax(-87.0, values[i]));
                            const double expected = 1 / (1 + std::exp(-x));
                            check(std::fabs(out[i] - expected) <= 3e-7 * expected,
                                  "sigmoid of " + std::to_string(values[i]) + " is " + std::to_string(out[i]));
                          }
                          check(out[0] == 0.5f, "sigmoid of 0 is not exactly a half");
                          w[3] = std::nanf("");
                          kernels.neuron.sigmoid(w.data(), out.data(), 16);
                          check(std::isnan(out[3]), "NaN is lost");
                        });

}  // namespace
}  // namespace plif::test
