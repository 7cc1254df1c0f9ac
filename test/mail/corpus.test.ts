/**
 * Real messages: their header sections and untouched octets.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Content } from '../../src/core/message.ts';
import { editContent } from '../../src/mail/edit.ts';
import { headerSectionEnd, type ParsedHeader, parseHeader } from '../../src/mail/header.ts';
import { Spool } from '../../src/mail/spool.ts';
import { corpusMessages, missingCorpus, octetsOnTheWire } from '../support/wire-corpus.ts';

async function read(content: Content): Promise<Buffer> {
  const slices: Buffer[] = [];
  for await (const slice of content.slices()) slices.push(slice);
  return Buffer.concat(slices);
}

/** Octets of the header section that belong to no field. */
function gaps(content: Buffer, header: ParsedHeader): string[] {
  const found: string[] = [];
  let at = 0;
  for (const { start, end } of [...header.fields, { start: header.size, end: header.size }]) {
    if (start > at) found.push(content.toString('latin1', at, start));
    at = end;
  }
  return found;
}

test('corpus: fields tile the header section', (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const files = corpusMessages();
  assert.ok(files.length >= 760);
  const passedOver: string[] = [];
  for (const file of files) {
    const content = octetsOnTheWire(file);
    const header = parseHeader(content);
    const end = headerSectionEnd(content);
    assert.equal(header.size, end === -1 ? content.length : end, file);
    assert.equal(header.fieldCount, header.fields.length, file);
    for (const { name, value, text } of header.fields) {
      assert.match(name, /^[!-9;-~]+$/, file);
      assert.doesNotMatch(value, /^[ \t\r\n]|\r\n[ \t]|[ \t\r\n]$/, file);
      if (!value.includes('=?')) assert.equal(text, value, file);
    }
    const between = gaps(content, header);
    if (between.at(-1) === '\r\n') between.pop();
    passedOver.push(...between);
  }
  assert.deepEqual(passedOver.sort(), [
    '  This is not a valid message.\r\n',
    ' From: James Hillyerd <james@makita.skynet>\r\n',
  ]);
});

test('corpus: edits change what they name and nothing else', async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  for (const file of corpusMessages()) {
    const octets = octetsOnTheWire(file);
    const header = parseHeader(octets);
    const whole: Content = { size: octets.length, slices: () => [octets] };
    assert.equal(await editContent(whole, header, []), whole, file);

    const added = await read(await editContent(whole, header, [{ kind: 'add', name: 'X-Not-There', value: 'tulips' }]));
    const again: Content = { size: added.length, slices: () => [added] };
    const removed = await read(await editContent(again, parseHeader(added), [{ kind: 'remove', name: 'x-not-there' }]));
    assert.ok(removed.equals(octets), file);
    assert.equal(parseHeader(added).named('X-Not-There')[0]?.value, 'tulips', file);
  }
});

test('corpus: the spool gives back what it got', async (t) => {
  if (missingCorpus !== null) {
    t.skip(missingCorpus);
    return;
  }
  const spools = [1_000_000_000, 1500].map((perMessage) => new Spool({ memoryBudget: 1_000_000_000, perMessage }));
  for (const file of corpusMessages()) {
    const octets = octetsOnTheWire(file);
    for (const spool of spools) {
      const writer = spool.open();
      for (let at = 0; at < octets.length; at += 1000) await writer.write(octets.subarray(at, at + 1000));
      assert.ok((await read(await writer.finish())).equals(octets), file);
      writer.discard();
    }
  }
});
