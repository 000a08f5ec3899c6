package document

import (
	"slices"
	"strconv"
	"strings"
	"time"

	ext "github.com/mmcdole/gofeed/extensions"
	"github.com/mmcdole/gofeed/rss"
)

// relation takes note of the links by which WebSub is found.
func (t *translation) relation(rel, href string) {
	switch rel {
	case "self":
		if t.doc.Hints.Self == "" {
			t.doc.Hints.Self = t.links.address(href)
		}
	case "hub":
		t.hub(href)
	}
}

func (t *translation) hub(href string) {
	if hub := t.links.address(href); hub != "" && len(t.doc.Hints.Hubs) < maxHubs {
		t.doc.Hints.Hubs = append(t.doc.Hints.Hubs, hub)
	}
}

// syndication reads the hints of the RSS 1.0 syndication module.
func (t *translation) syndication(x ext.Extensions) {
	period, ok := map[string]time.Duration{
		"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour,
		"monthly": 30 * 24 * time.Hour, "yearly": 365 * 24 * time.Hour,
	}[strings.ToLower(extText(x, "sy", "updatePeriod"))]
	frequency := 1
	if s := extText(x, "sy", "updateFrequency"); s != "" {
		frequency, _ = strconv.Atoi(s)
		// A frequency alone is per day, the module's default period.
		if !ok && extText(x, "sy", "updatePeriod") == "" {
			period, ok = 24*time.Hour, true
		}
	}
	if ok && frequency > 0 && frequency <= 24*60 {
		t.doc.Hints.UpdateEvery = period / time.Duration(frequency)
	}
	t.doc.Hints.UpdateBase = t.date(extText(x, "sy", "updateBase"))
}

// skipped reads ttl, skipHours and skipDays (RSS 2.0).
func (t *translation) skipped(f *rss.Feed) {
	if minutes, err := strconv.Atoi(f.TTL); err == nil && minutes > 0 && minutes <= 366*24*60 {
		t.doc.Hints.TTL = time.Duration(minutes) * time.Minute
	}
	for _, s := range f.SkipHours {
		// Userland counted from 1 to 24; 24 is midnight.
		if h, err := strconv.Atoi(s); err == nil && h >= 0 && h <= 24 && !slices.Contains(t.doc.Hints.SkipHours, h%24) {
			t.doc.Hints.SkipHours = append(t.doc.Hints.SkipHours, h%24)
		}
	}
	for _, s := range f.SkipDays {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(s, d.String()) {
				t.doc.Hints.SkipDays = append(t.doc.Hints.SkipDays, d)
			}
		}
	}
}
