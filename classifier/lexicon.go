package classifier

import (
	"cmp"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier/text"
)

// unit is what one word of a text is compared with: a whole word, or the
// beginning of one. Units count from 1; 0 is none.
type unit uint32

// literal is a sequence of units, numbered from 0. A rule asks which literals a
// text has.
type literal = int32

// lexicon finds all literals of all rules in one pass over a text's words. It is
// a hash table from words to units, a sorted list of prefixes, and a trie over
// units. It is immutable.
type lexicon struct {
	// slots is the hash table of whole words, a power of two long. The words
	// themselves are arena[wordAt[u]:wordAt[u+1]] by unit: apart from the slots,
	// which so stay in the processor's cache for most of a text's words.
	slots  []slot
	arena  string
	wordAt []uint32

	wild *wildcards // nil where no rule has one

	prefixes []prefix // in byte order
	stems    []stem   // a hash table of the ranges of prefixes that share their first bytes
	// stemSet says of most beginnings of words that no prefix has them.
	stemSet [1 << 10]uint64

	// nodes[u] is what unit u leads to from the beginning of the trie; nodes[0]
	// is that beginning.
	nodes []node
	edges []edge // the hash table of the other edges, a power of two long
	// edgeSet says of most pairs of a node and a unit that there is no edge. It
	// is far smaller than edges, and so stays in the processor's cache.
	edgeSet []uint64
}

// slot has the upper half of a word's hash, and its unit.
type slot struct {
	tag  uint32
	unit unit // 0 is a free slot
}

type prefix struct {
	s      string
	unit   unit
	parent int32 // the index plus one of the longest other prefix that this one begins with
}

// stemLen is how many bytes the shortest prefix has: three ASCII letters, or two
// of an Indic script, which take three bytes each.
const stemLen = 3

type stem struct {
	key    uint32
	lo, hi int32 // hi is 0 in a free slot
}

type node struct {
	lit    literal // or -1
	inside bool    // there are longer literals
}

type edge struct {
	from int32
	unit unit // 0 is a free slot
	to   int32
}

// lexiconBuilder collects literals and makes a lexicon of them.
type lexiconBuilder struct {
	words    map[string]unit
	prefixes map[string]unit
	wild     map[piece]unit
	units    unit
	// A node of the first level is its unit; the others are numbered from
	// firstInner, until build moves them behind the units.
	roots    []node
	inner    []node
	edges    map[uint64]int32
	literals int
	// rarity[l] is the share of texts that literal l is guessed to be in.
	rarity []float32
}

func newLexiconBuilder() *lexiconBuilder {
	return &lexiconBuilder{
		words: map[string]unit{}, prefixes: map[string]unit{}, wild: map[piece]unit{},
		edges: map[uint64]int32{},
	}
}

// piece is one word of a literal.
type piece struct {
	s      string
	prefix bool
}

const firstInner = 1 << 30

func (b *lexiconBuilder) node(at int32) *node {
	if at >= firstInner {
		return &b.inner[at-firstInner]
	}
	for len(b.roots) <= int(at) {
		b.roots = append(b.roots, node{lit: -1})
	}
	return &b.roots[at]
}

// add returns the literal of a sequence of words.
func (b *lexiconBuilder) add(seq []piece) literal {
	at, rare := int32(0), float32(1)
	for i, p := range seq {
		u := b.unit(p)
		next := int32(u)
		if i > 0 {
			key := uint64(at)<<32 | uint64(u)
			var ok bool
			if next, ok = b.edges[key]; !ok {
				next = firstInner + int32(len(b.inner))
				b.inner = append(b.inner, node{lit: -1})
				b.edges[key] = next
			}
			b.node(at).inside = true
		}
		at = next
		rare = min(rare, frequency(p))
		if i > 0 {
			rare /= 4
		}
	}
	n := b.node(at)
	if n.lit < 0 {
		n.lit = literal(b.literals)
		b.literals++
		b.rarity = append(b.rarity, rare)
	}
	return n.lit
}

// unit returns the unit of a word, a new one if it has none.
func (b *lexiconBuilder) unit(p piece) unit {
	if strings.IndexByte(p.s, '?') >= 0 {
		u, ok := b.wild[p]
		if !ok {
			b.units++
			u = b.units
			b.wild[p] = u
		}
		return u
	}
	set := b.words
	if p.prefix {
		set = b.prefixes
	}
	u, ok := set[p.s]
	if !ok {
		b.units++
		u = b.units
		set[strings.Clone(p.s)] = u
	}
	return u
}

// common are words that nearly every text of some language has.
var common = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`a about after all also an and are as at be been but by can for from had has have he her his
		if in into is it its more new no not of on one or out over said say says she so some such than that the their them then
		there they this to two up was we were what when which who will with would year years you
		police court case man men woman people state india government day time first last other
		और का की के को ने पर में से है कि एक यह ഒരു എന്ന ஒரு என்று`) {
		m[w] = true
	}
	return m
}()

// frequency guesses the share of texts that hold a word. Only the order of the
// guesses matters: a rule waits for the rarest of its words.
func frequency(p piece) float32 {
	f := float32(0.5) / float32(len(p.s)*len(p.s))
	if common[p.s] {
		f = 0.5
	}
	if p.prefix {
		f = min(1, f*4)
	}
	return f
}

func (b *lexiconBuilder) build() *lexicon {
	b.node(int32(b.units)) // a unit that begins no literal has a node nevertheless
	lx := &lexicon{nodes: slices.Concat(b.roots, b.inner), wild: newWildcards(b.wild)}
	place := func(n int32) int32 {
		if n >= firstInner {
			n += int32(len(b.roots)) - firstInner
		}
		return n
	}

	lx.slots = make([]slot, tableSize(len(b.words)))
	var arena strings.Builder
	// In the order of the units, so that equal rules give an equal lexicon.
	words := make([]string, b.units+1)
	for w, u := range b.words {
		words[u] = w
	}
	for u, w := range words {
		lx.wordAt = append(lx.wordAt, uint32(arena.Len()))
		if w == "" {
			continue
		}
		arena.WriteString(w)
		hash := text.Hash([]byte(w))
		i := hash >> 7 & uint64(len(lx.slots)-1)
		for lx.slots[i].unit != 0 {
			i = (i + 1) & uint64(len(lx.slots)-1)
		}
		lx.slots[i] = slot{uint32(hash >> 32), unit(u)}
	}
	lx.wordAt = append(lx.wordAt, uint32(arena.Len()))
	lx.arena = arena.String()

	for s, u := range b.prefixes {
		lx.prefixes = append(lx.prefixes, prefix{s: s, unit: u})
	}
	slices.SortFunc(lx.prefixes, func(a, b prefix) int { return cmp.Compare(a.s, b.s) })
	lx.stems = make([]stem, tableSize(len(lx.prefixes)))
	for i := range lx.prefixes {
		// The longest prefix of this one is the one before it or one of that one's.
		for up := int32(i); up != 0; up = lx.prefixes[up-1].parent {
			if strings.HasPrefix(lx.prefixes[i].s, lx.prefixes[up-1].s) {
				lx.prefixes[i].parent = up
				break
			}
		}
		key := stemKey(lx.prefixes[i].s[0], lx.prefixes[i].s[1], lx.prefixes[i].s[2])
		lx.stemSet[stemBit(key)>>6] |= 1 << (stemBit(key) & 63)
		st := lx.stem(key)
		if st.hi == 0 {
			*st = stem{key: key, lo: int32(i)}
		}
		st.hi = int32(i) + 1
	}

	lx.edges = make([]edge, tableSize(len(b.edges)))
	lx.edgeSet = make([]uint64, tableSize(len(b.edges))/8)
	for key, to := range b.edges {
		from, u := place(int32(key>>32)), unit(key)
		h := edgeHash(from, u)
		bit := h >> 32 & uint64(len(lx.edgeSet)*64-1)
		lx.edgeSet[bit/64] |= 1 << (bit % 64)
		i := h & uint64(len(lx.edges)-1)
		for lx.edges[i].unit != 0 {
			i = (i + 1) & uint64(len(lx.edges)-1)
		}
		lx.edges[i] = edge{from, u, place(to)}
	}
	return lx
}

// tableSize keeps a hash table at most half full.
func tableSize(n int) int {
	size := 8
	for size < 2*n {
		size *= 2
	}
	return size
}

func stemKey(a, b, c byte) uint32 { return uint32(a)<<16 | uint32(b)<<8 | uint32(c) }

// stemBit is the bit of stemSet that a key sets.
func stemBit(key uint32) uint32 { return key * 0x9e3779b1 >> 16 }

func edgeHash(from int32, u unit) uint64 {
	h := (uint64(from)<<32 | uint64(u)) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// word returns the unit of a whole word, 0 if no rule has it.
func (lx *lexicon) word(hash uint64, w []byte) unit {
	i := hash >> 7 & uint64(len(lx.slots)-1)
	for {
		s := &lx.slots[i]
		if s.unit == 0 {
			return 0
		}
		if s.tag == uint32(hash>>32) && lx.arena[lx.wordAt[s.unit]:lx.wordAt[s.unit+1]] == string(w) {
			return s.unit
		}
		i = (i + 1) & uint64(len(lx.slots)-1)
	}
}

// stem returns the slot of a key, a free one if it has none.
func (lx *lexicon) stem(key uint32) *stem {
	i := uint64(key*0x9e3779b1) & uint64(len(lx.stems)-1)
	for lx.stems[i].hi != 0 && lx.stems[i].key != key {
		i = (i + 1) & uint64(len(lx.stems)-1)
	}
	return &lx.stems[i]
}

// prefixOf returns the index plus one of the longest prefix that a word begins
// with; the shorter ones are its parents. 0 means that there is none.
func (lx *lexicon) prefixOf(w []byte) int32 {
	if len(w) < stemLen {
		return 0
	}
	key := stemKey(w[0], w[1], w[2])
	if bit := stemBit(key); lx.stemSet[bit>>6]&(1<<(bit&63)) == 0 {
		return 0
	}
	// Every prefix of w is the last one that is not after w in byte order, or a
	// parent of that: what lies between a prefix and w begins with the prefix.
	st := lx.stem(key)
	lo, hi := st.lo, st.hi
	for lo < hi {
		mid := (lo + hi) / 2
		if lx.prefixes[mid].s <= string(w) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == st.lo {
		return 0
	}
	for up := lo; up != 0; up = lx.prefixes[up-1].parent {
		if p := lx.prefixes[up-1].s; len(w) >= len(p) && string(w[:len(p)]) == p {
			return up
		}
	}
	return 0
}

// follow returns the node that a unit leads to from another, or 0.
func (lx *lexicon) follow(from int32, u unit) int32 {
	h := edgeHash(from, u)
	if bit := h >> 32 & uint64(len(lx.edgeSet)*64-1); lx.edgeSet[bit/64]&(1<<(bit%64)) == 0 {
		return 0
	}
	for i := h & uint64(len(lx.edges)-1); ; i = (i + 1) & uint64(len(lx.edges)-1) {
		e := &lx.edges[i]
		if e.unit == 0 {
			return 0
		}
		if e.from == from && e.unit == u {
			return e.to
		}
	}
}
