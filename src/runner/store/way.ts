import { lstatSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { hashText } from '../../base/files/canonical-json.ts';
import { readStamp, scanTree } from './tree.ts';

/** A folder or a link on the way to a file; times in ns since 1970, as decimal text. */
interface Step {
  readonly isLink: boolean;
  readonly ino: string;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
}

/** Everything on the ways to some paths, by its absolute path without links. */
export type Way = Readonly<Record<string, Step>>;

/**
 * What tells, without reading it, whether a path has been written to: size, times, inode of each of its files, and of its folders, to which a
 * file may come and go.
 *
 * @param way gets what is on the way to it, and to what links in it lead to
 * @returns a digest
 */
export async function stampPath(target: string, way: Record<string, Step> = {}): Promise<string> {
  const { kind, files, folders, links } = await scanTree(target);
  for (const one of [target, ...links]) addWay(one, way);
  const stamps = [
    kind,
    files.map(({ path: name, stamp }) => [name, stamp]),
    folders.map((one) => [path.relative(target, one), readStamp(one)]),
  ];
  return hashText(JSON.stringify(stamps));
}

/** As many as Linux follows. */
const linksAtMost = 40;

/** Adds what is on the way to a path, up to where it ends or leads nowhere. */
export function addWay(target: string, way: Record<string, Step>): void {
  const { root } = path.parse(target);
  let at = root;
  let links = 0;
  const names = splitPath(target);
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = path.join(at, name);
    const stats = lstatSync(next, { bigint: true, throwIfNoEntry: false });
    const isLink = stats?.isSymbolicLink() === true;
    if (stats === undefined || !(isLink || stats.isDirectory()) || links > linksAtMost) return;
    const { ino, mtimeNs, ctimeNs } = stats;
    way[next] ??= { isLink, ino: `${ino}`, mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}` };
    if (isLink) {
      const leadsTo = readlinkSync(next);
      links += 1;
      names.unshift(...splitPath(leadsTo));
      if (path.isAbsolute(leadsTo)) at = root;
    } else at = next;
  }
}

function splitPath(text: string): string[] {
  return text.split(path.sep).filter((name) => name !== '');
}

/**
 * What on the way may have been another for a while; null if nothing was. A file that comes into a folder changes its times too, both to the
 * same, while a folder that is renamed keeps its time of modification, and changes that of its parent. Devices are not compared: they have
 * other numbers after a restart, and on other nodes of a cluster.
 */
export function findDetour(before: Way, now: Way): string | null {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  for (const name of names) {
    const [then, step] = [before[name], now[name]];
    if (then === undefined || step?.ino !== then.ino || step.isLink !== then.isLink) return name;
    if (step.ctimeNs === then.ctimeNs) continue;
    const parent = path.dirname(name);
    const isParentSame = before[parent] !== undefined && before[parent].mtimeNs === now[parent]?.mtimeNs;
    if (step.isLink || (step.ctimeNs !== step.mtimeNs && !isParentSame)) return name;
  }
  return null;
}
