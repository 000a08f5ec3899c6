// Package text turns prose of any script into folded words that can be
// compared byte for byte, and says where in the original each word stood.
//
// A word is a run of letters, marks and digits. Everything else (space,
// hyphen, dot, apostrophe, quote, slash, bracket, symbol, underscore, a byte
// that is not UTF-8) stands between words, whatever its kind: "P-Hunt",
// "P.Hunt" and "P Hunt" are the two words "p hunt", "67(B)" is "67 b", and
// "Kerala's" is "kerala s", so that a search for Kerala finds it. "67B" has
// nothing in between and is the one word "67b".
//
// Within a word:
//
//   - letters are case-folded ("ß" is "ss"), full-width and other compatibility
//     forms become ordinary ones, and the digits of every script become 0 to 9;
//   - letters of the Latin script lose their diacritics, also those that Unicode
//     does not decompose: é, ø, ł, đ are e, o, l, d, and æ, œ are ae, oe;
//   - zero-width characters, soft hyphens, direction marks and the Arabic
//     tatweel vanish without ending the word;
//   - marks of other scripts (Mc and Mn: vowel signs, virama) stay: they belong
//     to the word, and without them Malayalam or Hindi would fall to pieces;
//   - a nukta is dropped, so that ज़ written as one character, as two, or
//     without its dot, as many newspapers do, is one letter;
//   - the Malayalam chillu letters are their base letter and a virama, whether
//     they were written as one character (ൻ), with a joiner (ന്‍), or bare (ന്);
//     the Bengali khanda ta likewise;
//   - the result is in Unicode's composed form (NFC).
//
// In scripts that are written without spaces (Han, Kana, Thai, Lao, Khmer,
// Burmese) every character with its marks is a word of its own, so that a name
// is found as a sequence of them.
package text
