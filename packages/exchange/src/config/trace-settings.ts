import { readHttpAddress, withoutSlash } from './http-address.ts';
import { file, optionalSetting, type Parsed, refuse, type SettingKind, setting, visibleText } from './setting.ts';

/** Where a collector of OpenTelemetry listens for OTLP over HTTP; no slash at its end. */
function collectorAddress(): SettingKind<string> {
  return {
    type: 'place',
    unit: '',
    limits: 'http or https address',
    parse(text): Parsed<string> {
      const url = readHttpAddress(text);
      if (url === undefined || url.pathname.endsWith('/v1/traces')) {
        return refuse('must be an http or https address without password, query and /v1/traces');
      }
      return { ok: true, value: withoutSlash(url) };
    },
  };
}

function shareOfAll(): SettingKind<number> {
  return {
    type: 'number',
    unit: '',
    limits: '0 to 1, with up to six decimals',
    parse: (text) =>
      /^(0(\.\d{1,6})?|1(\.0{1,6})?)$/.test(text)
        ? { ok: true, value: Number(text) }
        : refuse('must be a number from 0 to 1 with up to six decimals, such as 0.01'),
  };
}

/** Spans about messages, for whoever operates several services and looks at them together. */
export const traces = {
  OPENMESH_TRACES_ENDPOINT: optionalSetting(collectorAddress(), {
    help: 'The address of an OpenTelemetry collector that takes OTLP over HTTP, to which /v1/traces is added. Without it no trace is made.',
  }),
  OPENMESH_TRACES_CA_FILE: optionalSetting(file(), {
    help: "The authorities, PEM, of the collector's certificate; without it those the system trusts.",
  }),
  OPENMESH_TRACES_SHARE: setting(shareOfAll(), {
    default: 1,
    help: 'The share of messages that are traced. The same messages on every node with the same share.',
  }),
  OPENMESH_TRACES_SERVICE_NAME: setting(visibleText(64), {
    default: 'openmesh-exchange',
    help: 'The name of this service in traces.',
  }),
};
