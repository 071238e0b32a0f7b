'use strict';
// The addon: build/Release if it was compiled here, otherwise prebuilds/<platform>-<arch>. Throws if there is neither. Tests name another
// binary, such as one with sanitizers.
const { PLIF_NATIVE_BINARY: other } = process.env;
module.exports = other ? require(other) : require('node-gyp-build')(__dirname);
