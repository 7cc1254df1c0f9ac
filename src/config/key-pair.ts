/**
 * key-pair - a certificate and its private key, read from PEM files when the configuration is loaded.
 *
 * What is wrong with them is found here, and not by the first client that asks for TLS.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readText } from '../yaml/file.ts';

export interface KeyPair {
  /** Absolute paths. */
  readonly cert: string;
  readonly key: string;
  /** The texts of the files: the certificate with its chain, and the key. */
  readonly certificate: string;
  readonly privateKey: string;
}

export interface KeyPairProblem {
  /** Which of the two paths it is about. */
  readonly of: 'cert' | 'key';
  readonly message: string;
  readonly hint: string;
}

export type ReadKeyPair = (cert: string, key: string) => KeyPair | readonly KeyPairProblem[];

/** Reads each pair once, so that what was checked is what is used. The paths are absolute. */
export function keyPairReader(): ReadKeyPair {
  const known = new Map<string, ReturnType<ReadKeyPair>>();
  return (cert, key) => {
    const name = `${cert}\0${key}`;
    const read = known.get(name) ?? readKeyPair(cert, key);
    known.set(name, read);
    return read;
  };
}

/** Certificates of those whose word on others is taken. */
export interface Authorities {
  /** Absolute path. */
  readonly file: string;
  readonly certificates: string;
}

export type ReadAuthorities = (file: string) => Authorities | Pick<KeyPairProblem, 'message' | 'hint'>;

/** Reads each file once. The path is absolute. */
export function authoritiesReader(): ReadAuthorities {
  const known = new Map<string, ReturnType<ReadAuthorities>>();
  return (file) => {
    const read = known.get(file) ?? readAuthorities(file);
    known.set(file, read);
    return read;
  };
}

function readAuthorities(file: string): ReturnType<ReadAuthorities> {
  const problems: KeyPairProblem[] = [];
  const certificates = readPem('cert', file, problems);
  if (certificates !== null) parseCertificate(certificates, problems);
  const [problem] = problems;
  if (certificates !== null && problem === undefined) return { file, certificates };
  const { message = '', hint = '' } = problem ?? {};
  return { message, hint: certificates === null ? hint : 'expected PEM: -----BEGIN CERTIFICATE-----, one or several' };
}

function readKeyPair(cert: string, key: string): KeyPair | readonly KeyPairProblem[] {
  const problems: KeyPairProblem[] = [];
  const certificate = readPem('cert', cert, problems);
  const privateKey = readPem('key', key, problems);
  const leaf = certificate === null ? null : parseCertificate(certificate, problems);
  const secret = privateKey === null ? null : parseKey(privateKey, problems);
  if (leaf !== null && secret !== null && !leaf.checkPrivateKey(secret)) {
    const hint = 'give the key that the certificate was made for; of several certificates in the file the first counts';
    problems.push({ of: 'key', message: 'the key does not belong to the certificate', hint });
  }
  if (certificate === null || privateKey === null || problems.length > 0) return problems;
  return { cert, key, certificate, privateKey };
}

function readPem(of: 'cert' | 'key', path: string, problems: KeyPairProblem[]): string | null {
  const { text, diagnostics } = readText(path);
  const [problem] = diagnostics;
  if (problem !== undefined) {
    problems.push({ of, message: problem.message, hint: problem.hint ?? 'name a file in PEM form' });
  }
  return text;
}

function parseCertificate(pem: string, problems: KeyPairProblem[]): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    const hint = 'expected PEM: -----BEGIN CERTIFICATE-----, the own certificate first, then its chain';
    problems.push({ of: 'cert', message: 'the file holds no certificate', hint });
    return null;
  }
}

function parseKey(pem: string, problems: KeyPairProblem[]): KeyObject | null {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    const hint = 'take the passphrase off: openssl pkey -in KEY -out NEW-KEY';
    problems.push({ of: 'key', message: 'the key is protected by a passphrase', hint });
    return null;
  }
  try {
    return createPrivateKey(pem);
  } catch {
    const hint = 'expected PEM: -----BEGIN PRIVATE KEY-----';
    problems.push({ of: 'key', message: 'the file holds no private key', hint });
    return null;
  }
}
