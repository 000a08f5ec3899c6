package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// ItemID names one item for good. It is computed from the feed and what the
// publisher calls the item, so the same item has the same ID at every poll, on
// every replica and after every restart: doing a step twice changes nothing.
type ItemID [16]byte

// NewItemID hashes the feed's ID with the first of guid, canonical link and
// title that is not empty. The kind of key is part of the hash, so that a guid
// that looks like another item's link does not collide with it.
func NewItemID(feedID, guid, link, title string) ItemID {
	kind, key := "guid", guid
	if key == "" {
		kind, key = "link", link
	}
	if key == "" {
		kind, key = "title", title
	}
	h := sha256.New()
	for _, part := range []string{feedID, kind, key} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	var id ItemID
	copy(id[:], h.Sum(nil))
	return id
}

// ParseItemID reads the 32 hexadecimal digits that String writes.
func ParseItemID(s string) (ItemID, error) {
	var id ItemID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("feed: %q is not an item id: want %d hexadecimal digits", s, 2*len(id))
	}
	copy(id[:], b)
	return id, nil
}

// String returns the ID as 32 hexadecimal digits.
func (id ItemID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText makes an ID a string in JSON.
func (id ItemID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (id *ItemID) UnmarshalText(b []byte) error {
	got, err := ParseItemID(string(b))
	if err != nil {
		return err
	}
	*id = got
	return nil
}

// Item is one report, reduced to plain text. Title, Summary and Content hold
// Unicode text without markup; nothing in an Item refers to an image or to any
// other media.
type Item struct {
	ID     ItemID `json:"id"`
	FeedID string `json:"feed,omitempty"`
	// GUID is what the publisher calls the item; it may be empty.
	GUID  string `json:"guid,omitempty"`
	Title string `json:"title"`
	// Link is absolute, http or https, and free of tracking parameters; empty
	// where the item has none that may be followed.
	Link string `json:"link,omitempty"`
	// Published and Updated are UTC; the zero time means that the feed did not
	// say, or said something that is not a date.
	Published time.Time `json:"published,omitzero"`
	Updated   time.Time `json:"updated,omitzero"`
	Summary   string    `json:"summary,omitempty"`
	// Content is the item's whole text: from the feed, or from the article's
	// page where that was read.
	Content    string   `json:"content,omitempty"`
	Authors    []string `json:"authors,omitempty"`
	Categories []string `json:"categories,omitempty"`
	// Lang is a BCP 47 tag in lower case, or empty.
	Lang string `json:"lang,omitempty"`
	// Outlet is the publisher where the feed collects several (RSS <source>,
	// as in Google News); empty means the feed itself.
	Outlet string `json:"outlet,omitempty"`
}

// Fingerprint changes when the words of an item change, or where it leads, and
// with nothing else: it tells an edited item from one that was only listed
// again.
func (it Item) Fingerprint() uint64 {
	h := sha256.New()
	for _, part := range []string{it.Title, it.Link, it.Summary, it.Content} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// Time is the best date that is known of the item: when it was published, else
// when it was updated, else the zero time.
func (it Item) Time() time.Time {
	if !it.Published.IsZero() {
		return it.Published
	}
	return it.Updated
}
