import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../folders/durable.ts';
import { KeyStoreFault } from '../keystore/credentials.ts';
import { readKeyStore } from '../keystore/read-key-store.ts';
import { type Command, exitCodes } from './command.ts';

export const importKeystoreCommand: Command = {
  name: 'import-keystore',
  usage: 'KEYSTORE --password-file FILE --out FOLDER',
  summary: 'turn a JKS or PKCS#12 key store into PEM files',
  about:
    'Writes client.pem, client-key.pem (encrypted under the same password) and authorities.pem into FOLDER, for CertificateFile,\nKeyFile, KeyPassword and AuthorityFile. Old stores that OpenSSL 3 refuses are read as well. Writes over nothing.',
  positionals: [1, 1],
  options: { 'password-file': 'a file that holds the password of the store', out: 'a folder' },
  values: { 'password-file': 'FILE', out: 'FOLDER' },
  run({ positionals: [store = ''], options, json }, io) {
    const password = read(options['password-file'] ?? '', 'the password file')
      .toString('utf8')
      .trim();
    const { identity, authorities } = readKeyStore(read(store, 'the key store'), password);
    if (identity === undefined) throw new KeyStoreFault('the key store holds no key');
    const folder = options['out'] ?? '.';
    mkdirSync(folder, { recursive: true });
    const encrypted = createPrivateKey(identity.key).export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: password,
    });
    const files = {
      'client.pem': identity.chain.join('\n'),
      'client-key.pem': encrypted.toString(),
      'authorities.pem': authorities.join('\n'),
    };
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(folder, name), text, { mode: 0o600, flag: 'wx' });
    io.stdout(
      json ? `${JSON.stringify({ written: Object.keys(files) })}\n` : `wrote ${Object.keys(files).join(', ')}\n`,
    );
    return Promise.resolve(exitCodes.ok);
  },
};

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new KeyStoreFault(`${what} cannot be read (${codeOf(error)})`);
  }
}
