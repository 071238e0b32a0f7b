// The figure of docs/results.md, docs/images/arms.svg: all arms of all questions that were answered, on one axis.
import { escapeMarkup, wrapText } from '../../src/base/text.ts';
import type { Panel } from '../../src/report/drawing/figure.ts';
import { renderFigure } from '../../src/report/drawing/render.ts';
import { colorVariable } from '../../src/report/drawing/theme.ts';
import {
  DIFFERENCE_TITLES,
  DIFFERENCE_VERDICTS,
  type DifferenceVerdict,
} from '../../src/verdicts/verdicts.ts';
import { formatPoints } from '../../src/verdicts/words.ts';
import { type KeptEndpoint, kindOf, listEndpoints, readConfig } from './questions.ts';

const COLORS: Readonly<Record<DifferenceVerdict, string>> = {
  different: 'vermilion',
  slight: 'amber',
  equivalent: 'blue',
  undecided: 'grey',
};

/** Differences in points on the axis, which is linear up to about two and logarithmic beyond. */
const TICKS = [-50, -20, -5, -2, 0, 2, 5, 20, 50];
const LINEAR_TO = 0.02;

/** Of a column, in px: two side by side are as wide as a README. */
const WIDTH = 405;
const LABELS = 202;
/** So that no dot is cut off. */
const PADDING = 6;
const ROW = 17;
const LINE = 16;
const GAP = 10;
const AXIS = 36;
/** Characters of a line of a heading, generously: fonts differ. */
const HEADING_LENGTH = 42;
const AXIS_TEXT = 'text-anchor="middle" font-size="11" opacity="0.8"';

/** An endpoint, and the lines above it. */
interface Group extends KeptEndpoint {
  readonly heading: readonly string[];
  /** What its data are, on the right of the heading. */
  readonly kind: string;
}

export async function drawArms(root: string): Promise<string> {
  const groups = listEndpoints(root).map(({ profile, ...endpoint }): Group => {
    const { clips, baseline } = endpoint;
    const arms = endpoint.arms.filter(({ speaker }) => speaker === undefined);
    const { title } = readConfig(root, `profiles/${profile}`).report;
    const heading = clips === null ? `${title} (compared with\u00a0${baseline})` : `On ${clips}`;
    return {
      ...endpoint,
      arms,
      kind: kindOf(root, profile),
      heading: wrapText(heading, HEADING_LENGTH).split('\n'),
    };
  });
  const ends = groups.flatMap(({ arms }) => arms.flatMap(({ low, high }) => [low ?? 0, high ?? 0]));
  const reach = Math.max(...ends.map(Math.abs));
  // So that the longer column is as short as it can be; endpoints of a profile stay together.
  const longer = (at: number): number => Math.max(heightOf(groups.slice(0, at)), heightOf(groups.slice(at)));
  const split = groups.reduce(
    (best, { clips }, at) => (clips === null && longer(at) < longer(best) ? at : best),
    0,
  );
  const figure = {
    ...{ id: 'arms', title: 'Accuracy with other kinds of τ, each compared with its baseline', caption: '' },
    alt: groups
      .map((group) => {
        const said = group.arms.map(
          (arm) => `${nameOf(arm, group)} ${formatPoints(arm.difference)}, ${DIFFERENCE_TITLES[arm.verdict]}`,
        );
        return `${group.heading.join(' ')}, ${group.kind}: ${said.join(', ')}.`;
      })
      .join(' '),
    legend: DIFFERENCE_VERDICTS.filter((verdict) =>
      groups.some(({ arms }) => arms.some((arm) => arm.verdict === verdict)),
    ).map((verdict) => ({
      ...{ label: DIFFERENCE_TITLES[verdict], color: COLORS[verdict], mark: 'dot' as const },
    })),
    panels: [groups.slice(0, split), groups.slice(split)].map((column) => drawColumn(column, reach)),
    ...{ columns: 2, data: [] },
  };
  return (await renderFigure(figure, null)).sheet;
}

function heightOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { heading, arms }) => sum + heading.length * LINE + arms.length * ROW + GAP, 0);
}

/** Says what it is compared with, where that is not the baseline in the heading. */
function nameOf({ model, baseline }: KeptEndpoint['arms'][number], group: Group): string {
  return baseline === group.baseline ? model : `${model} against ${baseline}`;
}

/** @param reach the largest difference on the axis, either way */
function drawColumn(groups: readonly Group[], reach: number): Panel {
  const scale = (WIDTH - LABELS - 2 * PADDING) / 2 / Math.log1p(reach / LINEAR_TO);
  const middle = (LABELS + WIDTH) / 2;
  const placeOf = (difference: number): number =>
    Math.round(middle + scale * Math.sign(difference) * Math.log1p(Math.abs(difference) / LINEAR_TO));
  const ticks = TICKS.filter((points) => Math.abs(points) <= 100 * reach);
  const parts = groups.flatMap((group, at) => {
    const top = heightOf(groups.slice(0, at));
    const first = top + group.heading.length * LINE;
    const last = first + group.arms.length * ROW;
    const [low, high] = [-group.margin, group.margin].map(placeOf);
    const bold = group.clips === null ? 'font-weight="600"' : '';
    return [
      ...group.heading.map((line, index) => write(line, 0, top + index * LINE + 12, bold)),
      group.clips === null
        ? write(group.kind, WIDTH - PADDING, top + 12, 'text-anchor="end" font-size="11" opacity="0.8"')
        : '',
      `<path d="M${low},${first}H${high}V${last}H${low}Z" fill-opacity="0.1"/>`,
      ...ticks.map((points) => {
        const opacity = points === 0 ? 0.6 : 0.13;
        return `<path d="M${placeOf(points / 100)},${first}V${last}" stroke="currentColor" stroke-opacity="${opacity}"/>`;
      }),
      ...group.arms.flatMap((arm, index) => {
        const y = first + (index + 0.5) * ROW;
        const color = colorVariable(COLORS[arm.verdict]);
        const [from, value, to] = [arm.low ?? 0, arm.difference, arm.high ?? 0].map(placeOf);
        return [
          write(nameOf(arm, group), LABELS - 8, y + 4, 'text-anchor="end"'),
          arm.low === null
            ? ''
            : `<path d="M${from},${y}H${to}" stroke="${color}" stroke-width="1.5" stroke-opacity="0.65"/>`,
          `<circle cx="${value}" cy="${y}" r="4" fill="${color}"/>`,
        ];
      }),
    ];
  });
  const end = heightOf(groups);
  const axis = [
    ...ticks.map((points) =>
      write(String(points).replace('-', '−'), placeOf(points / 100), end + 6, AXIS_TEXT),
    ),
    write('percentage points more accurate', middle, end + 24, AXIS_TEXT),
  ];
  const spec = `<svg width="${WIDTH}" height="${end + AXIS}" font-size="12">${[...parts, ...axis].join('')}</svg>`;
  return { title: '', width: WIDTH, height: end + AXIS, spec };
}

function write(text: string, x: number, y: number, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeMarkup(text)}</text>`;
}
