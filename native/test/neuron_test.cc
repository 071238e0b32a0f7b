// Neurons forward and backward through several steps, against the equations of src/network/neurons.ts in double precision.

#include <algorithm>

#include "check.h"

namespace plif::test {
namespace {

constexpr int kSteps = 5;

struct Case {
  std::string name;
  NeuronSettings neuron;
  Pooling pooling = Pooling::none;
  int pool = 1;
  int rows = 1;
  int width = 7;
  bool leakPerNeuron = false;
};

std::vector<double> randoms(std::mt19937& random, std::size_t count, double low, double high) {
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<float>(uniform(random));  // Exactly what the kernel gets.
  return values;
}

void copy(const std::vector<double>& from, float* to) {
  for (std::size_t i = 0; i < from.size(); i++) to[i] = static_cast<float>(from[i]);
}

double derivative(Surrogate surrogate, double z) {
  if (surrogate == Surrogate::atan) return 0.5 / (1 + std::pow(std::acos(-1.0) / 2 * z, 2));
  if (surrogate == Surrogate::triangle) return std::fmax(0, 1 - std::fabs(z));
  return 1 / (1 + std::exp(-z)) * (1 - 1 / (1 + std::exp(-z)));
}

/// Everything that a case leaves behind, to compare two runs of the kernels.
struct Results {
  std::vector<float> current, leak, carried, sums;
};

class Run {
 public:
  Run(const KernelTable& kernels, const Case& given) : kernels_(kernels), c_(given), random_(7) {
    size_ = static_cast<std::size_t>(c_.rows) * c_.width * kBlock;
    yRow_ = static_cast<std::size_t>(c_.width + 2) * kBlock;
    currentRow_ = static_cast<std::size_t>(c_.width + 1) * kBlock;
    leakStride_ = c_.leakPerNeuron ? kBlock : 0;
    leakRow_ = leakStride_ * c_.width;
    leak_ = randoms(random_, c_.leakPerNeuron ? size_ : 1, 0.2, 0.9);
    if (!c_.leakPerNeuron) leak_.assign(kBlock, leak_[0]);
    for (int t = 0; t < kSteps; t++) {
      y_.push_back(randoms(random_, yRow_ * c_.rows, -1.5, 2.5));
      scale_.push_back(randoms(random_, kBlock, 0.5, 1.5));
      shift_.push_back(randoms(random_, kBlock, -0.2, 0.4));
      windowGradient_.push_back(randoms(random_, static_cast<std::size_t>(c_.width / c_.pool) * kBlock + 1, -1, 1));
    }
  }

  Results check() {
    forward();
    return backward();
  }

 private:
  void forward() {
    Buffer<float> y(yRow_ * c_.rows), leak(leak_.size()), scale(kBlock), shift(kBlock), potential(size_), alone(size_),
        charged(size_);
    Buffer<std::uint16_t> fired(size_ / kBlock), firedAlone(size_ / kBlock);
    copy(leak_, leak.data());
    std::vector<double> v(size_, c_.neuron.rest);
    copy(v, potential.data());
    copy(v, alone.data());
    for (int t = 0; t < kSteps; t++) {
      copy(y_[t], y.data());
      copy(scale_[t], scale.data());
      copy(shift_[t], shift.data());
      FireRows r{shape(),     &c_.neuron, y.data(),         yRow_,          scale.data(), shift.data(), leak.data(),
                 leakStride_, leakRow_,   potential.data(), charged.data(), fired.data()};
      kernels_.neuron.fire(r);
      r.potential = alone.data();
      r.charged = nullptr;
      r.fired = firedAlone.data();
      kernels_.neuron.fire(r);

      std::vector<double> h(size_);
      std::vector<bool> s(size_);
      for (std::size_t i = 0; i < size_; i++) {
        const std::size_t lane = i % kBlock;
        const double x = y_[t][yAt(i)] * scale_[t][lane] + shift_[t][lane];
        h[i] = v[i] + (x - (v[i] - c_.neuron.rest)) * leakAt(i);
        // Next to the threshold, the two precisions may disagree on a spike: the kernel's own h decides, and the line
        // below checks it.
        s[i] = charged[i] >= c_.neuron.threshold;
        v[i] = !s[i] ? h[i] : c_.neuron.hardReset ? c_.neuron.rest : h[i] - static_cast<double>(c_.neuron.threshold);
        test::check(((fired[i / kBlock] >> lane) & 1) == s[i], c_.name + ": spikes are not h >= threshold");
      }
      compare(c_.name + ": h", charged.data(), h, 1e-6 * (t + 1));
      compare(c_.name + ": v", potential.data(), v, 1e-6 * (t + 1));
      for (std::size_t i = 0; i < size_; i++) {
        test::check(alone[i] == potential[i] && fired[i / kBlock] == firedAlone[i / kBlock],
                    c_.name + ": differs if h is not kept");
      }
      kept_.push_back(std::vector<float>(charged.data(), charged.data() + size_));
      h_.push_back(h);
      s_.push_back(s);
    }
  }

  Results backward() {
    Buffer<float> y(yRow_ * c_.rows), leak(leak_.size()), charged(size_), before(size_), carried(size_);
    Buffer<float> current(currentRow_ * c_.rows), leakGradient(leak_.size()), alphaGradient(kBlock), sums(2 * kBlock);
    Buffer<float> gradient(windowGradient_[0].size());
    copy(leak_, leak.data());
    std::vector<double> dv(size_, 0.0), dLeak(leak_.size(), 0.25), dAlpha(kBlock, 0.25);
    copy(dLeak, leakGradient.data());  // The kernels add to what is there.
    copy(dAlpha, alphaGradient.data());
    const bool whole = c_.rows == c_.pool;
    Results results;
    for (int t = kSteps - 1; t >= 0; t--) {
      copy(y_[t], y.data());
      copy(windowGradient_[t], gradient.data());
      std::copy(kept_[t].begin(), kept_[t].end(), charged.data());
      if (t > 0) std::copy(kept_[t - 1].begin(), kept_[t - 1].end(), before.data());
      for (std::size_t i = 0; i < 2 * kBlock; i++) sums[i] = 0.25f;
      for (std::size_t i = 0; i < currentRow_ * c_.rows; i++) current[i] = 77;
      const FireBackwardRows r{shape(),
                               &c_.neuron,
                               charged.data(),
                               t > 0 ? before.data() : nullptr,
                               whole ? gradient.data() : nullptr,
                               leak.data(),
                               leakStride_,
                               leakRow_,
                               carried.data(),
                               y.data(),
                               yRow_,
                               current.data(),
                               currentRow_,
                               leakGradient.data(),
                               alphaGradient.data(),
                               sums.data(),
                               sums.data() + kBlock};
      kernels_.neuron.fireBackward(r);

      std::vector<double> dx(currentRow_ * c_.rows, 77.0), dSums(2 * kBlock, 0.25);
      for (std::size_t i = 0; i < size_; i++) {
        const std::size_t lane = i % kBlock;
        const double h = h_[t][i];
        double ds = whole ? fromWindow(t, i) : 0;
        if (!c_.neuron.detachReset) ds += dv[i] * (c_.neuron.hardReset ? c_.neuron.rest - h : -c_.neuron.threshold);
        const double excess = h - c_.neuron.threshold;
        const double ofStep = ds * derivative(c_.neuron.surrogate, c_.neuron.alpha * excess);
        dAlpha[lane] += ofStep * excess;
        const double dh = ofStep * c_.neuron.alpha + (c_.neuron.hardReset && s_[t][i] ? 0 : dv[i]);
        const double x = dh * leakAt(i);
        dx[i / (c_.width * kBlock) * currentRow_ + i % (c_.width * kBlock)] = x;
        dSums[lane] += x;
        dSums[kBlock + lane] += x * y_[t][yAt(i)];
        dLeak[c_.leakPerNeuron ? i : lane] += dh * (h - potentialBefore(t, i));
        dv[i] = dh * (1 - leakAt(i));
      }
      compare(c_.name + ": dx", current.data(), dx, 1e-7);  // Relative to the 77 around it.
      compare(c_.name + ": dL/dv", carried.data(), dv, 1e-5);
      compare(c_.name + ": sums", sums.data(), dSums, 1e-5);
      results.current.insert(results.current.end(), current.data(), current.data() + currentRow_ * c_.rows);
      results.carried.insert(results.carried.end(), carried.data(), carried.data() + size_);
      results.sums.insert(results.sums.end(), sums.data(), sums.data() + 2 * kBlock);
    }
    compare(c_.name + ": dL/dleak", leakGradient.data(), dLeak, 1e-5);
    if (!c_.neuron.learnAlpha) dAlpha.assign(kBlock, 0.25);
    compare(c_.name + ": dL/dalpha", alphaGradient.data(), dAlpha, 1e-5);
    results.leak.assign(leakGradient.data(), leakGradient.data() + leak_.size());
    return results;
  }

  /// dL/ds of neuron i from its window, 0 if no complete window has it.
  double fromWindow(int t, std::size_t i) const {
    const int pool = c_.pool;
    const int lane = static_cast<int>(i % kBlock);
    const int x = static_cast<int>(i / kBlock) % c_.width;
    const int y = static_cast<int>(i / kBlock) / c_.width;
    const int window = x / pool;
    if (window >= c_.width / pool) return 0;
    const double gradient = windowGradient_[t][static_cast<std::size_t>(window) * kBlock + lane];
    if (c_.pooling == Pooling::none) return gradient;
    if (c_.pooling == Pooling::average) return gradient / (pool * pool);
    int bestY = 0;
    int bestX = window * pool;
    bool found = false;
    for (int wy = 0; wy < pool && !found; wy++) {
      for (int wx = window * pool; wx < (window + 1) * pool && !found; wx++) {
        found = s_[t][(static_cast<std::size_t>(wy) * c_.width + wx) * kBlock + lane];
        if (!found) continue;
        bestY = wy;
        bestX = wx;
      }
    }
    return y == bestY && x == bestX ? gradient : 0;
  }

  double potentialBefore(int t, std::size_t i) const {
    if (t == 0) return c_.neuron.rest;
    if (!s_[t - 1][i]) return h_[t - 1][i];
    return c_.neuron.hardReset ? c_.neuron.rest : h_[t - 1][i] - c_.neuron.threshold;
  }

  RowsShape shape() const { return {c_.rows, c_.width, c_.pool, c_.pooling}; }
  double leakAt(std::size_t i) const { return leak_[c_.leakPerNeuron ? i : 0]; }
  std::size_t yAt(std::size_t i) const { return i / (c_.width * kBlock) * yRow_ + i % (c_.width * kBlock); }

  const KernelTable& kernels_;
  Case c_;
  std::mt19937 random_;
  std::size_t size_, yRow_, currentRow_, leakStride_, leakRow_;
  std::vector<double> leak_;
  std::vector<std::vector<double>> y_, scale_, shift_, windowGradient_, h_;
  std::vector<std::vector<float>> kept_;
  std::vector<std::vector<bool>> s_;
};

struct Window {
  Pooling pooling;
  int pool;
  int rows;
};

constexpr Window kWindows[] = {{Pooling::none, 1, 1},   {Pooling::max, 2, 2}, {Pooling::max, 2, 1},
                               {Pooling::max, 3, 3},    {Pooling::max, 3, 2}, {Pooling::average, 2, 2},
                               {Pooling::average, 3, 3}};

NeuronSettings common() {
  NeuronSettings neuron;
  neuron.threshold = 0.8f;
  neuron.rest = -0.25f;
  neuron.alpha = 1.75f;
  return neuron;
}

const Register everything("neurons forward and backward, all settings", [](const KernelTable& kernels) {
  for (const Window& window : kWindows) {
    for (int bits = 0; bits < 16; bits++) {
      for (const Surrogate surrogate : {Surrogate::atan, Surrogate::sigmoid, Surrogate::triangle}) {
        Case c;
        c.neuron = common();
        c.neuron.hardReset = bits & 1;
        c.neuron.detachReset = bits & 2;
        c.neuron.learnAlpha = bits & 4;
        c.leakPerNeuron = bits & 8;
        c.neuron.surrogate = surrogate;
        if (!c.neuron.hardReset) c.neuron.rest = 0;
        c.pooling = window.pooling;
        c.pool = window.pool;
        c.rows = window.rows;
        for (const int width : {1, 7, 13, 16}) {
          c.width = width;
          c.name = "pooling " + std::to_string(static_cast<int>(window.pooling)) + " of " +
                   std::to_string(window.pool) + ", rows " + std::to_string(window.rows) + ", width " +
                   std::to_string(width) + ", surrogate " + std::to_string(static_cast<int>(surrogate)) +
                   ", settings " + std::to_string(bits);
          Run(kernels, c).check();
        }
      }
    }
  }
});

void close(const std::string& what, const std::vector<float>& one, const std::vector<float>& other) {
  compare(what, one.data(), std::vector<double>(other.begin(), other.end()), 1e-6);
}

// A learned slope takes the general way, and changes nothing but its own gradient.
const Register ways("the common neuron's fast way agrees with the general one", [](const KernelTable& kernels) {
  for (const Window& window : {kWindows[0], kWindows[1]}) {
    for (const bool perNeuron : {false, true}) {
      Case c;
      c.neuron = common();
      c.pooling = window.pooling;
      c.pool = window.pool;
      c.rows = window.rows;
      c.width = 15;
      c.leakPerNeuron = perNeuron;
      c.name = "common neuron";
      const Results fast = Run(kernels, c).check();
      c.neuron.learnAlpha = true;
      const Results general = Run(kernels, c).check();
      close("dx", fast.current, general.current);
      close("dL/dv", fast.carried, general.carried);
      close("sums", fast.sums, general.sums);
      close("dL/dleak", fast.leak, general.leak);
    }
  }
});

}  // namespace
}  // namespace plif::test
