/**
 * bare-pipe - the least that stands in a path in Node: octets are handed on as they come, both ways, unread. What Postern could
 * reach if it did nothing.
 *
 * Arguments: the address to listen on, the address of the server.
 */
import { connect, createServer, type Socket } from 'node:net';
import { socketOptions } from '../e2e/sandbox.ts';

const [address = '', server = ''] = process.argv.slice(2);
const to = socketOptions(server);

function handOn(from: Socket, into: Socket): void {
  from.on('data', (octets) => into.write(octets));
  from.on('end', () => into.end());
  from.on('error', () => into.destroy());
  from.on('close', () => into.destroy());
}

createServer({ noDelay: true }, (client) => {
  const downstream = connect({ ...to, noDelay: true });
  handOn(client, downstream);
  handOn(downstream, client);
}).listen(socketOptions(address));
