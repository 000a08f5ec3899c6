//go:build race

package classifier

// raceEnabled: under the race detector a sync.Pool forgets at random.
const raceEnabled = true
