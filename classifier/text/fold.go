package text

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Token is one word of a text. Start and End are bytes of the original;
// Off and Len are the place of its folded form in the Buffer.
type Token struct {
	Start, End int32
	Off, Len   int32
	// Hash is Hash of the folded form.
	Hash uint64
}

// Buffer holds the words of one or more texts. Its memory is kept by Reset, so
// a Buffer that is used again does not allocate. The zero Buffer is ready.
type Buffer struct {
	folded []byte
	tokens []Token
	spare  []byte
}

// MaxLen is the longest text, in bytes, that Add looks at; the rest of a longer
// one is left out. It keeps every offset in 31 bits.
const MaxLen = 1 << 28

const (
	hashSeed  = 14695981039346656037
	hashPrime = 1099511628211
)

// Hash is the 64-bit FNV-1a hash of a folded word. It is not keyed: the table
// that it indexes holds the words of the rules, which no publisher writes.
func Hash(folded []byte) uint64 {
	h := uint64(hashSeed)
	for _, c := range folded {
		h = (h ^ uint64(c)) * hashPrime
	}
	return h
}

// Reset forgets all words and keeps the memory.
func (b *Buffer) Reset() { b.folded, b.tokens = b.folded[:0], b.tokens[:0] }

// Cap is the memory, in bytes, that the Buffer holds on to.
func (b *Buffer) Cap() int { return cap(b.folded) + 24*cap(b.tokens) }

// Len is the number of words.
func (b *Buffer) Len() int { return len(b.tokens) }

// Tokens returns all words. The slice is valid until the next Add or Reset.
func (b *Buffer) Tokens() []Token { return b.tokens }

// Folded returns the folded form of a word of this Buffer, valid until the next
// Add or Reset.
func (b *Buffer) Folded(t Token) []byte { return b.folded[t.Off : t.Off+t.Len] }

// Add appends the words of s. The offsets of its tokens count from the
// beginning of s.
func (b *Buffer) Add(s string) { b.add(s, MaxLen) }

// add is Add for a text of which most bytes are looked at.
func (b *Buffer) add(s string, most int) {
	if len(s) > most {
		s = s[:most]
	}
	// A guess of what most texts need, in place of one growth for each doubling.
	b.folded, b.tokens = slices.Grow(b.folded, len(s)), slices.Grow(b.tokens, len(s)/6+1)
	i := 0
	for i < len(s) {
		f := ascii[s[i]]
		if f == 0 {
			i++
			continue
		}
		start, off, h := i, len(b.folded), uint64(hashSeed)
		for f != 0 && f != beyond {
			b.folded = append(b.folded, f)
			h = (h ^ uint64(f)) * hashPrime
			if i++; i == len(s) {
				f = 0
				break
			}
			f = ascii[s[i]]
		}
		if f == beyond {
			i = b.word(s, start, i, off)
			continue
		}
		b.tokens = append(b.tokens, Token{
			Start: int32(start), End: int32(i),
			Off: int32(off), Len: int32(len(b.folded) - off), Hash: h,
		})
	}
}

// word goes on with a word at s[i], the first byte beyond ASCII. The word began
// at start, and its folded form so far is folded[off:]. It returns where to go
// on reading.
func (b *Buffer) word(s string, start, i, off int) int {
	var (
		prev    kind
		latin   = true // no letter yet but of the Latin script at last, so a diacritic goes
		letter  = i > start
		compose = false // the word is not yet in NFC
	)
	for i < len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			f := ascii[c]
			if f == 0 {
				break
			}
			b.folded = append(b.folded, f)
			prev, latin, letter = kindWord, true, true
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		k, repl := lookup(r)
		switch k & kindMask {
		case kindSpace:
			if !letter {
				b.folded = b.folded[:off]
				return i + size
			}
			return b.finish(start, i, off, compose, i+size)
		case kindDrop:
			if len(b.folded) == off && start == i {
				start = i + size // nothing of the word has been seen yet
			}
			i += size
			continue
		case kindDiacritic:
			if latin {
				i += size
				if len(b.folded) == off {
					start = i
				}
				continue
			}
			compose = true
		case kindSolo:
			if letter {
				return b.finish(start, i, off, compose, i)
			}
			b.folded = b.folded[:off]
			return b.solo(s, i, off)
		}
		switch {
		case k&flagReorders != 0:
			compose = true
		case k&flagSecond != 0 && prev&flagFirst != 0:
			before, n := utf8.DecodeLastRune(b.folded[off:])
			if one, ok := twoPart[[2]rune{before, r}]; ok && !compose {
				b.folded = append(b.folded[:len(b.folded)-n], one...)
				prev, _ = lookup(r)
				i += size
				continue
			}
			compose = true
		}
		if repl == "" {
			b.folded = append(b.folded, s[i:i+size]...)
		} else {
			b.folded = append(b.folded, repl...)
		}
		if k&kindMask == kindWord {
			latin, letter = k&flagLatin != 0, true
		}
		prev = k
		i += size
	}
	if !letter { // marks alone are no word
		b.folded = b.folded[:off]
		return i
	}
	return b.finish(start, i, off, compose, i)
}

// solo makes a word of the one character at s[i] and the marks after it.
func (b *Buffer) solo(s string, i, off int) int {
	start, first := i, true
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		k, repl := lookup(r)
		switch kk := k & kindMask; {
		case kk == kindDrop:
			i += size
			continue
		case kk == kindMark || kk == kindDiacritic || first:
		default:
			return b.finish(start, i, off, true, i)
		}
		if repl == "" {
			repl = s[i : i+size]
		}
		b.folded = append(b.folded, repl...)
		first = false
		i += size
	}
	return b.finish(start, i, off, true, i)
}

// finish appends the token that began at start and ended at end, and returns
// next.
func (b *Buffer) finish(start, end, off int, compose bool, next int) int {
	if compose {
		if w := b.folded[off:]; !norm.NFC.IsNormal(w) {
			b.spare = norm.NFC.Append(b.spare[:0], w...)
			b.folded = append(b.folded[:off], b.spare...)
		}
	}
	b.tokens = append(b.tokens, Token{
		Start: int32(start), End: int32(end),
		Off: int32(off), Len: int32(len(b.folded) - off), Hash: Hash(b.folded[off:]),
	})
	return next
}

// Fold returns the folded words of s with one space between them. Folding what
// is folded changes nothing.
func Fold(s string) string {
	var b Buffer
	b.Add(s)
	out := make([]byte, 0, len(b.folded)+b.Len())
	for i, t := range b.tokens {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, b.Folded(t)...)
	}
	return string(out)
}

// Unspaced reports whether a folded word is of a script that is written without
// spaces, so that it is one character of a longer word.
func Unspaced(folded string) bool {
	if folded == "" || folded[0] < utf8.RuneSelf {
		return false
	}
	r, _ := utf8.DecodeRuneInString(folded)
	k, _ := lookup(r)
	return k&kindMask == kindSolo
}
