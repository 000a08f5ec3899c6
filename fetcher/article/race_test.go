//go:build race

package article

// raceCost is by how much the race detector slows a parse down.
const raceCost = 15
