#pragma once
// A function that JavaScript calls by this name (instance.mjs).
#define EXPORT(name) extern "C" __attribute__((export_name(name)))
