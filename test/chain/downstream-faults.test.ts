/**
 * The fault matrix, downstream: whatever goes wrong behind us, at whichever stage, every recipient gets one reply, and
 * nobody a 2yz that the downstream did not give.
 *
 * All cases of a kind run at once through one Postern, each with a downstream of its own: so they show as well that one
 * broken downstream costs the others nothing.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createSecureContext } from 'node:tls';
import {
  type Act,
  all,
  CAPABILITIES,
  close,
  deaf,
  drip,
  hang,
  raw,
  reset,
  type Script,
  type ScriptedServer,
  slowly,
  startScriptedServer,
  unsaid,
} from '../downstream/scripted-server.ts';
import { type Chain, openChain } from '../support/chain.ts';
import { connectPeer } from '../support/peer.ts';

type Protocol = 'lmtp' | 'smtp';

/**
 * What each recipient is told, by the words of REPLIES; three recipients that are told different things are written a-b-c.
 *
 * `of`: recipients; the fault is in the reply to the second of three. `on`: whether the downstream offers PIPELINING
 * (`pipe`, `wait`), or which protocol it speaks, or any of it. The first line that fits a case counts.
 *
 *   close, reset   the connection, in place of the reply       4yz, 5yz   a refusal
 *   silence        from here on                                wrong      a reply of a class that does not belong here
 *   garbage        octets that are no reply                    many       the good reply twice
 *   half           a part of the reply, then silence           few        this reply is left out
 *   421            and then the connection is closed           slow       the good reply, bit by bit
 *   twice          the refusal twice                           drip       a reply that never ends, octet by octet
 *
 * `content` is the server's word while content flows; `mail again` is MAIL on a connection that has carried a message,
 * `reset` the RSET on one whose transaction before was given up: they are tried once more on a fresh connection, as long as
 * nothing was answered. Behind the final dot replies count as they come: one too many there cannot be told from the next
 * recipient's. XFORWARD is a courtesy: its refusal is nobody's.
 */
const TABLE = `
stage       of   on    close         reset         silence       garbage     half          421            4yz        5yz        wrong       many  few         slow  drip          twice
greeting    any  any   lost          lost          late          bad         late          shut           shut       shut       bad         bad   late        ok    late          shut
hello       any  lmtp  lost          lost          late          bad         late          shut           shut       shut       bad         bad   late        ok    late          shut
hello       any  smtp  lost          lost          late          bad         late          shut           shut       shut       bad         bad   late        ok    late          bad
starttls    any  any   lost          lost          late          bad         late          shut           unsafe     unsafe     bad         bad   late        ok    late          unsafe
xforward    any  pipe  lost          lost          late          bad         late          lost           ok         ok         bad         bad   bad         ok    late          bad
xforward    any  wait  lost          lost          late          bad         late          lost           ok         ok         bad         bad   late        ok    late          bad
mail        any  pipe  lost          lost          late          bad         late          421            4yz        5yz        bad         bad   bad         ok    late          5yz
mail        any  wait  lost          lost          late          bad         late          421            4yz        5yz        bad         bad   late        ok    late          5yz
rcpt        1    pipe  lost          lost          late          bad         late          421            4yz        5yz        bad         bad   bad         ok    late          5yz
rcpt        1    wait  lost          lost          late          bad         late          421            4yz        5yz        bad         bad   late        ok    late          5yz
rcpt        3    pipe  lost          lost          late          bad         late          lost-421-lost  ok-4yz-ok  ok-5yz-ok  bad         bad   bad         ok    late          bad
rcpt        3    wait  lost          lost          late          bad         late          lost-421-lost  ok-4yz-ok  ok-5yz-ok  bad         bad   late        ok    late          bad
data        any  any   lost          lost          late          bad         late          421            4yz        5yz        bad         bad   late        ok    late          5yz
content     any  any   lost          lost          late          bad         late          421            4yz        5yz        bad         5yz   late        5yz   late          5yz
final       3    lmtp  ok-lost-lost  ok-lost-lost  ok-late-late  ok-bad-bad  ok-late-late  ok-421-lost    ok-4yz-ok  ok-5yz-ok  ok-bad-bad  ok    ok-ok-late  ok    ok-late-late  ok-5yz-5yz
final       any  any   lost          lost          late          bad         late          421            4yz        5yz        bad         ok    late        ok    late          5yz
mail-again  any  pipe  ok            ok            ok            ok          ok            ok             4yz        5yz        bad         bad   bad         ok    ok            5yz
mail-again  any  wait  ok            ok            ok            ok          ok            ok             4yz        5yz        bad         bad   ok          ok    ok            5yz
reset       any  pipe  ok            ok            ok            ok          ok            ok             ok         ok         bad         bad   bad         ok    ok            ok
reset       any  wait  ok            ok            ok            ok          ok            ok             ok         ok         bad         bad   ok          ok    ok            ok
quit        any  any   ok            ok            ok            ok          ok            ok             ok         ok         ok          ok    ok          ok    ok            ok
`;

const LOST = '451 4.4.2 The connection to the mail system behind this server was lost; please try again later (id)';
const UNREACHABLE = '451 4.4.1 The mail system behind this server cannot be reached; please try again later (id)';

const REPLIES: Readonly<Record<string, string>> = {
  ok: '250 2.0.0 Ok',
  lost: LOST,
  late: '451 4.4.2 The mail system behind this server did not answer in time; please try again later (id)',
  bad: '451 4.5.0 The mail system behind this server broke the protocol; please try again later (id)',
  unsafe: '451 4.7.5 The mail system behind this server cannot be reached securely; please try again later (id)',
  shut: '451 4.3.2 The mail system behind this server is not available; please try again later (id)',
  '421': '451 4.3.2 Closing',
  '4yz': '452 4.3.1 Full',
  '5yz': '550-5.7.1 First\n550 5.7.1 Second',
};

const [HEAD = [], ...ROWS] = TABLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const FAULTS = HEAD.slice(3);
const STAGES = [...new Set(ROWS.map(([stage]) => stage ?? ''))];

interface Case {
  readonly stage: string;
  readonly fault: string;
  readonly count: 1 | 3;
}

/** The words of the table for each recipient. */
function expected({ stage, fault, count }: Case, of: Protocol, pipelining: boolean): readonly string[] {
  const how = ['any', of, pipelining ? 'pipe' : 'wait'];
  const row = ROWS.find(
    ([name, many, on]) => name === stage && ['any', `${count}`].includes(many ?? '') && how.includes(on ?? ''),
  );
  const words = row?.[FAULTS.indexOf(fault) + 3]?.split('-') ?? [];
  return words.length === 1 ? new Array<string>(count).fill(words[0] ?? '') : words;
}

const TWO_LINES = '550-5.7.1 First\n550 5.7.1 Second';

const GOOD: Readonly<Record<string, string>> = {
  greeting: '220 scripted.example',
  starttls: '220 2.0.0 Ready',
  data: '354 Go on',
  final: '250 2.0.0 Ok',
  quit: '221 2.0.0 Bye',
};

/** What the server does at the stage in place of the good reply. */
function act(fault: string, good: string): Act {
  const acts: Readonly<Record<string, Act>> = {
    close,
    reset,
    silence: hang,
    garbage: raw('HTTP/1.1 400 Bad Request\r\n\r\n'),
    half: all(raw(good.slice(0, 2)), hang),
    '421': all('421 4.3.2 Closing', close),
    '4yz': '452 4.3.1 Full',
    '5yz': TWO_LINES,
    wrong: good.startsWith('354') ? '250 2.0.0 Ok' : '354 Go on',
    many: `${good}\n${good}`,
    few: unsaid(good),
    slow: slowly(good),
    drip,
    twice: `${TWO_LINES}\n${TWO_LINES}`,
  };
  return acts[fault] ?? assert.fail(fault);
}

/** The server's word in the middle of content is a refusal, where it is a whole reply. */
function early(fault: string): Act {
  const words = act(fault === 'few' ? 'silence' : fault, TWO_LINES);
  return fault === 'wrong' ? all(deaf, '250 2.0.0 Ok') : all(deaf, words);
}

function capabilities(pipelining: boolean, stage: string): readonly string[] {
  const common = pipelining ? CAPABILITIES : CAPABILITIES.slice(1);
  return stage === 'xforward' ? [...common, 'XFORWARD NAME ADDR'] : common;
}

function scriptOf({ stage, fault, count }: Case, of: Protocol, pipelining: boolean): (connection: number) => Script {
  const hello = ['250-scripted.example', ...capabilities(pipelining, stage).map((line) => `250-${line}`)]
    .join('\n')
    .replace(/250-(.*)$/, '250 $1');
  const wrong = act(fault, stage === 'hello' ? hello : (GOOD[stage] ?? '250 2.1.0 Ok'));
  const second = count === 3 && (stage === 'rcpt' || (stage === 'final' && of === 'lmtp'));
  const good = '250 2.0.0 Ok';
  switch (stage) {
    case 'rcpt':
      return () => ({ rcpt: second ? [good, wrong] : [wrong] });
    case 'content':
      return () => ({ early: { after: 1, act: early(fault) } });
    case 'final':
      return () => ({ final: second ? [good, wrong, good] : [wrong] });
    case 'mail-again':
      return (connection) => (connection === 0 ? { mail: [good, wrong] } : {});
    case 'reset':
      return (connection) => (connection === 0 ? { rcpt: new Array<Act>(count).fill(TWO_LINES), rset: [wrong] } : {});
    case 'starttls':
      return () => ({ starttls: fault === 'slow' ? all(wrong, { kind: 'secure' }) : wrong });
    default:
      return () => ({ [stage]: wrong });
  }
}

const CERTIFICATE = resolve('test', 'support', 'certificate', 'cert.pem');
const SERVER = createSecureContext({
  cert: readFileSync(CERTIFICATE),
  key: readFileSync(resolve('test', 'support', 'certificate', 'key.pem')),
});
const TLS = `mode: required, ca: ${CERTIFICATE}, server_name: postern.example.org`;

interface Running extends Case {
  readonly domain: string;
  readonly server: ScriptedServer;
}

/** Longest wait for a reply of a downstream, in milliseconds: each chain waits so long once, in many cases at once. On a busy
 * machine the slow ones, bit by bit, need some of it. */
const PATIENCE = 8_000;

const ID = /\(id \w+\)/g;

let cases = 0;

async function runAll(t: TestContext, listener: Protocol, of: Protocol, pipelining: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-faults-'));
  const running: Running[] = [];
  for (const stage of STAGES) {
    for (const fault of FAULTS) {
      for (const count of [1, 3] as const) {
        const n = running.length;
        const one = { stage, fault, count };
        // A unix socket holds little of what nobody reads; it knows no reset.
        const path = stage === 'content' && fault !== 'reset' ? { path: join(folder, `${n}.sock`) } : {};
        const script = scriptOf(one, of, pipelining);
        const server = await startScriptedServer({
          protocol: of,
          capabilities: capabilities(pipelining, stage),
          script,
          ...path,
          ...(stage === 'starttls' ? { tls: SERVER } : {}),
        });
        running.push({ ...one, domain: `c${n}.example`, server });
      }
    }
  }
  const chain = await openChain({
    listener,
    downstreamPort: 1,
    downstreams: Object.fromEntries(
      running.map(({ server: { address }, stage }, n) => {
        const where = 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
        const own = stage === 'xforward' ? ', xforward: true' : stage === 'starttls' ? `, tls: { ${TLS} }` : '';
        return [`d${n}`, `{ ${of}: "${where}"${own} }`];
      }),
    ),
    routes: running.map(({ domain }, n) => `{ recipients: "*@${domain}", to: d${n} }`).join(', '),
    limits: { memory: '1 MB' },
    timeouts: { reply: `${PATIENCE} milliseconds` },
  });
  t.after(async () => {
    await chain.close();
    await Promise.all(running.map(({ server }) => server.close()));
    rmSync(folder, { recursive: true, force: true });
  });
  return { chain, running };
}

/** Posts one message; the final replies, with what differs between two runs left out, and whether more came. */
async function post(chain: Chain, one: Running, listener: Protocol): Promise<readonly string[]> {
  const client = await connectPeer(chain.port, 10 * PATIENCE);
  await client.reply();
  await client.ask(`${listener === 'lmtp' ? 'LHLO' : 'EHLO'} client.example`);
  const told: string[] = [];
  for (let round = one.stage === 'mail-again' || one.stage === 'reset' ? 0 : 1; round < 2; round += 1) {
    const recipients = ['a', 'b', 'c'].slice(0, one.count).map((name) => `RCPT TO:<${name}@${one.domain}>`);
    const envelope = ['MAIL FROM:<ann@example.net>', ...recipients, 'DATA'];
    const codes: string[] = [];
    for (const command of envelope) codes.push((await client.ask(command))?.slice(0, 3) ?? 'end');
    assert.deepEqual(codes, [...new Array<string>(1 + one.count).fill('250'), '354']);
    const body = one.stage === 'content' ? `${'x'.repeat(998)}\r\n`.repeat(2_000) : 'x\r\n';
    client.socket.write(`Subject: x\r\n\r\n${body}.\r\n`);
    told.length = 0;
    for (let n = 0; n < (listener === 'lmtp' ? one.count : 1); n += 1) {
      told.push((await client.reply())?.replaceAll(ID, '(id)') ?? 'end');
    }
  }
  // One more reply than the protocol has would stand before these.
  assert.match((await client.ask('NOOP')) ?? '', /^250 2\.0\.0 /);
  assert.match((await client.ask('QUIT')) ?? '', /^221 /);
  assert.equal(await client.line(), null);
  client.socket.destroy();
  return told;
}

/** Messages that came to their final dot: all at `final`, else those of which anybody is told 2yz. */
function messagesTaken({ stage }: Case, words: readonly string[]): number {
  const before = stage === 'mail-again' ? 1 : 0;
  return before + (stage === 'final' || words.includes('ok') ? 1 : 0);
}

/** Domain to the replies that the last record of its transactions holds. */
function recordsOf({ log }: Chain): ReadonlyMap<string, readonly string[]> {
  const transactions = log
    .map((line) => JSON.parse(line) as { event: string; recipients: readonly { to: string; reply: string }[] })
    .filter(({ event }) => event === 'transaction');
  return new Map(
    transactions.map(({ recipients }) => [
      recipients[0]?.to.replace(/.*@/, '') ?? '',
      recipients.map(({ reply }) => reply.replaceAll(ID, '(id)')),
    ]),
  );
}

/** Over SMTP one reply must do: in doubt the 4yz, and a 5yz beside 2yz names whom it is about. */
function oneReply(words: readonly string[], domain: string): string {
  const [first = ''] = words;
  if (words.every((word) => word === first)) return REPLIES[first] ?? '';
  const said = (word: string): string => (REPLIES[word] ?? '').replaceAll(/^550-5\.7\.1 /gm, '550 5.7.1 ');
  const transient = words.find((word) => said(word).startsWith('4'));
  const picked = transient ?? words.find((word) => said(word).startsWith('5')) ?? '';
  const whom = ['a', 'b', 'c'].filter((_, n) => said(words[n] ?? '')[0] === said(picked)[0]);
  return `${said(picked).slice(0, 9)} ${transient === undefined ? 'Delivered to the others, but not to' : 'Not delivered yet to'} ${whom
    .map((name) => `<${name}@${domain}>`)
    .join()}`;
}

/** As `oneReply` writes it: whom it is about, without the reasons. */
function shortened(reply: string): string {
  const [, start = '', words = ''] =
    /^(\d{3})[ -](?:.{5} )((?:Not delivered yet|Delivered to the others).*)/s.exec(reply) ?? [];
  if (words === '') return reply;
  const status = reply.slice(4, 9);
  const names = words.match(/<[abc]@[^>]*>/g) ?? [];
  return `${start} ${status} ${/^.*? to(?= <)/.exec(words)?.[0]} ${names.sort().join()}`;
}

describe('what goes wrong downstream', { concurrency: 2 }, () => {
  for (const listener of ['lmtp', 'smtp'] as const) {
    for (const of of ['lmtp', 'smtp'] as const) {
      for (const pipelining of [true, false]) {
        test(`${listener} in, ${of} out, ${pipelining ? 'pipelined' : 'one command at a time'}`, async (t) => {
          const { chain, running } = await runAll(t, listener, of, pipelining);
          const results = await Promise.all(running.map((one) => post(chain, one, listener)));
          const got: Record<string, unknown> = {};
          const want: Record<string, unknown> = {};
          const records = recordsOf(chain);
          for (const [n, one] of running.entries()) {
            const name = `${one.stage}, ${one.fault}, ${one.count}`;
            const words = expected(one, of, pipelining);
            const each = words.map((word) => REPLIES[word] ?? '');
            want[name] = {
              told: listener === 'lmtp' ? each : [oneReply(words, one.domain)],
              // What was recorded is what was said, on one line.
              recorded: each.map((reply) => reply.replace(/\n.{10}/, ' | ').replace(/^(\d{3})-/, '$1 ')),
              taken: messagesTaken(one, words),
            };
            // Whether the system tells of a reset before or after it tells of the connection is up to it.
            const early = one.stage === 'greeting' && one.fault === 'reset';
            const known = (reply: string): string => (early && reply === UNREACHABLE ? LOST : reply);
            got[name] = {
              told: (results[n] ?? []).map((reply) => shortened(known(reply))),
              recorded: records.get(one.domain)?.map(known),
              taken: one.server.sessions.reduce((sum, { messages }) => sum + messages.length, 0),
            };
          }
          cases += running.length;
          for (const name of Object.keys(want)) {
            if (isDeepStrictEqual(got[name], want[name])) delete got[name];
            else continue;
            delete want[name];
          }
          assert.deepEqual(got, want);
          const errors = chain.log.filter((line) => line.includes('"level":"error"'));
          assert.deepEqual(errors, []);
          while (chain.listener.sessions > 0) await new Promise((turn) => setImmediate(turn));
        });
      }
    }
  }
  after(() => process.stdout.write(`${cases} cases of downstream faults\n`));
});
