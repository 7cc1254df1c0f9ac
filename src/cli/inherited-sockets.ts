/**
 * inherited-sockets - listening sockets that systemd opened for us (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS).
 *
 * They are recognised by their addresses, so that the configuration is the same with socket activation and without.
 * Node cannot ask a descriptor for its address; /proc can (proc_net(5)), and systemd runs on Linux only.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import { type Address, formatAddress } from '../config/address.ts';

const FIRST = 3;
const MOST = 256;

/** Address as `formatAddress` writes it, to file descriptor; empty where nothing was handed to this process. */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): ReadonlyMap<string, number> {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (env['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1 || count > MOST) return new Map();
  const addresses = listeningAddresses();
  const found = new Map<string, number>();
  for (let fd = FIRST; fd < FIRST + count; fd += 1) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(fd))?.[1];
    const address = inode === undefined ? undefined : addresses.get(inode);
    if (address !== undefined) found.set(formatAddress(address), fd);
  }
  return found;
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

/** The inode of every socket of this network to its local address. */
function listeningAddresses(): ReadonlyMap<string, Address> {
  const addresses = new Map<string, Address>();
  for (const words of [...rowsOf('tcp'), ...rowsOf('tcp6')]) {
    const [hexadecimal = '', port = ''] = words[1]?.split(':') ?? [];
    addresses.set(words[9] ?? '', { host: hostOf(hexadecimal), port: Number.parseInt(port, 16) });
  }
  for (const [, , , , , , inode = '', ...path] of rowsOf('unix')) {
    if (path.length > 0) addresses.set(inode, { path: path.join(' ') });
  }
  return addresses;
}

function rowsOf(protocol: 'tcp' | 'tcp6' | 'unix'): readonly (readonly string[])[] {
  try {
    const [, ...rows] = readFileSync(`/proc/self/net/${protocol}`, 'latin1').split('\n');
    return rows.filter((row) => row !== '').map((row) => row.trim().split(/ +/));
  } catch {
    return [];
  }
}

/** The kernel prints an address as words of 32 bits in its own byte order. */
export function hostOf(hexadecimal: string, order: 'LE' | 'BE' = endianness()): string {
  const octets = Buffer.from(hexadecimal, 'hex');
  if (order === 'LE') octets.swap32();
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from({ length: 8 }, (_, n) => octets.readUInt16BE(2 * n).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
