import type { Audit, AuditedFile, AuditedMetric, AuditedOutput } from '../../runner/extras/audit/audit.ts';
import type { Colors } from '../view/colors.ts';
import { formatSeconds } from '../view/format.ts';
import { toOneLine } from '../view/safe-text.ts';

/** More files of an output than this are counted only. */
const filesAtMost = 10;

/** An audit for people. */
export function describeAudit(audit: Audit, runs: number, colors: Colors): string[] {
  const { id, outcome, isSame, outputs, metrics } = audit;
  if (outcome !== 'ok') return [colors.red(`${id} ${outcome}, so there is nothing to compare`)];
  const times = audit.seconds.map(formatSeconds).join(', ');
  const verdict = isSame
    ? colors.green(`${id} computes the same again`)
    : colors.red(`${id} does not compute the same again`);
  return [
    `${verdict} (${runs} runs: ${times})`,
    ...(audit.isAsRecorded === false
      ? [
          colors.red('  differs from the recorded result of the same code, inputs and parameters:'),
          '    it may depend on something that it does not declare; `repro run --trace --force` shows what it touches',
        ]
      : []),
    ...outputs.flatMap((output) => describeOutput(output, runs)),
    ...metrics.flatMap((metric) => describeMetric(metric, colors)),
  ];
}

function describeOutput({ path, digests, files }: AuditedOutput, runs: number): string[] {
  if (new Set(digests).size === 1) return [`  ${toOneLine(path)}: equal to the byte in all ${runs} runs`];
  const lines = [
    `  ${toOneLine(path)}: ${files.length === 1 ? 'one difference' : `${files.length} differences`}`,
  ];
  for (const file of files.slice(0, filesAtMost)) lines.push(...describeFile(file, runs));
  if (files.length > filesAtMost) lines.push(`    and ${files.length - filesAtMost} more: --json lists all`);
  return lines;
}

function describeFile({ path, change, run, difference }: AuditedFile, runs: number): string[] {
  const name = path === '' ? 'the file' : toOneLine(path);
  const which = runs === 2 ? '' : ` (run ${run})`;
  if (change === 'only-in-first') return [`    ${name} is only in the first run${which}`];
  if (change === 'not-in-first') return [`    ${name} is not in the first run${which}`];
  if (change === 'empty-folder') return [`    an empty folder is not in all runs${which}`];
  if (difference === null) return [`    ${name} differs${which}`];
  const { firstByte, sizes, details } = difference;
  const size = sizes[0] === sizes[1] ? '' : `, ${sizes[0]} and ${sizes[1]} bytes long`;
  return [
    `    ${name} differs from byte ${firstByte} on${size}${which}`,
    ...details.map((detail) => `      ${toOneLine(detail)}`),
  ];
}

function describeMetric(
  { name: given, values, tolerance, isWithin, distance }: AuditedMetric,
  colors: Colors,
): string[] {
  const name = toOneLine(given);
  const shown = values.map((value) => (value === null ? 'none' : toOneLine(String(value)))).join(', ');
  if (tolerance === null) return isWithin ? [] : [`  metric ${name}: ${shown}`];
  const bound = `${distance === null ? '' : `apart by ${distance}, `}allowed ${tolerance}`;
  const line = `  metric ${name}: ${shown} (${bound})`;
  return [isWithin ? line : colors.red(line)];
}
