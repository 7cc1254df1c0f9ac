/**
 * figures - what is measured once and not in rounds beside a peer: a name, a number, and the most that the design allows.
 */
import { Sandbox } from '../e2e/sandbox.ts';
import type { Spread } from './quantile.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** Of all rounds, where there were several; `value` is their median. */
  readonly spread?: Spread;
  readonly unit: 'ms' | 'us' | 'MB' | '/s' | 'times';
  /** null for a figure that is only worth knowing. */
  readonly atMost: number | null;
}

export interface Measurement {
  readonly name: string;
  /** That it cannot do without, beside Postern. */
  readonly programs: readonly string[];
  measure(): Promise<readonly Figure[]>;
}

export interface Measured {
  readonly name: string;
  readonly figures: readonly Figure[];
}

export function showFigure({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  return `${value.toFixed(Math.abs(value) < 10 ? 2 : 0)} ${unit}`;
}

/** The table for people, a block for each measurement. */
export function formatFigures(results: readonly Measured[]): string {
  const blocks = results.map(({ name, figures }) => {
    const lines = figures.map((figure) => {
      const { name: what, value, spread, unit, atMost } = figure;
      const range = spread === undefined ? '' : `   (${spread.min.toFixed(2)} - ${spread.max.toFixed(2)})`;
      const goal = atMost === null ? '' : `   at most ${atMost} ${unit}${value > atMost ? '   MISSED' : ''}`;
      return `  ${what.padEnd(44)}${showFigure(figure).padStart(12)}${range}${goal}\n`;
    });
    return `${name}\n${lines.join('')}`;
  });
  return blocks.join('\n');
}

export async function inSandbox<T>(name: string, measure: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = new Sandbox(`bench-${name}`);
  try {
    return await measure(sandbox);
  } finally {
    await sandbox.close();
  }
}
