package document

import (
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// candidate is an item before it has its ID.
type candidate struct {
	item feed.Item
	// keys are what may name the item, in the order in which they are tried:
	// guid, link, title, and last whatever else there is of it.
	keys  [4]string
	level int
}

// newCandidate prepares an item. link is the item's link with its fragment:
// pages that list their news under anchors give each its own, and the fragment
// is then all that tells two of them apart.
func newCandidate(item feed.Item, link string) *candidate {
	c := &candidate{item: item}
	c.keys[0] = item.GUID
	if emptyGUID(item.GUID) {
		c.keys[0] = ""
	}
	c.keys[1] = link
	c.keys[2] = item.Title
	rest := []string{item.Title, item.Outlet, cut(item.Summary, 512), cut(item.Content, 512)}
	for _, at := range []time.Time{item.Published, item.Updated} {
		if !at.IsZero() {
			rest = append(rest, at.Format(time.RFC3339))
		}
	}
	rest = append(append(rest, item.Authors...), item.Categories...)
	if key := strings.Join(rest, "\n"); strings.Trim(key, "\n") != "" {
		c.keys[3] = key
	}
	c.rise(0)
	return c
}

// emptyGUID recognises what programs write where they have no guid.
func emptyGUID(guid string) bool {
	switch strings.ToLower(guid) {
	case "", "0", "-", "#", "null", "none", "nil", "undefined", "false", "true", "n/a", "guid", "id", "[object object]":
		return true
	}
	return false
}

// rise moves to the first key from level on that is there; it stays where it is
// when there is none.
func (c *candidate) rise(level int) {
	for ; level < len(c.keys); level++ {
		if c.keys[level] != "" {
			c.level = level
			return
		}
	}
}

// id is the item's ID by the key that it has come to.
func (c *candidate) id() feed.ItemID {
	key := c.keys[c.level]
	switch c.level {
	case 0:
		return feed.NewItemID(c.item.FeedID, key, "", "")
	case 1:
		return feed.NewItemID(c.item.FeedID, "", key, "")
	}
	return feed.NewItemID(c.item.FeedID, "", "", key)
}

// identify gives each item its ID and leaves out, and counts, the repeats and the
// items in which there is nothing to name them by.
//
// An item is named by its guid, else its link, else its title, else its text. A
// publisher's guid is believed until the document itself refutes it: where items
// of one guid differ in link or title (a guid that is the same for all, or the
// number of a desk), all of them, the first too, are named by their links; where
// these do not tell them apart, by their titles; and so on. All of them, because
// which comes first changes between two polls. So an ID depends on the item
// alone, except that an item whose guid is shared has another ID in a document
// where it stands alone; the guids of real feeds are shared always or never.
// Items that agree in guid, link and title are one item listed twice, and the
// first is kept: newest first is the usual order. Without a title, as in a list
// of what somebody did, they have to agree in all the rest too.
func identify(candidates []*candidate) (items []feed.Item, repeats int) {
	repeated := make(map[*candidate]bool)
	for level := range 4 {
		groups := make(map[string][]*candidate)
		for _, c := range candidates {
			if c.level == level && c.keys[level] != "" && !repeated[c] {
				groups[c.keys[level]] = append(groups[c.keys[level]], c)
			}
		}
		for _, group := range groups {
			if len(group) > 1 {
				part(group, level, repeated)
			}
		}
	}
	items = make([]feed.Item, 0, len(candidates))
	seen := make(map[feed.ItemID]bool, len(candidates))
	for _, c := range candidates {
		c.item.ID = c.id()
		if repeated[c] || c.keys[c.level] == "" || seen[c.item.ID] {
			repeats++
			continue
		}
		seen[c.item.ID] = true
		items = append(items, c.item)
	}
	return items, repeats
}

// part marks the repeats in a group of items that one key names, and moves those
// that are left, if they are more than one, to their next key.
func part(group []*candidate, level int, repeated map[*candidate]bool) {
	type face struct{ link, title string }
	first := make(map[face]*candidate, len(group))
	for _, c := range group {
		f := face{c.keys[1], c.keys[2]}
		if prev := first[f]; prev != nil && c.keys[0] == prev.keys[0] && sameItem(c, prev) {
			repeated[c] = true
			continue
		} else if prev == nil {
			first[f] = c
		}
	}
	rest := slices.DeleteFunc(slices.Clone(group), func(c *candidate) bool { return repeated[c] })
	if len(rest) < 2 {
		return
	}
	for _, c := range rest {
		c.rise(level + 1)
	}
}

// sameItem reports whether two items of one guid, link and title are one. With a
// title and a guid or link in common they are, whatever their texts say now; with
// less in common, only if nothing else differs.
func sameItem(a, b *candidate) bool {
	return a.keys[2] != "" && (a.keys[0] != "" || a.keys[1] != "") || a.keys[3] == b.keys[3]
}
