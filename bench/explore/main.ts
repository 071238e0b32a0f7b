import { existsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../test/browser/chromium.ts';

interface BenchPlaces {
  readonly args: readonly string[];
  readonly project: string;
}

const help = `Times the explorable page in headless Chromium: a network's run on a clip, and frames while the clip plays.

  npm run bench:explore -- [options]

  --page artifacts/report/explore.html
  --runs 20          of the network, each with another τ
  --seconds 20       of playing
  --recompute        also recompute a result
`;

export async function main({ args, project }: BenchPlaces): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      page: { type: 'string', default: path.join(project, 'artifacts/report/explore.html') },
      runs: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '20' },
      recompute: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  if (!existsSync(values.page))
    throw new Error(`${values.page} does not exist: run \`./repro run\` first, or name it with --page.`);
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
  try {
    console.log(
      `Chromium ${browser.version()}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores; load average ${loadavg()[0]!.toFixed(2)}`,
    );
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.addInitScript(WATCH);
    await page.goto(pathToFileURL(values.page).href);
    await page.locator('.layer canvas').first().waitFor();
    await page.waitForTimeout(2000);
    await page.evaluate('watched.frames.length = watched.drawings.length = 0');
    await page.waitForTimeout(1000 * Number(values.seconds));
    const { frames, drawings } = await page.evaluate<Watched>('watched');
    console.log(`between frames while playing  ${summarise(frames)}`);
    console.log(`to draw a step                ${summarise(drawings)}`);
    await page.keyboard.press('Space');
    const answers = await changeTau(page, Number(values.runs));
    console.log(`from a change to its answer   ${summarise(answers)}`);
    if (values.recompute) await recompute(page);
  } finally {
    await browser.close();
  }
}

/** While the clip plays. */
async function recompute(page: Page): Promise<void> {
  await page.keyboard.press('Space');
  const cdp = await page.context().browser()!.newBrowserCDPSession();
  const readProcessorSeconds = async () => {
    const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const [startedMs, before] = [performance.now(), await readProcessorSeconds()];
  await page.evaluate('watched.frames.length = 0');
  await page.getByRole('button', { name: 'Recompute this result' }).click();
  const status = page.locator('.recompute [role=status]').filter({ hasText: /./ });
  await status.waitFor({ timeout: 0 });
  const seconds = (performance.now() - startedMs) / 1000;
  const used = (await readProcessorSeconds()) - before;
  const { frames } = await page.evaluate<Watched>('watched');
  console.log(
    `recomputing a result          ${seconds.toFixed(0)} s, ${used.toFixed(0)} s of processor time with playing: ${await status.textContent()}`,
  );
  console.log(`between frames meanwhile      ${summarise(frames)}`);
}

interface Watched {
  /** All in ms. */
  readonly frames: readonly number[];
  readonly drawings: readonly number[];
  readonly answers: readonly number[];
}

/** Moves the slider for all τ, each time after the answer to the last change. */
async function changeTau(page: Page, runs: number): Promise<Watched['answers']> {
  await page.evaluate('watched.answers.length = 0');
  for (let run = 1; run <= runs; run++) {
    await page.evaluate(`
      const slider = [...document.querySelectorAll('.slider input')][2];
      slider.value = ${run % 2 === 0 ? 0.5 : -0.5};
      slider.dispatchEvent(new Event('input'));
    `);
    const count = () => page.evaluate<number>('watched.answers.length');
    // One more at the first change: the network as trained, for comparison.
    while ((await count()) <= run) await page.waitForTimeout(20);
  }
  return (await page.evaluate<Watched>('watched')).answers.slice(-runs);
}

/** Measures in the page: frames, the script's time in those that show another step, and the answers of the thread. */
const WATCH = `
  window.watched = { frames: [], drawings: [], answers: [] };
  const request = window.requestAnimationFrame.bind(window);
  const step = () => document.querySelector('.player output')?.textContent;
  window.requestAnimationFrame = (act) => request((time) => {
    const [before, started] = [step(), performance.now()];
    act(time);
    if (step() !== before) watched.drawings.push(performance.now() - started);
  });
  let last = 0;
  const tick = (time) => {
    if (last > 0) watched.frames.push(time - last);
    last = time;
    request(tick);
  };
  request(tick);
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (asked) {
    const started = performance.now();
    if (asked.kind === 'run')
      this.addEventListener('message', () => watched.answers.push(performance.now() - started), { once: true });
    postMessage.call(this, asked);
  };
`;

function summarise(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1);
  return `median ${at(0.5)} ms, 95 of 100 under ${at(0.95)} ms, ${sorted.length} measured`;
}
