#!/usr/bin/env node
// Hands over to the compiled program.
require('./node-version.js');

/** In characters: below, reading what was kept takes as long as compiling. */
const smallAtMost = 16_384;

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const dist = path.join(path.dirname(__dirname), 'dist');
const entry = path.join(dist, 'cli', 'main.cjs');
if (!fs.existsSync(entry)) {
  process.stderr.write(
    'repro is not compiled yet: dist/cli/main.cjs is missing.\n  Run `npm ci`, or `npm run build` after a pull.\n',
  );
  process.exit(2);
}
// For the rest of the program and the packages that it loads; Node 20 has none.
if (Module.enableCompileCache) Module.enableCompileCache();
loadCompiled();
require(entry).main(process.argv);

/**
 * Loads the CommonJS modules of the program with what V8 made of them before: compiling them takes longer than running them. Node's own
 * compile cache does not exist in Node 20. What was kept is found by the content of a module, and by the version of Node.
 */
function loadCompiled() {
  const { createHash } = require('node:crypto');
  const { pathToFileURL } = require('node:url');
  const vm = require('node:vm');
  const compile = Module.prototype._compile;
  const sha256 = (data) => createHash('sha256').update(data).digest();
  const toKeep = [];
  // Otherwise V8 forgets code that ran once, such as a module's outer function, before it is kept.
  require('node:v8').setFlagsFromString('--no-flush-bytecode');
  process.once('exit', () => {
    // Only now it includes the functions that were called; a run calls most.
    if (process.argv[2] !== 'run') return;
    for (const { file, script } of toKeep) keep(file, script.createCachedData());
  });

  Module.prototype._compile = function (content, filename) {
    if (!filename.startsWith(dist)) return compile.call(this, content, filename);
    const folder = path.dirname(filename);
    const source = `(function (exports, require, module, __filename, __dirname, importModule) { ${content}\n})`;
    const run = compileModule(source, filename).runInThisContext();
    // V8 forgets for what it kept how to import.
    const importModule = (name) =>
      import(name.startsWith('.') ? pathToFileURL(path.resolve(folder, name)).href : name);
    run.call(this.exports, this.exports, (name) => this.require(name), this, filename, folder, importModule);
  };

  function compileModule(source, filename) {
    if (source.length < smallAtMost) return new vm.Script(source, { filename });
    const name = sha256(source).toString('hex').slice(0, 32);
    const file = path.join(dist, 'chunks', `${name}-${process.version}-${process.arch}.code`);
    const cachedData = readKept(file);
    const script = new vm.Script(source, { filename, cachedData });
    if (cachedData === undefined || script.cachedDataRejected) toKeep.push({ file, script });
    return script;
  }

  /** V8 does not notice every kind of damage, so a checksum comes first. */
  function readKept(file) {
    try {
      const content = fs.readFileSync(file);
      const data = content.subarray(32);
      return sha256(data).equals(content.subarray(0, 32)) ? data : undefined;
    } catch {
      return undefined;
    }
  }

  function keep(file, data) {
    const partial = `${file}.${process.pid}`;
    try {
      fs.writeFileSync(partial, Buffer.concat([sha256(data), data]));
      fs.renameSync(partial, file);
    } catch {
      // A folder that cannot be written, or a full disk, costs every command some time.
    }
  }
}
