// Batch norm's kernels over one plane, against plain loops in double precision.

#include "check.h"

namespace plif::test {
namespace {

constexpr float kOutside = 1e6f;  // Stands in the border, which no kernel may count or change.

struct Plane {
  BlockedShape shape;
  Buffer<float> floats;

  Plane(int height, int width, int border, unsigned seed, double center)
      : shape{1, height, width, border}, floats(shape.planeStride()) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(center, 0.1);
    for (std::size_t i = 0; i < floats.size(); i++) floats[i] = kOutside;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < kBlock; c++)
          floats[shape.at(0, 0, y, x) + c] = static_cast<float>(normal(random) * (1 + c));
      }
    }
  }
};

/// Calls `visit(y, x, c)` for the interior.
template <class Visit>
void eachElement(const BlockedShape& shape, Visit visit) {
  for (int y = 0; y < shape.height; y++) {
    for (int x = 0; x < shape.width; x++) {
      for (int c = 0; c < kBlock; c++) visit(y, x, c);
    }
  }
}

/// Fails unless the interior is as expected and the border is as it was.
void comparePlane(const std::string& what, const Plane& plane, const std::vector<double>& expected) {
  std::vector<float> interior;
  std::size_t outside = 0;
  for (std::size_t i = 0; i < plane.floats.size(); i++) outside += plane.floats[i] == kOutside;
  eachElement(plane.shape,
              [&](int y, int x, int c) { interior.push_back(plane.floats[plane.shape.at(0, 0, y, x) + c]); });
  compare(what, interior.data(), expected, 1e-6);
  check(outside == plane.floats.size() - interior.size(), what + ": the border was changed");
}

struct Size {
  int height;
  int width;
};

constexpr Size kSizes[] = {{7, 9}, {13, 16}, {24, 40}, {1, 1}, {1, 70}, {33, 3}};

const Register moments("mean and squared deviations of a plane", [](const KernelTable& kernels) {
  for (const Size size : kSizes) {
    for (const int border : {0, 1, 2}) {
      for (const double center :
           {0.0, 100.0}) {  // At 100, a difference of squares in single precision would be all error.
        const Plane plane(size.height, size.width, border, 3, center);
        Buffer<double> mean(kBlock), squares(kBlock);
        kernels.norm.planeMoments(plane.floats.data(), plane.shape, mean.data(), squares.data());
        double sums[kBlock] = {};
        double deviations[kBlock] = {};
        const double pixels = static_cast<double>(size.height) * size.width;
        eachElement(plane.shape, [&](int y, int x, int c) { sums[c] += plane.floats[plane.shape.at(0, 0, y, x) + c]; });
        eachElement(plane.shape, [&](int y, int x, int c) {
          deviations[c] += std::pow(plane.floats[plane.shape.at(0, 0, y, x) + c] - sums[c] / pixels, 2);
        });
        for (int c = 0; c < kBlock; c++) {
          const double largest = std::fmax(std::fabs(center) * (1 + c), 1);
          const std::string where =
              std::to_string(size.height) + " x " + std::to_string(size.width) + ", channel " + std::to_string(c);
          check(std::fabs(mean[c] - sums[c] / pixels) <= 1e-6 * largest, where + ": mean " + std::to_string(mean[c]));
          // The rounding of single values near 100 · (1 + c) limits this.
          check(std::fabs(squares[c] - deviations[c]) <= 1e-4 * deviations[c] + 1e-12,
                where + ": squares " + std::to_string(squares[c]) + ", expected " + std::to_string(deviations[c]));
        }
      }
    }
  }
});

struct Coefficients {
  Buffer<float> a{kBlock}, b{kBlock}, c{kBlock};
  Coefficients() {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (Buffer<float>* buffer : {&a, &b, &c}) {
      for (int i = 0; i < kBlock; i++) (*buffer)[i] = uniform(random);
    }
  }
};

const Register backward("batch norm backward over a plane", [](const KernelTable& kernels) {
  const Coefficients k;
  for (const Size size : kSizes) {
    for (const int border : {0, 1, 2}) {
      Plane dx(size.height, size.width, border, 1, 0);
      const Plane y(size.height, size.width, 2 - border, 2, 1);
      std::vector<double> expected;
      eachElement(y.shape, [&](int row, int x, int c) {
        expected.push_back(static_cast<double>(k.a[c]) * dx.floats[dx.shape.at(0, 0, row, x) + c] +
                           static_cast<double>(k.b[c]) * y.floats[y.shape.at(0, 0, row, x) + c] + k.c[c]);
      });
      kernels.norm.backward(dx.floats.data(), dx.shape, y.floats.data(), y.shape, k.a.data(), k.b.data(), k.c.data());
      comparePlane("dy", dx, expected);
    }
  }
});

const Register affine("an affine over a plane", [](const KernelTable& kernels) {
  const Coefficients k;
  for (const Size size : kSizes) {
    for (const int border : {0, 1, 2}) {
      const Plane y(size.height, size.width, border, 1, 1);
      Plane out(size.height, size.width, 2 - border, 2, 0);
      std::vector<double> expected;
      eachElement(y.shape, [&](int row, int x, int c) {
        expected.push_back(static_cast<double>(y.floats[y.shape.at(0, 0, row, x) + c]) * k.a[c] + k.b[c]);
      });
      kernels.norm.affine(y.floats.data(), y.shape, k.a.data(), k.b.data(), out.floats.data(), out.shape);
      comparePlane("out", out, expected);
    }
  }
});

}  // namespace
}  // namespace plif::test
