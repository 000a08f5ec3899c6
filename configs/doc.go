// Package configs is the YAML that an operator edits and the code that reads
// it: strict, all errors at once, each with its place, the line and what to
// write instead.
//
// The files beside this one are the defaults. They are embedded, so that the
// program does its main job without a file on disk.
package configs
