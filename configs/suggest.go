package configs

import (
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier"
)

// didYouMean is the hint for a name that is not one of candidates: the nearest,
// else all of them where they are few enough to read.
func didYouMean(word string, candidates []string) string {
	if c := classifier.DidYouMean(clip(word), candidates); word != "" && c != "" {
		return "did you mean " + c + "?"
	}
	const readable = 14
	if len(candidates) == 0 || len(candidates) > readable {
		return ""
	}
	return "known here: " + strings.Join(slices.Sorted(slices.Values(candidates)), ", ")
}
