/**
 * The fault matrix, upstream: whatever a client does, at whichever point of the dialogue, nothing is delivered that it did
 * not commit by its final dot (or its last chunk), every envelope is recorded, and nothing of it is left.
 *
 * All cases of a kind run at once through one Postern: so they show as well that such a client costs the others nothing.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Script, type ScriptedServer, startScriptedServer, unsaid } from '../downstream/scripted-server.ts';
import { type Chain, openChain } from '../support/chain.ts';
import { openDescriptors, watchTemporaryFiles } from '../support/leftovers.ts';
import { connectPeer, type Peer } from '../support/peer.ts';

type Protocol = 'lmtp' | 'smtp';

/**
 * What is recorded, and so what becomes of the message; before it a reply to the fault, where there is one.
 *
 *   none       no record: nobody was named yet                        gone      the client had left before the dot downstream
 *   closed     the envelope, to whom nothing was sent                 refused   550: a bare CR
 *   aborted    content without its end, 451 for each recipient        taken     delivered once, 250 for each recipient
 *
 * A stage with a minus is in the middle of that line; without, behind the reply to it. `rcpt` is the last of them.
 * `working` is behind the final dot while the downstream has not asked for content, `committed` while it has all of it.
 *
 *   close, reset  of the connection          garbage  a line of octets that is no command, and what was meant once more
 *   half          of our way in only         wrong    a command that does not belong here; then on as if nothing had been
 *   silence       until we let go            ahead    all that is left of the dialogue, in one write
 *                                            slow     all that is left of the dialogue, octet by octet
 */
const TABLE = `
stage       of   close    half     reset    silence      garbage      wrong      ahead  slow
proxy-      any  none     none     none     none         none         -          taken  taken
proxy       any  none     none     none     421-none     500-taken    503-taken  taken  taken
connect     any  none     none     none     421-none     500-taken    503-taken  taken  taken
hello-      any  none     none     none     421-none     501-taken    -          taken  taken
hello       any  none     none     none     421-none     500-taken    503-taken  taken  taken
xforward-   any  none     none     none     421-none     250-taken    -          taken  taken
xforward    any  none     none     none     421-none     500-taken    503-taken  taken  taken
mail-       any  none     none     none     421-none     501-taken    -          taken  taken
mail        any  none     none     none     421-none     500-taken    503-taken  taken  taken
rcpt-       1    none     none     none     421-none     501-taken    -          taken  taken
rcpt-       3    closed   closed   closed   421-closed   501-taken    -          taken  taken
rcpt        any  closed   closed   closed   421-closed   500-taken    503-taken  taken  taken
data-       any  closed   closed   closed   421-closed   500-taken    -          taken  taken
data        any  aborted  aborted  aborted  421-aborted  taken        -          taken  taken
content-    any  aborted  aborted  aborted  421-aborted  taken        -          taken  taken
dot-        any  aborted  aborted  aborted  421-aborted  taken        -          taken  taken
dot-cr-     any  aborted  aborted  aborted  421-aborted  refused      -          taken  taken
content     any  taken    taken    taken    421-taken    500-taken    503-taken  taken  taken
quit-       any  taken    taken    taken    421-taken    500-taken    -          taken  taken
bdat-       any  closed   closed   closed   421-closed   501-closed   -          taken  taken
chunk-      any  aborted  aborted  aborted  421-aborted  -            -          taken  taken
chunk       any  aborted  aborted  aborted  421-aborted  500-taken    503-taken  taken  taken
last-       any  aborted  aborted  aborted  421-aborted  -            -          taken  taken
starttls-   any  none     none     none     421-none     500-none     -          none   none
starttls    any  none     none     none     none         none         -          -      -
working     any  gone     gone     gone     taken        500-taken    503-taken  taken  taken
committed   any  taken    taken    taken    taken        500-taken    503-taken  taken  taken
`;

const [HEAD = [], ...ROWS] = TABLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const FAULTS = HEAD.slice(2);
const STAGES = [...new Set(ROWS.map(([stage]) => stage ?? ''))];
const HELD = ['working', 'committed'];

interface Case {
  readonly stage: string;
  readonly fault: string;
  readonly count: 1 | 3;
}

function cell({ stage, fault, count }: Case): string {
  const row = ROWS.find(([name, of]) => name === stage && ['any', `${count}`].includes(of ?? ''));
  return row?.[FAULTS.indexOf(fault) + 2] ?? assert.fail(`${stage}, ${fault}`);
}

/** What a good client writes, and the codes that answer it. */
interface Step {
  readonly name: string;
  readonly text: string;
  readonly codes: readonly string[];
}

const CONTENT = 'Subject: x\r\n\r\nHello\r\n';

function dialogue({ stage, count }: Case, listener: Protocol, n: number): readonly Step[] {
  const name = stage.replace(/-.*$/, '');
  const finals = new Array<string>(listener === 'lmtp' ? count : 1).fill('250');
  const step = (of: string, text: string, ...codes: readonly string[]): Step => ({ name: of, text, codes });
  const start =
    name === 'proxy' ? step('proxy', 'PROXY TCP4 192.0.2.1 127.0.0.1 4711 25\r\n', '220') : step('connect', '', '220');
  const hello = step('hello', `${listener === 'lmtp' ? 'LHLO' : 'EHLO'} client.example\r\n`, '250');
  if (name === 'starttls') return [start, hello, step('starttls', 'STARTTLS\r\n', '220')];
  const envelope = [
    start,
    hello,
    ...(name === 'proxy' ? [] : [step('xforward', 'XFORWARD NAME=client.example.net\r\n', '250')]),
    step('mail', `MAIL FROM:<c${n}@example.net>\r\n`, '250'),
    ...['a', 'b', 'c']
      .slice(0, count)
      .map((local, index) =>
        step(index === count - 1 ? 'rcpt' : `rcpt ${index}`, `RCPT TO:<${local}@c${n}.example>\r\n`, '250'),
      ),
  ];
  const quit = step('quit', 'QUIT\r\n', '221');
  if (['bdat', 'chunk', 'last'].includes(name)) {
    const [first, second] = [CONTENT.slice(0, 13), CONTENT.slice(13)];
    return [
      ...envelope,
      step('chunk', `BDAT ${first.length}\r\n${first}`, '250'),
      step('last', `BDAT ${second.length} LAST\r\n${second}`, ...finals),
      quit,
    ];
  }
  return [...envelope, step('data', 'DATA\r\n', '354'), step('content', `${CONTENT}.\r\n`, ...finals), quit];
}

/** The step in which, or behind which, a stage is, and how many of its octets are written by then. */
function placeOf({ stage }: Case, steps: readonly Step[]): readonly [number, number] {
  const at = (name: string): number => steps.findIndex((step) => step.name === name);
  const whole = CONTENT.length;
  const within: Readonly<Record<string, readonly [string, number]>> = {
    'proxy-': ['proxy', 10],
    'hello-': ['hello', 9],
    'xforward-': ['xforward', 20],
    'mail-': ['mail', 14],
    'rcpt-': ['rcpt', 12],
    'data-': ['data', 2],
    'content-': ['content', 16],
    'dot-': ['content', whole + 1],
    'dot-cr-': ['content', whole + 2],
    'quit-': ['quit', 2],
    'bdat-': ['chunk', 5],
    'chunk-': ['chunk', 12],
    'last-': ['last', 15],
    'starttls-': ['starttls', 6],
  };
  const [name, octets] = within[stage] ?? [stage, -1];
  return octets < 0 ? [at(name) + 1, 0] : [at(name), octets];
}

const GARBAGE = '\xff\xfegarbage\r\n';

/** A command that the session does not want behind that step. */
function misplaced(name: string, listener: Protocol): string {
  if (name === 'mail' || name === 'rcpt' || name === 'chunk') return 'MAIL FROM:<eve@example.net>\r\n';
  return name === 'connect' || name === 'proxy' || listener === 'smtp' ? 'DATA\r\n' : 'RCPT TO:<eve@example.net>\r\n';
}

async function codesUntilEnd(client: Peer): Promise<string[]> {
  const codes: string[] = [];
  for (let reply = await client.reply(); reply !== null; reply = await client.reply()) codes.push(reply.slice(0, 3));
  return codes;
}

async function codes(client: Peer, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) read.push((await client.reply())?.slice(0, 3) ?? 'end');
  return read;
}

/** Plays the dialogue; the codes of all replies from the fault on. */
async function play(client: Peer, one: Case, listener: Protocol, steps: readonly Step[]): Promise<readonly string[]> {
  const { socket } = client;
  const [index, octets] = placeOf(one, steps);
  for (const step of steps.slice(0, index)) {
    socket.write(step.text, 'latin1');
    assert.deepEqual(await codes(client, step.codes.length), step.codes, `${one.stage}, ${one.fault}: ${step.name}`);
  }
  const [current, ...later] = steps.slice(index);
  socket.write(current?.text.slice(0, octets) ?? '', 'latin1');
  const rest = [current?.text.slice(octets) ?? '', ...later.map(({ text }) => text)].join('');
  switch (one.fault) {
    case 'close':
      // What was written leaves before the end of the connection, where `destroy` might be faster.
      await new Promise<void>((written) => socket.write('', () => written()));
      socket.destroy();
      return [];
    case 'reset':
      await new Promise<void>((written) => socket.write('', () => written()));
      socket.resetAndDestroy();
      return [];
    case 'half':
      socket.end();
      await codesUntilEnd(client);
      return [];
    case 'silence':
      return await codesUntilEnd(client);
    case 'garbage': {
      // In content it is content, and where the final dot was begun, that one is none.
      const inContent = current?.name === 'content';
      const after = later.map(({ text }) => text).join('');
      const again = octets > 0 && !inContent ? `${current?.text ?? ''}${after}` : rest;
      socket.write(GARBAGE, 'latin1');
      const answers = inContent ? [] : await codes(client, 1);
      if (answers[0] === 'end') return [];
      socket.write(one.stage.startsWith('dot') ? `.\r\n${after}` : again, 'latin1');
      return [...answers, ...(await codesUntilEnd(client))];
    }
    case 'wrong':
      socket.write(misplaced(steps[index - 1]?.name ?? '', listener));
      return [...(await codes(client, 1)), ...(socket.write(rest, 'latin1') ? await codesUntilEnd(client) : ['full'])];
    case 'slow':
      for (const octet of rest) {
        socket.write(octet, 'latin1');
        await turn();
      }
      return await codesUntilEnd(client);
    default:
      socket.write(rest, 'latin1');
      return await codesUntilEnd(client);
  }
}

/** The codes that the table and the dialogue let the client read from the fault on. */
function expectedCodes(one: Case, steps: readonly Step[]): readonly string[] {
  if (leaves(one)) return [];
  if (HELD.includes(one.stage)) return expectedHeld(one, steps);
  const words = cell(one).split('-');
  const [index] = placeOf(one, steps);
  const left = steps.slice(index).flatMap((step) => step.codes);
  const answer = words.length > 1 ? [words[0] ?? ''] : [];
  if (one.fault === 'silence') return answer;
  const word = words.at(-1);
  if (word === 'refused') return left.map((code) => (code === '250' ? '550' : code));
  if (word === 'none' && one.stage.startsWith('starttls'))
    return [...answer, ...(one.stage === 'starttls' ? [] : left)];
  return word === 'taken' ? [...answer, ...left] : answer;
}

interface TransactionRecord {
  readonly event: string;
  readonly from: string;
  readonly end: string;
  readonly recipients: readonly { readonly reply: string }[];
}

const BY_REPLY: readonly (readonly [RegExp, string])[] = [
  [/^250 2\.0\.0 Ok$/, 'taken'],
  [/^451 4\.4\.2 The connection was lost \(id \w+\)$/, 'gone'],
  [/^451 4\.4\.2 The message was not received completely \(id \w+\)$/, 'aborted'],
  [/^550 5\.6\.11 .*bare newline/, 'refused'],
  [/^$/, 'closed'],
];

/** The word of the table for what was recorded of the transaction: exactly one record, all recipients alike. */
function recorded(chain: Chain, n: number, count: number): string {
  const records = chain.log
    .map((line) => JSON.parse(line) as TransactionRecord)
    .filter(({ event, from }) => event === 'transaction' && from === `c${n}@example.net`);
  const [only] = records;
  if (only === undefined) return 'none';
  const words = only.recipients.map(({ reply }) => BY_REPLY.find(([pattern]) => pattern.test(reply))?.[1] ?? reply);
  const [word = 'nobody'] = words;
  const named = word === 'closed' ? only.recipients.length >= 1 : only.recipients.length === count;
  const alike = named && words.every((one) => one === word) && records.length === 1;
  return alike ? word : JSON.stringify(records);
}

interface Running extends Case {
  readonly n: number;
  readonly server: ScriptedServer;
  readonly steps: readonly Step[];
}

async function startAll(cases: readonly Case[], listener: Protocol): Promise<readonly Running[]> {
  return Promise.all(
    cases.map(async (one, n) => {
      const scripts: Readonly<{ [stage: string]: Script }> = {
        working: { data: [unsaid('354 Go on')] },
        committed: { final: [] },
      };
      const server = await startScriptedServer({ protocol: 'lmtp', script: scripts[one.stage] ?? {} });
      return { ...one, n, server, steps: dialogue(one, listener, n) };
    }),
  );
}

function openFor(
  running: readonly Running[],
  listener: Protocol,
  listen: Readonly<{ [key: string]: string }>,
  patience: number,
) {
  return openChain({
    listener,
    listen,
    downstreamPort: 1,
    downstreams: Object.fromEntries(
      running.map(({ server: { address }, n }) => [
        `d${n}`,
        `{ lmtp: "${'path' in address ? address.path : `${address.host}:${address.port}`}" }`,
      ]),
    ),
    routes: running.map(({ n }) => `{ recipients: "*@c${n}.example", to: d${n} }`).join(', '),
    // All content goes to a temporary file.
    limits: { memory: '1 B' },
    timeouts: { client: `${patience} milliseconds` },
  });
}

const certificate = (file: string): string => resolve('test', 'support', 'certificate', file);
const TLS = `{ cert: ${certificate('cert.pem')}, key: ${certificate('key.pem')} }`;

/** Longest silence of a client, in milliseconds. */
const PATIENCE = 3_000;

const temporaryFiles = watchTemporaryFiles();

let cases = 0;

/** What became of each, and that nothing is left. */
async function compare(chain: Chain, running: readonly Running[], told: readonly (readonly string[])[]): Promise<void> {
  while (chain.listener.sessions > 0) await turn();
  const got: { [name: string]: unknown } = {};
  const want: { [name: string]: unknown } = {};
  for (const [index, one] of running.entries()) {
    const word = cell(one).split('-').at(-1) ?? '';
    const name = `${one.stage}, ${one.fault}, ${one.count}`;
    const messages = one.server.sessions.flatMap((session) => session.messages.map(({ content }) => `${content}`));
    const garbled = one.fault === 'garbage' && /^(data|content-|dot-)$/.test(one.stage);
    const is = {
      told: told[index],
      record: recorded(chain, one.n, one.count),
      messages: garbled ? messages.length : messages,
    };
    const taken = word === 'taken' ? [CONTENT] : [];
    const should = { told: expectedCodes(one, one.steps), record: word, messages: garbled ? taken.length : taken };
    if (JSON.stringify(is) === JSON.stringify(should)) continue;
    got[name] = is;
    want[name] = should;
  }
  assert.deepEqual(got, want);
  const errors = chain.log.filter((line) => line.includes('"level":"error"'));
  assert.deepEqual(errors, []);
  assert.deepEqual(temporaryFiles(), []);
  assert.equal(chain.listener.connections, 0);
  cases += running.length;
}

function casesOf(wanted: (stage: string) => boolean): readonly Case[] {
  return STAGES.filter(wanted).flatMap((stage) =>
    FAULTS.flatMap((fault) => ([1, 3] as const).map((count) => ({ stage, fault, count }))).filter(
      (one) => cell(one) !== '-',
    ),
  );
}

function leaves({ fault }: Case): boolean {
  return ['close', 'half', 'reset'].includes(fault);
}

/** Plays a dialogue up to the downstream's work, the fault, and the rest once the downstream may go on. */
async function playHeld(chain: Chain, one: Running, listener: Protocol): Promise<readonly string[]> {
  const client = await connectPeer(chain.port);
  const { socket } = client;
  const [content, quit] = one.steps.slice(-2);
  for (const step of one.steps.slice(0, -2)) {
    socket.write(step.text);
    assert.deepEqual(await codes(client, step.codes.length), step.codes);
  }
  socket.write(content?.text ?? '');
  const arrived = (): boolean => {
    const session = one.server.sessions[0];
    return (
      (one.stage === 'working' ? session?.commands.includes('DATA') : (session?.messages.length ?? 0) > 0) === true
    );
  };
  while (!arrived()) await turn();
  if (one.fault === 'close') socket.destroy();
  else if (one.fault === 'reset') socket.resetAndDestroy();
  else if (one.fault === 'half') socket.end();
  else if (one.fault === 'silence') await new Promise((over) => setTimeout(over, 1.5 * HELD_PATIENCE));
  else {
    if (one.fault === 'garbage') socket.write(GARBAGE, 'latin1');
    if (one.fault === 'wrong') socket.write(misplaced('content', listener));
    for (const octet of quit?.text ?? '') {
      socket.write(octet);
      if (one.fault === 'slow') await turn();
    }
  }
  while (leaves(one) && chain.listener.connections > 0) await turn();
  const session = one.server.sessions[0];
  if (one.stage === 'working') session?.say('354 Go on');
  else for (let n = 0; n < one.count; n += 1) session?.say('250 2.0.0 Ok');
  return leaves(one) ? [] : await codesUntilEnd(client);
}

const HELD_PATIENCE = 1_000;

/** The replies to the message come first: what was written behind the dot is read behind them. */
function expectedHeld(one: Case, steps: readonly Step[]): readonly string[] {
  const [content, quit] = steps.slice(-2);
  const answer = cell(one).split('-').slice(0, -1);
  return [...(content?.codes ?? []), ...answer, ...(one.fault === 'silence' ? ['421'] : (quit?.codes ?? []))];
}

describe('what a client does wrong', { concurrency: 1 }, () => {
  for (const listener of ['lmtp', 'smtp'] as const) {
    const kinds = [
      {
        name: 'by itself',
        listen: { client_from: 'xforward', chunking: 'true', tls: TLS },
        wanted: (stage: string) => !stage.startsWith('proxy') && !HELD.includes(stage),
      },
      {
        name: 'behind a proxy',
        listen: { client_from: 'proxy' },
        wanted: (stage: string) => stage.startsWith('proxy'),
      },
    ];
    for (const { name, listen, wanted } of kinds) {
      test(`${listener}, ${name}`, async (t) => {
        const before = openDescriptors() ?? 0;
        const running = await startAll(casesOf(wanted), listener);
        const chain = await openFor(running, listener, listen, PATIENCE);
        try {
          const told = await Promise.all(
            running.map(async (one) => play(await connectPeer(chain.port, 10 * PATIENCE), one, listener, one.steps)),
          );
          await compare(chain, running, told);
        } finally {
          await chain.close();
          await Promise.all(running.map(({ server }) => server.close()));
        }
        await turn();
        const left = openDescriptors() ?? 0;
        assert.ok(left <= before, `${before} descriptors before, ${left} after`);
        t.diagnostic(`${running.length} cases`);
      });
    }

    test(`${listener}, while the downstream works`, async () => {
      const running = await startAll(
        casesOf((stage) => HELD.includes(stage)),
        listener,
      );
      const chain = await openFor(running, listener, { client_from: 'xforward' }, HELD_PATIENCE);
      try {
        const told = await Promise.all(running.map((one) => (leaves(one) ? [] : playHeld(chain, one, listener))));
        // One after the other, because each waits for Postern to see that its client left.
        for (const one of running.filter(leaves)) await playHeld(chain, one, listener);
        await compare(chain, running, told);
      } finally {
        await chain.close();
        await Promise.all(running.map(({ server }) => server.close()));
      }
    });
  }
  after(() => process.stdout.write(`${cases} cases of client faults\n`));
});
