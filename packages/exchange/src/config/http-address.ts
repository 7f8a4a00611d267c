/** An address of http or https without name, password, query and fragment; undefined for any other text. */
export function readHttpAddress(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return isPlain ? url : undefined;
}

/** The same as text, without a slash at its end: paths are added. */
export function withoutSlash(url: URL): string {
  return url.href.replace(/\/$/, '');
}
