//go:build !race

package article

const raceCost = 1
