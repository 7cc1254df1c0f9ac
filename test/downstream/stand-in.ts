/**
 * stand-in - a program for the tests of downstreams that run one. Its first argument says how it behaves:
 *
 *     bridge ADDRESS    passes octets on between its standard streams and a scripted server, and ends with it
 *     loud ADDRESS      the same, but has much to say on standard error first
 *     take FILE CODE …  reads its input to the end, adds arguments and input to FILE as a line of JSON, exits with CODE
 *     leave CODE        reads nothing, exits with CODE
 *     die               ends itself by a signal
 *     slow FILE         takes no heed of SIGTERM, and writes FILE when its input has ended
 *     stubborn          says "ready" on standard error and does not heed SIGTERM
 *     deaf              closes its standard input, says nothing, and stays
 */
import { appendFileSync, closeSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The call of this program, for a downstream. */
export function standIn(...words: readonly string[]): readonly string[] {
  return [process.execPath, fileURLToPath(new URL('./stand-in.js', import.meta.url)), ...words];
}

function bridge(address: string): void {
  const socket = connect(JSON.parse(address));
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on('error', () => undefined);
  socket.on('close', () => process.exit(0));
}

function stay(): void {
  setInterval(() => undefined, 60_000);
}

function run(behaviour: string, [first = '', second = '', ...others]: readonly string[]): void {
  switch (behaviour) {
    case 'bridge':
      bridge(first);
      return;
    case 'loud':
      process.stderr.write(`one \u0007 line\n${'long '.repeat(1000)}\n${'many\n'.repeat(1000)}and no end`);
      bridge(first);
      return;
    case 'take':
      appendFileSync(first, `${JSON.stringify({ words: others, content: readFileSync(0, 'latin1') })}\n`);
      process.exit(Number(second));
      return;
    case 'leave':
      process.exit(Number(first));
      return;
    case 'die':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'slow':
      process.on('SIGTERM', () => undefined);
      process.stdin.resume();
      process.stdin.on('end', () => appendFileSync(first, 'end of input'));
      process.stderr.write('ready\n');
      return;
    case 'stubborn':
      process.on('SIGTERM', () => undefined);
      stay();
      process.stderr.write('ready\n');
      return;
    case 'deaf':
      closeSync(0);
      stay();
      return;
    default:
      process.exit(64);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(process.argv[2] ?? '', process.argv.slice(3));
