// Texts on which tokenizers are known to disagree: [number, name, text, ...]. A text is a string, or a Buffer where it
// is not UTF-8. Numbers stay what they are, for reports and for golden files; a new case gets a new number.

const bytes = (...values) => Buffer.from(values);
const times = (text, count) => text.repeat(count);

// Long enough to leave every short path, short enough for oracles that are quadratic.
const LONG = 3000;

export const EDGE_CASES = [
  [1, "long s in contractions", "'ſ", "it'ſ fine", "'ſhall", "'ſ's", "a'ſb'Kc", "don'T'ſ"],
  [2, "contractions by case", "'S", "'Ll", "don'T", "I'M we'RE they'VE he'D it'S you'LL", "O'NEILL o'clock"],
  [3, "chains of apostrophes", "a'll've", "'", "x'", "''s", "'s's's", "'''", "'t've'll'd'm're", " 's", "\n's", "1's", "!'s"],
  [4, "white space at the end", "a\n  ", "a\r\t", "a\n\u00a0", "\n  ", " \n", "a  \n", "a \t ", "\r\n  \r\n  "],
  [5, "spaces before words", "  x", "\n x", " \n\n  x", times(" ", 20) + "word", "a  b   c    d", " \t x", "\t\tx", " \u00a0x"],
  [6, "line breaks of all kinds", "\r", "\r\n\r\n", "\x0b", "\x85", "\u2028", "\u2029", "\u3000", "a\rb\x0bc\x0cd\x85e\u2028f\u3000g"],
  [7, "separators that are no white space", "\x1c\x1d\x1e\x1f", "a\x1cb \x1d c", "™\x1eg", "T\x10his"],
  [8, "numbers that are no digits", "½-a", "²", "x²+y²", "Ⅵ-a", "a 〇b", "٣٤٥٦", "１２３４", "1½", "a½b", "④⑤"],
  [9, "digits by threes", "1234567", ...Array.from({length: 9}, (_, i) => times("3", i + 1)), " 12 345 6789", "3.14159", "1,000,000"],
  [10, "combining marks", "a\u0301", "á", "हिन्दी", "Cửa Việt", "e\u0301\u0302\u0303", "\u0301", " \u0301a", "1\u0301", "a\u0301's"],
  [11, "invisible characters", "\uFEFF//", "\u200b", "a\u200bb", "soft\u00adhyphen", "\u2060x", "a\u200d b", "\u202eabc"],
  [12, "emoji", "😶‍🌫️", "🇩🇪🇫🇷", "👍🏽", "👨‍👩‍👧‍👦", "a😀b 😀 c", "☺️", "1️⃣"],
  [13, "case", "ǅ ǆ Ǆ", "ʰʲ", "HTTPServer", "NaOH", "eBay", "iPhone's", "aBcDeF", "ÀÉÎõü", "中Aa文", "ªº", "ΑΒΓαβγ", "XMLHttpRequest2"],
  [14, "slashes and line breaks behind symbols", "path//\n/", "!!\n\n", "a/b/c\n", "//\r\n/x", "?\n?\n", "...\n/\n"],
  [15, "words that merges may not reach", " Japón", " Việt Nam", "Ġ", "▁", " ▁x", "##ing"],
  [17, "long runs", times("^", LONG), times("a", LONG), times(" ", LONG), times("\n", LONG), times("中", LONG / 3), times("ab", LONG / 2),
    times("\u0301", LONG / 2), times("😀", LONG / 4), times("1", LONG), times(" a", LONG / 2), times("a\n", LONG / 2)],
  [18, "lengths around blocks", ...[7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257].flatMap(
    n => [times("a", n), " " + times("b", n), times("é", n), times(" ", n) + "x", times("x", n) + " y"])],
  [20, "bytes that are not UTF-8", bytes(0xc3), bytes(0x61, 0xc3), bytes(0xe4, 0xb8), bytes(0xc0, 0x80), bytes(0xf5, 0x80, 0x80, 0x80),
    bytes(0xff, 0xfe), bytes(0xed, 0xa0, 0x80), bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80), bytes(0x20, 0x80, 0x20), bytes(0xe2, 0x28, 0xa1),
    bytes(0xf0, 0x9f, 0x98), bytes(0xf4, 0x90, 0x80, 0x80), Buffer.alloc(700, 0xff), bytes(0x61, 0x80, 0x62), bytes(0xf8, 0x88, 0x80, 0x80, 0x80)],
  [21, "nothing and NUL", "", "\0", "a\0b", "\0\0\0", " \0 "],
  [22, "characters that are not assigned, or since lately", "\u{ac517}", "\u0378", "a\u0378b", "\u{1fae8}", "\u{1e4d0}", "\u{31350}", "\u{10d4a}",
    "\u{1c89}", "\u{a7cb}", "\u{11f00}", "\u{2fffe}", "\ufffe", "\u{10ffff}", "\u{16d40}", "\u{1cc00}"],
  [23, "text that NFC changes", "\u1100\u1161", "\u1100\u1161\u11a8", "e\u0301", "\u212b", "\u2126", "a\u0323\u0307", "a\u0307\u0323", "\u0344", "\u0958",
    "a" + times("\u0301\u0323", 40), "\ufb01", "ﬁ ﷺ ㎏ ①", "\u{1d15e}", "\u0f73"],
  [24, "special tokens inside words", "a<|endoftext|>b", "<|endoftext|><|endoftext|>", "<|im_start|>user\nhi<|im_end|>", "<|im<|im_start|>",
    "<|begin_of_text|>a<|eot_id|>", "<start_of_turn>user\n", "<s>a</s>", "[CLS] a [SEP]", "[MASK]ed", "<|fim_prefix|>x<|fim_suffix|>", "<|endofprompt|>"],
  [25, "half of a special token", "<|endoftext|", "<|endo", "|endoftext|>", "<|<|endoftext|>|>", "</s", "[CLS", "<0x0A", "<｜begin▁of▁sentence"],
  [26, "white space around special tokens", "one <mask>", "one  <mask> two", "a </s> b", "a\t<s>\nb", "a [MASK] b", "a\n<|endoftext|>\nb", "  <|endoftext|>  "],
  [27, "special tokens beside letters", "_<s>_", "中<s>文", "a[MASK]b", "[mask]", "[ MASK ]"],
  [30, "prefix behind special tokens", "<s>uns", "<s> uns", "</s>\n", "<s> <s>", "<s>", " <s>", "<unk>a", "<s>\u2581a"],
  [33, "spaces at both ends and between", " a", "a ", "  a  b  ", "\ta\t", "a \n b", "\n\na", "a\n", "a\u3000b", "\u00a0a", " \u2581 "],
  [34, "the space mark, typed", "▁", "▁a", "a▁b", "a ▁ b", "▁▁", " ▁▁a"],
  [35, "byte tokens, typed", "<0x0A>", "a<0x41>b", "<0xFF>", "<0x0a>", "𓀀", "🤖🦾"],
  [36, "characters that expand", "…", "～", "ﷺ", "ａｂｃ", "㍿", "ﬀ", "½ cup", "ｶﾞ", "Å", "①②", "\u00a8"],
  [37, "ties", "nooooo", "aaaaaaa", "hahahahaha", "bbbaaaddddcccc", "xxxxxyyyyy", "ooooooooooooooooo", "........"],
  [38, "unknown characters in a row", "𐍈𐍉", "a𐍈b𐍉𐍈c", "𐍈 𐍉", "ꙮꙮꙮ", "\u{1f9ff}\u{1f9fe}"],
  [39, "nothing but spaces", " ", "  ", "\n", "\t\t", "\u3000", "\u00a0\u00a0", "\u2003"],
  [41, "words at the limit of length", times("a", 99), times("a", 100), times("a", 101), times("b", 200), times("b", 201), times("é", 100), times("é", 101),
    times("中", 101), "x " + times("y", 101) + " z"],
  [42, "continuation marks, typed", "##", "#hash", "##ing", "a##b", "# #", "###"],
  [43, "accents and case under folding", "한국어", "Kantō", "lǜshi", "İ", "İstanbul", "ΟΔΟΣ", "Straße", "ẞ", "Ǆ", "ﬁ", "Ω", "ñandú", "Ａ", "ŉ", "ΐ"],
  [44, "borders of the CJK blocks", "\u{2b820}", "\u{2b91f}", "\u{2b920}", "\u{2ceaf}", "\u{2ceb0}", "\u{4dbf}\u{4dc0}", "a\u{f900}b", "カタカナ", "ひらがな",
    "\u{20000}\u{2a6df}\u{2a6e0}", "\u{2f800}\u{2fa1f}", "\u{9fff}\u{a000}", "\u{33ff}\u{3400}", "中文abc中文"],
  [45, "private use and variation", "\ue000", "a\ue000b", "\ufffd", "a\ufffdb", "☎\ufe0f", "a\ufe0fb", "\u{f0000}", "\u{e0100}"],
  [46, "symbols and punctuation", "€ ~ ^ $ ·", "#4", "don't", "«a»", "a×b", "©2020", "¿qué?", "a—b–c", "\"x\"", "“x”", "a_b-c", "１＋２", "$1,234.56"],
  [47, "one bad character in a word", "abc𐍈def", "good b\u{1f9ff}d good", "中\u{1f9ff}文"],
  [50, "characters of many bytes at the end", "ď", "a😀", "中", "a\u0301", "€", "\u{10ffff}"],
];

/// [{number, name, text: Buffer}], in order.
export function edgeTexts() {
  return EDGE_CASES.flatMap(([number, name, ...texts]) =>
    texts.map(text => ({number, name, text: Buffer.from(text)})));
}
