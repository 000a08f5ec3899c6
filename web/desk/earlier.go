package desk

import (
	"context"
	"errors"
	"slices"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

// First returns the first report of the case that a story goes on with, see
// story.Archive, and false where there is none.
func (d Desk) First(ctx context.Context, s story.Story) (classifier.Hit, bool, error) {
	if d.Past == nil || !story.FollowsUp(s.Lead) && !slices.ContainsFunc(s.Also, story.FollowsUp) {
		return classifier.Hit{}, false, nil
	}
	past, err := d.Past(ctx)
	if err != nil {
		return classifier.Hit{}, false, err
	}
	first, ok := past.First(s, func(h classifier.Hit) bool { return !h.TakenDown })
	if !ok {
		return classifier.Hit{}, false, nil
	}
	// It may have been purged, or taken down, since the past was read.
	h, err := d.Store.Hit(ctx, first.Item.ID)
	if errors.Is(err, store.ErrNotFound) {
		return classifier.Hit{}, false, nil
	}
	return h, err == nil && !h.TakenDown, err
}
