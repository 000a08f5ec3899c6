package notify

import (
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// Amendment is what became of a report after it stood in the hit log: its
// headline changed, its publisher took it down or put it back, or an operator withdrew it. It has
// a place in the log of its own, so that a subscriber who was sent the report hears
// of it once.
type Amendment struct {
	// Seq is its place in the log; the store gives it.
	Seq int64     `json:"seq,omitempty"`
	At  time.Time `json:"at"`
	// Hit is the report, with the rules that stood in the log by then and without
	// what it said. Of one that was withdrawn it has no headline and no link, since
	// either may hold what it was withdrawn for.
	Hit classifier.Hit `json:"hit"`
	// Was is the headline before; empty where it is the same.
	Was       string `json:"was,omitempty"`
	TakenDown bool   `json:"taken_down,omitempty"`
	Withdrawn bool   `json:"withdrawn,omitempty"`
	// Back is set where it was taken down and is there again.
	Back bool `json:"back,omitempty"`
}

// MaxCorrections bounds the corrections that one digest lists; the rest is
// counted.
const MaxCorrections = 10

// Amended returns those amendments of a window that the selection is told of:
// they are of reports that were news to it before, in the log at begin < seq <=
// from. Of one that changed more than once there is one, from what its reader knew
// of it to the last; what changed back is left out.
func Amended(sel Selection, begin, from int64, amendments []Amendment) []Amendment {
	var out []Amendment
	var known []Amendment // the first of each
	at := make(map[feed.ItemID]int)
	for _, a := range amendments {
		first := firstFollowed(sel, a.Hit)
		if first <= begin || first > from || !sel.language(a.Hit.Item.Lang) {
			continue
		}
		id := a.Hit.Item.ID
		i, again := at[id]
		if !again {
			at[id] = len(out)
			out, known = append(out, a), append(known, a)
			continue
		}
		out[i] = a
	}
	kept := out[:0]
	for i, a := range out {
		if a.since(known[i]) {
			kept = append(kept, a)
		}
	}
	return kept
}

// since makes an amendment tell of all that changed from the first of its report in
// a window on, and reports whether there is anything to tell to a reader who knew
// what was before that.
func (a *Amendment) since(first Amendment) bool {
	if a.Withdrawn {
		return true
	}
	was := first.before()
	reworded := was != a.Hit.Item.Title
	if !reworded {
		was = ""
	}
	a.Was = was
	if a.TakenDown {
		return !first.Back // it was down
	}
	a.Back = first.Back
	return a.Back || reworded
}

// before is the headline that a reader was sent: of a report that was taken down or
// put back as it stood, the one that it has.
func (a Amendment) before() string {
	if (a.TakenDown || a.Back) && a.Was == "" {
		return a.Hit.Item.Title
	}
	return a.Was
}

// firstFollowed is the first place in the log of a rule that the selection
// follows, or 0.
func firstFollowed(sel Selection, h classifier.Hit) int64 {
	first := int64(0)
	for _, r := range h.Rules {
		if r.Seq > 0 && sel.follows(r, h.FeedTags) && (first == 0 || r.Seq < first) {
			first = r.Seq
		}
	}
	return first
}
