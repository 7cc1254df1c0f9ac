/**
 * What is marked is found again, whatever the address and however the field was folded on its way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mailbox } from '../../src/core/mailbox.ts';
import { editContent } from '../../src/mail/edit.ts';
import { parseHeader } from '../../src/mail/header.ts';
import { isMarked, loopMark } from '../../src/pipeline/loop-mark.ts';

const CONTENT = Buffer.from('Subject: x\r\n\r\nbody\r\n');

async function marked(mailboxes: readonly Mailbox[]) {
  const content = { size: CONTENT.length, slices: () => [CONTENT] };
  const edited = await editContent(content, parseHeader(CONTENT), mailboxes.map(loopMark));
  const slices: Buffer[] = [];
  for await (const slice of edited.slices()) slices.push(slice);
  return parseHeader(Buffer.concat(slices));
}

const printable = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }).filter((text) => !/\p{C}/u.test(text));
const mailbox = fc.record({
  localPart: fc.oneof(printable, fc.constantFrom('a  b', 'a"b', '=?utf-8?q?x?=', ' x ', 'ÄÖÜ'.repeat(20))),
  domain: fc.constantFrom('lists.example.org', 'bücher.example', `${'a'.repeat(60)}.${'b'.repeat(60)}.example`),
});

test('a mark is found', async () => {
  await fc.assert(
    fc.asyncProperty(mailbox, mailbox, async (one, other) => {
      const header = await marked([one, other]);
      assert.ok(isMarked(header, one) && isMarked(header, other));
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('case makes no difference; another address does', async () => {
  const header = await marked([{ localPart: 'Gardeners', domain: 'lists.example.org' }]);
  assert.ok(isMarked(header, { localPart: 'gardeners', domain: 'lists.example.org' }));
  assert.ok(!isMarked(header, { localPart: 'gardener', domain: 'lists.example.org' }));
  assert.ok(!isMarked(parseHeader(CONTENT), { localPart: 'gardeners', domain: 'lists.example.org' }));
});
