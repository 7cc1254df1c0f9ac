/**
 * fuzz - a property over octets that are nearly right: seeds that are, mutated.
 *
 * FUZZ_RUNS sets the number of dialogues (1000); of what needs no network twenty times as many are run. FUZZ_SEED repeats a
 * run: each says the seed it was made from. Input that has once found a fault is kept, beside its property, and tried first.
 */
import { test } from 'node:test';
import fc from 'fast-check';

export const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1000);
const given = process.env['FUZZ_SEED'];
export const SEED = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);

/** Octets that mean something to one of our parsers. */
const TELLING = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    '.',
    '\r\n.\r\n',
    '\r\n.',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '<',
    '>',
    '@',
    '"',
    '\\',
    '(',
    ')',
    '=',
    '%',
    '+',
  ],
  ...[
    '=?utf-8?q?',
    '?=',
    '--',
    'boundary=',
    '\r\n\r\n',
    '250-',
    '250 ',
    '\xff',
    '\xc3\xa4',
    '&',
    '*',
    '[',
    ']',
    '{',
    '}',
    '- ',
    '|',
    '\ufeff',
  ],
].map((text) => Buffer.from(text, 'latin1'));

type Mutation = (octets: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (octets: Buffer, where: number): number => Math.floor(where * octets.length);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...TELLING)).map(([where, octets]) => splice(where, 0, () => octets)),
  fc
    .tuple(place, fc.uint8Array({ maxLength: 4 }))
    .map(([where, octets]) => splice(where, 1, () => Buffer.from(octets))),
  fc.tuple(place, fc.nat(200)).map(([where, length]) => splice(where, length, () => Buffer.alloc(0))),
  fc
    .tuple(place, fc.nat(80), fc.integer({ min: 2, max: 60 }))
    .map(([where, length, times]) => splice(where, length, (cut) => Buffer.concat(new Array<Buffer>(times).fill(cut)))),
  fc.tuple(place, place, fc.nat(200)).map(([from, to, length]) => (octets: Buffer) => {
    const moved = octets.subarray(at(octets, from), at(octets, from) + length);
    return Buffer.concat([octets.subarray(0, at(octets, to)), moved, octets.subarray(at(octets, to))]);
  }),
);

function splice(where: number, length: number, make: (cut: Buffer) => Buffer): Mutation {
  return (octets) => {
    const start = at(octets, where);
    const end = start + length;
    return Buffer.concat([octets.subarray(0, start), make(octets.subarray(start, end)), octets.subarray(end)]);
  };
}

/** One of the seeds, changed at none to eight places. */
export function mutated(seeds: readonly (string | Buffer)[]): fc.Arbitrary<Buffer> {
  const octets = seeds.map((seed) => (typeof seed === 'string' ? Buffer.from(seed, 'latin1') : seed));
  return fc
    .tuple(fc.nat(octets.length - 1), fc.array(mutation, { maxLength: 8 }))
    .map(([index, mutations]) =>
      mutations.reduce((changed, change) => change(changed), octets[index] ?? Buffer.alloc(0)),
    );
}

/** Where octets are cut, as parts of their length. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.array(place, { maxLength: 6 });

export function cut(octets: Buffer, where: readonly number[]): readonly Buffer[] {
  const places = [0, ...where.map((one) => at(octets, one)).sort((a, b) => a - b), octets.length];
  return places.slice(1).map((end, index) => octets.subarray(places[index], end));
}

export interface Fuzz {
  /** Input that found a fault once. */
  readonly kept?: readonly (string | Buffer)[];
  /** Instead of twenty for each dialogue. */
  readonly runs?: number;
}

/** A test that `holds` does not throw for any mutation of the seeds, wherever it is cut. */
export function fuzz(
  name: string,
  seeds: readonly (string | Buffer)[],
  holds: (octets: Buffer, where: readonly number[]) => void | Promise<void>,
  { kept = [], runs = RUNS * 20 }: Fuzz = {},
): void {
  test(name, async (t) => {
    t.diagnostic(`${runs} runs, FUZZ_SEED=${SEED}`);
    const examples = [...kept, ...seeds].map((seed): [Buffer, readonly number[]] => [
      typeof seed === 'string' ? Buffer.from(seed, 'latin1') : seed,
      [0.3, 0.7],
    ]);
    await fc.assert(
      fc.asyncProperty(mutated(seeds), cuts, async (octets, where) => {
        await holds(octets, where);
      }),
      { numRuns: runs, seed: SEED, examples },
    );
  });
}
