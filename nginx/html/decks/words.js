// The difference of two texts, word by word.

// A tag of HTML, blanks, a sign of a script without blanks, a word, or any other sign.
const TOKENS = /<[^<>]*>|\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{N}\p{M}])+|[^]/gu;
// Above this, what differs is one piece: the table below has as many cells.
const MAX_CELLS = 4_000_000;

const tokensOf = (text) => text.match(TOKENS) ?? [];

// Lengths of the longest common subsequences of what follows, in rows of `b.length + 1`.
function table(a, b) {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1 : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  return (i, j) => lengths[i * width + j];
}

// {before, after}: each text in pieces, [{text, isChanged}].
export function differences(before, after) {
  const a = tokensOf(before);
  const b = tokensOf(after);
  let first = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) first += 1;
  let last = 0;
  while (last < a.length - first && last < b.length - first && a.at(-1 - last) === b.at(-1 - last)) last += 1;
  const sides = { before: [], after: [] };
  const add = (side, text, isChanged) => {
    const end = sides[side].at(-1);
    if (end?.isChanged === isChanged) end.text += text;
    else if (text) sides[side].push({ text, isChanged });
  };
  const addBoth = (text) => { add("before", text, false); add("after", text, false); };
  addBoth(a.slice(0, first).join(""));
  compare(a.slice(first, a.length - last), b.slice(first, b.length - last), addBoth, add);
  addBoth(a.slice(a.length - last).join(""));
  return sides;
}

function compare(a, b, addBoth, add) {
  let [i, j] = [0, 0];
  if (a.length * b.length <= MAX_CELLS) {
    const common = table(a, b);
    while (i < a.length && j < b.length) {
      if (a[i] === b[j]) {
        addBoth(a[i]);
        i += 1;
        j += 1;
      } else if (common(i + 1, j) >= common(i, j + 1)) {
        add("before", a[i], true);
        i += 1;
      } else {
        add("after", b[j], true);
        j += 1;
      }
    }
  }
  add("before", a.slice(i).join(""), true);
  add("after", b.slice(j).join(""), true);
}
