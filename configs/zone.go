package configs

import (
	_ "embed"
	"fmt"
	"path"
	"strings"
	"time"
	_ "time/tzdata" // a container without a zone database must read the same file

	"github.com/newswatch/newswatch/classifier"
)

// zones.txt lists the zones of the IANA database, for suggestions only: what is
// valid is what time.LoadLocation finds.
//
//go:embed zones.txt
var zoneList string

// parseZone reads the name of a time zone. "Local" is refused: it would mean
// another time on the next machine.
func parseZone(t string) (*time.Location, *valueError) {
	if t != "" && t != "Local" {
		if loc, err := time.LoadLocation(t); err == nil {
			return loc, nil
		}
	}
	hint := "write the name of a zone such as Asia/Kolkata or UTC"
	if z, ok := zoneNicknames[strings.ToUpper(t)]; ok {
		hint = "write " + z
	} else if z := nearestZone(t); z != "" {
		hint = "did you mean " + z + "?"
	}
	return nil, &valueError{Message: fmt.Sprintf("%q is not a time zone", clip(t)), Hint: hint}
}

// zoneNicknames are abbreviations, which mean different zones to different
// people: IST is India's, Ireland's and Israel's time. They are suggested, never
// taken.
var zoneNicknames = map[string]string{
	"IST": "Asia/Kolkata", "GMT+5:30": "Asia/Kolkata", "+05:30": "Asia/Kolkata", "+0530": "Asia/Kolkata", "INDIA": "Asia/Kolkata",
	"CEST": "Europe/Brussels", "BST": "Europe/London", "AEST": "Australia/Sydney", "PST": "America/Los_Angeles", "EDT": "America/New_York",
}

// nearestZone also takes a city without its continent.
func nearestZone(t string) string {
	all := strings.Fields(zoneList)
	t = strings.ReplaceAll(clip(t), " ", "_")
	for _, z := range all {
		if strings.EqualFold(path.Base(z), t) {
			return z
		}
	}
	return classifier.DidYouMean(t, all)
}
