package classifier

import "slices"

// Show says how much of an item a rule lets readers be shown, in digests and output
// feeds. The zero value is the most.
type Show string

const (
	// ShowExcerpt is the title and the sentence that matched.
	ShowExcerpt Show = ""
	// ShowTitle is the title alone.
	ShowTitle Show = "title"
	// ShowLink is the outlet and the way to the item, and no word of it.
	ShowLink Show = "link"
)

// ParseShow reads what a rule file says: excerpt, title or link.
func ParseShow(s string) (Show, bool) {
	switch s {
	case "excerpt":
		return ShowExcerpt, true
	case string(ShowTitle), string(ShowLink):
		return Show(s), true
	}
	return ShowExcerpt, false
}

// reserve orders them; one that is not known, of a newer newswatch, is the most
// reserved.
func (s Show) reserve() int {
	switch s {
	case ShowExcerpt:
		return 0
	case ShowTitle:
		return 1
	}
	return 2
}

// Show is the most reserved of the hit's rules.
func (h Hit) Show() Show {
	s := ShowExcerpt
	for _, r := range h.Rules {
		if r.Show.reserve() > s.reserve() {
			s = r.Show
		}
	}
	return s
}

// Reserved returns the hit without what its rules do not let readers be shown. The
// caller's hit is left as it is.
func (h Hit) Reserved() Hit {
	show := h.Show()
	if show == ShowExcerpt {
		return h
	}
	h.Item.Summary, h.Item.Content = "", ""
	if show != ShowTitle {
		h.Item.Title, h.Item.Authors, h.Item.Categories = "", nil, nil
	}
	h.Rules = slices.Clone(h.Rules)
	for i := range h.Rules {
		h.Rules[i].Matches, h.Rules[i].Excerpt = nil, Excerpt{}
	}
	return h
}
