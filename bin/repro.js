#!/usr/bin/env node
// Checks what must be checked before any modern syntax is parsed, then hands over to the compiled program.
const newestTested = 26;
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || major === 21 || (major === 20 && minor < 19) || (major === 22 && minor < 12)) {
  process.stderr.write(`repro needs Node.js 20.19, 22.12 or later; this is ${process.versions.node}.\n`);
  process.exit(2);
}
if (major > newestTested) {
  process.stderr.write(
    `repro has been tested up to Node.js ${newestTested}; this is ${process.versions.node}, which may behave differently.\n`,
  );
}
// An import would read all exports of these modules, which takes 20 ms.
const { existsSync } = process.getBuiltinModule('node:fs');
const module = process.getBuiltinModule('node:module');
const entry = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(entry)) {
  process.stderr.write(
    'repro is not compiled yet: dist/cli/main.js is missing.\n  Run `npm ci`, or `npm run build` after a pull.\n',
  );
  process.exit(2);
}
module.enableCompileCache?.();
const { main } = await import(entry.href);
await main(process.argv);
