#pragma once
// A network as a JavaScript object. Steps run on a thread of their own, so that the event loop goes on.

#include <napi.h>

#include <memory>

#include "../network/network.h"

namespace plif {

class NetworkObject : public Napi::ObjectWrap<NetworkObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NetworkObject(const Napi::CallbackInfo& info);

 private:
  void setTensor(const Napi::CallbackInfo& info);
  Napi::Value getTensor(const Napi::CallbackInfo& info);
  Napi::Value bytesFor(const Napi::CallbackInfo& info);
  void reserve(const Napi::CallbackInfo& info);
  Napi::Value trainStep(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  void abort(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  /// The network, if it is neither in use nor disposed of.
  Network& idle() const;
  struct Batch;
  Batch readBatch(const Napi::CallbackInfo& info, std::size_t samplesAt) const;

  std::shared_ptr<Network> network_;
  /// Shared with the step in progress, which outlives this object if that is collected.
  std::shared_ptr<bool> busy_ = std::make_shared<bool>(false);
};

}  // namespace plif
