import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Flags for a headless browser that also work as root and without a GPU. */
export const CHROMIUM_FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

/**
 * The browser to test with: `CHROMIUM_PATH`, or the first of Chromium and Chrome on the PATH.
 *
 * @throws {Error} that says which package to install
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.CHROMIUM_PATH;
  const candidates =
    named === undefined
      ? (environment.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
      : [named];
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    named === undefined
      ? 'No Chromium on the PATH. Install the package "chromium" (Debian, Ubuntu, Fedora: `apt-get install chromium` or `dnf install chromium`), or set CHROMIUM_PATH to a Chromium or Chrome.'
      : `CHROMIUM_PATH is ${named}, which is not an executable program. Set it to a Chromium or Chrome, or unset it and install the package "chromium".`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
