#pragma once

#include <napi.h>

namespace plif {

/// `areRegular` and `countEvents`, as src/network/addon/event-addon.ts describes them.
void defineEventFunctions(Napi::Env env, Napi::Object exports);

}  // namespace plif
