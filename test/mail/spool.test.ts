import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { BLOCK, freeBlocks, keep } from '../../src/core/blocks.ts';
import type { Content } from '../../src/core/message.ts';
import { Spool, type SpoolWriter } from '../../src/mail/spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-spool-'));
after(() => rmSync(folder, { recursive: true }));

const roomy = { memoryBudget: 1_000_000, perMessage: 1_000_000, folder };

async function write(writer: SpoolWriter, slices: readonly Buffer[]): Promise<void> {
  for (const slice of slices) await writer.write(slice);
}

async function read(content: Content): Promise<Buffer> {
  const slices: Buffer[] = [];
  for await (const slice of content.slices()) slices.push(slice);
  return Buffer.concat(slices);
}

/** Octets that tell where they stand. */
function pattern(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
}

function inSlices(octets: Buffer, step: number): Buffer[] {
  return Array.from({ length: Math.ceil(octets.length / step) }, (_, n) => octets.subarray(n * step, (n + 1) * step));
}

/** Descriptors of this process on files in `folder`, unlinked ones too. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

/** Closing has no promise: it is done when the descriptors are gone. */
async function closed(): Promise<void> {
  while (openFiles() > 0) await new Promise((resolve) => setImmediate(resolve));
}

test('spool: a small message is kept as the slices that came', async () => {
  const writer = new Spool(roomy).open();
  const slices = inSlices(pattern(100), 40);
  for (const slice of slices) assert.equal(writer.write(slice), undefined);
  const content = await writer.finish();
  const kept = content.slices() as readonly Buffer[];
  assert.equal(content.size, 100);
  assert.equal(kept.length, 3);
  for (const [n, slice] of kept.entries()) assert.equal(slice, slices[n]);
  assert.deepEqual([writer.size, writer.failed, writer.failure], [100, false, null]);
  writer.discard();
});

test('spool: nothing', async () => {
  const content = await new Spool(roomy).open().finish();
  assert.deepEqual([content.size, content.slices()], [0, []]);
});

const places: {
  name: string;
  memoryBudget: number;
  perMessage: number;
  size: number;
  step: number;
  onDisk: boolean;
}[] = [
  { name: 'in memory', memoryBudget: 3000, perMessage: 3000, size: 3000, step: 700, onDisk: false },
  { name: 'past the limit of a message', memoryBudget: 9000, perMessage: 1000, size: 3000, step: 700, onDisk: true },
  { name: 'past the budget', memoryBudget: 70_000, perMessage: 99_000, size: 80_000, step: 700, onDisk: true },
  { name: 'no memory at all', memoryBudget: 0, perMessage: 0, size: 3000, step: 700, onDisk: true },
  { name: 'one slice past the limit', memoryBudget: 9000, perMessage: 1000, size: 3000, step: 3000, onDisk: true },
  { name: 'several pieces on disk', memoryBudget: 9000, perMessage: 5000, size: 200_000, step: 9000, onDisk: true },
  {
    name: 'octet by octet, in memory',
    memoryBudget: 200_000,
    perMessage: 99_000,
    size: 70_000,
    step: 1,
    onDisk: false,
  },
  { name: 'octet by octet, on disk', memoryBudget: 200_000, perMessage: 500, size: 700, step: 1, onDisk: true },
];
for (const { name, memoryBudget, perMessage, size, step, onDisk } of places) {
  test(`spool: what was written is read: ${name}`, async () => {
    const octets = pattern(size);
    const writer = new Spool({ memoryBudget, perMessage, folder }).open();
    await write(writer, inSlices(octets, step));
    assert.deepEqual(readdirSync(folder), [], 'a file has a name');
    const content = await writer.finish();
    assert.equal(content.size, size);
    assert.equal(Array.isArray(content.slices()), !onDisk);
    assert.equal(openFiles(), onDisk ? 1 : 0);
    const head = writer.head();
    assert.ok(head.equals(octets.subarray(0, head.length)) && head.length <= perMessage);
    const readers = await Promise.all([read(content), read(content), read(content)]);
    for (const found of readers) assert.ok(found.equals(octets));
    for await (const slice of content.slices()) assert.ok(slice.length > 0 && slice.length <= Math.max(65_536, step));
    writer.discard();
    await closed();
  });
}

test('spool: many small slices become few', async () => {
  const writer = new Spool(roomy).open();
  const octets = pattern(100_000);
  await write(writer, inSlices(octets, 10));
  const content = await writer.finish();
  assert.ok((content.slices() as readonly Buffer[]).length < 30);
  assert.ok((await read(content)).equals(octets));
});

test('spool: head is the first slice itself, then all that is in memory', async () => {
  const writer = new Spool({ ...roomy, perMessage: 35 }).open();
  assert.equal(writer.head().length, 0);
  const slices = inSlices(pattern(50), 10);
  await write(writer, slices.slice(0, 1));
  assert.equal(writer.head(), slices[0]);
  await write(writer, slices.slice(1));
  assert.ok(writer.head().equals(pattern(35)));
  writer.discard();
  await closed();
});

test('spool: the head of a message is in memory when the budget is used up', async () => {
  const writer = new Spool({ memoryBudget: 0, perMessage: 1_000_000, folder }).open();
  const octets = pattern(200_000);
  await writer.write(octets);
  assert.ok(writer.head().equals(octets.subarray(0, 65_536)));
  writer.discard();
  await closed();
});

test('spool: the budget is one for all messages and comes back', async () => {
  const spool = new Spool({ memoryBudget: 200_000, folder });
  const isInMemory = async (size: number): Promise<[boolean, SpoolWriter]> => {
    const writer = spool.open();
    await writer.write(pattern(size));
    return [Array.isArray((await writer.finish()).slices()), writer];
  };
  const [first, one] = await isInMemory(80_000);
  const [second, two] = await isInMemory(80_000);
  const [third, three] = await isInMemory(60_000);
  assert.deepEqual([first, second, third], [true, false, true]);
  one.discard();
  one.discard();
  two.discard();
  three.discard();
  const [fourth, four] = await isInMemory(80_000);
  const [fifth, five] = await isInMemory(80_000);
  assert.deepEqual([fourth, fifth], [true, false]);
  four.discard();
  five.discard();
  await closed();
});

test('spool: a message has as much memory as is left for others', async () => {
  const spool = new Spool({ memoryBudget: 8_000_000, folder });
  const fill = async (): Promise<SpoolWriter> => {
    const writer = spool.open();
    for (let n = 0; n < 100; n += 1) await writer.write(Buffer.alloc(100_000));
    return writer;
  };
  const one = await fill();
  assert.equal(spool.inMemory, 4_000_000);
  const two = await fill();
  assert.equal(spool.inMemory, 6_000_000);
  one.discard();
  assert.equal(spool.inMemory, 2_000_000);
  const three = await fill();
  assert.equal(spool.inMemory, 5_000_000);
  two.discard();
  three.discard();
  await closed();
});

test('spool: a large content in memory gives others their turn', async () => {
  const writer = new Spool({ memoryBudget: 100_000_000, folder }).open();
  for (let n = 0; n < 60; n += 1) await writer.write(Buffer.alloc(100_000, n));
  const content = await writer.finish();
  assert.equal(openFiles(), 0);
  let turns = 0;
  let reading = true;
  const tick = (): void => {
    turns += 1;
    if (reading) setImmediate(tick);
  };
  setImmediate(tick);
  const found = await read(content);
  reading = false;
  assert.equal(found.length, 6_000_000);
  assert.ok(turns >= 5, `${turns} turns`);
  writer.discard();
});

test('spool: what is released is used again, but for what the header section may lie in; readers miss it', async () => {
  const blocks = Array.from({ length: 40 }, (_, n) => keep(Buffer.alloc(BLOCK, n)));
  const few = new Spool({ memoryBudget: 100_000_000, folder }).open();
  const many = new Spool({ memoryBudget: 100_000_000, folder }).open();
  await write(few, blocks.slice(0, 3));
  await write(many, blocks.slice(3));
  const before = freeBlocks();
  const contents = [await few.finish(), await many.finish()] as const;
  few.release();
  assert.equal(freeBlocks(), before + 2);
  many.discard();
  many.release();
  assert.equal(freeBlocks(), before + 2);
  assert.equal((await read(contents[0])).length, 0);
  await assert.rejects(read(contents[1]));
});

test('spool: trouble with the disk is a state, and what is lost cannot be read', async () => {
  const writer = new Spool({ memoryBudget: 10, perMessage: 10, folder: join(folder, 'missing') }).open();
  await write(writer, inSlices(pattern(50), 10));
  assert.equal(writer.failed, true);
  assert.equal((writer.failure as NodeJS.ErrnoException).code, 'ENOENT');
  assert.equal(writer.write(pattern(10)), undefined);
  await assert.rejects(read(await writer.finish()), { code: 'ENOENT' });
  writer.discard();
});

test('spool: trouble that nobody waited for is known after finish', async () => {
  const writer = new Spool({ memoryBudget: 0, perMessage: 0, folder: join(folder, 'missing') }).open();
  void writer.write(pattern(10));
  await writer.finish();
  assert.equal(writer.failed, true);
});

test('spool: discard while slices are being written and read', async () => {
  const writer = new Spool({ memoryBudget: 0, perMessage: 0, folder }).open();
  const pending = [writer.write(pattern(1000)), writer.write(pattern(1000))];
  writer.discard();
  await Promise.all(pending);
  assert.equal(writer.write(pattern(10)), undefined);
  await closed();

  const other = new Spool({ memoryBudget: 0, perMessage: 0, folder }).open();
  await other.write(pattern(200_000));
  const content = await other.finish();
  await assert.rejects(async () => {
    for await (const slice of content.slices()) {
      assert.ok(slice.length > 0);
      other.discard();
      await closed();
    }
  });
  await assert.rejects(read(content));
});

test('property: any slices, any limits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }),
      fc.integer({ min: 0, max: 40_000 }),
      async (sizes, perMessage) => {
        const slices = sizes.map((size, n) => pattern(size + n).subarray(n));
        const writer = new Spool({ memoryBudget: 30_000, perMessage, folder }).open();
        await write(writer, slices);
        const content = await writer.finish();
        assert.ok((await read(content)).equals(Buffer.concat(slices)));
        assert.equal(content.size, writer.size);
        writer.discard();
      },
    ),
    { numRuns: 50 },
  );
  await closed();
});

test('what is in memory is counted until it is given back', async () => {
  const spool = new Spool({ memoryBudget: 1_000_000, perMessage: 1000, folder });
  const [one, two] = [spool.open(), spool.open()];
  await write(one, [pattern(400)]);
  await write(two, [pattern(5000)]);
  assert.equal(spool.inMemory, 1400, 'the rest of the second is in a file');
  one.discard();
  assert.equal(spool.inMemory, 1000);
  two.discard();
  assert.equal(spool.inMemory, 0);
});
