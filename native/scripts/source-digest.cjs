'use strict';
// A short digest of everything that a binary is compiled from, which is baked into it, so that it can be told from its sources: the addon's
// (binding.gyp), or with `wasm` that of plif.wasm and the JavaScript around it (wasm/build.sh).
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');

/** The files below these folders with such a name, sorted. */
function listFiles(folders, names) {
  return folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((name) => names.test(name))
    .sort();
}

/** The first 12 hex digits of sha256 over names and contents. */
function digestOf(files) {
  const hash = createHash('sha256');
  for (const name of files) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(path.join(root, name)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

/** @returns {string} */
const sourceDigest = () => digestOf(['binding.gyp', ...listFiles(['src'], /\.(cc|h)$/)]);

/** @returns {string} */
const wasmDigest = () =>
  digestOf(
    listFiles(['src/kernels', 'src/network', 'src/threads', 'wasm'], /(\.(cc|h|sh)|^wasm\/\w+\.mjs)$/),
  );

module.exports = { sourceDigest, wasmDigest };

if (require.main === module) {
  process.stdout.write(process.argv[2] === 'wasm' ? wasmDigest() : sourceDigest());
}
