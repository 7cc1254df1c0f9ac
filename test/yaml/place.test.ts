/**
 * Places are what counting from the start of the text would give, in whatever order they are asked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placesIn } from '../../src/yaml/place.ts';

test('property: places do not depend on what was asked before', () => {
  const unit = fc.constantFrom('a', ' ', '\n', '\r\n', 'ä', '😀');
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 10 }), (units, numbers) => {
      const text = units.join('');
      const offsets = [0];
      for (const one of units) offsets.push((offsets.at(-1) ?? 0) + one.length);
      const place = placesIn('x.yaml', text);
      for (const number of numbers) {
        const start = offsets[number % offsets.length] ?? 0;
        const lines = text.slice(0, start).split(/\r\n|\r|\n/);
        const found = place({ start, end: start + 1 });
        assert.deepEqual([found.line, found.column], [lines.length, [...(lines.at(-1) ?? '')].length + 1]);
      }
    }),
    { numRuns: 500 },
  );
});
