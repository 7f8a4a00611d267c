// Text from elsewhere on its way to somebody's terminal, as it stands or inside JSON.

/** Control characters of both halves of Latin-1, and what turns the order in which text is shown. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const commanding = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Of these, what JSON leaves as it is. */
const commandingInJson = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text as it may be shown on a terminal, in one line: what would move its cursor, colour it or turn its text is replaced. */
export function terminalText(text: string): string {
  return text.replace(commanding, '\uFFFD');
}

/** JSON as it may be shown on a terminal, indented by so many blanks: the same value, with such characters written as escapes. */
export function terminalJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    commandingInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
