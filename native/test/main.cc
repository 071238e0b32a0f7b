// Runs every test on every instruction set of this processor, or on those named as arguments; prints a line for each
// and a count.

#include <cstdio>
#include <cstring>

#include "../src/kernels/detect.h"
#include "check.h"

namespace plif::test {
namespace {

struct Case {
  const char* title;
  Run run;
};

std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

std::vector<std::string> problems;

}  // namespace

Register::Register(const char* title, Run run) { cases().push_back({title, run}); }

void fail(const std::string& what) { problems.push_back(what); }

void check(bool holds, const std::string& what) {
  if (!holds) fail(what);
}

void compare(const std::string& what, const float* actual, const std::vector<double>& expected, double tolerance) {
  double largest = 0;
  for (const double value : expected) largest = std::fmax(largest, std::fabs(value));
  for (std::size_t i = 0; i < expected.size(); i++) {
    if (std::fabs(actual[i] - expected[i]) <= tolerance * largest) continue;
    fail(what + ": element " + std::to_string(i) + " is " + std::to_string(actual[i]) + ", expected " +
         std::to_string(expected[i]) + " (largest " + std::to_string(largest) + ")");
    return;
  }
}

}  // namespace plif::test

int main(int argc, char** argv) {
  using namespace plif;
  int passed = 0;
  int failed = 0;
  for (const KernelTable* kernels : availableKernels()) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; i++) wanted = wanted || std::strcmp(argv[i], kernels->name) == 0;
    if (!wanted) continue;
    for (const auto& one : test::cases()) {
      test::problems.clear();
      one.run(*kernels);
      const bool ok = test::problems.empty();
      (ok ? passed : failed)++;
      std::printf("%s %s: %s\n", ok ? "ok    " : "FAILED", kernels->name, one.title);
      for (const auto& problem : test::problems) std::printf("         %s\n", problem.c_str());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
