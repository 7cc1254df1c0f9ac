/**
 * plot - messages offered and delivered over time as an SVG: a panel for each path, the same axes, the backlog shaded.
 */

export interface Panel {
  readonly title: string;
  readonly points: readonly { readonly seconds: number; readonly offered: number; readonly delivered: number }[];
}

const PANEL = { width: 360, height: 260, left: 84, top: 44, gap: 72 } as const;
const BOTTOM = 84;
const RIGHT = 20;
const TICKS = 5;

const STYLE = `text { font: 13px sans-serif; fill: #24292f } .title { font-weight: bold }
.axis { stroke: #57606a; fill: none } .grid { stroke: #57606a; stroke-opacity: .25 }
.offered { stroke: #8c6d1f; stroke-dasharray: 5 3; fill: none; stroke-width: 2 }
.delivered { stroke: #1f6feb; fill: none; stroke-width: 2 } .backlog { fill: #d1242f; fill-opacity: .18 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis, .grid { stroke: #9198a1 }
.offered { stroke: #e3b341 } .delivered { stroke: #58a6ff } .backlog { fill: #ff7b72; fill-opacity: .3 } }`;

export function plot(panels: readonly Panel[]): string {
  const all = panels.flatMap(({ points }) => points);
  const time = axis(Math.max(...all.map(({ seconds }) => seconds)));
  const count = axis(Math.max(...all.map(({ offered }) => offered)));
  const width = PANEL.left + panels.length * (PANEL.width + PANEL.gap) - PANEL.gap + RIGHT;
  const height = PANEL.top + PANEL.height + BOTTOM;
  const bodies = panels.map((panel, index) => {
    const left = PANEL.left + index * (PANEL.width + PANEL.gap);
    return `<g transform="translate(${left} ${PANEL.top})">\n${drawPanel(panel, time, count)}\n</g>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Messages offered and delivered over time: ${panels.map(({ title }) => title).join('; ')}">
<style>${STYLE}</style>
${bodies.join('')}<text transform="translate(16 ${PANEL.top + PANEL.height / 2}) rotate(-90)" text-anchor="middle">messages</text>
${legend(height - 14)}
</svg>
`;
}

interface Axis {
  readonly step: number;
  readonly most: number;
}

/** Up to the next round number. */
function axis(most: number): Axis {
  const rough = most / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  return { step, most: Math.ceil(most / step) * step };
}

function ticksOf({ step, most }: Axis): readonly number[] {
  return Array.from({ length: Math.round(most / step) + 1 }, (_, index) => index * step);
}

function drawPanel({ title, points }: Panel, time: Axis, count: Axis): string {
  const x = (seconds: number): string => ((seconds / time.most) * PANEL.width).toFixed(1);
  const y = (messages: number): string => (PANEL.height * (1 - messages / count.most)).toFixed(1);
  const line = (key: 'offered' | 'delivered'): readonly string[] =>
    points.map((point) => `${x(point.seconds)},${y(point[key])}`);
  const rows = ticksOf(count).map(
    (tick) =>
      `<path class="grid" d="M0 ${y(tick)}H${PANEL.width}"/><text x="-8" y="${y(tick)}" dy=".35em" text-anchor="end">${tick.toLocaleString('en')}</text>`,
  );
  const columns = ticksOf(time).map(
    (tick) => `<text x="${x(tick)}" y="${PANEL.height + 18}" text-anchor="middle">${tick.toLocaleString('en')}</text>`,
  );
  return [
    `<text class="title" y="-14">${title}</text>`,
    ...rows,
    ...columns,
    `<text x="${PANEL.width}" y="${PANEL.height + 36}" text-anchor="end">seconds</text>`,
    `<polygon class="backlog" points="${[...line('offered'), ...[...line('delivered')].reverse()].join(' ')}"/>`,
    `<polyline class="delivered" points="${line('delivered').join(' ')}"/>`,
    `<polyline class="offered" points="${line('offered').join(' ')}"/>`,
    `<path class="axis" d="M0 0V${PANEL.height}H${PANEL.width}"/>`,
  ].join('\n');
}

function legend(y: number): string {
  const entry = (at: number, mark: string, text: string): string =>
    `<g transform="translate(${PANEL.left + at} ${y})">${mark}<text x="36">${text}</text></g>`;
  return [
    entry(0, '<path class="offered" d="M0 -4H28"/>', 'offered'),
    entry(130, '<path class="delivered" d="M0 -4H28"/>', 'delivered'),
    entry(270, '<path class="backlog" d="M0 -12H28V3H0Z"/>', 'backlog'),
  ].join('\n');
}
