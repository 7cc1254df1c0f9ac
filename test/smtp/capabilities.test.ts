import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reply } from '../../src/core/reply.ts';
import { parseCapabilities } from '../../src/smtp/capabilities.ts';

test('keywords without case, with what stands behind them', () => {
  const offered = parseCapabilities(
    reply(250, null, 'mx PIPELINING\nsize 33554432\n8bitmime\nXFORWARD NAME  ADDR \nSIZE2'),
  );
  assert.equal(offered.argument('SIZE'), '33554432');
  assert.equal(offered.argument('XFORWARD'), 'NAME  ADDR');
  assert.equal(offered.argument('8BITMIME'), null);
  assert.equal(offered.argument('DSN'), null);
  assert.deepEqual(
    ['8BITMIME', 'SIZE', 'SIZE2', 'PIPELINING', 'MX', 'DSN', '', 'constructor'].filter((keyword) =>
      offered.has(keyword),
    ),
    ['8BITMIME', 'SIZE', 'SIZE2'],
  );
});

test('a reply to HELO offers nothing', () => {
  assert.equal(parseCapabilities(reply(250, null, 'PIPELINING')).has('PIPELINING'), false);
});
