// The first convolution's kernels, against plain loops over each pixel's 3x3 neighbourhood in double precision.

#include <algorithm>

#include "check.h"

namespace plif::test {
namespace {

/// A frame with its border, and the value of each input of each pixel's patch.
class Frame {
 public:
  Frame(const PatchSize& size, double density, bool counts) : size_(size), floats_(size.imageStride()), random_(11) {
    std::uniform_real_distribution<double> uniform(0, 1);
    for (int plane = 0; plane < size.planes; plane++) {
      for (int y = 0; y < size.height; y++) {
        for (int x = 0; x < size.width; x++) {
          if (uniform(random_) >= density) continue;
          const double value = counts ? 1 + std::floor(uniform(random_) * 3) : uniform(random_) - 0.5;
          floats_[plane * size.planeStride() + (y + 1) * size.rowFloats() + x + 1] = static_cast<float>(value);
        }
      }
    }
  }

  const float* data() const { return floats_.data(); }
  double input(int a, int y, int x) const {
    if (a == size_.inputs()) return 1;
    return pixel(a / 9, y + a % 9 / 3 - 1, x + a % 3 - 1);
  }
  double pixel(int plane, int y, int x) const {
    if (y < 0 || y >= size_.height || x < 0 || x >= size_.width) return 0;
    return floats_[plane * size_.planeStride() + (y + 1) * size_.rowFloats() + x + 1];
  }
  double random() { return std::uniform_real_distribution<float>(-1, 1)(random_); }

 private:
  PatchSize size_;
  Buffer<float> floats_;
  std::mt19937 random_;
};

struct Given {
  PatchSize size;
  double density;
  bool counts;
  std::string name;
};

std::vector<Given> givens() {
  std::vector<Given> all;
  for (int planes = 1; planes <= PatchSize::kMaxPlanes; planes++) {
    for (const auto& [height, width] : {std::pair{7, 9}, {13, 16}, {5, 40}, {18, 33}, {3, 70}, {1, 1}, {2, 15}}) {
      for (const double density : {0.0, 0.03, 0.5}) {
        for (const bool counts : {true, false}) {
          all.push_back({{planes, height, width, kBlock},
                         density,
                         counts,
                         std::to_string(planes) + " planes of " + std::to_string(height) + " x " +
                             std::to_string(width) + " at " + std::to_string(density) + (counts ? " counts" : "")});
        }
      }
    }
  }
  return all;
}

const Register moments("second moments of patches", [](const KernelTable& kernels) {
  for (const Given& given : givens()) {
    const Frame frame(given.size, given.density, given.counts);
    const int n = given.size.inputs() + 1;
    Buffer<double> actual(n * n);
    for (int i = 0; i < n * n; i++) actual[i] = 99;
    kernels.patch.moments(given.size, frame.data(), actual.data());
    for (int a = 0; a < n; a++) {
      for (int b = 0; b < n; b++) {
        double expected = 0;
        for (int y = 0; y < given.size.height; y++) {
          for (int x = 0; x < given.size.width; x++) expected += frame.input(a, y, x) * frame.input(b, y, x);
        }
        const double error = std::fabs(actual[a * n + b] - expected);
        check(given.counts ? error == 0 : error <= 1e-5 * (1 + std::fabs(expected)),
              given.name + ": (" + std::to_string(a) + ", " + std::to_string(b) + ") is " +
                  std::to_string(actual[a * n + b]) + ", expected " + std::to_string(expected));
      }
    }
  }
});

std::vector<std::uint8_t> flagsOf(const KernelTable& kernels, const Given& given, const Frame& frame) {
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(given.size.height) * ((given.size.width + 1) / 2), 9);
  kernels.patch.occupied(given.size, frame.data(), flags.data());
  return flags;
}

const Register occupied("which pairs of pixels see an event", [](const KernelTable& kernels) {
  for (const Given& given : givens()) {
    const Frame frame(given.size, given.density, given.counts);
    const std::vector<std::uint8_t> flags = flagsOf(kernels, given, frame);
    const int pairs = (given.size.width + 1) / 2;
    for (int y = 0; y < given.size.height; y++) {
      for (int pair = 0; pair < pairs; pair++) {
        bool any = false;
        for (int plane = 0; plane < given.size.planes; plane++) {
          for (int i = 0; i < 12; i++) any = any || frame.pixel(plane, y + i / 4 - 1, 2 * pair + i % 4 - 1) != 0;
        }
        check((flags[y * pairs + pair] != 0) == any,
              given.name + ": flag of row " + std::to_string(y) + ", pair " + std::to_string(pair));
      }
    }
  }
});

struct Part {
  int firstRow, rows, firstColumn, columns;
};

/// Every row alone, pairs and threes of rows, and all of them; whole rows, and some columns of them at a time.
template <class Visit>
void eachSplit(const PatchSize& size, Visit visit) {
  for (const int rows : {1, 2, 3, size.height}) {
    if (rows > size.height) continue;
    for (const int columns : {6, size.width}) {
      for (int y = 0; y < size.height; y += rows) {
        for (int x = 0; x < size.width; x += columns)
          visit(Part{y, std::min(rows, size.height - y), x, std::min(columns, size.width - x)});
      }
    }
  }
}

const Register convolve("the first convolution", [](const KernelTable& kernels) {
  for (const Given& given : givens()) {
    Frame frame(given.size, given.density, given.counts);
    const std::vector<std::uint8_t> flags = flagsOf(kernels, given, frame);
    const int inputs = given.size.inputs();
    Buffer<float> weights(static_cast<std::size_t>(inputs) * kBlock);
    for (std::size_t i = 0; i < weights.size(); i++) weights[i] = static_cast<float>(frame.random());
    eachSplit(given.size, [&](const Part& part) {
      const std::size_t row = static_cast<std::size_t>(part.columns) * kBlock;
      Buffer<float> y(part.rows * row + kBlock);
      for (std::size_t i = 0; i < y.size(); i++) y[i] = 99;
      kernels.patch.convolve(given.size, frame.data() + part.firstColumn, flags.data() + part.firstColumn / 2,
                             weights.data(), part.firstRow, part.rows, part.columns, y.data());
      std::vector<double> expected(part.rows * row + kBlock, 99.0);
      for (std::size_t i = 0; i < part.rows * row; i++) {
        expected[i] = 0;
        for (int a = 0; a < inputs; a++) {
          expected[i] += frame.input(a, part.firstRow + static_cast<int>(i / row),
                                     part.firstColumn + static_cast<int>(i % row / kBlock)) *
                         weights[a * kBlock + i % kBlock];
        }
      }
      compare(given.name + ": y", y.data(), expected, 1e-7);  // Relative to the 99 behind it.
    });
  }
});

const Register gradient("the first convolution's weight gradient", [](const KernelTable& kernels) {
  for (const Given& given : givens()) {
    Frame frame(given.size, given.density, given.counts);
    const std::vector<std::uint8_t> flags = flagsOf(kernels, given, frame);
    const int inputs = given.size.inputs();
    eachSplit(given.size, [&](const Part& part) {
      const std::size_t row = static_cast<std::size_t>(part.columns) * kBlock;
      const std::size_t count = part.rows * row;
      Buffer<float> dx(count), actual(static_cast<std::size_t>(inputs) * kBlock);
      for (std::size_t i = 0; i < count; i++) dx[i] = static_cast<float>(frame.random());
      // What lies behind the last row must not be read, or at least not matter.
      for (std::size_t i = 0; i < kBlock; i++) dx[count + i] = NAN;
      for (std::size_t i = 0; i < actual.size(); i++) actual[i] = 0.25f;
      kernels.patch.weightGradient(given.size, frame.data() + part.firstColumn, flags.data() + part.firstColumn / 2,
                                   dx.data(), part.firstRow, part.rows, part.columns, actual.data());
      std::vector<double> expected(actual.size(), 0.25);
      for (std::size_t i = 0; i < count; i++) {
        for (int a = 0; a < inputs; a++) {
          expected[a * kBlock + i % kBlock] += frame.input(a, part.firstRow + static_cast<int>(i / row),
                                                           part.firstColumn + static_cast<int>(i % row / kBlock)) *
                                               dx[i];
        }
      }
      compare(given.name + ": gradient", actual.data(), expected, 1e-5);
    });
  }
});

}  // namespace
}  // namespace plif::test
