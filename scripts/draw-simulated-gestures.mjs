// Draws docs/images/simulated-gestures.svg: a few simulated gestures as rows of snapshots. Run: node scripts/draw-simulated-gestures.mjs
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const TARGET = path.join(ROOT, 'docs/images/simulated-gestures.svg');
const RECORDING = { seed: 1, user: 1, light: 'natural', gestureSeconds: 1 };
const ROWS = [
  { title: 'hand clapping', label: 1 },
  { title: 'right hand wave', label: 2 },
  { title: 'right arm clockwise', label: 4 },
  { title: 'right arm counter-clockwise', label: 5 },
  { title: 'arm roll', label: 8 },
  { title: 'air guitar', label: 10 },
];
const MOMENTS = 7;
/** The first moment begins after the person has reacted. */
const FIRST_MS = 160;
const STEP_MS = 110;
/** Longer moments would smear the arms. */
const MOMENT_MS = 45;
const TILE = 128;
const GAP = 4;
const LEFT = 128;
const TOP = 46;
const SCALE = 0.75;

/** Bundles the simulation, because Node 20 does not run TypeScript. */
async function loadSimulation() {
  const folder = await mkdtemp(path.join(tmpdir(), 'draw-simulated-'));
  try {
    const outfile = path.join(folder, 'recording.mjs');
    const entry = path.join(ROOT, 'src/data/simulated/recording.ts');
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** ON minus OFF events of each pixel in [from, to). */
function countEvents(events, fromUs, toUs) {
  const counts = new Int16Array(TILE * TILE);
  for (let i = 0; i < events.tUs.length; i++) {
    if (events.tUs[i] < fromUs || events.tUs[i] >= toUs) continue;
    counts[events.y[i] * TILE + events.x[i]] += events.p[i] === 1 ? 1 : -1;
  }
  return counts;
}

/** One path of horizontal runs, relative moves, of the pixels whose count has this sign. */
function drawRuns(counts, sign) {
  let data = '';
  let [penX, penY] = [0, 0];
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      if (counts[y * TILE + x] * sign <= 0) continue;
      let end = x + 1;
      while (end < TILE && counts[y * TILE + end] * sign > 0) end++;
      data += `m${x - penX} ${y - penY}h${end - x}`;
      [penX, penY] = [end, y];
      x = end;
    }
  }
  return data.replaceAll(' -', '-');
}

function drawTile(events, fromUs, column, row) {
  const counts = countEvents(events, fromUs, fromUs + MOMENT_MS * 1000);
  const place = `translate(${LEFT + column * (TILE * SCALE + GAP)} ${TOP + row * (TILE * SCALE + GAP)}) scale(${SCALE})`;
  const paths = [
    ['on', 1],
    ['off', -1],
  ].map(([name, sign]) => `<path class="${name}" d="M0 .5${drawRuns(counts, sign)}"/>`);
  return `<g transform="${place}"><rect width="${TILE}" height="${TILE}"/>${paths.join('')}</g>`;
}

function drawSheet(recording) {
  const width = LEFT + MOMENTS * (TILE * SCALE + GAP) + 8;
  const height = TOP + ROWS.length * (TILE * SCALE + GAP) + 8;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Simulated gestures: events of six gestures, seven moments each</title>',
    '<style>text{font:12px system-ui,sans-serif;fill:#24292f}.page{fill:#fff}rect{fill:#12151b}path{fill:none;stroke-width:1}' +
      '.on{stroke:#ffb454}.off{stroke:#4aa3ff}.key-on{fill:#e08a1e}.key-off{fill:#2f7fd6}</style>',
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    `<text x="12" y="22" font-weight="600" style="font-size:14px">Simulated gestures (no camera, no people)</text>`,
    `<text x="12" y="39">${MOMENT_MS} ms of events every ${STEP_MS} ms; <tspan class="key-on">brighter (ON)</tspan>, ` +
      `<tspan class="key-off">darker (OFF)</tspan></text>`,
  ];
  for (const [row, { title, label }] of ROWS.entries()) {
    const { startUs } = recording.labels.find((candidate) => candidate.class === label);
    const words = title.split(' ');
    const lines = words.length > 2 ? [words.slice(0, 2).join(' '), words.slice(2).join(' ')] : [title];
    const middle = TOP + row * (TILE * SCALE + GAP) + (TILE * SCALE) / 2 - (lines.length - 1) * 8;
    for (const [line, text] of lines.entries()) {
      parts.push(`<text x="12" y="${middle + 4 + 16 * line}">${text}</text>`);
    }
    for (let moment = 0; moment < MOMENTS; moment++) {
      parts.push(drawTile(recording.events, startUs + (FIRST_MS + moment * STEP_MS) * 1000, moment, row));
    }
  }
  return `${parts.join('\n')}\n</svg>\n`;
}

const { simulateRecording } = await loadSimulation();
await writeFile(TARGET, drawSheet(simulateRecording(RECORDING)));
