// Asks each address in the data sets' lists of files for the first bytes; names those that do not send them, and exits with 1.
//   node scripts/check-links.mjs                  all addresses
//   node scripts/check-links.mjs ADDRESS...       these

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { EnvHttpProxyAgent, interceptors, request } from 'undici';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '..');
const dispatcher = new EnvHttpProxyAgent().compose(interceptors.redirect({ maxRedirections: 10 }));
/** How a file begins, by its ending. */
const beginnings = { '.zip': Buffer.from('PK'), '.gz': Buffer.of(0x1f, 0x8b) };

/** Every address, with the name of its file. */
function listLinks() {
  const folder = path.join(root, 'configs/datasets');
  const facts = fs.readdirSync(folder).map((name) => parse(fs.readFileSync(path.join(folder, name), 'utf8')));
  return facts
    .flatMap(({ files = [] }) => files)
    .flatMap(({ name, urls = [], zipUrl }) => [...urls, zipUrl ?? []].flat().map((url) => ({ name, url })));
}

/** What is wrong with an address; null if nothing is. */
async function explain({ name, url }) {
  const headers = { range: 'bytes=0-63', 'user-agent': 'plif-repro' };
  const { statusCode, body } = await request(url, {
    dispatcher,
    headers,
    signal: AbortSignal.timeout(60_000),
  });
  // A server without ranges sends all of it.
  body.on('error', () => {});
  try {
    if (statusCode !== 200 && statusCode !== 206) return `the server answers ${statusCode}`;
    const { value: first } = await body[Symbol.asyncIterator]().next();
    if (first === undefined) return 'the server sends nothing';
    const kind = path.extname(name);
    return beginnings[kind]?.equals(first.subarray(0, 2)) === false
      ? `the server sends no ${kind} file`
      : null;
  } finally {
    body.destroy();
  }
}

const own = process.argv.slice(2).map((url) => ({ name: path.basename(new URL(url).pathname), url }));
const links = own.length > 0 ? own : listLinks();
const problems = await Promise.all(
  links.map((link) => explain(link).catch((error) => error.cause?.message ?? error.message)),
);
for (const [i, problem] of problems.entries()) {
  if (problem !== null) console.log(`${links[i].name}  ${links[i].url}: ${problem}`);
}
const gone = problems.filter((problem) => problem !== null).length;
console.log(`${links.length} asked, ${gone} without their file.`);
process.exit(gone > 0 ? 1 : 0);
