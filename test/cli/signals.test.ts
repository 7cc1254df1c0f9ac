import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hearSignals, type Signal } from '../../src/cli/signals.ts';

test('a signal that comes before anybody can act is acted on later, in its order', (t) => {
  const before = (['SIGHUP', 'SIGTERM', 'SIGINT'] as const).map((name) => [name, process.listeners(name)] as const);
  t.after(() => {
    for (const [name, known] of before)
      for (const listener of process.listeners(name)) if (!known.includes(listener)) process.off(name, listener);
  });
  const hand = hearSignals();
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGTERM', 'SIGTERM');
  const heard: Signal[] = [];
  hand((signal) => heard.push(signal));
  assert.deepEqual(heard, ['SIGHUP', 'SIGTERM']);
  process.emit('SIGINT', 'SIGINT');
  assert.deepEqual(heard, ['SIGHUP', 'SIGTERM', 'SIGINT']);
});
