package store

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"
)

// Pack is what an engine that keeps its values on a disk does with JSON that is
// written at every poll. It takes a fifth of the time of what Encode does with
// it, for a sixth more bytes, which is a poor bargain only where all is held in
// memory. It writes over buf where that has room enough, and returns what it
// wrote. It wants 64 kB of stack: a goroutine that lives long should call it.
func Pack(buf, plain []byte) []byte {
	if n := 1 + s2.MaxEncodedLen(len(plain)); cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:cap(buf)]
	buf[0] = packedJSON
	return buf[:1+len(valueWords.Encode(buf[1:], plain))]
}

// The words, and where in them a value is expected to begin, are part of the
// format, as stateWords is.
var (
	valueWords       = s2.MakeDict([]byte(commonWords), []byte(`{"item":{"id":"`))
	stateWordsPacked = s2.MakeDict([]byte(stateWords), []byte(`{"feed":"`))
)

// commonWords is what items and hits have in common.
const commonWords = ` the police in of a to and for on is that with by from at was were has been have will be were not which their there would could after before
 against between during under over more than people government minister court judge case school child children sexual abuse material online
 exploitation investigation officers arrested charged sentenced years in prison man woman accused victims images video said. The New These This However,
 according to , who was and the with the that the in the of the to the from the Monday Tuesday Wednesday Thursday Friday Saturday Sunday ` +
	`","ruleset":"","found":"2026-11-24T09:30:00.123Z","sketch":"AQ","story":"","quiet":true}"source":"","feed_tags":["","rules":[{"rule":"","name":"",` +
	`"severity":"low","tags":["","severity":"medium","tags":["","severity":"high","tags":["","matches":[{"rule":"","field":"title","start":,"end":,"text":"` +
	`{"rule":"","field":"lead","start":{"rule":"","field":"body","start":"}],"excerpt":{"field":"","text":"","marks":[[,]]},"seq":1}],` +
	`"searched":"article","stored":"2026-11-24T09:30:00.123Z"}{"item":{"id":"","feed":"","guid":"https://www.","guid":"http://","title":"","link":"https://www..com/news/2026/11/24/article-.html",` +
	`"link":"https://","published":"2026-11-24T07:30:00Z","updated":"2026-11-24T07:30:00Z","summary":"","content":"\n\n","authors":["","categories":["","News"],` +
	`"lang":"en-us","outlet":""},"searched":"feed","stored":"2026-11-24T09:30:00.123Z"}`

// unpack is the inverse of Pack, without the first byte. The length that a damaged value claims is not
// believed beyond MaxValue.
func unpack(packed []byte, words *s2.Dict) ([]byte, error) {
	if n, w := binary.Uvarint(packed); w <= 0 || n > MaxValue {
		return nil, s2.ErrTooLarge
	}
	return words.Decode(nil, packed)
}
