// The engine with more threads than cores: trains small networks and compares their bits with those of one thread, and
// lets runs fail and be aborted. scripts/threads.mjs compiles it with ThreadSanitizer. With `--size S --channels C
// --steps T --samples N --threads K` it trains one network once and prints its digest, for valgrind and perf.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "../../src/kernels/detect.h"
#include "../../src/network/network.h"

namespace plif::test {
namespace {

struct Case {
  const char* title;
  int size, channels, samples, frameSteps;
  TauPer per;
  bool learnAlpha;
  Pooling pooling;
  int repeats = 0;  ///< of a still image, after the first batch norm
  WinogradTile tile = WinogradTile::k2x2;
};

/// FNV-1a of everything that is added.
struct Digest {
  std::uint64_t value = 0xcbf29ce484222325u;
  void add(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; i++) value = (value ^ from[i]) * 0x100000001b3u;
  }
};

/// Numbers from 0 to 1.
struct Random {
  std::uint64_t state;
  float next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(state >> 40) / static_cast<float>(1 << 24);
  }
};

/// Three blocks of convolution, batch norm, neurons and pooling, and a linear layer, as in the thesis.
NetworkSpec networkOf(const Case& one) {
  NetworkSpec spec{2, one.size, one.size, 3, {}};
  const auto add = [&](LayerKind kind, const char* name) -> LayerSpec& {
    spec.layers.emplace_back();
    spec.layers.back().kind = kind;
    spec.layers.back().name = name + std::to_string(spec.layers.size());
    return spec.layers.back();
  };
  const auto addNeurons = [&](int channels, int size) {
    LayerSpec& neuron = add(LayerKind::neuron, "neuron");
    neuron.learnTau = true;
    neuron.tauPer = one.per;
    neuron.neuron.learnAlpha = one.learnAlpha;
    neuron.neurons = static_cast<std::int64_t>(channels) * size * size;
  };
  int channels = 2;
  int size = one.size;
  for (int block = 0; block < 3; block++, size /= 2, channels = one.channels) {
    LayerSpec& conv = add(LayerKind::conv, "conv");
    conv.inChannels = channels;
    conv.outChannels = one.channels;
    conv.kernel = 3;
    conv.padding = 1;
    LayerSpec& norm = add(LayerKind::batchNorm, "norm");
    norm.channels = one.channels;
    norm.momentum = 0.1;
    norm.epsilon = 1e-5;
    if (block == 0 && one.repeats > 0) add(LayerKind::repeat, "repeat").steps = one.repeats;
    addNeurons(one.channels, size);
    LayerSpec& pool = add(LayerKind::pool, "pool");
    pool.pooling = one.pooling;
    pool.size = 2;
  }
  add(LayerKind::flatten, "flatten");
  add(LayerKind::dropout, "dropout");
  LayerSpec& linear = add(LayerKind::linear, "linear");
  linear.inFeatures = channels * size * size;
  linear.outFeatures = 6;
  addNeurons(6, 1);
  add(LayerKind::vote, "vote").group = 2;
  return spec;
}

std::uint64_t train(const Case& one, const KernelTable& kernels, int threads, int count) {
  const NetworkSpec spec = networkOf(one);
  Network network(spec, threads, kernels, one.tile);
  Random random{1};
  for (const auto& parameter : network.parameters().all()) {
    std::vector<float> values(parameter->layout.elements());
    const bool isWeight = parameter->name.find("weight") != std::string::npos;
    const float scale = parameter->name[0] == 'n' ? 0.4f : 0.25f;
    for (float& value : values) value = scale * (2 * random.next() - 1) + (parameter->name[0] == 'n' && isWeight);
    parameter->layout.pack(values.data(), parameter->value.data());
    if (parameter->name.find("alpha") != std::string::npos) parameter->value[0] = 2;
    if (parameter->name.find("running_var") != std::string::npos)
      std::fill(parameter->value.data(), parameter->value.data() + parameter->value.size(), 1.0f);
  }
  std::vector<std::uint8_t> frames(static_cast<std::size_t>(one.samples) * one.frameSteps * 2 * one.size * one.size);
  for (auto& value : frames) value = random.next() < 0.1f;
  std::vector<std::int32_t> labels(one.samples);
  for (int i = 0; i < one.samples; i++) labels[i] = i % spec.classes;
  std::vector<float> mask(network.dropoutFeatures()[0] * one.samples);
  for (float& value : mask) value = random.next() < 0.5f ? 0.0f : 2.0f;
  Digest digest;
  for (int step = 1; step <= count; step++) {
    TrainOptions options;
    options.learningRate = 0.01;
    options.lambdas.assign(network.spikingLayers(), one.per == TauPer::layer ? 0 : 0.1);
    options.step = step;
    network.begin();
    const TrainResult result = network.trainStep({FrameType::uint8, frames.data()}, one.samples, one.frameSteps,
                                                 labels.data(), {mask.data()}, options);
    digest.add(&result.loss, sizeof result.loss);
  }
  for (const auto& parameter : network.parameters().all()) {
    for (auto* array : {&parameter->value, &parameter->gradient, &parameter->second})
      digest.add(array->data(), array->size() * sizeof(float));
  }
  return digest.value;
}

/// Runs of every length, one after the other; some throw, some are aborted. Each item must run once, or, after a throw
/// or an abort, at most once.
bool stressPool(int threads, int rounds) {
  Pool pool(threads);
  for (int round = 0; round < rounds; round++) {
    std::vector<int> calls(round % 97);
    const std::int64_t middle = static_cast<std::int64_t>(calls.size()) / 2;
    const bool throws = round % 5 == 0;
    const bool aborts = round % 7 == 0 && !throws;
    bool failed = false;
    pool.begin();
    try {
      pool.run(static_cast<std::int64_t>(calls.size()), [&](std::int64_t item, int) {
        calls[item]++;
        if (item != middle) return;
        if (aborts) std::thread([&] { pool.abort(); }).join();
        if (throws) throw std::runtime_error("item");
      });
    } catch (const std::exception&) {
      failed = true;
    }
    if (failed != ((throws || aborts) && !calls.empty())) return false;
    for (const int count : calls)
      if (count > 1 || (count == 0 && !failed)) return false;
  }
  return true;
}

constexpr Case kCases[] = {
    {"tau per neuron", 18, 20, 3, 3, TauPer::neuron, false, Pooling::max},
    {"tau per layer", 17, 70, 9, 4, TauPer::layer, false, Pooling::max},
    {"tau per channel, averages", 12, 20, 9, 4, TauPer::channel, false, Pooling::average},
    {"slopes learned", 12, 70, 2, 3, TauPer::layer, true, Pooling::max},
    {"still images, large tiles", 14, 40, 19, 1, TauPer::neuron, false, Pooling::max, 3, WinogradTile::k4x4},
};

int numberAfter(int argc, char** argv, const char* name, int otherwise) {
  for (int i = 1; i + 1 < argc; i++)
    if (std::strcmp(argv[i], name) == 0) return std::atoi(argv[i + 1]);
  return otherwise;
}

}  // namespace
}  // namespace plif::test

int main(int argc, char** argv) {
  using namespace plif;
  using namespace plif::test;
  const char* isa = std::getenv("REPRO_ISA");
  bool ok = true;
  for (const KernelTable* kernels : availableKernels()) {
    if (isa != nullptr && std::strcmp(isa, kernels->name) != 0) continue;
    if (argc > 1) {
      const Case one{"", numberAfter(argc, argv, "--size", 128), numberAfter(argc, argv, "--channels", 128),
                     numberAfter(argc, argv, "--samples", 2), numberAfter(argc, argv, "--steps", 20),
                     TauPer::neuron, false, Pooling::max};
      const int threads = numberAfter(argc, argv, "--threads", 1);
      std::printf("%s %016llx\n", kernels->name, static_cast<unsigned long long>(train(one, *kernels, threads, 1)));
      continue;
    }
    for (const Case& one : kCases) {
      const std::uint64_t wanted = train(one, *kernels, 1, 2);
      std::printf("%s %s %016llx", kernels->name, one.title, static_cast<unsigned long long>(wanted));
      for (const int threads : {2, 3, 16, 64}) {
        const bool same = train(one, *kernels, threads, 2) == wanted;
        if (!same) std::printf(", not with %d threads", threads);
        ok = ok && same;
      }
      std::printf("\n");
    }
  }
  for (const int threads : {2, 16, 64}) {
    const bool right = stressPool(threads, 300);
    if (!right) std::printf("a run on %d threads went wrong\n", threads);
    ok = ok && right;
  }
  return ok ? 0 : 1;
}
