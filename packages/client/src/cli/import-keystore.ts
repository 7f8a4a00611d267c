import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../folders/durable.ts';
import { type Identity, KeyStoreFault } from '../keystore/credentials.ts';
import { readKeyStore } from '../keystore/read-key-store.ts';
import { writePkcs12 } from '../keystore/write-pkcs12.ts';
import { type Command, CommandRefusal, exitCodes } from './command.ts';

const formats = ['pem', 'pkcs12'] as const;

export const importKeystoreCommand: Command = {
  name: 'import-keystore',
  usage: 'KEYSTORE --password-file FILE --out FOLDER [--format pem|pkcs12]',
  summary: 'turn a JKS or PKCS#12 key store into PEM files or a modern PKCS#12',
  about:
    'Writes client.pem, client-key.pem (encrypted under the same password) and authorities.pem into FOLDER, for CertificateFile,\nKeyFile, KeyPassword and AuthorityFile; or, with --format pkcs12, one file client.p12 under the same password, for\nKeyStorePath. Old stores that OpenSSL 3 refuses are read as well. Writes over nothing.',
  positionals: [1, 1],
  options: {
    'password-file': 'a file that holds the password of the store',
    out: 'a folder',
    format: 'pem, which is the default, or pkcs12',
  },
  values: { 'password-file': 'FILE', out: 'FOLDER', format: 'FORMAT' },
  run({ positionals: [store = ''], options, json }, io) {
    const format = formats.find((each) => each === (options['format'] ?? 'pem'));
    if (format === undefined) throw new CommandRefusal(exitCodes.usage, '--format takes pem or pkcs12');
    const password = read(options['password-file'] ?? '', 'the password file')
      .toString('utf8')
      .trim();
    const credentials = readKeyStore(read(store, 'the key store'), password);
    if (credentials.identity === undefined) throw new KeyStoreFault('the key store holds no key');
    const folder = options['out'] ?? '.';
    mkdirSync(folder, { recursive: true });
    const files =
      format === 'pem'
        ? pemFiles(credentials.identity, credentials.authorities, password)
        : { 'client.p12': writePkcs12(credentials, password, 'client') };
    for (const [name, bytes] of Object.entries(files))
      writeFileSync(join(folder, name), bytes, { mode: 0o600, flag: 'wx' });
    io.stdout(
      json ? `${JSON.stringify({ written: Object.keys(files) })}\n` : `wrote ${Object.keys(files).join(', ')}\n`,
    );
    return Promise.resolve(exitCodes.ok);
  },
};

function pemFiles({ key, chain }: Identity, authorities: readonly string[], passphrase: string) {
  const encrypted = createPrivateKey(key).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase });
  return {
    'client.pem': chain.join('\n'),
    'client-key.pem': encrypted.toString(),
    'authorities.pem': authorities.join('\n'),
  };
}

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new KeyStoreFault(`${what} cannot be read (${codeOf(error)})`);
  }
}
