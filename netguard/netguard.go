// Package netguard decides which network addresses newswatch may dial, so that
// no feed, redirect or webhook can make it speak to the inside of a network.
package netguard
