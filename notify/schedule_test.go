package notify

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests name zones that a machine may lack
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	tz, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return tz
}

func schedule(t testing.TB, spec, tz string) Schedule {
	t.Helper()
	s, err := ParseSchedule(spec, zone(t, tz))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseScheduleRefuses(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"", "is empty"},
		{"   ", "is empty"},
		{"TZ=", "timezone:"}, // cron/v3 panics
		{"CRON_TZ=", "timezone:"},
		{"TZ=Asia/Kolkata", "timezone:"},
		{"CRON_TZ=Asia/Kolkata 0 7 * * *", "timezone:"},
		{"tz=UTC 0 7 * * *", "timezone:"},
		{"0 7 * *", "found 4"},
		{"0 0 7 * * *", "no field for seconds"},
		{"60 7 * * *", "above maximum"},
		{"0 7 * * 7", "Sunday is 0"},
		{"0 7 30 2 *", "never come"},
		{"0 7 31 2,4,6,9,11 *", "never come"},
		{"0 7 30-31 feb *", "never come"},
		{", 7 * * *", "empty field"}, // the parser takes it, and it never comes
		{"@every 0s", "use immediate"},
		{"@every -5m", "use immediate"},
		{"@every 59s", "use immediate"},
		{"@every 9000h", "less than once a year"},
		{"@every", "unrecognized"},
		{"@evry 5m", "want @hourly"},
		{"@reboot", "want @hourly"},
		{"immediate 0s", "between 1s and 1h"},
		{"immediate 2h", "between 1s and 1h"},
		{"immediate soon", "hold of immediate"},
		{"*/0 * * * *", "positive"},
		{strings.Repeat("1,", 200) + "1 * * * *", "longer than"},
	} {
		t.Run(tt.spec, func(t *testing.T) {
			s, err := ParseSchedule(tt.spec, time.UTC)
			if err == nil {
				t.Fatalf("accepted as %s", s)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "notify: schedule ") {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
		})
	}
}

func TestScheduleString(t *testing.T) {
	for _, tt := range []struct{ spec, tz, want string }{
		{"0 7,18 * * *", "Asia/Kolkata", "0 7,18 * * * Asia/Kolkata"},
		{" 00  07,18 *  * * ", "Asia/Kolkata", "0 7,18 * * * Asia/Kolkata"},
		{"@daily", "UTC", "0 0 * * * UTC"},
		{"@midnight", "UTC", "0 0 * * * UTC"},
		{"0 0 1-31 1-12 0-6", "UTC", "0 0 * * * UTC"},
		{"0 0 1-31 * 1", "UTC", "0 0 * * * UTC"}, // cron joins by OR
		{"0 0 * * 1", "UTC", "0 0 * * 1 UTC"},
		{"0 0 13 * fri", "UTC", "0 0 13 * 5 UTC"},
		{"@hourly", "UTC", "0 * * * * UTC"},
		{"0 0-23 * * *", "UTC", "0 * * * * UTC"},
		{"0 */2 * * *", "UTC", "0 */2 * * * UTC"},
		{"0 ?/02 * * *", "UTC", "0 */2 * * * UTC"},
		{"0 0-23/2 * * *", "UTC", "0 0,2,4,6,8,10,12,14,16,18,20,22 * * * UTC"},
		{"@weekly", "UTC", "0 0 * * 0 UTC"},
		{"@every 90m", "Asia/Kolkata", "@every 1h30m0s"},
		{"immediate", "Asia/Kolkata", "immediate 30s"},
		{"immediate 2m", "UTC", "immediate 2m0s"},
	} {
		if got := schedule(t, tt.spec, tt.tz).String(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.spec, got, tt.want)
		}
	}
	if s, err := ParseSchedule("@daily", nil); err != nil || s.String() != "0 0 * * * UTC" {
		t.Errorf("no zone: %v, %v", s, err)
	}
}

// TestScheduleNext walks through clock changes. Times are local, with offset.
func TestScheduleNext(t *testing.T) {
	const layout = "2006-01-02 15:04 -0700"
	for _, tt := range []struct {
		name, spec, tz, from string
		want                 []string
	}{
		{
			"gap: 02:30 comes at 03:00", "30 2 * * *", "America/New_York", "2026-03-07 12:00 -0500",
			[]string{"2026-03-08 03:00 -0400", "2026-03-09 02:30 -0400"},
		},
		{
			"gap: many skipped minutes are one turn", "*/15 2 * * *", "America/New_York", "2026-03-07 12:00 -0500",
			[]string{"2026-03-08 03:00 -0400", "2026-03-09 02:00 -0400"},
		},
		{
			"overlap: 01:30 comes once, the first time", "30 1 * * *", "America/New_York", "2026-10-31 12:00 -0400",
			[]string{"2026-11-01 01:30 -0400", "2026-11-02 01:30 -0500"},
		},
		{
			"overlap: asked in the second hour", "30 1 * * *", "America/New_York", "2026-11-01 01:10 -0500",
			[]string{"2026-11-02 01:30 -0500"},
		},
		{
			"hourly follows real time through a gap", "@hourly", "America/New_York", "2026-03-08 00:30 -0500",
			[]string{"2026-03-08 01:00 -0500", "2026-03-08 03:00 -0400", "2026-03-08 04:00 -0400"},
		},
		{
			"hourly follows real time through an overlap", "@hourly", "America/New_York", "2026-11-01 00:30 -0400",
			[]string{"2026-11-01 01:00 -0400", "2026-11-01 01:00 -0500", "2026-11-01 02:00 -0500"},
		},
		{
			"Berlin gap", "30 2 * * *", "Europe/Berlin", "2026-03-28 12:00 +0100",
			[]string{"2026-03-29 03:00 +0200", "2026-03-30 02:30 +0200"},
		},
		{
			"Berlin overlap", "30 2 * * *", "Europe/Berlin", "2026-10-24 12:00 +0200",
			[]string{"2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"},
		},
		{
			"Kolkata has no changes", "0 7,18 * * *", "Asia/Kolkata", "2026-11-23 06:59 +0530",
			[]string{"2026-11-23 07:00 +0530", "2026-11-23 18:00 +0530", "2026-11-24 07:00 +0530"},
		},
		{
			"Kathmandu is at a quarter", "0 7 * * *", "Asia/Kathmandu", "2026-11-23 07:00 +0545",
			[]string{"2026-11-24 07:00 +0545"},
		},
		{
			"Sao Paulo 2018: midnight does not exist", "0 0 * * *", "America/Sao_Paulo", "2018-11-03 12:00 -0300",
			[]string{"2018-11-04 01:00 -0200", "2018-11-05 00:00 -0200"},
		},
		{
			"Sao Paulo 2018: the day ends twice", "30 23 * * *", "America/Sao_Paulo", "2018-02-17 12:00 -0200",
			[]string{"2018-02-17 23:30 -0200", "2018-02-18 23:30 -0300"},
		},
		{
			"Lord Howe: a gap of half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00 +1030",
			[]string{"2026-10-04 02:30 +1100", "2026-10-05 02:15 +1100"},
		},
		{
			"Lord Howe: an overlap of half an hour", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04 12:00 +1100",
			[]string{"2026-04-05 01:45 +1100", "2026-04-06 01:45 +1030"},
		},
		{
			"Lord Howe: half-hourly in the overlap", "*/30 * * * *", "Australia/Lord_Howe", "2026-04-05 01:10 +1100",
			[]string{"2026-04-05 01:30 +1100", "2026-04-05 01:30 +1030", "2026-04-05 02:00 +1030"},
		},
		{
			"Apia never had 30 December 2011", "0 7 * * *", "Pacific/Apia", "2011-12-29 06:00 -1000",
			[]string{"2011-12-29 07:00 -1000", "2011-12-31 07:00 +1400"},
		},
		{
			"Apia, hourly", "@hourly", "Pacific/Apia", "2011-12-29 22:30 -1000",
			[]string{"2011-12-29 23:00 -1000", "2011-12-31 00:00 +1400"},
		},
		{
			"Pyongyang 2018: a gap across midnight", "45 23 * * *", "Asia/Pyongyang", "2018-05-04 12:00 +0830",
			[]string{"2018-05-05 00:00 +0900", "2018-05-05 23:45 +0900"},
		},
		{
			"St John's 2010: back into the day before", "*/30 * * * *", "America/St_Johns", "2010-11-07 00:00 -0230",
			[]string{"2010-11-06 23:30 -0330", "2010-11-07 00:00 -0330", "2010-11-07 00:30 -0330"},
		},
		{
			"St John's 2010: daily", "30 23 * * *", "America/St_Johns", "2010-11-06 12:00 -0230",
			[]string{"2010-11-06 23:30 -0230", "2010-11-07 23:30 -0330"},
		},
		{
			"St John's 2010: only on the day that comes back", "*/30 * * * 6", "America/St_Johns", "2010-11-06 23:31 -0230",
			[]string{"2010-11-06 23:30 -0330", "2010-11-13 00:00 -0330"},
		},
		{
			"hourly on a leap day", "0 * 29 2 *", "America/New_York", "2024-02-29 23:30 -0500",
			[]string{"2028-02-29 00:00 -0500"},
		},
		{
			"leap day", "0 9 29 2 *", "UTC", "2025-01-01 00:00 +0000",
			[]string{"2028-02-29 09:00 +0000", "2032-02-29 09:00 +0000"},
		},
		{
			"no leap day in 2100", "0 9 29 2 *", "UTC", "2096-03-01 00:00 +0000",
			[]string{"2104-02-29 09:00 +0000"},
		},
		{
			"the 31st", "0 9 31 * *", "UTC", "2026-03-31 10:00 +0000",
			[]string{"2026-05-31 09:00 +0000", "2026-07-31 09:00 +0000"},
		},
		{
			"day of month or of week", "0 9 13 * 5", "UTC", "2026-11-09 00:00 +0000",
			[]string{"2026-11-13 09:00 +0000", "2026-11-20 09:00 +0000"},
		},
		{
			"every half hour", "@every 30m", "UTC", "2026-11-23 07:10 +0000",
			[]string{"2026-11-23 07:40 +0000", "2026-11-23 08:10 +0000"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := schedule(t, tt.spec, tt.tz)
			at, err := time.Parse(layout, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				at = s.Next(at)
				if got := at.In(zone(t, tt.tz)).Format(layout); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
			}
		})
	}
}

var testZones = []string{
	"UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/Sao_Paulo",
	"Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza", "America/Nuuk", "America/St_Johns",
}

// TestScheduleDaily counts the turns of daily schedules on each local day of ten
// years: one on every day there is.
func TestScheduleDaily(t *testing.T) {
	for _, name := range testZones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tz := zone(t, name)
			start := time.Date(2008, 1, 1, 0, 0, 0, 0, tz)
			end := start.AddDate(10, 0, 0)
			// Every local day, found by walking in real time and not by the code under test.
			days := make(map[date]bool)
			for at := start; at.Before(end); at = at.Add(time.Hour) {
				days[dateOf(at.In(tz))] = true
			}
			for _, spec := range []string{"0 0 * * *", "30 0 * * *", "15 2 * * *", "30 2 * * *", "0 7 * * *", "30 22 * * *", "59 23 * * *"} {
				s := schedule(t, spec, name)
				runs := make(map[date]int)
				for at := s.Next(start.Add(-time.Second)); at.Before(end); at = s.Next(at) {
					runs[dateOf(at.In(tz))]++
				}
				for d := range days {
					if runs[d] != 1 {
						t.Errorf("%s: %v has %d turns", spec, d, runs[d])
					}
				}
				if len(runs) != len(days) {
					t.Errorf("%s: turns on %d days, want %d", spec, len(runs), len(days))
				}
			}
		})
	}
}

// TestScheduleProperties draws schedules from a small grammar. For each: Next
// moves on, is fast, misses nothing that a slow walk finds, and its local time
// matches the fields unless the clocks skipped what was asked for.
func TestScheduleProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(choices ...string) string { return choices[r.IntN(len(choices))] }
	for range 1000 {
		spec := strings.Join([]string{
			pick("0", "30", "*", "*/7", "5,35", "59", "10-20/5"),
			pick("*", "0", "2", "1-3", "*/2", "*/12", "7,18", "23", "0-23/5"),
			pick("*", "*", "*", "1", "29", "31", "*/10", "13"),
			pick("*", "*", "*", "2", "3,11", "oct"),
			pick("*", "*", "*", "0", "mon-fri", "6"),
		}, " ")
		name := pick(testZones...)
		tz := zone(t, name)
		s, err := ParseSchedule(spec, tz)
		if err != nil {
			if !strings.Contains(err.Error(), "never come") {
				t.Fatalf("%s: %v", spec, err)
			}
			continue
		}
		cal := s.(calendar)
		at := time.Date(2009+r.IntN(10), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e9), time.UTC)
		for range 12 {
			next := s.Next(at)
			id := fmt.Sprintf("%q in %s: Next(%s) = %s", spec, name, at.In(tz), next.In(tz))
			if !next.After(at) {
				t.Fatalf("%s, which is not later", id)
			}
			if again := s.Next(next.Add(-time.Nanosecond)); !again.Equal(next) {
				t.Fatalf("%s, but from just before it %s", id, again)
			}
			if !cal.shows(next.In(tz)) && !afterGap(cal, next) {
				t.Fatalf("%s, which matches neither the fields nor a gap", id)
			}
			// Nothing was passed over, but for what an overlap showed the second time.
			for m := at.Truncate(time.Minute).Add(time.Minute); m.Before(next) && m.Sub(at) < 26*time.Hour; m = m.Add(time.Minute) {
				if cal.shows(m.In(tz)) && (cal.realTime || !secondShowing(m, tz)) {
					t.Fatalf("%s, which passes over %s", id, m.In(tz))
				}
			}
			at = next
		}
	}
}

// shows reports whether a local time matches the fields.
func (s calendar) shows(local time.Time) bool {
	return s.matches(dateOf(local)) && s.hours>>local.Hour()&1 == 1 && s.minutes>>local.Minute()&1 == 1
}

func afterGap(s calendar, at time.Time) bool {
	if s.realTime {
		return false
	}
	before, after := at.Add(-time.Second).In(s.tz), at.In(s.tz)
	_, o1 := before.Zone()
	_, o2 := after.Zone()
	if o2 <= o1 {
		return false
	}
	// A minute that the clocks skipped matches.
	wall := time.Date(before.Year(), before.Month(), before.Day(), before.Hour(), before.Minute()+1, 0, 0, time.UTC)
	for range (o2 - o1) / 60 {
		if s.shows(wall) {
			return true
		}
		wall = wall.Add(time.Minute)
	}
	return false
}

// secondShowing reports whether the clocks showed the same time before.
func secondShowing(at time.Time, tz *time.Location) bool {
	const layout = "2006-01-02 15:04"
	for back := 30 * time.Minute; back <= 2*time.Hour; back += 30 * time.Minute {
		if at.Add(-back).In(tz).Format(layout) == at.In(tz).Format(layout) {
			return true
		}
	}
	return false
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"0 7,18 * * *", "@every 30m", "TZ=", "immediate 1m", "*/15 2-4 1,31 jan-mar sun", "@daily", "? ? ? ? ?"} {
		f.Add(s)
	}
	tz := zone(f, "America/Sao_Paulo")
	at := time.Date(2018, 11, 3, 23, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := ParseSchedule(spec, tz)
		if err != nil {
			return
		}
		begun := time.Now()
		next := s.Next(at)
		if !next.After(at) {
			t.Errorf("%q: Next went from %s to %s", spec, at, next)
		}
		took := time.Since(begun)
		for try := 1; took > 100*time.Millisecond && try < 3; try++ { // perhaps somebody else had the machine
			begun = time.Now()
			s.Next(at)
			took = time.Since(begun)
		}
		if took > 100*time.Millisecond {
			t.Errorf("%q: Next took %s", spec, took)
		}
		if !IsImmediate(s) && next.Sub(at) > 9*366*24*time.Hour {
			t.Errorf("%q: the next turn is in %s", spec, next)
		}
	})
}

func BenchmarkScheduleNext(b *testing.B) {
	at := time.Date(2018, 11, 3, 23, 0, 0, 0, time.UTC)
	for _, spec := range []string{"0 7 * * *", "@hourly", "0 9 29 2 *", "0 * 29 2 *", "59 23 31 12 *", "* 1-22 * * *"} {
		s := schedule(b, spec, "America/Sao_Paulo")
		b.Run(spec, func(b *testing.B) {
			for b.Loop() {
				s.Next(at)
			}
		})
	}
}
