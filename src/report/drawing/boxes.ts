import type { Panel } from './figure.ts';
import { colorVariable } from './palette.ts';
import { linear, nominal } from './theme.ts';

/** A box with a line or two of text. All lengths are px, from the left and from the top. */
export interface DrawnBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly label: string;
  /** Below the label; empty for none. */
  readonly detail: string;
  /** How dark it is, from 0 to 1. */
  readonly shade: number;
  readonly stroke: 'ink' | 'grey';
  readonly isDashed: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

interface BoxDrawing {
  readonly title?: string;
  readonly width: number;
  readonly height: number;
  readonly boxHeight: number;
  readonly labelSize: number;
  readonly boxes: readonly DrawnBox[];
  /** Each from its start to its head. */
  readonly arrows: readonly (readonly Point[])[];
  readonly isCurved: boolean;
  /** Texts beside the arrows. */
  readonly notes?: readonly (Point & { readonly text: string })[];
}

/** The centre of an arrow's head is so far before its end. */
const HEAD_PX = 4;

/** Boxes and arrows as a panel. */
export function drawBoxes(drawing: BoxDrawing): Panel {
  const { title = '', width, height, boxHeight, labelSize, arrows, isCurved, notes = [] } = drawing;
  const x = linear('x', [0, width], null);
  const y = linear('y', [height, 0], null);
  const grey = colorVariable('grey');
  const boxes = drawing.boxes.map((box) => ({
    ...box,
    x: box.left + box.width / 2,
    right: box.left + box.width,
    bottom: box.top + boxHeight,
    labelAt: box.top + (box.detail === '' ? boxHeight / 2 : boxHeight / 2 - 7),
    detailAt: box.top + boxHeight / 2 + 8,
    color: colorVariable(box.stroke),
  }));
  const heads = arrows.map((way) => {
    const [before, end] = [way.at(-2), way.at(-1) ?? { x: 0, y: 0 }];
    return before?.x === end.x || isCurved
      ? { x: end.x, y: end.y - HEAD_PX, angle: 180 }
      : { x: end.x - HEAD_PX, y: end.y, angle: 90 };
  });
  const rect = (isDashed: boolean) => ({
    data: { values: boxes.filter((box) => box.isDashed === isDashed) },
    mark: {
      type: 'rect' as const,
      cornerRadius: 5,
      fill: 'currentColor',
      strokeDash: isDashed ? [4, 3] : [1, 0],
      opacity: 1,
    },
    encoding: {
      x: { ...x, field: 'left' },
      x2: { field: 'right' },
      y: { ...y, field: 'top' },
      y2: { field: 'bottom' },
      stroke: { ...nominal('color'), scale: null },
      fillOpacity: { field: 'shade', type: 'quantitative' as const, scale: null },
    },
  });
  const text = (field: 'label' | 'detail', fontSize: number) => ({
    data: { values: boxes },
    mark: {
      type: 'text' as const,
      fontSize,
      fontWeight: field === 'label' ? ('bold' as const) : ('normal' as const),
      baseline: 'middle' as const,
      color: 'currentColor',
      opacity: field === 'label' ? 1 : 0.8,
    },
    encoding: { x, y: { ...y, field: `${field}At` }, text: nominal(field) },
  });
  return {
    title,
    width,
    height,
    spec: {
      width,
      height,
      padding: 0,
      autosize: 'none',
      ...(title === '' ? {} : { title: { text: title, dx: 4, offset: -26 } }),
      layer: [
        ...arrows.map((way) => ({
          data: { values: way.map((point, order) => ({ ...point, order })) },
          mark: {
            type: 'line' as const,
            ...(isCurved ? { orient: 'horizontal' as const, interpolate: 'monotone' as const } : {}),
            color: grey,
            strokeWidth: 1.3,
          },
          encoding: { x, y, order: { field: 'order', type: 'quantitative' as const } },
        })),
        {
          data: { values: heads },
          mark: { type: 'point', shape: 'triangle-up', filled: true, color: grey, size: 44, opacity: 1 },
          encoding: { x, y, angle: { field: 'angle', type: 'quantitative', scale: null } },
        },
        rect(false),
        rect(true),
        text('label', labelSize),
        text('detail', 11),
        {
          data: { values: [...notes] },
          mark: {
            type: 'text',
            align: 'left',
            baseline: 'middle',
            dx: 8,
            fontSize: 11,
            color: 'currentColor',
          },
          encoding: { x, y, text: nominal('text') },
        },
      ],
    },
  };
}
