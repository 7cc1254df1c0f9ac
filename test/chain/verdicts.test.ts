/**
 * Whatever the mode, a recipient whom a rule refuses hears no 2yz and gets no message: on the wire, with real rules.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openChain } from '../support/chain.ts';
import { connectPeer, type Peer } from '../support/peer.ts';
import { RecordingServer } from '../support/recording-server.ts';

const MODES = {
  lmtp: { listener: 'lmtp', listen: {}, prdr: false },
  split: { listener: 'smtp', listen: { mixed: 'split' }, prdr: false },
  strictest: { listener: 'smtp', listen: { mixed: 'strictest' }, prdr: false },
  'refuse_at: data': { listener: 'smtp', listen: { refuse_at: 'data' }, prdr: false },
  prdr: { listener: 'smtp', listen: { mixed: 'prdr' }, prdr: true },
  'prdr, not asked for': { listener: 'smtp', listen: { mixed: 'prdr' }, prdr: false },
  'prdr, by BDAT': { listener: 'smtp', listen: { mixed: 'prdr', chunking: 'true' }, prdr: true },
} as const;

const NAMES = ['a', 'b', 'c', 'd'] as const;
const KINDS = ['reject', 'defer', 'discard', 'relay'] as const;
const CONDITIONS = {
  envelope: 'helo: { is: client.example }',
  header: 'subject: { contains: tulips }',
  content: 'body: { contains: bulbs }',
} as const;

interface RuleOf {
  readonly kind: (typeof KINDS)[number];
  readonly phase: keyof typeof CONDITIONS;
}

function listFile(name: string, { kind, phase }: RuleOf): string {
  const then = kind === 'relay' ? 'relay' : `{ ${kind}: "${name} says ${kind}" }`;
  return `version: 1\nlist: ${name}@lists.example.org\nrules:\n  - { name: one, when: { ${CONDITIONS[phase]} }, then: ${then} }\n`;
}

const MESSAGE = 'From: eve@example.com\r\nSubject: tulips\r\n\r\nbulbs\r\n';

/** What the accepted recipients hear, in RCPT order: the name and the code of the reply. */
async function send(client: Peer, mode: keyof typeof MODES, names: readonly string[]): Promise<[string, string][]> {
  const { listener, prdr } = MODES[mode];
  await client.reply();
  await client.ask(`${listener === 'lmtp' ? 'LHLO' : 'EHLO'} client.example`);
  assert.match((await client.ask(`MAIL FROM:<eve@example.com>${prdr ? ' PRDR' : ''}`)) ?? '', /^250 /);
  const accepted: string[] = [];
  for (const name of names) {
    if ((await client.ask(`RCPT TO:<${name}@lists.example.org>`))?.startsWith('250')) accepted.push(name);
  }
  if (accepted.length === 0) return [];
  if (mode === 'prdr, by BDAT') {
    client.socket.write(`BDAT ${MESSAGE.length} LAST\r\n${MESSAGE}`);
  } else {
    assert.match((await client.ask('DATA')) ?? '', /^354 /);
    client.socket.write(`${MESSAGE}.\r\n`);
  }
  const code = async (): Promise<string> => ((await client.reply()) ?? 'end').slice(0, 3);
  const heard: [string, string][] = [];
  if (listener === 'lmtp' || (prdr && accepted.length > 1)) {
    if (prdr) assert.equal(await code(), '353');
    for (const name of accepted) heard.push([name, await code()]);
    const some = heard.some(([, one]) => one.startsWith('2'));
    if (prdr) assert.equal((await code()).startsWith('2'), some, 'the last reply');
  } else {
    const one = await code();
    for (const name of accepted) heard.push([name, one]);
  }
  assert.match((await client.ask('NOOP')) ?? '', /^250 /, 'no reply too many, none too few');
  return heard;
}

for (const mode of Object.keys(MODES) as (keyof typeof MODES)[]) {
  test(`property: ${mode}: no 2yz and no message for a recipient whom a rule refuses`, async () => {
    const rule = fc.record({
      kind: fc.constantFrom(...KINDS),
      phase: fc.constantFrom('envelope', 'header', 'content'),
    }) as fc.Arbitrary<RuleOf>;
    const rules = fc.record({ a: rule, b: rule, c: rule, d: rule });
    const recipients = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rules, recipients, async (given, names) => {
        const { listener, listen } = MODES[mode];
        const server = new RecordingServer({ protocol: 'smtp' });
        const lists = Object.fromEntries(NAMES.map((name) => [name, listFile(name, given[name])]));
        const downstreamPort = await server.listen();
        const chain = await openChain({ listener, listen, lists, downstream: 'smtp', downstreamPort });
        const client = await connectPeer(chain.port);
        try {
          const heard = await send(client, mode, names);
          const served = server.messages.flatMap((one) =>
            one.recipients.map((line) => line.slice('RCPT TO:<'.length)[0]),
          );
          assert.deepEqual(
            chain.log.filter((line) => /"level":"(?:warn|error)"/.test(line)),
            [],
            'the rules are in force',
          );
          assert.equal(new Set(served).size, served.length, 'nobody is served twice');
          for (const name of NAMES) {
            const { kind } = given[name];
            if (kind !== 'relay') assert.ok(!served.includes(name), `${name} is not relayed to`);
          }
          for (const [name, code] of heard) {
            assert.match(code, /^[245]/);
            if (given[name as 'a'].kind === 'reject' || given[name as 'a'].kind === 'defer') {
              assert.doesNotMatch(code, /^2/, name);
            } else if (code.startsWith('2') && given[name as 'a'].kind === 'relay') {
              assert.ok(served.includes(name), `${name} heard ${code} and has the message`);
            }
          }
        } finally {
          client.socket.destroy();
          await chain.close();
          server.close();
        }
      }),
      { numRuns: 25 },
    );
  });
}
