import { existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { formatPlace, type SourcePosition } from '../../schema/problems.ts';
import { packageNameOf } from '../freshness/locked-packages.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';

/** What Node says if a package is not installed; the importer is the bundle, which nobody wrote. */
const missingPackage = /Cannot find package '([^']+)' imported from /;

/** How a stage's process failed, with the place to mend it where the process does not know that. */
export async function explainEnd(
  session: Session,
  instance: StageInstance,
  { code, text }: { readonly code: string; readonly text: string },
): Promise<string> {
  if (code === 'timeout') {
    return placed(instance.timeAt ?? instance.at, `${text}\n  Raise it.`);
  }
  if (code === 'command-not-found') return placed(instance.commandAt ?? instance.at, text);
  const [, name] = missingPackage.exec(text) ?? [];
  return name === undefined || instance.command.kind !== 'module'
    ? text
    : await explainMissingPackage(session, instance.command.path, packageNameOf(name));
}

function placed(at: SourcePosition, text: string): string {
  return `${formatPlace(at)}  ${text}`;
}

async function explainMissingPackage(session: Session, module: string, name: string): Promise<string> {
  const { projectRoot } = session.plan;
  const { files } = await session.closures.find(module);
  // The first line that names the package, or a file of it.
  const named = ["'", '"'].flatMap((quote) => [`${quote}${name}${quote}`, `${quote}${name}/`]);
  const places = Object.keys(files).flatMap((file) => {
    const lines = readFileSync(path.join(projectRoot, file), 'utf8').split('\n');
    const at = lines.findIndex((line) => named.some((one) => line.includes(one)));
    return at < 0 ? [] : [`${file}:${at + 1}`];
  });
  const manifest = path.join(projectRoot, 'package.json');
  const isListed = existsSync(manifest) && readFileSync(manifest, 'utf8').includes(`"${name}":`);
  return `${places[0] ?? module}  package "${name}" is not installed\n  ${isListed ? 'npm ci' : `npm install ${name}`}`;
}

/** With less than this left, hardly anything can be written. */
const fullBelowBytes = 256 * 1024;

/** What to tell about a failed stage whose disk is full: its own message may be no more than `I/O error`; null if it is not. */
export async function describeFullDisk(folder: string): Promise<string | null> {
  try {
    const { bavail, bsize } = await fs.statfs(folder);
    return bavail * bsize < fullBelowBytes
      ? `the disk is full: ${Math.floor((bavail * bsize) / 1024)} KiB are left for ${folder}. Free some space (\`./repro gc\` removes old results), then run again.`
      : null;
  } catch {
    return null;
  }
}
