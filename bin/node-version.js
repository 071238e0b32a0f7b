// Whether this version of Node can run the project, before anything that an old one cannot parse: for bin/repro.js and `npm ci`.
const newestTested = 26;
const version = process.versions.node;
const [major, minor] = version.split('.').map(Number);
if (major < 20 || major === 21 || (major === 20 && minor < 19) || (major === 22 && minor < 12)) {
  process.stderr.write(`repro needs Node.js 20.19, 22.12 or later; this is ${version}.\n`);
  process.exit(2);
}
if (major > newestTested) {
  process.stderr.write(
    `repro has been tested up to Node.js ${newestTested}; this is ${version}, which may behave differently.\n`,
  );
}
