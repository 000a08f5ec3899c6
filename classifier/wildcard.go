package classifier

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// wildcards finds the words that have a ? in them. They are kept by their heads,
// what stands before the first ?, so that a word of a text is compared with those
// alone whose head it begins with.
type wildcards struct {
	heads    []head // in byte order
	patterns [][]wildcard
	// headSet says of the first two bytes of a word whether a head has them.
	headSet []uint64
}

type head struct {
	s      string
	parent int32 // the index plus one of the longest other head that this one begins with
}

// wildcard is what stands from the first ? on.
type wildcard struct {
	tail   string
	prefix bool // and any characters after it
	unit   unit
}

// headLen is how many bytes the shortest head has: two ASCII letters, or one of
// an Indic script.
const headLen = 2

func newWildcards(units map[piece]unit) *wildcards {
	if len(units) == 0 {
		return nil
	}
	byHead := map[string][]wildcard{}
	for p, u := range units {
		i := strings.IndexByte(p.s, '?')
		byHead[p.s[:i]] = append(byHead[p.s[:i]], wildcard{p.s[i:], p.prefix, u})
	}
	w := &wildcards{headSet: make([]uint64, 1<<16/64)}
	for s := range byHead {
		w.heads = append(w.heads, head{s: s})
		w.headSet[headKey(s[0], s[1])/64] |= 1 << (headKey(s[0], s[1]) % 64)
	}
	slices.SortFunc(w.heads, func(a, b head) int { return cmp.Compare(a.s, b.s) })
	for i := range w.heads {
		for up := int32(i); up != 0; up = w.heads[up-1].parent {
			if strings.HasPrefix(w.heads[i].s, w.heads[up-1].s) {
				w.heads[i].parent = up
				break
			}
		}
		patterns := byHead[w.heads[i].s]
		slices.SortFunc(patterns, func(a, b wildcard) int { return cmp.Compare(a.unit, b.unit) })
		w.patterns = append(w.patterns, patterns)
	}
	return w
}

func headKey(a, b byte) int { return int(a)<<8 | int(b) }

// find appends the units that a word is one of.
func (w *wildcards) find(out []unit, word []byte) []unit {
	if len(word) < headLen {
		return out
	}
	if k := headKey(word[0], word[1]); w.headSet[k/64]&(1<<(k%64)) == 0 {
		return out
	}
	// Every head of the word is the last one that is not after it in byte order,
	// or a parent of that.
	up, _ := slices.BinarySearchFunc(w.heads, word, func(h head, word []byte) int {
		if h.s <= string(word) {
			return -1
		}
		return 1
	})
	for up := int32(up); up != 0; up = w.heads[up-1].parent {
		h := w.heads[up-1].s
		if len(word) < len(h) || string(word[:len(h)]) != h {
			continue
		}
		for _, p := range w.patterns[up-1] {
			if p.matches(word[len(h):]) {
				out = append(out, p.unit)
			}
		}
	}
	return out
}

// matches compares the rest of a word character by character.
func (p wildcard) matches(rest []byte) bool {
	for i := 0; i < len(p.tail); i++ {
		switch {
		case len(rest) == 0:
			return false
		case p.tail[i] == '?':
			_, size := utf8.DecodeRune(rest)
			rest = rest[size:]
		case p.tail[i] != rest[0]:
			return false
		default:
			rest = rest[1:]
		}
	}
	return p.prefix || len(rest) == 0
}
