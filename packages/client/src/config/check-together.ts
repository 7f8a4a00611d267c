import type { Judge } from './build-config.ts';
import type { ClientConfig } from './config.ts';
import type { RawConfig } from './raw-settings.ts';
import { mailboxSettings, processSettings } from './settings.ts';

/** What no setting shows by itself: halves without their other half, two mailboxes in one folder, hosts that go away. */
export function checkTogether(config: ClientConfig, raw: RawConfig, judge: Judge): void {
  const line = (name: string): number => raw.settings.get(name)?.line ?? 1;
  const spelt = (name: string): string => judge.spelling(name, processSettings);
  if ((config.certificateFile === undefined) !== (config.keyFile === undefined)) {
    const missing = config.certificateFile === undefined ? 'certificateFile' : 'keyFile';
    judge.refuse(1, spelt(missing), 'is missing: certificate and key come together');
  }
  if (config.keyStorePath !== undefined && config.certificateFile !== undefined) {
    judge.refuse(line('certificateFile'), spelt('certificateFile'), `and ${spelt('keyStorePath')} exclude each other`);
  }
  checkUrl(config, judge, line('url'), spelt('url'));
  checkMailboxes(raw, judge);
  if (raw.settings.has('autoUpgrade') && config.autoUpgrade) {
    judge.warn(line('autoUpgrade'), spelt('autoUpgrade'), 'has no effect: this client never replaces itself');
  }
}

const retiring = new Map([
  ['mesh-sync.national.ncrs.nhs.uk', 'https://mesh-sync.spineservices.nhs.uk'],
  ['msg.int.spine2.ncrs.nhs.uk', 'https://msg.intspineservices.nhs.uk'],
  ['msg.dep.spine2.ncrs.nhs.uk', 'https://msg.depspineservices.nhs.uk'],
]);
const pollAdvisedMs = 300_000;

function checkUrl(config: ClientConfig, judge: Judge, line: number, spelt: string): void {
  if (config.url === '') return;
  const { hostname, protocol } = new URL(config.url);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  if (protocol === 'http:' && !isLoopback && !config.allowPlainHttp) {
    judge.refuse(line, spelt, 'is http:// to another machine, where password and messages can be read on the way');
  }
  if (hostname.endsWith('.ncrs.nhs.uk')) {
    const instead = retiring.get(hostname);
    const advice = instead === undefined ? '' : `; ${instead} is its host on the internet`;
    judge.warn(line, spelt, `is a host of HSCN, which the service is leaving${advice}`);
  }
  if (hostname.endsWith('.nhs.uk') && config.pollPeriodMs < pollAdvisedMs) {
    judge.warn(
      line,
      judge.spelling('pollPeriodMs', processSettings),
      'is under the 5 minutes the national service asks for',
    );
  }
}

function checkMailboxes(raw: RawConfig, judge: Judge): void {
  for (const name of ['id', 'root'] as const) {
    const seen = new Map<string, number>();
    for (const { settings } of raw.mailboxes) {
      const setting = settings.get(name);
      if (setting === undefined) continue;
      const key = name === 'id' ? setting.text.toUpperCase() : setting.text;
      const before = seen.get(key);
      if (before !== undefined) {
        judge.refuse(
          setting.line,
          judge.spelling(name, mailboxSettings),
          `is that of another mailbox (line ${before}) too`,
        );
      }
      seen.set(key, setting.line);
    }
  }
}
