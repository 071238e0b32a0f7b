'use strict';
// A short digest of everything that plif.wasm is compiled from, and of the JavaScript around it; build.sh bakes it in.
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');

/** @returns {string} the first 12 hex digits of sha256 over the sources, sorted by name */
function sourceDigest() {
  const sources = ['src/kernels', 'src/network', 'src/threads', 'wasm']
    .flatMap((folder) => readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`))
    .filter((name) => /\.(cc|h|sh|mjs)$/.test(name));
  const hash = createHash('sha256');
  for (const name of sources.sort())
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(root, name)))
      .update('\0');
  return hash.digest('hex').slice(0, 12);
}

module.exports = { sourceDigest };

if (require.main === module) process.stdout.write(sourceDigest());
