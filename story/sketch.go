package story

import (
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/newswatch/newswatch/classifier/text"
	"github.com/newswatch/newswatch/feed"
)

// A sketch is what is left of a report's text on its hit, at most SketchLen bytes of
// it: how long it was, what its first words say, and two MinHash signatures, by which
// the resemblance of two texts is estimated without the texts (Broder, "On the
// resemblance and containment of documents", 1997). Of each minimum one byte is kept:
// b-bit minwise hashing (Li and König, WWW 2010), where two different minima agree by
// chance once in 256. One signature is of the whole text; the other is of its beginning,
// because an editor who shortens a wire report cuts from the end.
type sketch struct {
	words int // of the whole text
	whole [wholeMins]byte
	lead  [leadMins]byte
	terms []term // of the first leadTerms words
}

const (
	// SketchLen bounds the encoded sketch, in bytes.
	SketchLen = 3 + wholeMins + leadMins + 4*maxTerms

	sketchVersion = 1
	wholeMins     = 64
	leadMins      = 32
	// shingle is how many words on end are compared as one.
	shingle = 3
	// wholeWords and leadWords bound the words that go into the signatures, and
	// leadTerms those that are read for what they say.
	wholeWords = 2000
	leadWords  = 40
	leadTerms  = 60
	// Below minText words a text is too short for its shingles to tell anything.
	minText = 18
)

// Sketch returns what the hit of an item keeps of the item's text. It reads the
// content, where there is any, else the summary.
func Sketch(it feed.Item) []byte {
	s := it.Content
	if len(s) < len(it.Summary) {
		s = it.Summary
	}
	return sketchOf(s).encode()
}

func sketchOf(s string) sketch {
	var k sketch
	k.terms = scan(s, leadTerms)
	var b text.Buffer
	b.Add(prefix(s, 16*wholeWords))
	tokens := b.Tokens()
	k.words = len(tokens)
	// A text beyond wholeWords is cut: what two houses add at its end is their own.
	tokens = tokens[:min(len(tokens), wholeWords)]
	wholeMin, leadMin := make([]uint64, wholeMins), make([]uint64, leadMins)
	for i := range wholeMin {
		wholeMin[i] = ^uint64(0)
	}
	for i := range leadMin {
		leadMin[i] = ^uint64(0)
	}
	for i := 0; i+shingle <= len(tokens); i++ {
		h := uint64(0)
		for _, t := range tokens[i : i+shingle] {
			h = mix(h ^ t.Hash)
		}
		for n := range wholeMin {
			wholeMin[n] = min(wholeMin[n], mix(h+uint64(n)*golden)) //nolint:gosec // n is small
		}
		if i < leadWords {
			for n := range leadMin {
				leadMin[n] = min(leadMin[n], mix(h+uint64(n)*golden)) //nolint:gosec // n is small
			}
		}
	}
	for n, v := range wholeMin {
		k.whole[n] = byte(v)
	}
	for n, v := range leadMin {
		k.lead[n] = byte(v)
	}
	return k
}

const golden = 0x9e3779b97f4a7c15

// mix is the finisher of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func (k sketch) encode() []byte {
	b := make([]byte, 0, SketchLen)
	b = append(b, sketchVersion)
	b = binary.BigEndian.AppendUint16(b, uint16(min(k.words, 1<<16-1))) //nolint:gosec // bounded
	b = append(b, k.whole[:]...)
	b = append(b, k.lead[:]...)
	for _, t := range k.terms {
		b = binary.BigEndian.AppendUint32(b, uint32(t))
	}
	return b
}

// decode reads a sketch; one that it cannot read is empty, and joins nothing by its
// text.
func decode(b []byte) (k sketch) {
	const head = 3 + wholeMins + leadMins
	if len(b) < head || len(b) > SketchLen || b[0] != sketchVersion || (len(b)-head)%4 != 0 {
		return k
	}
	k.words = int(binary.BigEndian.Uint16(b[1:]))
	copy(k.whole[:], b[3:])
	copy(k.lead[:], b[3+wholeMins:])
	for rest := b[head:]; len(rest) > 0; rest = rest[4:] {
		k.terms = append(k.terms, term(binary.BigEndian.Uint32(rest)))
	}
	return k
}

// resemblance estimates how much of two texts is the same: the size of the
// intersection of their sets of shingles by that of the union, from 0 to 1, for the
// whole texts and for their beginnings.
func (k sketch) resemblance(o sketch) (whole, lead float64) {
	if k.words < minText || o.words < minText {
		return 0, 0
	}
	return agreement(k.whole[:], o.whole[:]), agreement(k.lead[:], o.lead[:])
}

// agreement takes what agrees by chance off (Li and König, theorem 1, with b = 8).
func agreement(a, b []byte) float64 {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	const chance = 1.0 / 256
	return max(0, (float64(n)/float64(len(a))-chance)/(1-chance))
}

// bands are the keys under which a report whose text resembles this one's is found:
// rows of minima (locality-sensitive hashing: Leskovec, Rajaraman and Ullman, "Mining
// of Massive Datasets", §3.4). Of texts that are half the same, all but one of
// 10,000 share one; of those that are a tenth the same, a third.
func (k sketch) bands() []uint64 {
	if k.words < minText {
		return nil
	}
	const rows = 2
	var out []uint64
	for n, mins := range [][]byte{k.whole[:], k.lead[:]} {
		for i := 0; i < len(mins); i += rows {
			h := fnv.New64a()
			_, _ = h.Write([]byte{byte(n), byte(i)}) // a hash takes everything
			_, _ = h.Write(mins[i : i+rows])
			out = append(out, h.Sum64())
		}
	}
	return slices.Compact(out)
}
